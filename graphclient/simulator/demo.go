package simulator

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/clock"
)

// demoSeed is that of the demo company's people.
const demoSeed = 4012

// company is the demo company: its story, and the accounts that the story needs.
type company struct {
	Organization json.RawMessage   `json:"organization"`
	Domains      []json.RawMessage `json:"domains"`
	SignedIn     string            `json:"signedIn"`
	Shared       [][2]string       `json:"shared"`
	Rooms        [][2]string       `json:"rooms"`
	Equipment    [][2]string       `json:"equipment"`
	Admins       [][4]string       `json:"admins"` // local part, family, given, role or "eligible"
	Deletions    [][4]any          `json:"deletions"`
	Renames      [][6]string       `json:"renames"` // before, after
	Restores     [][3]string       `json:"restores"`
	Adds         [][3]string       `json:"adds"`
	Unwritable   [][3]string       `json:"unwritable"`
	Questions    map[string]string `json:"questions"` // departments of the people in question
	Group        [2]string         `json:"group"`     // name, local part of its address
	Custom       []string          `json:"custom"`
}

// The demo company's numbers, of midori.example: 4,012 accounts, 27 of them
// left alone, 4,020 rows, and one that names no domain of the tenant.
const (
	demoUpdates   = 318
	demoUnchanged = 3643
	demoAdds      = 31
	demoSynced    = 3
	demoMain      = "midori.example"
	demoLogi      = "midori-logi.example"
	demoLab       = "midori-lab.example"
)

// DemoExport is the HAC export of the demo company. Dates in it are counted from
// now.
func DemoExport(now time.Time) ([]byte, error) {
	_, export, err := demoWorld(now, clock.Real())
	return export, err
}

// Remembered is a user of HENNGE Access Control whom earlier runs of the demo company
// saw; Account is empty if the account is of another domain.
type Remembered struct {
	Account, Username, Family, Given, Display, UPN, ImmutableID string
}

// DemoTenant, DemoDomain and DemoPast are what earlier runs knew of the demo company:
// the users in the export, and their accounts.
const (
	DemoTenant = "5f0c2a8e-1b7d-4e0f-9c55-2d6a8b1f7e10"
	DemoDomain = demoMain
)

// DemoPast is who was known in the export.
func DemoPast(now time.Time) ([]Remembered, error) {
	w, _, err := demoPeople(now, clock.Real())
	if err != nil {
		return nil, err
	}
	return w.past, nil
}

func demo(c clock.Clock) (*tenant, []byte, error) { return demoWorld(c.Now(), c) }

func demoWorld(now time.Time, c clock.Clock) (*tenant, []byte, error) {
	w, t, err := demoPeople(now, c)
	if err != nil {
		return nil, nil, err
	}
	export, err := w.export()
	return t, export, err
}

func demoPeople(now time.Time, c clock.Clock) (*world, *tenant, error) {
	var co company
	if err := json.Unmarshal(assets.DemoCompany(), &co); err != nil {
		return nil, nil, fmt.Errorf("read the demo company: %w", err)
	}
	t := newTenant(c)
	l := &loader{t: t, now: now}
	f := &tenantFile{Organization: co.Organization, Domains: co.Domains}
	if err := l.organization(f); err != nil {
		return nil, nil, err
	}
	if err := l.domains(f); err != nil {
		return nil, nil, err
	}
	t.addWellKnown()
	t.addBuiltInRoles()
	w, err := newWorld(t, demoSeed, now)
	if err != nil {
		return nil, nil, err
	}
	w.hdeadmin()
	w.demoInitial(&co)
	w.demoMain(&co)
	w.demoLogi()
	w.demoLab()
	for range 30 {
		w.elsewhere("midori-hd.example")
	}
	for range 12 {
		w.elsewhere("midori-new.example")
	}
	return w, t, nil
}

// elsewhere makes a row of a domain that the tenant does not have.
func (w *world) elsewhere(domain string) {
	p := w.stranger(domain)
	w.row(p)
	w.past = append(w.past, Remembered{Username: p.nick})
}

// remember notes that earlier runs saw p in the export, as the account that p has.
func (w *world) remember(p *person) {
	w.past = append(w.past, Remembered{
		Account: guid(w.id, "user", strings.ToLower(p.upn())), Username: p.nick, Family: p.family, Given: p.given,
		Display: p.display, UPN: p.upn(), ImmutableID: p.imm,
	})
}

// told makes a person that the demo's story names.
func (w *world) told(local, domain, family, given string) *person {
	p := &person{local: local, domain: domain, family: family, given: given, display: strings.TrimSpace(family + " " + given)}
	w.finish(p)
	p.licensed = true
	return p
}

// demoInitial makes the 21 accounts of the initial domain: who signs in, the
// break-glass account, service accounts and guests.
func (w *world) demoInitial(co *company) {
	initial := w.t.initialDomain()
	first := co.Admins[0]
	p := w.told(first[0], initial, first[1], first[2])
	p.imm = ""
	r := w.enter(w.account(p))
	w.t.signedIn = r.id
	w.role(r.id, first[3])
	glass := w.told("breakglass", initial, "", "Break glass")
	glass.imm, glass.licensed = "", false
	w.role(w.enter(w.account(glass)).id, roleGlobalAdmin)
	for i := range 10 {
		s := w.told(fmt.Sprintf("svc-%02d", i+1), initial, "", fmt.Sprintf("Service %02d", i+1))
		s.imm, s.licensed = "", false
		w.enter(w.account(s))
	}
	for range 9 {
		w.guest(w.stranger("partner.example"))
	}
}

func (w *world) demoMain(co *company) {
	for _, s := range co.Shared {
		w.special(s[0], demoMain, s[1], "shared")
	}
	for _, s := range co.Rooms {
		w.special(s[0], demoMain, s[1], "room")
	}
	for _, s := range co.Equipment {
		w.special(s[0], demoMain, s[1], "equipment")
	}
	// Administrators, and one person in a group that roles may be given to.
	for _, a := range co.Admins[1:] {
		p := w.told(a[0], demoMain, a[1], a[2])
		r := w.enter(w.account(p))
		if a[3] == "eligible" {
			w.eligible(r.id, roleUserAdmin)
		} else {
			w.role(r.id, a[3])
		}
		w.row(p)
		w.remember(p)
	}
	p := w.told("arai.makoto", demoMain, "新井", "誠")
	member := w.enter(w.account(p))
	w.row(p)
	w.remember(p)
	w.demoGroups(co, member.id)
	for range demoSynced {
		p := w.stranger(demoMain)
		w.synced(p)
		w.row(p)
	}
	w.demoChanges(co)
	w.demoConflicts()
	// The rest is the same on both sides, or nearly.
	for i := range demoUpdates + demoUnchanged {
		p := w.stranger(demoMain)
		props := w.account(p)
		q := *p
		switch {
		case i == 0:
			delete(props, "onPremisesImmutableId") // to be filled from the source
		case i < 42:
			q.display = strings.ReplaceAll(q.display, " ", "\u3000")
			if q.display == p.display {
				q.display = p.display + "\u3000"
			}
		case i < demoUpdates:
			w.vary(&q, i)
			if q.family == p.family && q.given == p.given && q.display == p.display {
				q.display += " (" + p.dept + ")"
			}
		}
		w.enter(props)
		w.row(&q)
		w.remember(p)
	}
}

// demoGroups makes the groups: one that roles may be given to, one with an
// address in the domain.
func (w *world) demoGroups(co *company, member string) {
	g := newObject(w.t.sch["group"], map[string]string{
		"id": quote(guid(w.id, "group", "operators")), "displayName": `"ディレクトリ運用"`, "isAssignableToRole": "true",
		"securityEnabled": "true", "mailEnabled": "false", "mailNickname": `"operators"`, "createdDateTime": madeLongAgo,
	})
	w.t.addGroup(g)
	w.t.members[g.id()] = []string{member}
	w.t.owners[g.id()] = []string{w.t.signedIn}
	address := "takeda-team@" + demoMain
	w.t.addGroup(newObject(w.t.sch["group"], map[string]string{
		"id": quote(guid(w.id, "group", "takeda")), "displayName": quote(co.Group[0]), "groupTypes": `["Unified"]`,
		"securityEnabled": "false", "mailEnabled": "true", "mailNickname": `"takeda-team"`, "createdDateTime": madeLongAgo,
		"mail": quote(address), "proxyAddresses": quoteList([]string{"SMTP:" + address}),
	}))
}

// demoChanges makes the rows that the story needs.
func (w *world) demoChanges(co *company) {
	for _, d := range co.Deletions {
		local, _ := d[0].(string)
		family, _ := d[1].(string)
		given, _ := d[2].(string)
		licensed, _ := d[3].(bool)
		p := w.told(local, demoMain, family, given)
		if strings.IndexByte(local, '.') == 1 { // m.brown
			p.display = given + " " + family
		}
		p.licensed = licensed
		switch local {
		case "copier-3f", "hara.yoko", "watanabe.sho":
			p.imm = ""
		}
		w.asked(co, p)
		w.enter(w.account(p))
		if local != "copier-3f" && local != "okubo.jun" { // no export ever had these
			w.remember(p)
		}
	}
	// Accounts first: a chain of renames takes a name that is still held.
	var after []*person
	for _, n := range co.Renames {
		p := w.told(n[0], demoMain, n[1], n[2])
		for _, other := range co.Renames {
			if other[3] == n[0] { // a mailbox would keep the name that the other wants
				p.licensed = false
			}
		}
		w.enter(w.account(p))
		w.remember(p)
		q := *p
		q.local, q.family, q.given = n[3], n[4], n[5]
		q.display = n[4] + " " + n[5]
		after = append(after, &q)
	}
	for _, q := range after {
		w.taken[q.upn()] = true
		w.row(q)
	}
	for i, n := range co.Restores {
		p := w.told(n[0], demoMain, n[1], n[2])
		w.binned(p, 4+3*i)
		w.taken[p.upn()] = true
		w.row(p)
	}
	for i := range demoAdds {
		if i < len(co.Adds) {
			n := co.Adds[i]
			p := w.told(n[0], demoMain, n[1], n[2])
			w.asked(co, p)
			w.row(p)
			continue
		}
		w.row(w.stranger(demoMain))
	}
	for _, n := range co.Unwritable {
		p := w.told(n[0], demoMain, n[1], n[2])
		if w.asked(co, p) { // a note in the cell
			p.domain += " (leave)"
			p.nick, p.imm = "rei.kobayashi", ""
		}
		w.row(p)
	}
}

// asked sets the department of a person whom only a reviewer can identify.
func (w *world) asked(co *company, p *person) bool {
	dept, ok := co.Questions[p.local]
	if !ok {
		return false
	}
	p.dept = dept
	if p.local == "watanabe.s" {
		p.login = time.Time{}
	}
	return true
}

// demoConflicts makes two rows with one UPN, and one row that fits two
// accounts: one by immutable ID, one by UPN.
func (w *world) demoConflicts() {
	twice := w.told("suzuki.ichiro", demoMain, "鈴木", "一郎")
	w.enter(w.account(twice))
	w.row(twice)
	again := *twice
	again.nick, again.imm, again.number = "ichiro.suzuki.tmp", "", ""
	w.row(&again)
	one, two := w.told("ota.wataru", demoMain, "太田", "航"), w.told("ota.wataru2", demoMain, "太田", "航")
	w.enter(w.account(one))
	w.enter(w.account(two))
	both := *one
	both.imm = two.imm
	w.row(&both)
}

// demoLogi makes a domain whose sync the guard cancels: 41 of the 281 accounts
// that it may touch are not in the export.
func (w *world) demoLogi() {
	for range 5 {
		p := w.stranger(demoLogi)
		w.synced(p)
		w.row(p)
	}
	for i := range 281 {
		p := w.stranger(demoLogi)
		if i < 38 {
			p.dept = "物流2課"
		}
		w.enter(w.account(p))
		q := *p
		if i < 41 {
			continue
		}
		if i < 43 {
			w.vary(&q, 2)
		}
		w.row(&q)
	}
	w.row(w.stranger(demoLogi))
}

// demoLab makes a managed domain, where most have no immutable ID.
func (w *world) demoLab() {
	for i := range 230 {
		p := w.stranger(demoLab)
		if i%5 != 0 {
			p.imm = ""
		}
		w.enter(w.account(p))
		q := *p
		if i < 3 {
			continue
		}
		if i < 12 {
			w.vary(&q, 2)
		}
		w.row(&q)
	}
	for range 4 {
		p := w.stranger(demoLab)
		p.imm = ""
		w.row(p)
	}
}
