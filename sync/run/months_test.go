package run_test

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/directory/directorytest"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

var (
	proofMonths = flag.Int("proof.months", 24, "how many monthly exports of a company are carried out")
	proofSeed   = flag.Uint64("proof.seed", 1, "what the months are drawn from")
)

// TestProof_MonthsOfACompany is a worker that meets the exports of a company month by
// month, on a real state: people leave, join, marry, are made anew in HAC, get the
// Usernames and UPNs of those who left; rows have slips, cells change places, files
// are cut; the worker is killed. Every half year a person answers what is asked. The
// oracle knows who everybody is and nothing of plans: whoever stands in the export
// keeps their account, nobody gets another person's, and whoever left is gone in the
// end.
func TestProof_MonthsOfACompany(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		c := newCompany(t, place)
		for month := 1; month <= *proofMonths && !t.Failed(); month++ {
			c.month = month
			c.live()
			c.export()
			c.work(month%6 == 0)
			c.judge()
		}
		for range 4 { // quiet months, in which everything asked is answered
			c.month++
			c.export()
			c.work(true)
			c.judge()
		}
		c.atTheEnd()
		t.Logf("%d months, seed %d: %v", c.month, *proofSeed, c.sums)
	})
}

// soul is a person of the company.
type soul struct {
	no                int
	family, given     int
	username, upn, id string
	gone              int // the month in which they left, 0 for who is there
	kanji             bool
	upns, ids, names  map[string]bool // all that a row of theirs ever said
	login             time.Time
	inherited         bool
}

type company struct {
	t      *testing.T
	a      *arena
	p      *process
	d      *rand.Rand
	souls  []*soul
	of     map[directory.ID]*soul // whose an account is
	rows   map[string]*soul       // whose a row of this export is, by folded UPN
	month  int
	sums   map[string]int
	broken []string
	bad    bool // this export is cut or shifted
}

//nolint:gochecknoglobals // tables
var families, givens = directorytest.Families(), directorytest.Givens()

const staff = 60

func newCompany(t *testing.T, place string) *company {
	t.Helper()
	a := &arena{source: &list{}, clock: &still{now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)}, url: place}
	a.tenant = newTenant(a.clock.Now)
	c := &company{
		t: t, a: a, d: rand.New(rand.NewPCG(*proofSeed, 7)), of: map[directory.ID]*soul{}, sums: map[string]int{},
	}
	for range staff {
		s := c.join()
		id := ""
		if c.d.IntN(2) == 0 {
			id = s.id
		}
		rec := a.tenant.person(s.upn, id, "")
		row := c.row(s)
		rec.Values = slices.Clone(row.Values)
		c.of[rec.ID] = s
	}
	a.seal()
	a.tenant.after = c.happened
	c.open(&gate{})
	if err := c.p.SetSettings(t.Context(), domain, map[string]string{"source": "hac"}); err != nil {
		t.Fatal(err)
	}
	c.export()
	c.work(false)
	c.judge()
	return c
}

func (c *company) open(g *gate) {
	store, err := state.Open(context.Background(), c.a.url, slog.New(slog.DiscardHandler))
	if err != nil {
		c.t.Fatal(err)
	}
	p := c.a.process(store, g)
	c.p = p
	c.t.Cleanup(func() { _ = p.store.Close() })
}

// there are those who work in the company.
func (c *company) there() []*soul {
	var all []*soul
	for _, s := range c.souls {
		if s.gone == 0 {
			all = append(all, s)
		}
	}
	return all
}

func (c *company) pick() *soul {
	all := c.there()
	return all[c.d.IntN(len(all))]
}

// zipf draws names as unevenly as they are.
func (c *company) zipf(n int) int {
	i := int(float64(n) * c.d.Float64() * c.d.Float64())
	return min(i, n-1)
}

func (c *company) join() *soul {
	s := &soul{
		no: len(c.souls) + 1, family: c.zipf(len(families)), given: c.zipf(len(givens)), kanji: c.d.IntN(3) > 0,
		upns: map[string]bool{}, ids: map[string]bool{}, names: map[string]bool{}, login: c.a.clock.Now(),
	}
	if c.d.IntN(2) == 0 {
		s.id = fmt.Sprintf("imm%05d==", s.no)
	}
	c.souls = append(c.souls, s)
	s.username = c.free(givens[s.given][1]+"."+families[s.family][1], func(x *soul) string { return x.username })
	s.upn = at(c.free(givens[s.given][1]+"."+families[s.family][1], func(x *soul) string { local, _ := directory.SplitUPN(x.upn); return local }))
	return s
}

// free is a key that nobody has who is there or left lately. Who left longer ago may
// have had it; a namesake with the key of somebody who has just gone is the same
// person as far as anybody can see.
func (c *company) free(base string, key func(*soul) string) string {
	for n := 1; ; n++ {
		k := base
		if n > 1 {
			k = fmt.Sprint(base, n)
		}
		if !slices.ContainsFunc(c.souls, func(x *soul) bool {
			return (x.gone == 0 || c.month-x.gone < 4) && key(x) == k
		}) {
			return k
		}
	}
}

// live is what happens to people in a month.
func (c *company) live() {
	c.a.later(30*24*time.Hour + time.Duration(c.d.IntN(1000))*time.Minute)
	for _, s := range c.there() {
		s.login = c.a.clock.Now().Add(-time.Duration(c.d.IntN(5*24)) * time.Hour)
	}
	chance := func(what string, oneIn int, f func()) {
		if c.d.IntN(oneIn) == 0 {
			c.sums[what]++
			f()
		}
	}
	for range 2 {
		chance("left", 2, func() { c.pick().gone = c.month })
		if len(c.there()) < staff+5 {
			chance("joined", 2, func() { c.join() })
		}
	}
	chance("married", 4, func() { c.marry(c.pick()) })
	chance("made anew", 8, func() { c.anew(c.pick()) })
	chance("married and made anew", 24, func() {
		s := c.pick()
		c.marry(s)
		c.anew(s)
	})
	chance("inherited a key", 8, func() { // at once, by somebody who is called otherwise
		s := c.pick()
		s.gone = c.month
		j := c.join()
		for j.given == s.given || j.family == s.family {
			j.given, j.family = c.d.IntN(len(givens)), c.d.IntN(len(families))
		}
		if c.d.IntN(2) == 0 {
			j.upn = s.upn
			return
		}
		// A Username that changed hands between two exports shows by the names alone,
		// where they can be compared.
		j.username, j.kanji, j.inherited = s.username, s.kanji, true
	})
	chance("other script", 24, func() {
		if s := c.pick(); !s.inherited {
			s.kanji = !s.kanji
		}
	})
	chance("same name on both sides", 12, func() { // a leaver, and a joiner who is called alike
		s := c.pick()
		s.gone = c.month
		j := c.join()
		j.family, j.given, j.kanji = s.family, s.given, s.kanji
	})
}

func (c *company) marry(s *soul) {
	s.family = c.zipf(len(families))
	s.upn = at(c.free(givens[s.given][1]+"."+families[s.family][1], func(x *soul) string { local, _ := directory.SplitUPN(x.upn); return local }))
}

// anew is a HAC user that was deleted and made again: the Username is another.
func (c *company) anew(s *soul) {
	s.username = c.free(fmt.Sprintf("%s.%s.%d", givens[s.given][1], families[s.family][1], c.month), func(x *soul) string { return x.username })
	s.login = time.Time{}
}

// row is the row of a person as it should be.
func (c *company) row(s *soul) directory.Record {
	k := 1
	if s.kanji {
		k = 0
	}
	f, g := families[s.family][k], givens[s.given][k]
	local, _ := directory.SplitUPN(s.upn)
	return directory.Record{
		ID: directory.ID(s.username), UPN: s.upn, ImmutableID: s.id, Marks: directory.Enabled, LastSignIn: s.login,
		Values: []directory.Value{directory.Text(f + " " + g), directory.Text(f), directory.Text(g), directory.Text(local)},
	}
}

// slip changes one character.
func (c *company) slip(text string) string {
	r := []rune(text)
	if len(r) == 0 {
		return text
	}
	i := c.d.IntN(len(r))
	switch c.d.IntN(3) {
	case 0:
		r = slices.Delete(r, i, i+1)
	case 1:
		r[i] = rune('a' + c.d.IntN(26))
	default:
		r = slices.Insert(r, i, rune('a'+c.d.IntN(26)))
	}
	return string(r)
}

// export makes the file of the month, with its slips.
func (c *company) export() {
	there := c.there()
	rows := make([]directory.Record, len(there))
	for i, s := range there {
		rows[i] = c.row(s)
	}
	if c.month > 0 && c.month <= *proofMonths {
		for range c.d.IntN(3) {
			c.spoil(&rows[c.d.IntN(len(rows))])
		}
		if c.d.IntN(12) == 0 && len(rows) > 2 { // cells that changed places
			if i := c.d.IntN(len(rows) - 1); c.anchored(there[i]) && c.anchored(there[i+1]) {
				rows[i].ImmutableID, rows[i+1].ImmutableID = rows[i+1].ImmutableID, rows[i].ImmutableID
				c.sums["exchanged"]++
			}
		}
	}
	c.rows = map[string]*soul{}
	for i, s := range there {
		c.rows[directory.FoldUPN(rows[i].UPN)] = s
		s.upns[directory.FoldUPN(rows[i].UPN)] = true
		s.names[rows[i].Values[0].Text] = true
		if c.own(rows[i].ImmutableID, s) {
			s.ids[rows[i].ImmutableID] = true
		}
	}
	c.bad = false
	c.d.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	if c.month > 0 && c.month <= *proofMonths && c.d.IntN(24) == 0 { // the file is cut, and nobody says so
		c.sums["files cut"]++
		c.bad = true
		rows = rows[:len(rows)*(40+c.d.IntN(45))/100]
	}
	if c.month > 0 && c.month <= *proofMonths && c.d.IntN(36) == 0 { // a column is shifted by a row
		c.sums["columns shifted"]++
		c.bad = true
		first := rows[0].ID
		for i := range len(rows) - 1 {
			rows[i].ID = rows[i+1].ID
		}
		rows[len(rows)-1].ID = first
	}
	c.a.source.rows, c.a.source.newest = rows, c.a.clock.Now()
}

// anchored reports whether an account has the ID of a person who has one: else nobody
// can know that it is not the row's.
func (c *company) anchored(s *soul) bool {
	for id, x := range c.of {
		if u := c.a.tenant.users[id]; x == s && u != nil && u.ImmutableID == s.id {
			return true
		}
	}
	return s.id == ""
}

// own reports whether an ID in a row of a person is no other person's.
func (c *company) own(id string, s *soul) bool {
	return !slices.ContainsFunc(c.souls, func(x *soul) bool { return x != s && x.id == id })
}

// spoil makes one mistake in a row.
func (c *company) spoil(r *directory.Record) {
	c.sums["slips"]++
	switch c.d.IntN(7) {
	case 0:
		local, _ := directory.SplitUPN(r.UPN)
		if l := c.slip(local); !strings.HasPrefix(l, ".") && l != "" && c.rows[at(l)] == nil &&
			!slices.ContainsFunc(c.souls, func(x *soul) bool { return x.upn == at(l) }) {
			r.UPN = at(l)
		}
	case 1:
		r.ID = directory.ID(c.slip(string(r.ID)))
	case 2:
		r.ImmutableID = ""
	case 3:
		r.ImmutableID = strings.TrimRight(r.ImmutableID, "=")
	case 4:
		r.UPN = strings.ToUpper(r.UPN)
	case 5:
		r.Values[1] = directory.Value{}
	default:
		r.Values[0] = directory.Text(r.Values[2].Text + " " + r.Values[1].Text)
	}
}

// happened is told of every write that had its effect: it keeps whose accounts are,
// and who lost one.
func (c *company) happened(s plan.Step) *destination.Outcome {
	switch s.Verb {
	case plan.Create:
		for _, ch := range s.Set {
			if ch.Attribute != directory.UserPrincipalName {
				continue
			}
			who := c.rows[directory.FoldUPN(ch.New.Text)]
			u := c.a.account(ch.New.Text)
			if who == nil || u == nil {
				c.wrong("%s was added for nobody", ch.New.Text)
				return nil
			}
			for id, x := range c.of {
				if x == who && c.a.tenant.users[id] != nil {
					c.wrong("%s got a second account, %s beside %s", who, ch.New.Text, c.a.tenant.users[id].UPN)
				}
			}
			c.of[u.ID] = who
			c.sums["added"]++
		}
	case plan.DeleteUser:
		c.sums["deleted"]++
		if who := c.of[s.Object.ID]; who != nil && who.gone == 0 {
			c.wrong("%s is in the source and lost the account %s", who, s.Object.UPN)
		}
	case plan.RestoreUser:
		c.sums["restored"]++
	case plan.PatchUPN:
		c.sums["renamed"]++
	case plan.Patch:
	}
	return nil
}

func (s *soul) String() string {
	return fmt.Sprintf("person %d (%s, %s, ID %q, left in month %d)", s.no, s.upn, s.username, s.id, s.gone)
}

func (c *company) wrong(format string, args ...any) {
	c.broken = append(c.broken, fmt.Sprintf(format, args...))
}

// work is what the worker does with the export, dying now and then; with a person
// who answers, what is asked is answered as it is.
func (c *company) work(answers bool) {
	t := c.t
	ctx := context.Background()
	if c.month > 0 && c.d.IntN(10) == 0 {
		_ = c.p.store.Close()
		c.open(&gate{at: 1 + c.d.IntN(25), behind: c.d.IntN(2) == 0})
	}
	once := func() error {
		open, err := c.p.OpenRun(ctx, domain)
		if err == nil && open != nil {
			_, err = c.p.ResumeUnattended(ctx, open.No)
		}
		if err == nil || benign(err) || problem.Has(err, problem.PlanOld) {
			_, _, err = c.p.hour(ctx)
		}
		return err
	}
	err := once()
	if killed := err != nil && strings.Contains(err.Error(), errKilled.Error()); killed || c.p.gate.at > 0 {
		if killed {
			c.sums["killed"]++
		}
		_ = c.p.store.Close()
		c.open(&gate{})
		err = once()
	}
	switch {
	case err == nil:
	case problem.Guarded(err), problem.Has(err, problem.Shrunk, problem.SourceDoubtful, problem.PlanDrifted):
		c.sums["refused"]++
	default:
		t.Fatalf("month %d: %v", c.month, err)
	}
	if !answers || c.bad { // whoever looks sees what is wrong with the file
		return
	}
	planned, err := c.p.DryRun(ctx, domain, run.Overrides{})
	if err != nil {
		t.Fatalf("month %d: %v", c.month, err)
	}
	for x := range planned.Plan.Skips() {
		// Two IDs are a conflict that hacsync leaves to people: who sees that the
		// account is a leaver's deletes it.
		if u := c.a.tenant.users[x.Ref.ID]; x.Why.Code == problem.ImmutableIDDiffers && u != nil && c.of[u.ID].gone > 0 {
			c.sums["deleted by hand"]++
			u.Deleted = c.a.clock.Now()
			c.a.tenant.bin[u.ID] = u
			delete(c.a.tenant.users, u.ID)
		}
	}
	for _, q := range planned.Plan.Questions() {
		c.sums["answered"]++
		kind, row := plan.DifferentPeople, ""
		for i := range q.Rows {
			if r := &q.Rows[i]; c.rows[directory.FoldUPN(r.Row.UPN)] == c.of[q.Account.ID] {
				kind, row = plan.SamePerson, r.RowKey()
			}
		}
		if planned, err = c.p.Answer(ctx, planned, q.Account.ID, kind, row, "t.mori"); err != nil {
			t.Fatal(err)
		}
	}
	if planned.Plan.Len() == 0 {
		return
	}
	c.sums["reviewed"]++
	b := approval(planned)
	b.RaiseOnce = planned.Plan.Verdict().Cancelled
	if rep, err := c.p.Sync(ctx, planned, b); err != nil {
		t.Fatalf("month %d: %v, drifted %q", c.month, err, drifts(rep))
	}
}

// judge looks at the tenant: whose accounts say what.
func (c *company) judge() {
	for id, u := range c.a.tenant.bin { // what Microsoft 365 purges
		if c.a.clock.Now().Sub(u.Deleted) > 30*24*time.Hour {
			delete(c.a.tenant.bin, id)
		}
	}
	for id, u := range c.a.tenant.users {
		s := c.of[id]
		if s == nil {
			c.wrong("%s is nobody's", u.UPN)
			continue
		}
		if !s.upns[directory.FoldUPN(u.UPN)] || !s.names[u.Values[0].Text] || u.ImmutableID != "" && !s.ids[u.ImmutableID] {
			c.wrong("the account of %s says %s, %q, ID %q: another person's", s, u.UPN, u.Values[0].Text, u.ImmutableID)
		}
	}
	for _, b := range c.broken {
		c.t.Errorf("month %d: %s", c.month, b)
	}
	c.broken = nil
}

// atTheEnd everybody who is there has one account, as the source has it, and nobody
// else has any.
func (c *company) atTheEnd() {
	has := map[*soul]int{}
	for id, u := range c.a.tenant.users {
		s := c.of[id]
		has[s]++
		if s.gone > 0 {
			c.t.Errorf("%s is still there as %s", s, u.UPN)
		}
	}
	for _, s := range c.there() {
		if has[s] != 1 {
			c.t.Errorf("%s has %d accounts", s, has[s])
		}
	}
	planned, err := c.p.DryRun(context.Background(), domain, run.Overrides{})
	if err != nil {
		c.t.Fatal(err)
	}
	if planned.Plan.Len() != 0 || planned.Plan.QuestionLen() != 0 {
		c.t.Errorf("the last plan: %+v", planned.Plan.Counts())
	}
	if c.t.Failed() {
		for x := range planned.Plan.Skips() {
			c.t.Log(x.Why, x.Ref)
		}
	}
}
