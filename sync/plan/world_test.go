package plan

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// world is a naive model of a tenant: accounts by ID, and the rules of Graph
// that a plan must keep.
type world struct {
	live, bin map[directory.ID]directory.Record
	purposes  map[directory.ID]directory.Marks
	blocked   map[directory.ID]bool
	made      map[directory.ID]bool
	deleted   map[directory.ID]bool
	next      int
}

func newWorld(live, bin []person, purposes map[directory.ID]directory.Marks) *world {
	w := &world{
		live: map[directory.ID]directory.Record{}, bin: map[directory.ID]directory.Record{},
		purposes: purposes, blocked: map[directory.ID]bool{}, made: map[directory.ID]bool{}, deleted: map[directory.ID]bool{},
	}
	for _, p := range live {
		w.live[directory.ID(p.id)] = p.record()
	}
	for _, p := range bin {
		w.bin[directory.ID(p.id)] = p.record()
	}
	return w
}

func (w *world) snapshot(t testing.TB, side directory.Side, all map[directory.ID]directory.Record) *directory.Snapshot {
	t.Helper()
	b := directory.NewBuilder(side, testColumns)
	for _, id := range slices.Sorted(maps.Keys(all)) {
		r := all[id]
		if len(r.Addresses) > 0 || r.Mail != "" {
			r.Marks |= directory.Addressed
		}
		if err := b.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	s, err := b.Seal(directory.Proof{Ended: true, Items: len(all), Count: int64(len(all))}, directory.About{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// plan builds until no purpose is needed.
func (w *world) plan(t testing.TB, in Input) *Plan {
	t.Helper()
	in.Users = w.snapshot(t, directory.Destination, w.live)
	in.Deleted = w.snapshot(t, directory.RecycleBin, w.bin)
	in.Facts.Blocked, in.Facts.Added, in.Facts.Deleted = w.blocked, w.made, w.deleted
	in.Purposes = maps.Clone(in.Purposes)
	if in.Purposes == nil {
		in.Purposes = map[directory.ID]directory.Marks{}
	}
	for range 100 {
		p, err := Build(in)
		if problem.Has(err, problem.SourceDoubtful) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatalf("Build: %v", err)
		}
		if len(p.Need()) == 0 {
			return p
		}
		for _, id := range p.Need() {
			m := w.purposes[id]
			if m == 0 {
				m = directory.PurposeUser
			}
			in.Purposes[id] = m
		}
	}
	t.Fatal("the plan keeps asking for purposes")
	return nil
}

// apply carries the waves out and says what Graph would refuse.
func (w *world) apply(p *Plan, domain directory.Domain) error {
	ids := map[int]directory.ID{}
	for wave := range p.Waves() {
		// The steps of a wave may be sent in any order: also backwards.
		touched := map[directory.ID]bool{}
		for i := len(wave.Steps) - 1; i >= 0; i-- {
			s := wave.Steps[i]
			if s.Unless != 0 {
				continue // no addition fails here
			}
			if s.Object.ID != "" && touched[s.Object.ID] {
				return fmt.Errorf("row %d: two steps of one account in a wave", s.Action)
			}
			touched[s.Object.ID] = true
			if err := w.step(s, domain, ids); err != nil {
				return fmt.Errorf("row %d step %d: %w", s.Action, s.Step, err)
			}
		}
	}
	return nil
}

func (w *world) step(s Step, domain directory.Domain, ids map[int]directory.ID) error {
	switch s.Verb {
	case Create:
		w.next++
		r := directory.Record{ID: directory.ID(fmt.Sprintf("new-%d", w.next)), Columns: testColumns, Values: make([]directory.Value, len(testColumns))}
		if err := w.set(&r, s.Set); err != nil {
			return err
		}
		if domain.Federated && (r.ImmutableID == "" || s.ForceChange) || !s.Password {
			return fmt.Errorf("new account without what it needs")
		}
		ids[s.Action] = r.ID
		w.live[r.ID] = r
		w.made[r.ID] = true
		return nil
	case RestoreUser:
		r, ok := w.bin[s.Object.ID]
		if !ok {
			return fmt.Errorf("nothing to restore")
		}
		delete(w.bin, r.ID)
		if err := w.set(&r, s.Set); err != nil {
			return err
		}
		if err := w.free(r.ID, r.UPN); err != nil {
			return err
		}
		w.live[r.ID] = r
		return nil
	case DeleteUser:
		r, ok := w.live[s.Object.ID]
		if !ok {
			return fmt.Errorf("nothing to delete")
		}
		delete(w.live, r.ID)
		r.Deleted = at
		w.bin[r.ID] = r
		w.deleted[r.ID] = true
		return nil
	case Patch, PatchUPN:
		r, ok := w.live[s.Object.ID]
		if !ok {
			return fmt.Errorf("nothing to patch")
		}
		_, from := directory.SplitUPN(r.UPN)
		for _, c := range s.Set {
			if was, _ := r.Get(c.Attribute); c.Attribute != directory.UserPrincipalName && was != c.Old.Text {
				return fmt.Errorf("%s is %q, the step says %q", c.Attribute, was, c.Old.Text)
			}
			if c.Attribute == directory.UserPrincipalName && r.UPN != c.Old.Text {
				return fmt.Errorf("UPN is %q, the step says %q", r.UPN, c.Old.Text)
			}
			if c.Attribute == directory.AccountEnabled {
				w.blocked[r.ID] = c.New.Text == "false"
			}
			if c.Attribute == directory.ImmutableID && r.ImmutableID != "" && c.New.Text != r.ImmutableID && from == "fed.example" {
				return fmt.Errorf("immutable ID in a federated domain")
			}
		}
		if s.Verb == PatchUPN && (len(s.Set) > 2 || len(s.Set) == 2 && from == "fed.example") {
			return fmt.Errorf("UPN not alone")
		}
		if err := w.set(&r, s.Set); err != nil {
			return err
		}
		if _, to := directory.SplitUPN(r.UPN); to == "fed.example" && r.ImmutableID == "" && from != to {
			return fmt.Errorf("entered a federated domain without an ID")
		}
		if s.Verb == PatchUPN && len(r.Addresses) > 0 { // the old address stays
			r.Addresses = append(slices.Clone(r.Addresses), "SMTP:"+r.UPN)
		}
		w.live[r.ID] = r
		return nil
	}
	return fmt.Errorf("verb %d", s.Verb)
}

func (w *world) free(id directory.ID, upn string) error {
	for other, r := range w.live {
		if other == id {
			continue
		}
		if strings.EqualFold(r.UPN, upn) {
			return fmt.Errorf("ObjectConflict: UPN %s", upn)
		}
		for _, a := range append([]string{"SMTP:" + r.Mail}, r.Addresses...) {
			if strings.EqualFold(a, "SMTP:"+upn) {
				return fmt.Errorf("ObjectConflict: address %s", upn)
			}
		}
	}
	return nil
}

func (w *world) set(r *directory.Record, set []Change) error {
	r.Values = slices.Clone(r.Values)
	for _, c := range set {
		switch c.Attribute {
		case directory.UserPrincipalName:
			if err := w.free(r.ID, c.New.Text); err != nil {
				return err
			}
			r.UPN = c.New.Text
		case directory.ImmutableID:
			for id, o := range w.live {
				if id != r.ID && o.ImmutableID == c.New.Text {
					return fmt.Errorf("ObjectConflict: immutable ID")
				}
			}
			if !c.New.Set {
				return fmt.Errorf("immutable ID cleared")
			}
			r.ImmutableID = c.New.Text
		case directory.AccountEnabled:
			r.Marks &^= directory.Enabled
			if c.New.Text == "true" {
				r.Marks |= directory.Enabled
			}
		default:
			i := slices.Index(testColumns, c.Attribute)
			if !c.New.Set && (c.Attribute == directory.DisplayName || c.Attribute == directory.MailNickname) {
				return fmt.Errorf("%s cleared", c.Attribute)
			}
			r.Values[i] = c.New
		}
	}
	return nil
}

// hostile draws a tenant and a source that collide wherever they can.
type hostile struct {
	source, live, bin []person
	purposes          map[directory.ID]directory.Marks
	in                Input
	answers           int // two bits a question
}

func drawHostile(t *rapid.T) *hostile {
	h := &hostile{purposes: map[directory.ID]directory.Marks{}}
	h.in = Input{Tenant: tenant(), At: at, Policy: DefaultPolicy()}
	h.in.Domain = rapid.SampledFrom([]string{dom, dom, dom, "fed.example"}).Draw(t, "domain")
	h.in.SetUp = rapid.SampledFrom([][]string{{dom}, {dom, "two.example"}, {dom, "two.example", "fed.example"}}).Draw(t, "set up")
	pol := &h.in.Policy
	pol.MaxAllowedDeletions = rapid.SampledFrom([]int{0, 10, 50, 100}).Draw(t, "limit")
	pol.MaxDeletions = rapid.SampledFrom([]int{-1, -1, 0, 1, 2, 5}).Draw(t, "number")
	pol.OnEmpty = rapid.SampledFrom([]OnEmpty{Keep, Clear, ClearKnown}).Draw(t, "on empty")
	pol.BlockDisabled = rapid.Bool().Draw(t, "block")
	pol.AskImmutableID = rapid.Bool().Draw(t, "ask")
	pol.ChangeAlias = rapid.Bool().Draw(t, "alias")
	pol.ResetPasswords = rapid.Bool().Draw(t, "reset")
	pol.OnMissing = rapid.SampledFrom([]OnMissing{DeleteMissing, DeleteMissing, BlockMissing, KeepMissing}).Draw(t, "on missing")
	pol.DeleteAfter = rapid.SampledFrom([]int{0, 0, 2}).Draw(t, "delete after")
	pol.Attributes = append(directory.Standard(), directory.Department)
	h.in.Unattended = rapid.IntRange(0, 3).Draw(t, "unattended") == 0

	domains := []string{h.in.Domain, h.in.Domain, h.in.Domain, h.in.Domain, dom, "two.example", "fed.example", "midori.onmicrosoft.com"}
	upn := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "f", "A", "B", "g"}).Draw(t, "local") + "@" +
			rapid.SampledFrom(domains).Draw(t, "of")
	})
	id := rapid.SampledFrom([]string{"", "", "1", "2", "3", "4", "5", "6", "7", "a"})
	name := rapid.SampledFrom([]string{"渡辺", "渡邉", "ﾜﾀﾅﾍﾞ", "Ann", "Bob", "", "佐藤　花", "佐藤 花", "x\x1by"})
	aliases := rapid.SampledFrom([]string{"a", "b", "c", "d", "e", "", "f g"})
	values := func(t *rapid.T, p *person) {
		p.name, p.alias = name.Draw(t, "name"), aliases.Draw(t, "alias")
		p.sur, p.given = name.Draw(t, "sur"), name.Draw(t, "given")
		p.dept = rapid.SampledFrom([]string{"", "Sales", strings.Repeat("x", 65)}).Draw(t, "dept")
		if rapid.IntRange(0, 3).Draw(t, "enabled") > 0 {
			p.marks |= directory.Enabled
		}
	}
	usernames := rapid.SampledFrom([]string{"", "", "u1", "u2", "u3", "u4", "u5", "u6", "a@" + dom})
	seenUPN, seenID := map[string]bool{}, map[string]bool{}
	for i := range rapid.IntRange(0, 9).Draw(t, "live") {
		p := person{id: fmt.Sprintf("o%d", i), upn: upn.Draw(t, "live upn"), imm: id.Draw(t, "live imm")}
		if seenUPN[directory.FoldUPN(p.upn)] || seenID[p.imm] && rapid.IntRange(0, 5).Draw(t, "twice") > 0 {
			continue
		}
		seenUPN[directory.FoldUPN(p.upn)], seenID[p.imm] = true, p.imm != ""
		values(t, &p)
		if p.name == "" {
			p.name = "Someone"
		}
		if rapid.IntRange(0, 6).Draw(t, "protected") == 0 {
			p.marks |= rapid.SampledFrom([]directory.Marks{
				directory.Guest, directory.Synced, directory.Restricted, directory.RoleHolder, directory.RoleGroup, directory.SignedIn,
			}).Draw(t, "mark")
		}
		if rapid.IntRange(0, 5).Draw(t, "has address") == 0 {
			p.addresses = []string{"SMTP:" + upn.Draw(t, "address")}
		}
		if rapid.IntRange(0, 3).Draw(t, "plan") == 0 {
			p.marks |= directory.ExchangePlan | directory.Licensed
		}
		if rapid.IntRange(0, 3).Draw(t, "had a plan") == 0 {
			p.marks |= directory.WasLicensed
		}
		h.purposes[directory.ID(p.id)] = rapid.SampledFrom([]directory.Marks{
			directory.PurposeUser, directory.PurposeUser, directory.PurposeUser, directory.PurposeNone,
			directory.PurposeShared, directory.PurposeUnknown,
		}).Draw(t, "purpose")
		h.live = append(h.live, p)
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "bin") {
		p := person{id: fmt.Sprintf("d%d", i), upn: upn.Draw(t, "bin upn"), imm: id.Draw(t, "bin imm")}
		values(t, &p)
		p.deleted = at.Add(-directory24(rapid.IntRange(0, 30).Draw(t, "days")))
		if rapid.IntRange(0, 6).Draw(t, "synced") == 0 {
			p.marks |= directory.Synced
		}
		h.bin = append(h.bin, p)
	}
	odd := rapid.SampledFrom([]string{"", "nobody", "é@" + h.in.Domain, "a @" + h.in.Domain, "a.@" + h.in.Domain, "@" + h.in.Domain})
	for range rapid.IntRange(0, 9).Draw(t, "source") {
		p := person{upn: upn.Draw(t, "upn"), imm: id.Draw(t, "imm"), username: usernames.Draw(t, "username")}
		if rapid.IntRange(0, 9).Draw(t, "odd") == 0 {
			p.upn = odd.Draw(t, "odd upn")
		}
		values(t, &p)
		h.source = append(h.source, p)
	}
	if rapid.IntRange(0, 2).Draw(t, "swap") == 0 { // UPNs move on among accounts that have an ID
		from := rapid.Permutation(h.live).Draw(t, "from")
		for i, p := range h.live {
			if p.imm != "" && from[i].imm != "" && !slices.ContainsFunc(h.source, func(s person) bool {
				return s.imm == p.imm || strings.EqualFold(s.upn, from[i].upn)
			}) {
				s := p
				s.id, s.upn, s.addresses, s.marks = "", from[i].upn, nil, directory.Enabled
				h.source = append(h.source, s)
			}
		}
	}
	if rapid.Bool().Draw(t, "past") {
		h.in.Past = drawPast(t, h.live)
	}
	h.answers = rapid.IntRange(0, 1<<20).Draw(t, "answers")
	h.source = append(h.source, person{upn: "anchor@" + h.in.Domain, imm: "anchor", name: "Anchor", alias: "anchor"})
	h.in.Facts.Known = map[string]map[directory.Attribute]bool{"1": {directory.Department: true}, "a@" + dom: {directory.Surname: true}}
	for range rapid.IntRange(0, 4).Draw(t, "decisions") {
		d := Decision{Kind: rapid.SampledFrom([]DecisionKind{LeaveOutAlways, LeaveOutOnce, Allow, Allow}).Draw(t, "kind")}
		if len(h.live) > 0 {
			d.ID = directory.ID(rapid.SampledFrom(h.live).Draw(t, "of account").id)
		}
		d.UPN = rapid.SampledFrom(h.source).Draw(t, "of row").upn
		if rapid.Bool().Draw(t, "by upn") {
			d.ID = ""
		}
		if d.Kind == Allow && rapid.Bool().Draw(t, "again") {
			d.Attribute = directory.UserPrincipalName
		}
		h.in.Decisions = append(h.in.Decisions, d)
	}
	return h
}

// drawPast draws what was learnt: links that hold, and such as do not.
func drawPast(t *rapid.T, live []person) Past {
	p := Past{
		At: at.Add(-directory24(1)), Restored: rapid.IntRange(0, 5).Draw(t, "restored") == 0,
		Claimed: map[directory.ID]bool{}, Absent: map[directory.ID]Absence{},
	}
	b := NewPastBuilder()
	for _, username := range []string{"u1", "u2", "u3", "u4", "u5", "u6", "a@" + dom, "b@" + dom} {
		var l Link
		if i := rapid.IntRange(-3, len(live)-1).Draw(t, "linked to"); i >= 0 {
			of := live[i]
			l = Link{
				Account: directory.ID(of.id), Given: of.given, Family: of.sur, Display: of.name, UPN: of.upn, ImmutableID: of.imm,
				Since: at.Add(-directory24(400)), Run: 3,
			}
		}
		l.Username = username
		s := Seen{First: at.Add(-directory24(rapid.SampledFrom([]int{2, 30, 400}).Draw(t, "first"))), Last: p.At}
		if rapid.IntRange(0, 3).Draw(t, "missed") == 0 {
			s.Last = s.First
		}
		if rapid.IntRange(0, 4).Draw(t, "had a login") == 0 {
			s.Login = p.At
		}
		if err := b.Add(l, s); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Seal(&p); err != nil {
		t.Fatal(err)
	}
	for _, a := range live {
		p.Claimed[directory.ID(a.id)] = rapid.IntRange(0, 3).Draw(t, "claimed") == 0
		if rapid.IntRange(0, 2).Draw(t, "absent") == 0 {
			n := rapid.IntRange(1, 4).Draw(t, "days absent")
			p.Absent[directory.ID(a.id)] = Absence{First: at.Add(-directory24(n)), Last: p.At, Days: n, Reads: n}
		}
	}
	return p
}

func (h *hostile) world() *world { return newWorld(h.live, h.bin, h.purposes) }

func (h *hostile) plan(t testing.TB) (*world, *Plan, Input) {
	t.Helper()
	w := h.world()
	in := h.in
	in.Source = snapshot(t, directory.Source, h.source)
	p := w.plan(t, in)
	for i, q := range p.Questions() {
		in.Answers = append(in.Answers, answers(q, h.answers>>(2*i)&3)...)
	}
	if len(in.Answers) > 0 {
		// Nobody says that a row is another person and has the account restored for it.
		in.Decisions = slices.DeleteFunc(slices.Clone(in.Decisions), func(d Decision) bool { return d.Kind == Allow })
		p = w.plan(t, in)
	}
	return w, p, in
}

// answers answers a question: 0 not at all, 1 not now, 2 different people, 3 the
// same person as the first row.
func answers(q *Question, how int) []Answer {
	var all []Answer
	for i := range q.Rows {
		a := Answer{Account: q.Account.ID, Row: q.Rows[i].RowKey(), Basis: q.Basis, By: "t.mori", At: at}
		switch how {
		case 0:
			return nil
		case 1:
			a.Kind = NotNow
		case 2:
			a.Kind = DifferentPeople
		case 3:
			a.Kind = SamePerson
			return append(all, a)
		}
		all = append(all, a)
	}
	return all
}

// TestMain draws more than rapid would by itself: what collides is rare.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		if err := flag.Set("rapid.checks", "500"); err != nil {
			panic(err)
		}
	}
	m.Run()
}

func domainOf(in Input) directory.Domain {
	for _, d := range in.Tenant.Domains {
		if d.Name == in.Domain {
			return d
		}
	}
	return directory.Domain{}
}
