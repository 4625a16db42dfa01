package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/directory/directorytest"
	"github.com/hacsync/hacsync/sync/problem"
)

// colleague is a person of the company, and the truth about them.
type colleague struct {
	no            int
	family, given [2]string // in kanji and in letters
	username, upn string
	id            string
	gone          int  // the day on which they left, 0 for who is there
	away          bool // on leave: not in the export
	names, upns   map[string]bool
}

func (c *colleague) display() string { return c.family[0] + " " + c.given[0] }

func (c *colleague) String() string {
	return fmt.Sprintf("person %d, %s (%s, %s, left on day %d)", c.no, c.display(), c.username, c.upn, c.gone)
}

const companySize = 60

// newColleagues are sixty people, half of whom have an immutable ID. Given names
// occur three times, family names four times, whole names once.
func newColleagues() []*colleague {
	families, givens := directorytest.Families()[:15], directorytest.Givens()[:20]
	var all []*colleague
	for i := range companySize {
		f := families[i%len(families)]
		g := givens[(i*7+i/len(givens))%len(givens)]
		all = append(all, newColleague(i+1, f, g, i%2 == 0))
	}
	return all
}

func newColleague(no int, family, given [2]string, id bool) *colleague {
	c := &colleague{no: no, family: family, given: given, names: map[string]bool{}, upns: map[string]bool{}}
	c.username = given[1] + "." + family[1]
	c.upn = c.username + "@" + proofDomain
	if id {
		c.id = fmt.Sprintf("IMM%05d==", no)
	}
	return c
}

// companyDay is what happens to people on a day, what the file of that day is like,
// and what a person answers in the evening.
type companyDay struct {
	what   string
	live   func(w *weeks)
	spoil  func(file []byte) []byte // the export as it arrives; nil: as it is
	refuse problem.Code             // why nothing happens by this file; empty: it is as it should be
	answer []companyAnswer
}

// companyAnswer is an answer on the command line, about the account of a person.
type companyAnswer struct {
	no     int
	answer func(w *weeks) string
}

func saysWord(word string) func(*weeks) string { return func(*weeks) string { return word } }

// companyDays are the two weeks. What is asked is in the comments of the rules: who
// is recreated under a new family name, who inherits a UPN, who is called as a leaver.
func companyDays() []companyDay {
	return []companyDay{
		{what: "quiet"},
		{what: "3 and 4 leave, 61 joins", live: func(w *weeks) {
			w.leaves(3, 4)
			w.joins([2]string{"今井", "imai"}, [2]string{"千尋", "chihiro"}, true)
		}},
		{what: "10 marries: family name and UPN change", live: func(w *weeks) { w.marries(10, [2]string{"宮崎", "miyazaki"}) }},
		{what: "5 leaves; the file is truncated", live: func(w *weeks) { w.leaves(5) }, refuse: problem.FileCut, spoil: func(b []byte) []byte {
			return b[:bytes.LastIndexByte(b[:len(b)*3/5], ',')]
		}},
		{
			what: "6 leaves, 62 joins under the UPN of 6; 11 marries", live: func(w *weeks) {
				w.leaves(6)
				w.joins([2]string{"大野", "ono"}, [2]string{"莉子", "riko"}, false).upn = w.who(6).upn
				w.marries(11, [2]string{"平野", "hirano"})
			},
			answer: []companyAnswer{{no: 6, answer: saysWord("different")}},
		},
		{
			what: "12 is made anew in HAC, 14 too and has married", live: func(w *weeks) {
				w.recreated(12)
				w.marries(14, [2]string{"藤原", "fujiwara"})
				w.recreated(14)
			},
			answer: []companyAnswer{{no: 14, answer: func(w *weeks) string { return "same:" + w.who(14).username }}},
		},
		{what: "7 goes on leave and is taken out of HAC", live: func(w *weeks) { w.who(7).away = true }},
		{what: "the file is Shift_JIS read as Latin-1", refuse: problem.SourceMisread, spoil: misread},
		{
			what: "63 joins, a namesake of 20; 8 leaves and 64 joins, a namesake of 8", live: func(w *weeks) {
				w.joins(w.who(20).family, w.who(20).given, false)
				w.leaves(8)
				w.joins(w.who(8).family, w.who(8).given, false)
			},
			answer: []companyAnswer{{no: 8, answer: saysWord("not-now")}},
		},
		{what: "half of the rows are missing", refuse: problem.GuardCancels, spoil: func(b []byte) []byte {
			lines := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join(lines[:len(lines)/2+2], nil)
		}},
		{
			what: "7 is back", live: func(w *weeks) { w.who(7).away = false },
			answer: []companyAnswer{{no: 8, answer: saysWord("different")}},
		},
		{what: "9 leaves; a slip in the UPN of 22", live: func(w *weeks) {
			w.leaves(9)
			w.who(22).upn = strings.Replace(w.who(22).upn, "@", "o@", 1)
		}},
		{what: "the slip is mended", live: func(w *weeks) { w.who(22).upn = strings.Replace(w.who(22).upn, "o@", "@", 1) }},
		{what: "quiet"},
	}
}

// misread is a file that an editor took for Latin-1 and saved as UTF-8.
func misread(file []byte) []byte {
	var out []rune
	for _, b := range file {
		out = append(out, rune(b))
	}
	return []byte(string(out))
}

func (w *weeks) who(no int) *colleague { return w.people[no-1] }

func (w *weeks) leaves(nos ...int) {
	for _, no := range nos {
		w.who(no).gone = w.day
	}
}

// joins is a new colleague; a number follows the name where it is taken.
func (w *weeks) joins(family, given [2]string, id bool) *colleague {
	c := newColleague(len(w.people)+1, family, given, id)
	for n := 2; slices.ContainsFunc(w.people, func(x *colleague) bool { return x.username == c.username || x.upn == c.upn }); n++ {
		c.username = fmt.Sprintf("%s.%s%d", given[1], family[1], n)
		c.upn = c.username + "@" + proofDomain
	}
	w.people = append(w.people, c)
	return c
}

// marries: HAC keeps the Username while its user lives.
func (w *weeks) marries(no int, family [2]string) {
	c := w.who(no)
	c.family, c.upn = family, c.given[1]+"."+family[1]+"@"+proofDomain
}

// recreated is a HAC user that was deleted and made again: the Username is new.
func (w *weeks) recreated(no int) {
	c := w.who(no)
	c.username = fmt.Sprintf("%s.%s.%d", c.given[1], c.family[1], 2026)
}

// inSource are the people in the company's list of the day.
func (w *weeks) inSource() []*colleague {
	return slices.DeleteFunc(slices.Clone(w.people), func(c *colleague) bool { return c.gone > 0 || c.away })
}

// export is the list of the day, as HAC would give it.
func (w *weeks) export() []byte {
	var out bytes.Buffer
	c := csv.NewWriter(&out)
	_ = c.Write([]string{
		"Username", "Email", "Family Name", "Given Name", "Display Name", "Status", "Microsoft Immutable ID", "Last Login",
	})
	for _, p := range w.inSource() {
		p.names[p.display()], p.upns[p.upn] = true, true
		login := w.clock.Now().UTC().Add(-time.Duration(p.no) * time.Minute).Format("2006-01-02 15:04:05Z")
		_ = c.Write([]string{p.username, p.upn, p.family[0], p.given[0], p.display(), "enabled", p.id, login})
	}
	c.Flush()
	return out.Bytes()
}

// tenantFile is the tenant of the first day: an account for each person.
func (w *weeks) tenantFile() []byte {
	f := proofTenantFile{
		Organization: map[string]string{"id": "6d0c9a1e-0000-4000-8000-0000000000ab", "displayName": "Midori Sample K.K."},
		Domains: []map[string]any{
			{"id": "midorisample.onmicrosoft.com", "isInitial": true},
			{"id": proofDomain, "isDefault": true},
		},
		Users:    []proofPerson{{ID: "00000000-0000-4000-8000-000000000001", UPN: proofAdmin, Display: "Admin"}},
		SignedIn: proofAdmin,
		Roles: []map[string]any{{
			"principalId":      "00000000-0000-4000-8000-000000000001",
			"roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/",
		}},
	}
	for _, p := range w.people {
		local, _, _ := strings.Cut(p.upn, "@")
		f.Users = append(f.Users, proofPerson{
			ID: fmt.Sprintf("00000000-0000-4000-8000-%012d", 100+p.no), UPN: p.upn, Nickname: local,
			Display: p.display(), Given: p.given[0], Surname: p.family[0], ImmutableID: p.id,
		})
	}
	f.Users[1].Surname = "" // something for the first sync to do
	b, err := json.Marshal(f)
	if err != nil {
		w.t.Fatal(err)
	}
	return b
}

// tenantAccount is what the oracle looks at of an account.
type tenantAccount struct {
	ID          string `json:"id"`
	UPN         string `json:"userPrincipalName"`
	Display     string `json:"displayName"`
	Given       string `json:"givenName"`
	Surname     string `json:"surname"`
	ImmutableID string `json:"onPremisesImmutableId"`
	Enabled     *bool  `json:"accountEnabled"`
}

func (a tenantAccount) blocked() bool { return a.Enabled != nil && !*a.Enabled }

// accounts are the live accounts of the domain, by object ID.
func (w *weeks) accounts() map[string]tenantAccount {
	var f struct {
		Users []tenantAccount `json:"users"`
	}
	if err := json.Unmarshal(w.sim.Snapshot(), &f); err != nil {
		w.t.Fatal(err)
	}
	live := map[string]tenantAccount{}
	for _, u := range f.Users {
		if strings.HasSuffix(u.UPN, "@"+proofDomain) {
			live[u.ID] = u
		}
	}
	return live
}

// judged compares the tenant before and after a day, and returns what happened. The
// oracle knows each account's person, and nothing of plans.
func (w *weeks) judged(was, now map[string]tenantAccount) map[string][]string {
	happened := map[string][]string{}
	note := func(what, who string) { happened[what] = append(happened[what], who) }
	local := func(upn string) string { return strings.TrimSuffix(upn, "@"+proofDomain) }
	there := w.inSource()
	for _, id := range slices.Sorted(maps.Keys(was)) {
		old, p := was[id], w.owner[id]
		u, live := now[id]
		switch {
		case !live:
			note("deleted", local(old.UPN))
			w.forbid(slices.Contains(there, p), "%s is in the source and lost the account", p)
			continue
		case u.blocked() && !old.blocked():
			note("blocked", local(u.UPN))
			w.forbid(slices.Contains(there, p), "%s is in the source and was blocked", p)
		case !u.blocked() && old.blocked():
			note("unblocked", local(u.UPN))
		}
		if u.UPN != old.UPN {
			note("renamed", local(old.UPN)+" > "+local(u.UPN))
		} else if u.Display != old.Display || u.Surname != old.Surname || u.ImmutableID != old.ImmutableID {
			note("updated", local(u.UPN))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(now)) {
		u := now[id]
		if _, before := was[id]; before {
			continue
		}
		if p := w.owner[id]; p != nil {
			note("restored", local(u.UPN))
			continue
		}
		note("added", local(u.UPN))
		i := slices.IndexFunc(there, func(p *colleague) bool { return p.upn == u.UPN })
		if i < 0 {
			w.t.Errorf("day %d: %s was added for nobody", w.day, u.UPN)
			continue
		}
		for other, p := range w.owner {
			_, lives := now[other]
			w.forbid(p == there[i] && lives, "%s got a second account", p)
		}
		w.owner[id] = there[i]
	}
	for id, u := range now {
		p := w.owner[id]
		if p == nil {
			continue
		}
		w.forbid(!p.upns[u.UPN] || !p.names[u.Display] || u.ImmutableID != "" && u.ImmutableID != p.id,
			"the account of %s says %s, %s, ID %q: another person's", p, u.UPN, u.Display, u.ImmutableID)
	}
	return happened
}

func (w *weeks) forbid(broken bool, format string, args ...any) {
	if broken {
		w.t.Errorf("day %d: "+format, append([]any{w.day}, args...)...)
	}
}

// atTheEnd each person of the company has one account, as the source has it. No leaver
// has one.
func (w *weeks) atTheEnd() {
	live := w.accounts()
	has := map[*colleague][]tenantAccount{}
	for id, u := range live {
		has[w.owner[id]] = append(has[w.owner[id]], u)
	}
	for _, p := range w.people {
		mine := has[p]
		switch {
		case p.gone > 0:
			w.forbid(len(mine) > 0, "%s is still there: %v", p, mine)
		case len(mine) != 1 || mine[0].blocked():
			w.t.Errorf("%s has the accounts %v", p, mine)
		default:
			u := mine[0]
			w.forbid(u.UPN != p.upn || u.Surname != p.family[0] || u.Given != p.given[0] || u.Display != p.display() || u.ImmutableID != p.id,
				"the account of %s is %+v", p, u)
		}
	}
}

// columns sets rows under each other; a character of Japan is two wide.
func columns(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	wide := func(s string) (n int) {
		for _, r := range s {
			n++
			if r > 0x2e80 {
				n++
			}
		}
		return n
	}
	for _, r := range rows {
		for i, cell := range r {
			widths[i] = max(widths[i], wide(cell))
		}
	}
	var out strings.Builder
	for _, r := range rows {
		line := ""
		for i, cell := range r {
			line += cell + strings.Repeat(" ", widths[i]-wide(cell)+2)
		}
		out.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}
