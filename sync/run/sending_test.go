package run

import (
	"bytes"
	"context"
	"os"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/source"
	"github.com/hacsync/hacsync/sync/state"
)

// fixed is a clock that shows what it is set to.
type fixed struct{ now time.Time }

func (c *fixed) Now() time.Time                                   { return c.now }
func (c *fixed) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) //nolint:gochecknoglobals // a date

// begun is a sync under way without a store.
func begun(c *fixed, actions map[int]*acting) *syncing {
	return &syncing{
		r: &Runner{Clock: c}, run: state.Run{Domain: "midori.example"}, plan: &plan.Plan{}, actions: actions,
		entries: map[stepKey]state.Entry{}, released: map[string]time.Time{}, throttled: map[stepKey]int{},
		met: map[directory.ID]time.Time{}, back: map[directory.ID]time.Time{},
		absent: map[stepKey]absence{}, unheard: map[stepKey]int{},
	}
}

// anyPlan is a plan that has none of the steps of these tests.
func anyPlan(t *testing.T) *plan.Plan {
	t.Helper()
	raw, err := os.ReadFile("../plan/testdata/v1.undo.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// seized is a claim that another holder was seen to have, though its own beat is
// still fresh.
type seized struct {
	Claim
	lost     chan struct{}
	intended int
}

func (c *seized) Held() bool            { return true }
func (c *seized) Lost() <-chan struct{} { return c.lost }
func (c *seized) Intend(context.Context, []state.Entry) error {
	c.intended++
	return problem.New(problem.StateBusy, nil)
}

func TestSend_NothingIsIntendedUnderAClaimThatAnotherHas(t *testing.T) {
	s := begun(&fixed{noon}, map[int]*acting{1: {upn: "a@midori.example", kind: plan.Add}})
	c := &seized{lost: make(chan struct{})}
	s.claim = c
	step := plan.Step{Action: 1, Verb: plan.Create, Set: []plan.Change{{Attribute: directory.UserPrincipalName, New: directory.Text("a@midori.example")}}}
	if err := s.send(t.Context(), []plan.Step{step}); !problem.Has(err, problem.StateBusy) || c.intended != 1 {
		t.Fatalf("held: %v, intended %d", err, c.intended)
	}
	close(c.lost)
	if err := s.send(t.Context(), []plan.Step{step}); !problem.Has(err, problem.ClaimLost) || c.intended != 1 {
		t.Errorf("lost: %v, intended %d", err, c.intended)
	}
}

// A step that only sets a password cannot be read to be done: it is sent.
func TestConfirm_WhatSetsOnlyAPasswordIsNeverDoneAlready(t *testing.T) {
	s := begun(&fixed{noon}, nil)
	s.plan = anyPlan(t)
	found := []directory.Sighting{{Presence: directory.Live, Record: directory.Record{
		ID: "1", UPN: "a@midori.example", Columns: []directory.Attribute{directory.DisplayName}, Values: []directory.Value{directory.Text("A")},
	}}}
	name := plan.Change{Attribute: directory.DisplayName, Old: directory.Text("B"), New: directory.Text("A")}
	for step, want := range map[*plan.Step]bool{
		{Verb: plan.Patch, Password: true}:                 false,
		{Verb: plan.Patch, Set: []plan.Change{name}}:       true,
		{Verb: plan.Patch, Set: []plan.Change{name, name}}: true,
	} {
		if why, done := s.stillAsApproved(*step, found); done != want || why != nil {
			t.Errorf("%+v: done %t, %v", *step, done, why)
		}
	}
}

// A UPN that this sync let go of may count as taken for some minutes. Any other
// conflict is one.
func TestSendAgain_OnlyAUPNThatWasJustReleasedIsTriedAgain(t *testing.T) {
	conflict := problem.New(problem.ConflictUPN, problem.Args{"upn": "a@midori.example", "value": "a@midori.example"})
	for name, c := range map[string]struct {
		released  time.Duration // ago
		attribute directory.Attribute
		why       *problem.Problem
		again     bool
	}{
		"just now":           {0, directory.UserPrincipalName, conflict, true},
		"almost too long":    {releaseLag - time.Nanosecond, directory.UserPrincipalName, conflict, true},
		"too long ago":       {releaseLag, directory.UserPrincipalName, conflict, false},
		"never":              {-1, directory.UserPrincipalName, conflict, false},
		"another attribute":  {0, directory.MailNickname, conflict, false},
		"another refusal":    {0, directory.UserPrincipalName, problem.New(problem.RowGone, nil), false},
		"taken, of no cause": {0, directory.UserPrincipalName, nil, false},
	} {
		s := begun(&fixed{noon}, nil)
		if c.released >= 0 {
			s.released["a@midori.example"] = noon.Add(-c.released)
		}
		step := plan.Step{Action: 1, Verb: plan.PatchUPN, Set: []plan.Change{{Attribute: c.attribute, New: directory.Text("A@midori.example")}}}
		wait, again := s.sendAgain(step, c.why, 1)
		if again != c.again || again != (wait == releasePause) {
			t.Errorf("%s: again %t after %s", name, again, wait)
		}
	}
}

// The destination's word counts; without one the waits grow.
func TestSendAgain_WaitsAsLongAsItIsAsked(t *testing.T) {
	busy := func(u *problem.Upstream) *problem.Problem {
		p := problem.New(problem.Throttled, nil)
		p.Upstream = u
		return p
	}
	for name, c := range map[string]struct {
		why     *problem.Problem
		attempt int
		want    time.Duration
	}{
		"no answer at all":   {busy(nil), 1, 2 * time.Second},
		"no time is named":   {busy(&problem.Upstream{Status: 429}), 1, 2 * time.Second},
		"nor the third time": {busy(&problem.Upstream{Status: 429}), 3, 8 * time.Second},
		"a time is named":    {busy(&problem.Upstream{Status: 429, RetryAfter: 7 * time.Second}), 3, 7 * time.Second},
		"about a minute":     {busy(nil), 6, 64 * time.Second},
		"and no more later":  {busy(nil), 50, 64 * time.Second},
	} {
		s := begun(&fixed{noon}, nil)
		if wait, again := s.sendAgain(plan.Step{Action: 1}, c.why, c.attempt); !again || wait != c.want || !s.resume.Equal(noon.Add(c.want)) {
			t.Errorf("%s: %s, again %t, nobody sends before %s", name, wait, again, s.resume)
		}
	}
}

// An account that the journal says was brought back may for a while still show in the
// recycle bin; one that was only written to is gone if it shows there.
func TestReplay_RemembersWhatWasBroughtBack(t *testing.T) {
	s := begun(&fixed{noon}, map[int]*acting{1: {steps: 1}, 2: {steps: 1}})
	for i, verb := range []plan.Verb{plan.RestoreUser, plan.Patch} {
		id := directory.ID([]string{"back", "written"}[i])
		s.replay([]state.Entry{{Action: i + 1, State: state.Written, Verb: verbOf(verb), Object: directory.Ref{ID: id}, Answered: noon}})
		if _, late := s.late(plan.Step{Action: i + 1, Step: 1, Verb: plan.Patch}, true); late != (verb == plan.RestoreUser) {
			t.Errorf("%s, seen in the recycle bin: late %t", id, late)
		}
		if _, late := s.late(plan.Step{Action: i + 1, Step: 2, Verb: plan.Patch}, false); !late {
			t.Errorf("%s, not seen at all, is no matter of a replica", id)
		}
	}
}

// Whom a replica does not know yet is looked for again, at first soon.
func TestLate_LooksAgainEverMoreSeldom(t *testing.T) {
	s := begun(&fixed{noon}, map[int]*acting{1: {id: "1"}})
	s.met["1"] = noon
	for i, want := range []int{2, 4, 8, 16, 32, 60, 60, 60} {
		if wait, ok := s.late(plan.Step{Action: 1, Verb: plan.Patch}, false); !ok || wait != time.Duration(want)*time.Second {
			t.Errorf("look %d: wait %s, late %t", i+1, wait, ok)
		}
	}
}

// A link is not learnt whose row drifted beside the actions of the plan; where an
// action drifted, its outcome says so.
func TestDriftedSince_KnowsTheRowByItsUPN(t *testing.T) {
	s := begun(&fixed{noon}, nil)
	s.drifted = []plan.Drifted{{UPN: "a@midori.example"}, {No: 3, UPN: "b@midori.example"}}
	for upn, want := range map[string]bool{"A@midori.example": true, "b@midori.example": false, "c@midori.example": false} {
		if got := s.driftedSince(state.Taught{Link: state.Link{UPN: upn}}); got != want {
			t.Errorf("%s: %t", upn, got)
		}
	}
}

// An undo of which nothing was seen leaves what the run taught.
func TestLessonOf_AnUndoTakesBackOnlyWhatItUndid(t *testing.T) {
	s := begun(&fixed{noon}, nil)
	s.plan, s.run.Kind, s.run.PlanOf = anyPlan(t), state.Undo, 7
	for seen, want := range map[int]int64{0: 0, 1: 7} {
		l, err := s.lessonOf(t.Context(), &Report{State: state.Partial, Seen: seen})
		if err != nil || l == nil || l.TakesBack != want {
			t.Errorf("%d seen: %+v, %v", seen, l, err)
		}
	}
}

// No count is not a count of nobody.
func TestOpenSource_ACountOf0IsNone(t *testing.T) {
	for given, want := range map[int]int{0: -1, -1: -1, 1: 1, 40: 40} {
		var got Settings
		r := &Runner{OpenSource: func(_ context.Context, _ string, s Settings) (source.Source, error) { got = s; return nil, nil }} //nolint:nilnil // never read
		if _, err := r.openSource(t.Context(), "midori.example", Overrides{Source: "hac", Count: given}, Settings{}); err != nil || got.Count != want {
			t.Errorf("%d is passed on as %d, %v", given, got.Count, err)
		}
	}
}

func TestTakenBack_IsADeletionWhoseAccountIsThereAgain(t *testing.T) {
	for _, c := range []struct {
		kind  plan.Kind
		verb  plan.Verb
		state state.EntryState
		want  bool
	}{
		{plan.Delete, plan.RestoreUser, state.Written, true},
		{plan.Delete, plan.RestoreUser, state.Seen, true},
		{plan.Delete, plan.RestoreUser, state.Sent, false},
		{plan.Delete, plan.RestoreUser, state.Rejected, false},
		{plan.Delete, plan.DeleteUser, state.Seen, false},
		{plan.Restore, plan.RestoreUser, state.Seen, false},
	} {
		if got := TakenBack(&state.Entry{Kind: state.Kind(c.kind.String()), Verb: verbOf(c.verb), State: c.state}); got != c.want {
			t.Errorf("%+v: %t", c, got)
		}
	}
}
