package plan

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// leaver is an account that a link explains, without a row that could be its person.
func leaver(t testing.TB) *scene {
	t.Helper()
	s := newScene()
	s.source = []person{user("z", username("0001"))}
	s.users = []person{account("z"), account("a")}
	s.learnt(t, []string{"0001=z", "0002=a"})
	return s
}

func TestDepartures_FirstConditionNoRowHoldsAKey(t *testing.T) {
	stranger := func(set ...func(*person)) person {
		return user("x", append([]func(*person){username("0077")}, set...)...)
	}
	for name, row := range map[string]person{
		"the immutable ID":            stranger(imm("imm-a=")),
		"the Username":                stranger(username(" 0002 ")),
		"the UPN, as an alias":        stranger(alias("A@" + dom)),
		"the UPN, in another cell":    stranger(dept("was <a@midori.example>, Sales")),
		"the UPN, percent-encoded":    stranger(dept("mailto:a%40midori.example")),
		"an address":                  stranger(dept("smtp:old.a@elsewhere.example")),
		"the ID, in another cell":     stranger(dept(`="imm-a"`)),
		"the UPN before":              stranger(dept("before.a@midori.example")),
		"the UPN, in another domain":  stranger(upn("x@two.example"), dept("a@midori.example")),
		"the Username as the address": stranger(alias("0002")),
	} {
		t.Run(name, func(t *testing.T) {
			s := leaver(t)
			s.users[1].addresses = []string{"SMTP:a@" + dom, "smtp:old.a@elsewhere.example"}
			s.learnt(t, []string{"0001=z", "0002=a"}, func(l *Link, _ *Seen) {
				if l.Username == "0002" {
					l.UPN = "before.a@" + dom
				}
			})
			expect(t, s.build(t), "delete a")
			s.source = append(s.source, row)
			p := s.build(t)
			if p.Counts().Delete != 0 || p.QuestionLen() != 1 {
				t.Errorf("plan%s", describe(p))
			}
			// A row that is certainly another's holds no account.
			other := row
			other.imm = "imm-x"
			if row.imm == "imm-x" {
				s.users = append(s.users, account("x", upn(row.upn)))
				if p := s.build(t); p.Counts().Delete != 1 {
					t.Errorf("plan%s", describe(p))
				}
			}
		})
	}
}

// A mail address other than the UPN, which no sync writes, holds an account as any cell
// does.
func TestDepartures_AnAddressThatIsNotMappedHolds(t *testing.T) {
	s := leaver(t)
	s.source = append(s.source, user("x", username("0077")))
	for _, tt := range []struct {
		cell string
		asks int
	}{{"", 0}, {"other@elsewhere.example", 0}, {"a@" + dom, 1}, {"other@elsewhere.example\nA@" + dom, 1}} {
		in := s.input(t)
		b := directory.NewBuilder(directory.Source, append(slices.Clone(testColumns), directory.OtherKeys))
		for u := range in.Source.All() {
			r := u.Record()
			v := directory.Value{}
			if tt.cell != "" && u.Username() == "0077" {
				v = directory.Text(tt.cell)
			}
			r.Values = append(r.Values, v)
			if err := b.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		src, err := b.Seal(in.Source.Proof(), in.Source.About())
		if err != nil {
			t.Fatal(err)
		}
		in.Source = src
		p, err := Build(in)
		if err != nil {
			t.Fatal(err)
		}
		if p.QuestionLen() != tt.asks || p.Counts().Delete != 1-tt.asks {
			t.Errorf("%q: plan%s", tt.cell, describe(p))
		}
	}
}

func TestDepartures_SecondConditionTheAccountIsKnown(t *testing.T) {
	s := newScene()
	s.source = []person{user("z")}
	s.users = []person{account("z"), account("linked"), account("added"), account("back"), account("vouched"), account("stranger")}
	s.learnt(t, []string{"0002=linked"})
	s.in.Facts.Added = map[directory.ID]bool{"id-added": true}
	s.in.Facts.Restored = map[directory.ID]bool{"id-back": true}
	s.in.Past.Claimed = map[directory.ID]bool{"id-vouched": true}
	p := s.build(t)
	expect(t, p, "delete added", "delete back", "delete linked", "delete stranger", "delete vouched")
	claims := map[string]string{}
	for a := range p.Actions() {
		local, _ := directory.SplitUPN(a.UPN)
		claims[local] = a.Explanation.Claim
	}
	for key, want := range map[string]string{
		"added": ClaimAdded, "back": ClaimAdded, "linked": ClaimLinked, "vouched": ClaimVouched, "stranger": "",
	} {
		if claims[key] != want {
			t.Errorf("%s is claimed as %q, want %q", key, claims[key], want)
		}
	}
	if c := p.Counts(); c.Unclaimed != 1 || c.Known != 5 {
		t.Errorf("counts %+v", c)
	}
	s.in.Unattended = true
	p = s.build(t)
	expect(t, p, "delete added", "delete back", "delete linked", "delete vouched", "skip stranger HS-3121")
	if held := p.Skip(0); !held.Held() {
		t.Error("the stranger is not reported as held")
	}
}

func TestDepartures_ThirdConditionNoOpenRowMayBeThePerson(t *testing.T) {
	row := func(set ...func(*person)) person {
		return user("x", append([]func(*person){username("0077"), imm("")}, set...)...)
	}
	given := func(p *person) { p.given = "Given a" }
	new := func(days int) func(*Link, *Seen) { // 0077 was first seen so many days ago
		return func(l *Link, s *Seen) {
			if l.Username == "0077" {
				s.First = at.Add(-directory24(days))
			}
		}
	}
	for _, c := range []struct {
		name string
		row  person
		seen []func(*Link, *Seen) // nil: 0077 is new
		asks bool
	}{
		{"nothing in common", row(), nil, false},
		{"the whole name", row(named("Name a")), nil, true},
		{"the parts in the other order", row(named("Given a Sur a")), nil, true},
		{"the alias", row(alias("a")), nil, true},
		{"the alias is the part before the @", row(upn("a@two.example")), nil, true},
		{"the given name", row(given), nil, true},
		{"the given name, where both have an ID", row(given, imm("imm-x")), nil, false},
		{"the family name", row(func(p *person) { p.sur = "Sur a" }), nil, false},
		{"the given name of one who was first seen a month before", row(given), []func(*Link, *Seen){new(32)}, true},
		{"the given name of one who was there before", row(given), []func(*Link, *Seen){new(33)}, false},
		{"the whole name of one who stood beside for a month", row(named("Name a")), []func(*Link, *Seen){new(32)}, true},
		{"the whole name of one who stood beside for longer", row(named("Name a")), []func(*Link, *Seen){new(33)}, false},
	} {
		s := leaver(t)
		s.source = append(s.source, c.row)
		if c.seen != nil {
			s.learnt(t, []string{"0001=z", "0002=a", "0077"}, c.seen...)
		}
		p := s.build(t)
		if asks := p.QuestionLen() == 1; asks != c.asks || asks == (p.Counts().Delete == 1) {
			t.Errorf("%s: asks %t%s", c.name, asks, describe(p))
		}
		// A row that is certainly another's is no double.
		s.users = append(s.users, account("x", upn(c.row.upn), imm("imm-x"), func(p *person) { p.name, p.given = c.row.name, c.row.given }))
		s.source[1].imm = "imm-x"
		if p := s.build(t); p.QuestionLen() != 0 || p.Counts().Delete != 1 {
			t.Errorf("%s, with an account of its own:%s", c.name, describe(p))
		}
	}
	// Nor does the given name of one who was in HAC before, and went, ask.
	s := leaver(t)
	s.source = append(s.source, row(given))
	s.learnt(t, []string{"0001=z", "0002=a", "0077"}, func(l *Link, seen *Seen) {
		if l.Username == "0077" {
			seen.First, seen.Last = at.Add(-directory24(900)), at.Add(-directory24(400))
		}
	})
	expect(t, s.build(t), "delete a", "add x")
	// Weak signs are said on the deletion.
	s = leaver(t)
	s.source = append(s.source, row(func(p *person) { p.sur = "Sur a" }))
	if ex := s.build(t).Action(0).Explanation; !slices.Equal(ex.Weak, []Sign{SignFamily}) || ex.OpenRows != 1 {
		t.Errorf("explanation %+v", ex)
	}
}

func TestMatch_OneWitnessAloneNeedsAName(t *testing.T) {
	japanese := func(display, family, given string) func(*person) {
		return func(p *person) { p.name, p.sur, p.given = display, family, given }
	}
	for _, c := range []struct {
		name      string
		row, acct func(*person)
		want      string
	}{
		{"the given name", japanese("佐藤 花", "佐藤", "花"), japanese("鈴木 花", "鈴木", "花"), "rename"},
		{"the whole name in the other order", japanese("Hana Sato", "", ""), japanese("Sato Hana", "", ""), "rename"},
		{"one holds every part of the other", japanese("Hana Maria Sato", "", ""), japanese("Sato Hana", "", ""), "rename"},
		{"a family name alone is none", japanese("佐藤", "佐藤", ""), japanese("佐藤 花", "佐藤", "花"), "ask"},
		{"folded", japanese("髙﨑 ﾊﾅ", "髙﨑", "ﾊﾅ"), japanese("高崎　はな", "高崎", "はな"), "rename"},
		{"another script", japanese("佐藤 花", "佐藤", "花"), japanese("Hana Sato", "Sato", "Hana"), "rename"},
		{"no name", japanese("", "", ""), japanese("Hana Sato", "Sato", "Hana"), "rename"},
		{"another name", japanese("鈴木 一郎", "鈴木", "一郎"), japanese("佐藤 花", "佐藤", "花"), "ask"},
	} {
		for witness, row := range map[string]person{
			"ID": user("new", c.row, imm("1")), "link": user("new", c.row, imm(""), username("0002")),
		} {
			s := newScene()
			s.source = []person{user("z"), row}
			s.users = []person{account("z"), account("old", c.acct, imm("1"))}
			if witness == "link" {
				s.learnt(t, []string{"0002=old"}, func(l *Link, _ *Seen) { l.Given, l.Family, l.Display = "", "", "" })
			}
			if got := brief(s.build(t)); len(got) != 1 || got[0][:3] != c.want[:3] {
				t.Errorf("%s, by %s: %v, want %s", c.name, witness, got, c.want)
			}
		}
		// Two witnesses need none.
		s := newScene()
		s.source = []person{user("z"), user("old", c.row, imm("1"))}
		s.users = []person{account("z"), account("old", c.acct, imm("1"))}
		if p := s.build(t); p.QuestionLen() != 0 {
			t.Errorf("%s, by ID and UPN: %v", c.name, brief(p))
		}
	}
}

func TestMatch_ALinkAfterABreakNeedsBothNames(t *testing.T) {
	for name, c := range map[string]struct {
		set   func(*Link, *Seen)
		past  func(*Past)
		login time.Time
	}{
		"the Username was missed": {set: func(_ *Link, s *Seen) { s.Last = s.Last.Add(-time.Hour) }},
		"a restored backup":       {past: func(p *Past) { p.Restored = true }},
		"Last Login went back":    {set: func(_ *Link, s *Seen) { s.Login = at }, login: at.Add(-time.Hour)},
		"Last Login is emptied":   {set: func(_ *Link, s *Seen) { s.Login = at }},
	} {
		for same, row := range map[bool]person{
			true:  user("new", as("old"), imm(""), username("0002")),
			false: user("new", imm(""), username("0002"), func(p *person) { p.given = "Given old" }),
		} {
			s := newScene()
			row.lastSignIn = c.login
			s.source, s.users = []person{user("z"), row}, []person{account("z"), account("old")}
			if c.set == nil {
				c.set = func(*Link, *Seen) {}
			}
			s.learnt(t, []string{"0002=old"}, c.set)
			if c.past != nil {
				c.past(&s.in.Past)
			}
			want := "rename new was old mailNickname=new"
			if !same {
				want = "ask old: new"
			}
			if got := brief(s.build(t)); len(got) != 1 || got[0] != want {
				t.Errorf("%s, the same name %t: %v", name, same, got)
			}
		}
	}
}

func TestMatch_WhatWitnessesSayAgainstEachOther(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("b", imm("imm-a"), username("0003"))}
	s.users = []person{account("z"), account("a"), account("b", imm("")), account("c")}
	s.learnt(t, []string{"0003=c"})
	expect(t, s.build(t), "skip b HS-3218") // three apart
	s.source[1].upn = "c@" + dom
	s.source[1].name, s.source[1].sur, s.source[1].given = "Name x", "Sur x", "Given x"
	s.source[1].alias = "x"
	expect(t, s.build(t), "delete b", "skip c HS-3218") // one against two
	s.source[1] = user("b", imm(""), username("0003"))
	expect(t, s.build(t), "delete a", "skip b HS-3218") // one against one
	s.source = []person{user("z"), user("a", username("0003")), user("a2", upn("a2"), username("0003"))}
	expect(t, s.build(t), "delete b", "skip a2 HS-3217", "skip a HS-3217") // one Username twice
	// Its immutable ID is that of a row that is not matched clearly.
	s.source = []person{user("z"), user("c", imm("7"), username("0003")), user("d", imm("imm-c")), user("e", upn("d"), username("0011"))}
	s.users = s.users[:1:1]
	s.users = append(s.users, account("c"))
	expect(t, s.build(t), "skip d HS-3201", "skip d HS-3201", "skip c HS-3205")
	s.users = append(s.users, account("a"), account("b", imm("")))
	// One is matched by ID without a name, another certainly.
	s.source = []person{user("z"), user("x", imm("imm-c")), user("c", imm(""), username("0003"))}
	expect(t, s.build(t), "delete a", "delete b", "skip c HS-3205", "skip x HS-3205")
}

// An immutable ID and a link that agree are enough to rename an account of another name
// to a UPN that its present account gives up, in whatever order accounts are listed.
func TestMatch_TwoWitnessesMakeAChainWithoutAName(t *testing.T) {
	s := moves()
	s.source = append(s.source, user("b", imm("imm-a"), username("0001"), as("other")), user("c", imm("imm-b"), username("0002"), as("b")))
	s.users = []person{account("a"), account("b"), account("z")}
	s.learnt(t, []string{"0001=a", "0002=b"})
	for range 2 {
		expect(t, s.build(t), "rename b was a", "rename c was b")
		slices.Reverse(s.users)
	}
	// The immutable ID alone is not.
	s.in.Past = Past{}
	for range 2 {
		expect(t, s.build(t), "rename c was b", "skip b HS-3203")
		slices.Reverse(s.users)
	}
}

func TestMatch_TheLinkMovesToARecreatedUser(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", username("0099"), imm(""))}
	s.users = []person{account("z"), account("a")}
	s.learnt(t, []string{"0002=a"})
	expect(t, s.build(t))
	s.source[1].given = "Another"
	expect(t, s.build(t), "ask a: a")
}

func TestMatch_ASourceThatContradictsWhatWasLearntIsRefused(t *testing.T) {
	for shifted, want := range map[int]bool{4: false, 5: false, 6: true} {
		s := newScene()
		var links []string
		for i := range 100 {
			key := fmt.Sprintf("u%02d", i)
			s.users = append(s.users, account(key))
			of := i
			if i < shifted {
				of = (i + 1) % shifted
			}
			s.source = append(s.source, user(fmt.Sprintf("u%02d", of), username(key)))
			links = append(links, key+"="+key)
		}
		s.learnt(t, links)
		_, err := Build(s.input(t))
		if refused := problem.Has(err, problem.SourceDoubtful); refused != want || !refused && err != nil {
			t.Errorf("%d Usernames exchanged: %v", shifted, err)
		}
		if err != nil {
			code(t, err, problem.SourceDoubtful)
		}
	}
}

func TestOnMissing_DatesAndDays(t *testing.T) {
	days := func(n int) Absence {
		return Absence{First: at.Add(-directory24(n)), Last: at.Add(-directory24(1)), Days: n, Reads: n}
	}
	off := unmark(directory.Enabled)
	for _, c := range []struct {
		name       string
		on         OnMissing
		after      int
		absent     Absence
		blocked    bool // by hacsync
		unattended bool
		want       string
		due        string // of the skip or the block
	}{
		{name: "deleted at once", on: DeleteMissing, want: "delete a"},
		{name: "unattended too", on: DeleteMissing, unattended: true, want: "delete a"},
		{name: "a reviewer need not wait", on: DeleteMissing, after: 5, want: "delete a"},
		{name: "an unattended run waits", on: DeleteMissing, after: 5, unattended: true, want: "skip a HS-3124", due: "2026-11-30"},
		{name: "one day short", on: DeleteMissing, after: 5, absent: days(4), unattended: true, want: "skip a HS-3124", due: "2026-11-26"},
		{name: "not any more", on: DeleteMissing, after: 5, absent: days(5), unattended: true, want: "delete a"},
		{
			name: "days without a read do not count", on: DeleteMissing, after: 5, unattended: true, want: "skip a HS-3124", due: "2026-11-27",
			absent: Absence{First: at.Add(-directory24(9)), Last: at.Add(-directory24(1)), Days: 3, Reads: 3},
		},
		{
			name: "nor do many reads of one day", on: DeleteMissing, after: 2, unattended: true, want: "skip a HS-3124", due: "2026-11-26",
			absent: Absence{First: at.Add(-time.Hour), Last: at.Add(-time.Minute), Days: 1, Reads: 9},
		},
		{
			name: "today does not count before it is over", on: DeleteMissing, after: 5, unattended: true, want: "skip a HS-3124", due: "2026-11-26",
			absent: Absence{First: at.Add(-directory24(4)), Last: at.Add(-time.Minute), Days: 5, Reads: 5},
		},
		{name: "kept", on: KeepMissing, want: "skip a HS-3122"},
		{name: "blocked, and deleted on the next day at the earliest", on: BlockMissing, want: "update a accountEnabled=false", due: "2026-11-26"},
		{name: "blocked", on: BlockMissing, after: 20, want: "update a accountEnabled=false", due: "2026-12-15"},
		{name: "waits blocked", on: BlockMissing, after: 20, absent: days(1), blocked: true, want: "skip a HS-3123", due: "2026-12-14"},
		{name: "also if somebody else blocked it", on: BlockMissing, after: 20, absent: days(1), want: "skip a HS-3123", due: "2026-12-14"},
		{name: "due", on: BlockMissing, after: 20, absent: days(20), blocked: true, want: "delete a"},
	} {
		s := leaver(t)
		s.in.Policy.OnMissing, s.in.Policy.DeleteAfter, s.in.Unattended = c.on, c.after, c.unattended
		if c.absent.Days > 0 {
			s.in.Past.Absent = map[directory.ID]Absence{"id-a": c.absent}
			if c.on == BlockMissing {
				off(&s.users[1])
			}
		}
		if c.blocked {
			s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
		}
		p := s.build(t)
		expect(t, p, c.want)
		recode(t, p)
		switch {
		case p.SkipLen() > 0:
			if args := p.Skip(0).Why.Args; c.due != "" && args["due"] != c.due || args["since"] == "" || args["of"] == "" {
				t.Errorf("%s: %v, want due %s", c.name, args, c.due)
			}
		case c.due != "":
			if ex := p.Action(0).Explanation; day(ex.Due) != c.due {
				t.Errorf("%s: due %s, want %s", c.name, day(ex.Due), c.due)
			}
		}
		if k := p.Counts(); k.Waiting+k.Skipped != p.SkipLen() || k.Waiting > 0 != (c.want == "skip a HS-3123") {
			t.Errorf("%s: %d wait, %d skips", c.name, k.Waiting, k.Skipped)
		}
		// A block counts when it is made, its deletion not again.
		if want := min(p.Len(), 1); p.Verdict().Deletions != want && !(c.blocked && p.Verdict().Deletions == 0) {
			t.Errorf("%s: %d deletions counted", c.name, p.Verdict().Deletions)
		}
		if c.absent.Days == 0 {
			continue
		}
		// The person comes back.
		s.source = append(s.source, user("a", username("0002")))
		back := map[bool]string{true: "update a accountEnabled=true", false: "skip a HS-3126"}[c.blocked]
		if c.on != BlockMissing {
			expect(t, s.build(t))
			continue
		}
		expect(t, s.build(t), back)
	}
}

// A status that no sync writes does not keep the account of someone who came back
// blocked; one that is written does.
func TestOnMissing_WhoComesBackIsUnblockedUnlessTheStatusSaysOtherwise(t *testing.T) {
	for _, c := range []struct {
		writes, enabled bool
		want            []string
	}{
		{false, false, []string{"update a accountEnabled=true"}},
		{false, true, []string{"update a accountEnabled=true"}},
		{true, false, nil},
		{true, true, []string{"update a accountEnabled=true"}},
	} {
		s := leaver(t)
		s.in.Policy.OnMissing, s.in.Policy.BlockDisabled = BlockMissing, c.writes
		s.in.Past.Absent = map[directory.ID]Absence{"id-a": {First: at.Add(-directory24(3)), Last: at.Add(-directory24(1)), Days: 3, Reads: 3}}
		s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
		s.users[1].marks &^= directory.Enabled
		s.source = append(s.source, user("a", username("0002")))
		if !c.enabled {
			s.source[1].marks = 0
		}
		expect(t, s.build(t), c.want...)
	}
}

func TestOnMissing_NoMoreIsDueAtOnceThanTheGuardsShare(t *testing.T) {
	for limit, want := range map[int]int{0: 0, 10: 1, 30: 5, 31: 6, 100: 6} {
		s := newScene()
		s.in.Policy.MaxAllowedDeletions, s.in.Policy.OnMissing, s.in.Policy.DeleteAfter = limit, BlockMissing, 3
		s.in.Past.Absent, s.in.Facts.Blocked = map[directory.ID]Absence{}, map[directory.ID]bool{}
		var links []string
		for i := range 20 {
			key := fmt.Sprintf("u%02d", i)
			links = append(links, key+"="+key)
			if i >= 6 {
				s.source, s.users = append(s.source, user(key, username(key))), append(s.users, account(key))
				continue
			}
			s.users = append(s.users, account(key, unmark(directory.Enabled)))
			s.in.Facts.Blocked[directory.ID("id-"+key)] = true
			s.in.Past.Absent[directory.ID("id-"+key)] = Absence{First: at.Add(-directory24(3)), Last: at.Add(-directory24(1)), Days: 3, Reads: 3}
		}
		s.learnt(t, links)
		slices.Reverse(s.users)
		p := s.build(t)
		for i := range p.Len() { // the same ones go wherever they are listed
			if got := p.Action(i).UPN; got != fmt.Sprintf("u%02d@%s", i, dom) {
				t.Errorf("limit %d: row %d is %s", limit, i+1, got)
			}
		}
		if c := p.Counts(); c.Delete != want || c.Skipped != 6-want || p.Verdict().Cancelled || p.Verdict().Deletions != 0 {
			t.Errorf("limit %d: %+v, verdict %+v", limit, c, p.Verdict())
		}
		checkSums(t, p)
		recode(t, p)
		for sk := range p.Skips() {
			if sk.Why.Code != problem.WaitsForShare {
				t.Errorf("limit %d: %s", limit, sk.Why.Code)
			}
		}
	}
}

func TestDepartures_ASourceWithoutUsernamesHoldsThem(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("z"), user("n")}, []person{account("z"), account("a")}
	s.in.Past.Claimed = map[directory.ID]bool{"id-a": true}
	in := s.input(t)
	b := directory.NewBuilder(directory.Source, testColumns)
	for _, p := range s.source {
		p.marks &= directory.Enabled
		if err := b.Add(p.record()); err != nil {
			t.Fatal(err)
		}
	}
	var err error
	if in.Source, err = b.Seal(directory.Proof{Ended: true, Items: 2, Count: 2}, directory.About{Name: "users.csv"}); err != nil {
		t.Fatal(err)
	}
	p, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, p, "add n", "skip a HS-3125")
	if !warned(p, problem.DeparturesHeld) {
		t.Errorf("warnings %v", p.Warnings())
	}
}
