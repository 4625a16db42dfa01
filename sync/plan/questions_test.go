package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// learnt gives a scene a past: every entry is USERNAME or USERNAME=ACCOUNT, seen for
// a year until yesterday. set changes links and sightings.
func (s *scene) learnt(t testing.TB, entries []string, set ...func(*Link, *Seen)) {
	t.Helper()
	s.in.Past.At = at.Add(-directory24(1))
	b := NewPastBuilder()
	for _, e := range entries {
		username, key, linked := strings.Cut(e, "=")
		l := Link{Username: username}
		if linked {
			l = Link{
				Account: directory.ID("id-" + key), Username: username, Given: "Given " + key, Family: "Sur " + key,
				Display: "Name " + key, UPN: key + "@" + dom, ImmutableID: "imm-" + key, Since: at.Add(-directory24(300)), Run: 4,
			}
		}
		seen := Seen{First: at.Add(-directory24(365)), Last: s.in.Past.At}
		for _, f := range set {
			f(&l, &seen)
		}
		if err := b.Add(l, seen); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Seal(&s.in.Past); err != nil {
		t.Fatal(err)
	}
}

func username(s string) func(*person) { return func(p *person) { p.username = s } }

// answer answers questions by account: "same ROW", "different", "not-now".
func answer(t testing.TB, p *Plan, said map[string]string) []Answer {
	t.Helper()
	var all []Answer
	for _, q := range p.Questions() {
		local, _ := directory.SplitUPN(q.Account.UPN)
		kind, row, _ := strings.Cut(said[local], " ")
		for i := range q.Rows {
			key := q.Rows[i].RowKey()
			if kind == "" || row != "" && key != row && key != row+"@"+dom {
				continue
			}
			all = append(all, Answer{
				Kind: AnswerKind(kind), Account: q.Account.ID, Row: key, Basis: q.Basis, By: "t.mori", At: at,
			})
		}
	}
	return all
}

// answered compares a plan with answers, given at once and later, also to what came
// from a file.
func (s *scene) answered(t *testing.T, said map[string]string, want ...string) *Plan {
	t.Helper()
	open := s.build(t)
	s.in.Answers = answer(t, open, said)
	p := s.build(t)
	expect(t, p, want...)
	for how, q := range map[string]*Plan{
		"answered later": open.Answer(s.in.Answers), "answered after a file": recode(t, open).Answer(s.in.Answers), "from a file": recode(t, p),
	} {
		if q.Fingerprint() != p.Fingerprint() || q.Counts() != p.Counts() || describe(q) != describe(p) {
			t.Errorf("%s: another plan%s", how, describe(q))
		}
	}
	approved := recode(t, p.Review().Approve())
	if describe(approved) != describe(p) || approved.Answer(nil) != approved {
		t.Errorf("approved: another plan%s", describe(approved))
	}
	if back := p.Answer(nil); back.Fingerprint() != s.open(t).Fingerprint() {
		t.Error("taking the answers back leaves another plan")
	}
	return p
}

func (s *scene) open(t testing.TB) *Plan {
	t.Helper()
	in := s.input(t)
	in.Answers = nil
	p, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// marriage is a leaver, and a new user with her given name.
func marriage() *scene {
	s := newScene()
	s.source = []person{user("z"), user("new", imm(""), func(p *person) { p.given = "Given old" })}
	s.users = []person{account("z"), account("old")}
	s.in.Past.Claimed = map[directory.ID]bool{"id-old": true}
	return s
}

func TestQuestions_DifferentPeopleWaitsForItsAdditions(t *testing.T) {
	s := marriage()
	p := s.answered(t, map[string]string{"old": "different"}, "delete old", "add new", "ask old: new = different")
	if got := waves(p); got != "+new |; -old" {
		t.Errorf("waves %s", got)
	}
	deletion, addition := p.Action(0), p.Action(1)
	r := p.Review()
	if got := r.LeaveOut(addition.No); len(got) != 2 || !r.IsOut(deletion.No) {
		t.Errorf("without the addition %v are left out", got)
	}
	if q := recode(t, r.Approve()); q.Len() != 0 {
		t.Errorf("what remains: %s", describe(q))
	}
	if got := r.TakeIn(deletion.No); len(got) != 2 {
		t.Errorf("with the deletion %v are taken in", got)
	}
	if got := r.LeaveOut(deletion.No); len(got) != 1 {
		t.Errorf("without the deletion %v are left out", got)
	}
	if ex := deletion.Explanation; ex.Question != 1 || ex.By != "t.mori" || ex.Claim != ClaimVouched {
		t.Errorf("explanation %+v", ex)
	}
}

func TestQuestions_TheUPNOfAnotherAccountIsReleasedFirst(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", as("other"), imm(""), username("0042"))}
	s.users = []person{account("z"), account("a", imm(""))}
	p := s.answered(t, map[string]string{"a": "different"}, "delete a", "add a", "ask a: a = different")
	if got := waves(p); got != "-a |; +a" {
		t.Errorf("waves %s", got)
	}
	for _, no := range []int{p.Action(0).No, p.Action(1).No} {
		r := p.Review()
		if got := r.LeaveOut(no); len(got) != 2 {
			t.Errorf("without row %d, %v are left out", no, got)
		}
	}
	s.in.Answers = nil
	s.answered(t, map[string]string{"a": "same 0042"},
		"update a displayName=Name other surname=Sur other givenName=Given other", "ask a: a = same 0042")

	// Kept, the account keeps its UPN, wherever the destination lists it.
	s.in.Policy.OnMissing = KeepMissing
	for range 2 {
		s.in.Answers = nil
		s.answered(t, map[string]string{"a": "different"}, "skip a HS-3122", "skip a HS-3210", "ask a: a = different")
		slices.Reverse(s.users)
	}
}

// Where absent people are blocked first, the row waits until the day on which the
// account is deleted, and says so.
func TestQuestions_TheUPNOfABlockedAccountIsWaitedFor(t *testing.T) {
	due := func(p *Plan, want string) {
		t.Helper()
		for s := range p.Skips() {
			checkWords(t, s.Why)
			if got := s.Why.Args["due"]; got != want {
				t.Errorf("%s: due %q, want %s", s.Why.Code, got, want)
			}
		}
		for a := range p.Actions() {
			if ex := a.Explanation; ex != nil && a.Kind == Update && day(ex.Due) != want {
				t.Errorf("the block: due %s, want %s", day(ex.Due), want)
			}
		}
	}
	taught := func(p *Plan) {
		t.Helper()
		if l := p.Lesson(); len(l.Absent) > 0 || !slices.Equal(l.Different, []directory.ID{"id-a"}) {
			t.Errorf("absent %v, if they are different %v", l.Absent, l.Different)
		}
	}
	s := newScene()
	s.source = []person{user("z"), user("a", as("other"), imm(""), username("0042"))}
	s.users = []person{account("z"), account("a", imm(""))}
	s.in.Unattended, s.in.Policy.OnMissing, s.in.Policy.DeleteAfter = true, BlockMissing, 3
	different := map[string]string{"a": "different"}
	p := s.answered(t, different, "update a accountEnabled=false", "skip a HS-3222", "ask a: a = different")
	due(p, "2026-11-28")
	taught(p)

	s.users[1].marks &^= directory.Enabled
	s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
	s.in.Past.Absent = map[directory.ID]Absence{"id-a": {First: at.Add(-directory24(1)), Last: at.Add(-directory24(1)), Days: 1, Reads: 1}}
	p = s.answered(t, different, "skip a HS-3123", "skip a HS-3222", "ask a: a = different")
	due(p, "2026-11-27")
	taught(p)

	s.in.Past.Absent = map[directory.ID]Absence{"id-a": {First: at.Add(-directory24(3)), Last: at.Add(-directory24(1)), Days: 3, Reads: 3}}
	p = s.answered(t, different, "delete a", "add a", "ask a: a = different")
	if got := waves(p); got != "-a |; +a" {
		t.Errorf("waves %s", got)
	}
	taught(p)

	// No deletion is announced for an account before an answer says that it is another
	// person's.
	b := newScene()
	b.source = []person{user("z"), user("a", as("other"), imm(""), username("0042"))}
	b.users = []person{account("z"), account("a", imm("")), account("b", as("other"), imm(""))}
	b.in.Policy.OnMissing, b.in.Policy.DeleteAfter = BlockMissing, 3
	b.answered(t, map[string]string{"b": "same 0042"}, "skip a HS-3216", "ask a: a", "ask b: a = same 0042")
	b.in.Answers = nil
	b.answered(t, map[string]string{"a": "different", "b": "same 0042"},
		"update a accountEnabled=false", "skip a HS-3222", "ask a: a = different", "ask b: a = same 0042")

	// An account that is said to be another row's person is not deleted, but renamed.
	g := newScene()
	g.source = []person{user("z"), user("a", as("other"), imm(""), username("0042")), user("b", as("a"), imm(""), username("0043"))}
	g.users = []person{account("z"), account("a", imm(""))}
	g.in.Policy.OnMissing, g.in.Policy.DeleteAfter = BlockMissing, 3
	p = g.answered(t, map[string]string{"a": "same 0043"}, "rename b was a mailNickname=b", "skip a HS-3223", "ask a: a b = same 0043")
	for s := range p.Skips() {
		if got := s.Why.Args["to"]; got != "b@"+dom {
			t.Errorf("renamed to %q", got)
		}
	}

	// Unattended, a deletion that waits for days of absence holds the row as well.
	s.users[1].marks |= directory.Enabled
	s.in.Policy.OnMissing, s.in.Past.Absent = DeleteMissing, nil
	p = s.answered(t, different, "skip a HS-3124", "skip a HS-3222", "ask a: a = different")
	due(p, "2026-11-28")
	taught(p)
}

func TestQuestions_OneImmutableIDIsNotTwoPeoples(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("b", imm("imm-a"))}
	s.users = []person{account("z"), account("a")}
	s.answered(t, map[string]string{"a": "different"}, "skip a HS-3219", "skip b HS-3219", "ask a: b = different")
	// An account that was deleted with the ID of a person of another name is not restored.
	s = newScene()
	s.source, s.users, s.deleted = []person{user("z"), user("b", imm("imm-a"))}, []person{account("z")}, []person{gone("a")}
	expect(t, s.build(t), "skip b HS-3354")
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-a"}}
	expect(t, s.build(t), "restore b displayName=Name b surname=Sur b givenName=Given b mailNickname=b")
	// Nor is it if the Username is the same too: both may have been given to another
	// person while it was deleted.
	s.in.Decisions = nil
	s.learnt(t, []string{"b@" + dom + "=a"})
	expect(t, s.build(t), "skip b HS-3354")
}

// two accounts that one row may be.
func two() *scene {
	s := newScene()
	s.source = []person{user("z"), user("n", named("Ann"), imm("")), user("m", named("Ann"), imm(""))}
	s.users = []person{account("z"), account("a", named("Ann")), account("b", named("Ann"))}
	return s
}

func TestQuestions_ARowOfTwoQuestionsIsAnsweredOnce(t *testing.T) {
	s := two()
	p := s.answered(t, nil, "ask a: m n", "ask b: m n")
	if w := p.Question(1).Rows[0].WaitsFor; w != 1 {
		t.Errorf("row m of b waits for question %d", w)
	}
	s.answered(t, map[string]string{"a": "different"}, "ask a: m n = different", "ask b: m n")
	s.in.Answers = nil
	rename := func(to, was string) string {
		return fmt.Sprintf("rename %s was %s surname=Sur %[1]s givenName=Given %[1]s mailNickname=%[1]s", to, was)
	}
	p = s.answered(t, map[string]string{"a": "same n"}, rename("n", "a"), "ask a: m n = same n", "ask b: m n")
	if q := p.Question(1); q.Rows[1].TakenBy != 1 || q.Rows[0].WaitsFor != 0 {
		t.Errorf("%+v", q.Rows)
	}
	s.in.Answers = nil
	s.answered(t, map[string]string{"a": "same n", "b": "different"},
		"delete b", rename("n", "a"), "add m", "ask a: m n = same n", "ask b: m n = different")
	s.in.Answers = nil
	s.answered(t, map[string]string{"a": "same n", "b": "same n"}, rename("n", "a"), "ask a: m n = same n", "ask b: m n")
	s.in.Answers = nil
	s.answered(t, map[string]string{"a": "different", "b": "different"},
		"delete a", "delete b", "add m", "add n", "ask a: m n = different", "ask b: m n = different")
}

func TestQuestions_AnAnswerHoldsWhileItsBasisDoes(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*scene)
		holds  bool
	}{
		"nothing":                 {func(*scene) {}, true},
		"the department":          {func(s *scene) { s.source[1].dept = "Sales" }, true},
		"the order, and lines":    {func(s *scene) { slices.Reverse(s.source); s.source[0].line = 99 }, true},
		"the case of a UPN":       {func(s *scene) { s.source[1].username, s.source[1].upn = s.source[1].upn, "NEW@"+dom }, true},
		"the name of the row":     {func(s *scene) { s.source[1].sur = "Third" }, false},
		"its UPN":                 {func(s *scene) { s.source[1].username, s.source[1].upn = s.source[1].upn, "new2@"+dom }, false},
		"its immutable ID":        {func(s *scene) { s.source[1].imm, s.users[1].imm = "7", "" }, false},
		"the account's name":      {func(s *scene) { s.users[1].sur = "Third" }, false},
		"one more candidate":      {func(s *scene) { s.source = append(s.source, user("x", as("old"), imm(""))) }, false},
		"the link of the account": {func(s *scene) { s.learnt(t, []string{"0001=old"}) }, false},
	} {
		s := marriage()
		p := s.build(t)
		s.in.Answers = answer(t, p, map[string]string{"old": "different"})
		c.change(s)
		q := s.build(t).Question(0)
		if holds := q.Answer.Kind == DifferentPeople; holds != c.holds {
			t.Errorf("%s: answer %q", name, q.Answer.Kind)
		}
		if before := q.Before.Kind == DifferentPeople; before == c.holds {
			t.Errorf("%s: answered before %q", name, q.Before.Kind)
		}
	}
	// Different people has to be said of every row.
	s := two()
	p := s.build(t)
	some := slices.DeleteFunc(answer(t, p, map[string]string{"a": "different"}), func(a Answer) bool { return a.Row == "m@"+dom })
	if q := p.Answer(some).Question(0); q.Answer.Kind != Open {
		t.Errorf("answered %q for one of two rows", q.Answer.Kind)
	}
	// What was said before of another kind does not count towards it.
	for _, kind := range []string{"not-now", "same m"} {
		before := slices.DeleteFunc(answer(t, p, map[string]string{"a": kind}), func(a Answer) bool { return a.Row != "m@"+dom })
		if q := p.Answer(append(before, some...)).Question(0); len(before) != 1 || q.Answer.Kind != Open {
			t.Errorf("answered %q for one row after %s of the other", q.Answer.Kind, kind)
		}
	}
	// The last answer counts.
	all := append(answer(t, p, map[string]string{"a": "different"}), answer(t, p, map[string]string{"a": "not-now"})...)
	if q := p.Answer(all).Question(0); q.Answer.Kind != NotNow {
		t.Errorf("answered %q", q.Answer.Kind)
	}
}

// Whom a row of another domain may be, and what this plan can do about it.
func TestQuestions_OfARowInAnotherDomain(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("b", as("a"), upn("b@two.example"), imm(""))}
	s.users = []person{account("z"), account("a")}
	p := s.answered(t, map[string]string{"a": "same b@two.example"}, "ask a: b@two.example = same b@two.example")
	if why := p.Question(0).Rows[0].SameWhy; why == nil || why.Code != problem.MovedAway {
		t.Errorf("same person: %v", why)
	}
	s.in.Answers = nil
	s.answered(t, map[string]string{"a": "different"}, "delete a", "ask a: b@two.example = different")
}

// A UPN that an answer frees may be taken at once.
func TestQuestions_AnAdditionMayFollowTheRenameOfAnAnswer(t *testing.T) {
	scene := func(set ...func(*person)) *scene {
		s := newScene()
		s.source = []person{
			user("z"), user("a", as("other"), imm(""), username("0077")), user("b", as("a"), alias("a"), imm(""), username("0078")),
		}
		s.users = []person{account("z"), account("a", append([]func(*person){imm("")}, set...)...)}
		return s
	}
	s := scene()
	p := s.answered(t, map[string]string{"a": "same 0078"}, "rename b was a", "add a", "ask a: a b = same 0078")
	if got := waves(p); got != "a>b |; +a" {
		t.Errorf("waves %s", got)
	}
	if a := p.Action(1); has(a, problem.UPNUsedAgain) {
		t.Errorf("warnings %v", a.Warnings)
	}
	r := p.Review()
	if got := r.LeaveOut(p.Action(0).No); len(got) != 2 {
		t.Errorf("without the rename %v are left out", got)
	}
	// A mailbox keeps its former UPN as an address.
	s = scene(address("x@" + dom))
	s.answered(t, map[string]string{"a": "same 0078"}, "rename b was a", "skip a HS-3210", "ask a: a b = same 0078")
}

// What a reviewer allowed for a row waits while the row may be another's.
func TestQuestions_HoldWhatWasAllowed(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", imm("2"), dept("was b@"+dom))}
	s.users = []person{account("z"), account("a", imm("1"))}
	s.in.Decisions = []Decision{{Kind: Allow, ID: "id-a", Attribute: directory.UserPrincipalName}}
	expect(t, s.build(t), "delete a", "add a")
	s.users = append(s.users, account("b"))
	expect(t, s.build(t), "skip a HS-3216", "ask b: a")
}

// What a row in question would change of another account waits as well.
func TestQuestions_HoldWhatTheirRowsWouldChange(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("a", imm("7"))}
	s.users = []person{account("z"), account("a", imm("")), account("b", imm(""), address("a@"+dom))}
	s.answered(t, nil, "ask b: a")
	s.answered(t, map[string]string{"b": "different"}, "delete b", "update a onPremisesImmutableId=7", "ask b: a = different")
	s.in.Answers = nil
	p := s.answered(t, map[string]string{"b": "same a"}, "skip a HS-3211", "ask b: a = same a")
	if c := p.Counts(); c.Asked != 0 || c.SourceHeld != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestQuestions_SayWhatSpeaksForAndAgainst(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("n", named("渡邉 花"), dept("Sales"), username("0001"), func(p *person) { p.sur, p.given = "渡邉", "花" })}
	s.users = []person{account("z"), account("a", named("渡辺 花"), dept("Sales"), func(p *person) { p.sur, p.given = "渡辺", "花" })}
	s.learnt(t, []string{"0002=a"})
	q := s.build(t).Question(0)
	c := q.Rows[0]
	if want := []Sign{SignNameLooks, SignDepartment}; !slices.Equal(c.For, want) {
		t.Errorf("for %v, want %v", c.For, want)
	}
	if want := []Sign{SignNoLink, SignOtherID}; !slices.Equal(c.Against, want) {
		t.Errorf("against %v, want %v", c.Against, want)
	}
	if q.Claim != ClaimLinked || q.Link.Username != "0002" || q.Seen.First.IsZero() || !q.Lost {
		t.Errorf("%+v", q)
	}
	likeness := map[directory.Attribute]string{}
	for _, x := range c.Compare {
		likeness[x.Attribute] = x.Likeness
	}
	for a, want := range map[directory.Attribute]string{
		Username: Differs, directory.DisplayName: LooksSame, directory.GivenName: Equal, directory.Department: Equal,
	} {
		if likeness[a] != want {
			t.Errorf("%s %s, want %s", a, likeness[a], want)
		}
	}
	for n, want := range map[int]string{0: "a", 25: "z", 26: "aa", 27: "ab", 52: "ba"} {
		if got := letters(n); got != want {
			t.Errorf("candidate %d is %s, want %s", n, got, want)
		}
	}
}

func TestDrift_OfWhatIsRemembered(t *testing.T) {
	s := newScene()
	s.source = []person{user("z"), user("u", named("New"), username("0001"))}
	s.users = []person{account("z"), account("u"), account("d"), account("v")}
	s.learnt(t, []string{"0001=u", "0002=d"})
	s.in.Past.Claimed = map[directory.ID]bool{"id-v": true}
	now := map[directory.ID]Known{"id-u": {Username: "0001"}, "id-d": {Username: "0002"}, "id-v": {Claimed: true}}
	for _, p := range []*Plan{s.build(t), recode(t, s.build(t))} {
		is := func(id directory.ID) Known { return now[id] }
		if d := p.PastDrift(is); len(d) > 0 {
			t.Errorf("nothing changed: %v", driftsOf(d))
		}
		d := p.PastDrift(func(directory.ID) Known { return Known{} })
		if got, want := driftsOf(d), []string{"delete d HS-3989", "delete v HS-3989", "update u HS-3989"}; !slices.Equal(got, want) {
			t.Errorf("all forgotten: %v, want %v", got, want)
		}
		for _, x := range d {
			checkWords(t, x.Why)
		}
	}
}

// A deletion rests on an absence: what was seen again since, or was absent for less in
// this state than in that of the plan, is drift.
func TestDrift_OfTheAbsenceThatADeletionRestsOn(t *testing.T) {
	s := leaver(t)
	last := s.in.Past.At.Add(-directory24(2))
	s.learnt(t, []string{"0001=z", "0002=a"}, func(l *Link, x *Seen) {
		if l.Username == "0002" {
			x.Last = last
		}
	})
	before := Absence{First: at.Add(-directory24(2)), Last: at.Add(-directory24(1)), Days: 2, Reads: 5}
	s.in.Past.Absent = map[directory.ID]Absence{"id-a": before}
	for name, tt := range map[string]struct {
		set   func(*Known)
		drift bool
	}{
		"nothing":                      {func(*Known) {}, false},
		"absent once more":             {func(k *Known) { k.Absent.Reads, k.Absent.Days = 6, 3 }, false},
		"seen again":                   {func(k *Known) { k.Seen, k.Absent = at.Add(directory24(1)), Absence{} }, true},
		"seen again and absent anew":   {func(k *Known) { k.Absent = Absence{First: at.Add(time.Hour), Days: 2, Reads: 9} }, true},
		"for fewer days":               {func(k *Known) { k.Absent.Days = 1 }, true},
		"a state that knows of none":   {func(k *Known) { k.Absent = Absence{} }, true},
		"a state that saw it long ago": {func(k *Known) { k.Seen = time.Time{} }, false},
	} {
		for _, p := range []*Plan{s.build(t), recode(t, s.build(t))} {
			k := Known{Username: "0002", Seen: last, Absent: before}
			tt.set(&k)
			d := p.PastDrift(func(directory.ID) Known { return k })
			if (len(d) == 1 && d[0].Why.Code == problem.DriftAbsence) != tt.drift || !tt.drift && len(d) > 0 {
				t.Errorf("%s: %v", name, driftsOf(d))
			}
			for _, x := range d {
				checkWords(t, x.Why)
			}
		}
	}
	// Of an absence that the plan's own read began, nothing is learnt yet.
	s.in.Past.Absent = nil
	k := Known{Username: "0002", Seen: last}
	if d := s.build(t).PastDrift(func(directory.ID) Known { return k }); len(d) > 0 {
		t.Error(driftsOf(d))
	}
}

// Not now is an answer: who gave it has looked. Every sum has the same open ones.
func TestQuestions_NotNowIsNotOpen(t *testing.T) {
	for said, open := range map[string]int{"": 1, "not-now": 0, "different": 0, "same new": 0} {
		s := marriage()
		p := s.build(t)
		p = p.Answer(answer(t, p, map[string]string{"old": said}))
		if c := p.Counts(); c.OpenQuestions != open || c.Questions != 1 {
			t.Errorf("%q: %d open of %d", said, c.OpenQuestions, c.Questions)
		}
		if again := recode(t, p.Review().Approve()).Counts(); again.OpenQuestions != open {
			t.Errorf("%q, approved: %d open", said, again.OpenQuestions)
		}
	}
}

// A number that no answer makes is no action, be it a row's, a skip's or past the end.
func TestQuestions_OnlyTheirNumbersAreOptions(t *testing.T) {
	p := marriage().build(t)
	nos := p.optionNumbers()
	if len(nos) == 0 {
		t.Fatalf("plan:%s", describe(p))
	}
	for _, q := range []*Plan{p, recode(t, p)} {
		for no := -2; no <= slices.Max(nos)+2; no++ {
			a, ok := q.book.option(no)
			if ok != slices.Contains(nos, no) || ok && a.No != no {
				t.Errorf("%d of %v: %t, %d", no, nos, ok, a.No)
			}
		}
	}
}
