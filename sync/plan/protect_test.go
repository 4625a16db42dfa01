package plan

import (
	"bytes"
	"slices"
	"testing"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
)

// only gives an account these marks and no others.
func only(m directory.Marks) func(*person) { return func(p *person) { p.marks = m } }

const personal = directory.Addressed | directory.ExchangePlan | directory.Licensed | directory.WasLicensed

// To a delegated sign-in Microsoft shows no one's kind of mailbox: a shared one has its
// sign-in disabled, with a licence or without.
func TestRule6_ADisabledAccountWhoseMailboxCannotBeReadIsLeftAlone(t *testing.T) {
	blocked := func(in *Input) { in.Facts.Blocked = map[directory.ID]bool{"id-a": true} }
	made := func(in *Input) { in.Facts.Added = map[directory.ID]bool{"id-a": true} }
	for _, unread := range []directory.Marks{directory.PurposeUnknown, directory.PurposeOther} {
		check(t, []rule{
			{name: "licensed", users: []person{account("a", only(unread|personal))}, want: []string{"skip a HS-3112"}},
			{name: "without a licence", users: []person{account("a", only(unread|directory.Addressed))}, want: []string{"skip a HS-3112"}},
			{name: "with nothing", users: []person{account("a", only(unread))}, want: []string{"skip a HS-3112"}},
			{
				name: "not updated", source: []person{user("a", named("New"), unmark(directory.Enabled))},
				users: []person{account("a", only(unread|personal))}, want: []string{"skip a HS-3112"},
			},
			{name: "enabled", users: []person{account("a", only(unread|personal|directory.Enabled))}, want: []string{"delete a"}},
			{name: "blocked by us", users: []person{account("a", only(unread|personal))}, want: []string{"delete a"}, change: blocked},
			{name: "blocked by us, and its licence gone", users: []person{account("a", only(unread|directory.Addressed|directory.WasLicensed))}, want: []string{"skip a HS-3111"}, change: blocked},
			{name: "made by us", users: []person{account("a", only(unread|directory.Addressed))}, want: []string{"delete a"}, change: made},
			{name: "made by us and licensed since", users: []person{account("a", only(unread|personal))}, want: []string{"skip a HS-3112"}, change: made},
			{name: "read", users: []person{account("a", only(directory.PurposeUser|personal))}, want: []string{"delete a"}},
			{name: "without a mailbox", users: []person{account("a", only(directory.PurposeNone))}, want: []string{"delete a"}},
		})
	}
}

func TestRule6_ASuspendedPlanMayStillHaveItsMailbox(t *testing.T) {
	const suspended = directory.Enabled | directory.SuspendedPlan | directory.Licensed | directory.WasLicensed
	check(t, []rule{
		{name: "unread", users: []person{account("a", only(suspended|directory.PurposeUnknown))}, want: []string{"skip a HS-3111"}},
		{name: "read", users: []person{account("a", only(suspended|directory.PurposeUser))}, want: []string{"delete a"}},
		{
			name: "its alias is that of a mailbox", source: []person{user("a", alias("other"))},
			users: []person{account("a", only(suspended|directory.PurposeUser))},
		},
	})
}

// What the plan knew of a block is known at the sync too: the account reads there
// as any other that is disabled.
func TestRule6_WhomHacsyncBlockedIsStillDeletedAtTheSync(t *testing.T) {
	s := newScene()
	s.source = []person{user("z")}
	s.users = []person{account("z"), account("a", only(directory.PurposeUnknown|personal))}
	s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
	p := s.build(t)
	now := s.users[1].record()
	var file bytes.Buffer
	if err := p.Encode(&file); err != nil {
		t.Fatal(err)
	}
	stored, err := Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []*Plan{p, stored} {
		if drifted, _ := p.Drift([]directory.Sighting{{Ref: directory.Ref{ID: now.ID}, Presence: directory.Live, Record: now}}); len(drifted) > 0 {
			t.Errorf("drift %+v", drifted)
		}
		if code := p.ProtectedAtSending(1, now.Marks); code != "" {
			t.Errorf("protected by %s", code)
		}
	}
	// Another hand blocked it: the same plan is not the same.
	s.in.Facts.Blocked = nil
	s.users[1].marks |= directory.Enabled
	q := s.build(t)
	if code := q.ProtectedAtSending(1, now.Marks); code != problem.ProtectedDisabled {
		t.Errorf("blocked by somebody since: %q", code)
	}
	if p.Fingerprint() == q.Fingerprint() {
		t.Error("who blocked an account is not part of what is approved")
	}
}

// A plan file from before hacsync stored who blocked has to open: an undo rests on it.
func TestDecode_TakesAPlanThatDeletedADisabledAccount(t *testing.T) {
	s := newScene()
	s.source = []person{user("z")}
	s.users = []person{account("z"), account("a", only(directory.PurposeUnknown|personal))}
	s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
	var file bytes.Buffer
	if err := s.build(t).Encode(&file); err != nil {
		t.Fatal(err)
	}
	p, err := Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	a := p.Action(0)
	a.Marks &^= directory.BlockedByUs
	if err := p.sound(&a); err != nil {
		t.Errorf("%v", err)
	}
}

func TestWarnings_SayThatAUserTypeIsEmpty(t *testing.T) {
	s := newScene()
	s.source = []person{user("a", named("New")), user("b", named("New"))}
	s.users = []person{account("a", mark(directory.OldMember)), account("b")}
	p := s.build(t)
	var got []string
	for a := range p.Actions() {
		if slices.ContainsFunc(a.Warnings, func(w *problem.Problem) bool { return w.Code == problem.UserTypeEmpty }) {
			got = append(got, a.UPN)
		}
	}
	if len(got) != 1 || got[0] != "a@"+dom {
		t.Errorf("said of %v", got)
	}
}

func TestRule8_ABlockByHacsyncIsTakenBackAlthoughTheMailboxCannotBeRead(t *testing.T) {
	s := newScene()
	s.users = []person{account("a", only(directory.PurposeUnknown|personal))}
	block := did(Update, "a", wrote(directory.AccountEnabled, "true", "false"))
	undoes(t, s.inverse(t, block), "skip a HS-3112")
	s.in.Facts.Blocked = map[directory.ID]bool{"id-a": true}
	undoes(t, s.inverse(t, block), "update a accountEnabled=true")
}

func TestWarnings_SayWhatTheReadCouldNotSee(t *testing.T) {
	s := newScene()
	s.source, s.users = []person{user("a")}, []person{account("a")}
	s.in.Notes = []*problem.Problem{problem.New(problem.EligibleUnread, problem.Args{"groups": "2", "permission": "P"})}
	if !slices.ContainsFunc(s.build(t).Warnings(), func(w *problem.Problem) bool { return w.Code == problem.EligibleUnread }) {
		t.Error("the note is not among the plan's warnings")
	}
}

// The list is one, however it is written and whenever it is asked.
func TestRule6_AListedAccountIsProtectedWheneverItIsAsked(t *testing.T) {
	for _, entry := range []string{"id-a", " ID-A ", "a@" + dom, "A@Midori.Example"} {
		s := newScene()
		s.source = []person{user("z")}
		s.users = []person{account("z"), account("a")}
		before := s.build(t)
		if before.Len() != 1 {
			t.Fatalf("%v", brief(before))
		}
		now := s.users[1].record()
		at := []directory.Sighting{{Ref: directory.Ref{ID: now.ID}, Presence: directory.Live, Record: now}}

		listed := *before // a plan that was made for all that
		listed.policy.Protected = []string{entry}
		if drifted, _ := listed.Drift(at); len(drifted) != 1 || drifted[0].Why.Code != problem.ProtectedListed {
			t.Errorf("%q before the first write: %+v", entry, drifted)
		}
		if code := listed.ProtectedAtSending(1, now.Marks); code != problem.ProtectedListed {
			t.Errorf("%q before its request: %q", entry, code)
		}
		if code, _ := NewSpared([]string{entry}, nil).Why(Update, directory.Ref{ID: "id-a", UPN: "a@" + dom}, "b@"+dom); code != problem.ProtectedListed {
			t.Errorf("%q set since: %q", entry, code)
		}
		s.in.Policy.Protected = []string{entry}
		expect(t, s.build(t), "skip a HS-3102")
		undoes(t, s.inverse(t, did(Update, "a", wrote(directory.DisplayName, "Old", "Name a"))), "skip a HS-3102")
		s.deleted, s.users = []person{gone("a")}, s.users[:1]
		undoes(t, s.inverse(t, did(Delete, "a")), "skip a "+string(problem.UndoNeverTouched))
		s.source = append(s.source, user("a"))
		expect(t, s.build(t), "skip a "+string(problem.RestoreProtected))
	}
}

func TestSpared_TellsTheListFromWhatIsLeftOut(t *testing.T) {
	s := NewSpared([]string{"x@" + dom}, []Decision{
		{Kind: LeaveOutAlways, ID: "ID-A", By: "mori"},
		{Kind: LeaveOutAlways, UPN: "new@" + dom},
		{Kind: LeaveOutOnce, ID: "id-b"},
		{Kind: LeaveOutOnce, UPN: "add@" + dom, Row: "add"},
		{Kind: LeaveOutOnce, UPN: "undo@" + dom, Undo: 7},
	})
	for ref, want := range map[directory.Ref]problem.Code{
		{ID: "id-a"}: problem.LeftOutAlways, {UPN: "New@" + dom}: problem.LeftOutAlways, {UPN: "X@" + dom}: problem.ProtectedListed,
		{ID: "id-b"}: problem.LeftOutOnce, {UPN: "add@" + dom}: "", {UPN: "undo@" + dom}: "", {}: "",
	} {
		if code, args := s.Why(Delete, ref, ""); code != want || ref.ID == "id-a" && args["by"] != "mori" {
			t.Errorf("%+v: %q %v", ref, code, args)
		}
	}
	if code, _ := s.Why(Add, directory.Ref{}, "add@"+dom); code != problem.LeftOutOnce {
		t.Errorf("an addition left out this time: %q", code)
	}
}
