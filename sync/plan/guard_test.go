package plan

import (
	"fmt"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// shrinking is a tenant of users accounts of which deletions are to go.
func shrinking(users, deletions int) *scene {
	s := newScene()
	s.in.Past.Claimed = map[directory.ID]bool{}
	for i := range users {
		key := fmt.Sprint("u", i)
		s.users = append(s.users, account(key))
		if i >= deletions {
			s.source = append(s.source, user(key))
			continue
		}
		s.in.Past.Claimed[directory.ID("id-"+key)] = true
	}
	if deletions == users {
		s.source = append(s.source, user("new", named("Another")))
	}
	return s
}

func TestGuard_CancelsAtExactlyTheLimit(t *testing.T) {
	for _, c := range []struct {
		users, deletions, percent int
		cancelled                 bool
		stopsAt                   int
	}{
		{100, 9, 10, false, 10},
		{100, 10, 10, true, 10},
		{100, 64, 65, false, 65},
		{100, 65, 65, true, 65},
		{95, 9, 10, false, 10},
		{95, 10, 10, true, 10},
		{3, 1, 0, true, 1},
		{3, 0, 0, false, 1},
		{3, 0, 100, false, 3},
		{3, 3, 100, true, 3},
		{3, 2, 100, false, 3},
	} {
		s := shrinking(c.users, c.deletions)
		s.in.Policy.MaxAllowedDeletions = c.percent
		v := s.build(t).Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != c.cancelled || v.StopsAt != c.stopsAt || v.Deletions != c.deletions || v.Users != c.users {
			t.Errorf("%+v: %+v", c, v)
		}
		if c.cancelled != (v.Why != nil) || c.cancelled && v.Why.Code != problem.GuardCancels {
			t.Errorf("%+v: why %v", c, v.Why)
		}
	}
	if n := stopsAt(3985, 10); n != 399 {
		t.Errorf("10 %% of 3,985 stops at %d, want 399", n)
	}
}

func TestGuard_ANumberIsReachedLikeThePercentage(t *testing.T) {
	for _, c := range []struct {
		number, deletions int
		cancelled         bool
		stopsAt           int
	}{
		{5, 4, false, 5},
		{5, 5, true, 5},
		{0, 0, false, 1},
		{0, 1, true, 1},
		{1, 1, true, 1},
		{-1, 9, false, 50},
		{60, 49, false, 50},
	} {
		s := shrinking(100, c.deletions)
		s.in.Policy.MaxAllowedDeletions, s.in.Policy.MaxDeletions = 50, c.number
		v := s.build(t).Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != c.cancelled || v.StopsAt != c.stopsAt {
			t.Errorf("%+v: %+v", c, v)
		}
		if c.cancelled && v.Why.Code != problem.GuardCancelsNumber {
			t.Errorf("%+v: why %v", c, v.Why)
		}
	}
}

func TestGuard_UnattendedCountsTheDeletionsOfTheDay(t *testing.T) {
	for _, c := range []struct {
		today, then, deletions int
		watched, cancelled     bool
		stopsAt                int
	}{
		{9, 100, 1, false, true, 1},
		{8, 100, 1, false, false, 2},
		{9, 100, 1, true, false, 10}, // attended
		{9, 100, 0, false, false, 1}, // nothing to delete
		{20, 300, 9, false, false, 10},
		{22, 300, 8, false, true, 8},
	} {
		s := shrinking(100, c.deletions)
		s.in.Policy.MaxAllowedDeletions = 10
		s.in.Unattended = !c.watched
		s.in.Facts.DeletionsToday, s.in.Facts.UsersThen = c.today, c.then
		v := s.build(t).Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != c.cancelled || v.StopsAt != c.stopsAt {
			t.Errorf("%+v: %+v", c, v)
		}
		if c.cancelled && v.Why.Code != problem.GuardCancelsDay {
			t.Errorf("%+v: why %v", c, v.Why)
		}
	}
}

func TestGuard_UnattendedLimitsChangesOfSignIn(t *testing.T) {
	for _, c := range []struct {
		fills                 int
		unattended, cancelled bool
	}{{2, true, false}, {3, true, true}, {3, false, false}} {
		s := newScene()
		s.in.Unattended = c.unattended
		for i := range 10 {
			key := fmt.Sprint("u", i)
			s.source = append(s.source, user(key))
			if i < c.fills {
				s.users = append(s.users, account(key, imm("")))
			} else {
				s.users = append(s.users, account(key))
			}
		}
		v := s.build(t).Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != c.cancelled || c.cancelled && v.Why.Code != problem.SignInCancels {
			t.Errorf("%+v: %+v", c, v)
		}
	}
}

func TestGuard_ARaiseIsBoundToThePresentRows(t *testing.T) {
	s := shrinking(10, 5)
	s.in.Policy.MaxAllowedDeletions = 10
	p := s.build(t)
	r := p.Review()
	r.RaiseOnce()
	if v := r.Verdict(); v.Cancelled || !v.Raised || v.Why != nil {
		t.Errorf("raised: %+v", v)
	}
	q := r.Approve()
	if q.Verdict().Cancelled || q.Fingerprint() == p.Fingerprint() {
		t.Error("the raise is not part of the approved plan")
	}
	if back := recode(t, q); !back.Verdict().Raised {
		t.Error("the raise is not in the file")
	}
	r.LeaveOut(1)
	if v := r.Verdict(); !v.Cancelled || v.Raised || v.Deletions != 4 {
		t.Errorf("other rows pass too: %+v", v)
	}
}

func TestApplyable_SaysWhyAPlanMayNotBeApplied(t *testing.T) {
	number := shrinking(10, 5)
	number.in.Policy.MaxAllowedDeletions, number.in.Policy.MaxDeletions = 60, 5
	share := shrinking(10, 5)
	share.in.Policy.MaxAllowedDeletions = 50
	enough := shrinking(10, 5)
	enough.in.Policy.MaxAllowedDeletions = 51
	unread := shrinking(10, 5)
	unread.in.Policy.MaxAllowedDeletions = 50
	for i := range unread.users {
		unread.users[i].marks &^= directory.PurposeUser
	}
	for name, c := range map[string]struct {
		scene *scene
		want  problem.Code
		guard bool
	}{
		"nothing to do":          {shrinking(10, 0), "", false},
		"below the limits":       {enough, "", false},
		"the share":              {share, problem.GuardCancels, true},
		"the number":             {number, problem.GuardCancelsNumber, true},
		"mailboxes not read yet": {unread, problem.PlanNotFinal, false},
	} {
		p := c.scene.build(t)
		raised := p.Review()
		raised.RaiseOnce()
		for how, p := range map[string]*Plan{"": p, ", raised": raised.Approve(), ", raised, from a file": recode(t, raised.Approve())} {
			why := p.Applyable()
			if c.want == "" && why != nil || c.want != "" && !problem.Has(why, c.want) || problem.Guarded(why) != c.guard {
				t.Errorf("%s%s: %v, want %q", name, how, why, c.want)
			}
			checkWords(t, why)
		}
	}
}

func TestFingerprint_RestsOnWhatWasDecided(t *testing.T) {
	base := func() *scene {
		s := newScene()
		s.source = []person{user("z"), user("u", named("New")), user("n")}
		s.users = []person{account("z"), account("u"), account("d")}
		return s
	}
	want := base().build(t).Fingerprint()
	for name, change := range map[string]func(*scene){
		"a value after":       func(s *scene) { s.source[1].name = "Newer" },
		"a value before":      func(s *scene) { s.users[1].name = "Older" },
		"the kind of mailbox": func(s *scene) { s.users[2].marks = directory.Enabled | directory.PurposeNone },
		"the policy":          func(s *scene) { s.in.Policy.ChangeAlias = true },
		"the limit":           func(s *scene) { s.in.Policy.MaxAllowedDeletions = 99 },
		"the users":           func(s *scene) { s.source, s.users = append(s.source, user("y")), append(s.users, account("y")) },
		"the tenant":          func(s *scene) { s.in.Tenant.ID = "t-2" },
		"a skip":              func(s *scene) { s.users = append(s.users, account("p", mark(directory.Guest))) },
		"an object ID":        func(s *scene) { s.users[2].id = "other" },
	} {
		s := base()
		change(s)
		if s.build(t).Fingerprint() == want {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
	for name, change := range map[string]func(*scene){
		"the clock":           func(s *scene) { s.in.At = s.in.At.Add(1) },
		"lines":               func(s *scene) { s.source[1].line = 77 },
		"evidence":            func(s *scene) { s.users[2].lastSignIn = at },
		"order of protection": func(s *scene) {},
	} {
		s := base()
		change(s)
		if s.build(t).Fingerprint() != want {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	text := func(by string) Fingerprint {
		s := base()
		s.in.Decisions = []Decision{{Kind: LeaveOutAlways, ID: "id-d", By: by, Why: by}}
		return s.build(t).Fingerprint()
	}
	if text("x") != text("y") {
		t.Error("who decided, and why, changes the fingerprint")
	}
}

// Both judgements, at exactly the limit and one below it.
func TestGuard_StrangersDoNotWidenTheLimit(t *testing.T) {
	for _, c := range []struct {
		known, strangers   int // accounts
		deletions, unknown int // known and strangers that go
		number             int
		unattended         bool
		want               problem.Code
		claimed            bool
		stopsAt            int
	}{
		{known: 100, deletions: 9, number: -1, stopsAt: 10},
		{known: 100, deletions: 10, number: -1, want: problem.GuardCancels, stopsAt: 10},
		{known: 100, strangers: 900, deletions: 9, number: -1, claimed: true, stopsAt: 10},
		{known: 100, strangers: 900, deletions: 10, number: -1, want: problem.GuardCancelsKnown, claimed: true, stopsAt: 10},
		{known: 100, strangers: 900, unknown: 99, number: -1, stopsAt: 100},
		{known: 100, strangers: 900, unknown: 100, number: -1, want: problem.GuardCancels, stopsAt: 100},
		{known: 100, strangers: 900, deletions: 9, unknown: 90, number: -1, stopsAt: 100},
		{known: 100, strangers: 900, deletions: 9, unknown: 91, number: -1, want: problem.GuardCancels, stopsAt: 100},
		{known: 100, strangers: 900, unknown: 500, number: -1, unattended: true, stopsAt: 100}, // all of them held
		{known: 100, strangers: 900, deletions: 9, unknown: 40, number: 50, claimed: true, stopsAt: 10},
		{known: 100, strangers: 900, deletions: 9, unknown: 41, number: 50, want: problem.GuardCancelsNumber, claimed: true, stopsAt: 10},
	} {
		s := newScene()
		s.in.Policy.MaxAllowedDeletions, s.in.Policy.MaxDeletions, s.in.Unattended = 10, c.number, c.unattended
		s.in.Past.Claimed = map[directory.ID]bool{}
		for i := range c.known {
			key := fmt.Sprint("known", i)
			s.users = append(s.users, account(key))
			if i < c.deletions {
				s.in.Past.Claimed[directory.ID("id-"+key)] = true
			} else {
				s.source = append(s.source, user(key))
			}
		}
		for i := range c.strangers {
			key := fmt.Sprint("stranger", i)
			a := account(key)
			if i >= c.unknown { // left out, so that it stays
				s.in.Decisions = append(s.in.Decisions, Decision{Kind: LeaveOutAlways, ID: directory.ID("id-" + key)})
			}
			s.users = append(s.users, a)
		}
		p := s.build(t)
		v := p.Verdict()
		checkWords(t, v.Why)
		checkSums(t, p)
		got := problem.Code("")
		if v.Why != nil {
			got = v.Why.Code
		}
		if got != c.want || v.Claimed != c.claimed || v.StopsAt != c.stopsAt {
			t.Errorf("%+v: %s, %+v", c, got, v)
		}
		if w := recode(t, p).Verdict(); w.Cancelled != v.Cancelled || w.StopsAt != v.StopsAt {
			t.Errorf("%+v: from a file %+v", c, w)
		}
	}
}

// leaving is a tenant from whose domain two.example so many of ten accounts come
// over.
func leavingTwo(moves int) *scene {
	s := newScene()
	s.in.Policy.MaxSignInChanges, s.in.Policy.MaxChanges = 1000, 1000
	s.in.Others = nil // the presets: 10 %
	for i := range 20 {
		key := fmt.Sprintf("m%02d", i)
		s.users = append(s.users, account(key, upn(key+"@two.example")))
		if i < moves {
			s.source = append(s.source, user(key))
		}
	}
	s.source, s.users = append(s.source, user("z", named("New"))), append(s.users, account("z"))
	return s
}

func TestGuard_OfTheDomainThatAccountsLeave(t *testing.T) {
	for _, c := range []struct {
		moves, percent, number int
		unattended             bool
		want                   problem.Code
		held                   int
	}{
		{moves: 1, percent: 10, number: -1},
		{moves: 2, percent: 10, number: -1, want: problem.MovesCancel},
		{moves: 1, percent: 10, number: -1, unattended: true},
		{moves: 2, percent: 10, number: -1, unattended: true, held: 2},
		{moves: 1, percent: 0, number: -1, want: problem.MovesCancel},
		{moves: 2, percent: 50, number: 3},
		{moves: 3, percent: 50, number: 3, want: problem.MovesCancel},
		{moves: 3, percent: 50, number: 3, unattended: true, held: 3},
	} {
		s := leavingTwo(c.moves)
		s.in.Unattended = c.unattended
		other := DefaultPolicy()
		other.MaxAllowedDeletions, other.MaxDeletions = c.percent, c.number
		s.in.Others = map[string]Policy{"two.example": other}
		p := s.build(t)
		v, counts := p.Verdict(), p.Counts()
		checkWords(t, v.Why)
		checkSums(t, p)
		if v.Cancelled != (c.want != "") || c.want != "" && v.Why.Code != c.want {
			t.Errorf("%+v: %v", c, v.Why)
		}
		if counts.Update != 1 || counts.Rename != c.moves-c.held || counts.Skipped != c.held {
			t.Errorf("%+v: the rest does not go on: %+v", c, counts)
		}
		for sk := range p.Skips() {
			if sk.Why.Code != problem.MoveHeldByGuard || !sk.Held() {
				t.Errorf("%+v: %s", c, sk.Why.Code)
			}
			checkWords(t, sk.Why)
		}
		if want := []string{"two.example"}; c.held < c.moves && fmt.Sprint(p.Leaves()) != fmt.Sprint(want) {
			t.Errorf("%+v: leaves %v", c, p.Leaves())
		}
		if c.want == "" {
			continue
		}
		r := p.Review()
		r.LeaveOut(p.Action(0).No)
		if c.percent > 0 && (r.Verdict().Cancelled || recode(t, r.Approve()).Verdict().Cancelled) {
			t.Errorf("%+v: with one fewer it is still cancelled: %v", c, r.Verdict().Why)
		}
	}
	// Without a word of its settings the presets hold.
	if v := leavingTwo(2).build(t).Verdict(); !v.Cancelled {
		t.Errorf("verdict %+v", v)
	}
}

// A limit of 0 stops the first move, and no plan that moves no account.
func TestGuard_OfADomainThatNoAccountLeavesStopsNothing(t *testing.T) {
	s := leavingTwo(1)
	none := DefaultPolicy()
	none.MaxDeletions = 0
	s.in.Others = map[string]Policy{"two.example": none}
	p := s.build(t)
	if v := p.Verdict(); !v.Cancelled || !problem.Has(v.Why, problem.MovesCancel) || len(p.Leaves()) != 1 {
		t.Errorf("one move: %+v, leaves %v", v, p.Leaves())
	}
	r := p.Review()
	r.LeaveOut(p.Action(0).No)
	if q := r.Approve(); q.Verdict().Cancelled || len(q.Leaves()) != 0 {
		t.Errorf("no move: %+v, leaves %v", q.Verdict(), q.Leaves())
	}
}

// Unattended, an account that lost its row in this read counts, also as a question or
// held.
func TestGuard_AFileThatLostManyIsCancelledUnattended(t *testing.T) {
	for _, c := range []struct {
		asked, waiting, deleted, before int // before: absent in earlier reads
		strangers                       int
		number                          int
		unattended                      bool
		want                            problem.Code
	}{
		{asked: 9, number: -1, unattended: true},
		{asked: 10, number: -1, unattended: true, want: problem.LostCancels},
		{asked: 10, number: -1},
		{asked: 10, before: 10, number: -1, unattended: true},
		{asked: 4, deleted: 5, number: -1, unattended: true},
		{asked: 5, deleted: 5, number: -1, unattended: true, want: problem.LostCancels},
		{waiting: 9, number: -1, unattended: true},
		{waiting: 10, number: -1, unattended: true, want: problem.LostCancels},
		{asked: 10, strangers: 900, number: -1, unattended: true, want: problem.LostCancels},
		{asked: 3, number: 4, unattended: true},
		{asked: 4, number: 4, unattended: true, want: problem.LostCancelsNumber},
	} {
		s := newScene()
		s.in.Policy.MaxAllowedDeletions, s.in.Policy.MaxDeletions, s.in.Unattended = 10, c.number, c.unattended
		s.in.Policy.MaxChanges = 1000
		s.in.Past.Absent = map[directory.ID]Absence{}
		var links []string
		for i := range 100 {
			key := fmt.Sprintf("u%02d", i)
			links = append(links, key+"="+key)
			s.users = append(s.users, account(key))
			switch {
			case i < c.asked:
				s.source = append(s.source, user("new"+key, as(key), imm(""), username("n"+key)))
				if i < c.before {
					s.in.Past.Absent["id-"+directory.ID(key)] = Absence{First: at, Last: at, Days: 1, Reads: 1}
				}
			case i < c.asked+c.waiting+c.deleted:
			default:
				s.source = append(s.source, user(key, username(key)))
			}
		}
		if c.waiting > 0 {
			s.in.Policy.DeleteAfter = 5
		}
		for i := range c.strangers {
			s.users = append(s.users, account(fmt.Sprint("stranger", i)))
		}
		s.learnt(t, links)
		p := s.build(t)
		v := p.Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != (c.want != "") || c.want != "" && v.Why.Code != c.want {
			t.Errorf("%+v: %+v", c, v)
		}
		if w := recode(t, p).Verdict(); w.Cancelled != v.Cancelled {
			t.Errorf("%+v: from a file %+v", c, w)
		}
		if c.want == problem.LostCancels && c.asked > 0 { // an account that is found again is not lost
			said := map[string]string{"u00": "same nu00"}
			if p.Answer(answer(t, p, said)).Verdict().Cancelled {
				t.Errorf("%+v: cancelled with one answered", c)
			}
		}
	}
}

func TestGuard_UnattendedLimitsAccountsChangedAtAll(t *testing.T) {
	for _, c := range []struct {
		changed, limit int
		unattended     bool
		cancelled      bool
	}{{4, 50, true, false}, {5, 50, true, true}, {5, 50, false, false}, {9, 0, true, false}} {
		s := newScene()
		s.in.Unattended, s.in.Policy.MaxChanges = c.unattended, c.limit
		for i := range 10 {
			key := fmt.Sprint("u", i)
			s.users = append(s.users, account(key))
			if i < c.changed {
				s.source = append(s.source, user(key, named("New")))
			} else {
				s.source = append(s.source, user(key))
			}
		}
		v := s.build(t).Verdict()
		checkWords(t, v.Why)
		if v.Cancelled != c.cancelled || c.cancelled && v.Why.Code != problem.ChangesCancel {
			t.Errorf("%+v: %+v", c, v)
		}
	}
}

// Whom a reviewer let go had no row in the last read, and so lost none in this one: its
// open question does not cancel every unattended run. Before anything is learnt, claims
// are those of a plan from before there were links, whose accounts had rows.
func TestGuard_WhomAReviewerLetGoIsNotLost(t *testing.T) {
	for _, learnt := range []bool{false, true} {
		s := newScene()
		s.in.Unattended, s.in.Policy.MaxAllowedDeletions = true, 10
		s.in.Past.Claimed = map[directory.ID]bool{}
		for i := range 20 {
			key := fmt.Sprint("s", i)
			s.source, s.users = append(s.source, user(key)), append(s.users, account(key))
		}
		for i := range 5 {
			key := fmt.Sprint("go", i)
			s.users = append(s.users, account(key, imm("")))
			s.source = append(s.source, user("new"+key, imm(""), as(key)))
			s.in.Past.Claimed[directory.ID("id-"+key)] = true
		}
		if learnt {
			s.in.Past.At = at.Add(-directory24(1))
		}
		p := s.build(t)
		v := p.Verdict()
		if p.QuestionLen() != 5 || v.Cancelled == learnt || (v.Lost == 0) != learnt {
			t.Errorf("learnt %t: lost %d, %v, plan%s", learnt, v.Lost, v.Why, describe(p))
		}
	}
}
