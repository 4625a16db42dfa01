package run

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// settleByReading finds out what became of steps whose answer never came, or
// told nothing. A step that had no effect is to be sent again; one whose
// account is neither as before nor as wanted is a conflict.
func (s *syncing) settleByReading(ctx context.Context, steps []plan.Step, attempts map[stepKey]int) (again []plan.Step, err error) {
	refs := make([]directory.Ref, len(steps))
	for i, step := range steps {
		if step.Verb == plan.Create {
			refs[i] = s.wanted(step)
			continue
		}
		refs[i] = directory.Ref{ID: s.objectID(step)}
	}
	sightings, err := s.r.Destination.Look(ctx, refs, s.plan.Policy().Attributes, destination.WithoutRoles)
	if err != nil {
		return nil, err
	}
	s.notice(sightings)
	rows := make([]state.Entry, 0, len(steps))
	var after []func()
	for i, step := range steps {
		key := stepKey{step.Action, step.Step}
		e := s.entry(key)
		found := matching(sightings, refs[i])
		verdict, id, why := s.judge(step, e, found)
		switch {
		case verdict == state.None && s.spent(key, attempts[key]):
			verdict = state.Rejected
			why = problem.New(problem.RetriesSpent, problem.Args{
				"upn": s.actions[step.Action].upn, "attempts": itoa(attempts[key]),
			})
			after = append(after, func() { s.fail(step, why) })
		case verdict == state.None:
			again = append(again, step)
			after = append(after, func() { s.unsent(step) })
		case verdict == state.Written:
			e.Object.ID = id
			after = append(after, func() { s.took(step, id) })
		default:
			after = append(after, func() { s.fail(step, why) })
		}
		e.State, e.Answered = verdict, s.r.Clock.Now()
		if why != nil {
			e.Problem = problemJSON(why)
		}
		s.log("unknown outcome settled by reading", "no", step.Action, "state", verdict)
		rows = append(rows, e)
	}
	if err := s.note(ctx, rows); err != nil {
		return nil, err
	}
	for _, f := range after {
		f()
	}
	return again, nil
}

// unsent takes back that an action was sent: its first step is known to have had
// no effect.
func (s *syncing) unsent(step plan.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.actions[step.Action]; a.written == 0 {
		a.sent = false
	}
}

// wanted is the account that a new user would be.
func (s *syncing) wanted(step plan.Step) directory.Ref {
	var ref directory.Ref
	for _, c := range step.Set {
		switch c.Attribute {
		case directory.UserPrincipalName:
			ref.UPN = c.New.Text
		case directory.ImmutableID:
			ref.ImmutableID = c.New.Text
		}
	}
	return ref
}

// matching are the sightings that a ref gave.
func matching(all []directory.Sighting, ref directory.Ref) []directory.Sighting {
	var found []directory.Sighting
	for _, g := range all {
		if g.Ref == ref {
			found = append(found, g)
		}
	}
	return found
}

// judge says from what was read whether a step had its effect.
func (s *syncing) judge(step plan.Step, e state.Entry, found []directory.Sighting) (state.EntryState, directory.ID, *problem.Problem) {
	upn := s.actions[step.Action].upn
	live, deleted := sorted(found)
	gone := func() (state.EntryState, directory.ID, *problem.Problem) {
		if _, ok := s.late(step, deleted != nil); ok {
			return state.None, "", nil
		}
		return state.Conflict, "", problem.New(problem.RowGone, problem.Args{"upn": upn})
	}
	switch step.Verb {
	case plan.Create:
		return s.judgeAdd(step, e, found)
	case plan.DeleteUser:
		if live != nil {
			return state.None, "", nil
		}
		if deleted != nil {
			return state.Written, deleted.ID, nil
		}
		return gone()
	case plan.RestoreUser:
		if live != nil {
			return state.Written, live.ID, nil
		}
		if deleted != nil {
			return state.None, "", nil
		}
		return gone()
	case plan.Patch, plan.PatchUPN:
	}
	if live == nil {
		return gone()
	}
	wrote, before := true, true
	var odd *problem.Problem
	for _, c := range step.Set {
		v, set := live.Get(c.Attribute)
		now := directory.Value{Text: v, Set: set}
		wrote = wrote && same(c.Attribute, now, c.New)
		before = before && same(c.Attribute, now, c.Old)
		if odd == nil && !same(c.Attribute, now, c.New) && !same(c.Attribute, now, c.Old) {
			odd = problem.New(problem.RowConflict, problem.Args{"upn": upn, "attribute": string(c.Attribute), "now": now.Text})
		}
	}
	switch {
	case wrote:
		return state.Written, live.ID, nil
	case before:
		return state.None, "", nil
	case odd != nil:
		return state.Conflict, "", odd
	}
	// Some values are new and the others still old: a read that lags behind one
	// write. Sending it again does no harm.
	return state.None, "", nil
}

// judgeAdd says whether an account that is there now is the one that this step
// made: its values are equal, and it is not older than the destination's date
// at the intent. Any other account with the UPN or immutable ID is somebody
// else's.
func (s *syncing) judgeAdd(step plan.Step, e state.Entry, found []directory.Sighting) (state.EntryState, directory.ID, *problem.Problem) {
	taken := false
	for i := range found {
		rec := &found[i].Record
		if found[i].Presence != directory.Live {
			continue
		}
		taken = true
		if !rec.Created.IsZero() && !e.Server.IsZero() && rec.Created.Before(e.Server.Truncate(time.Second)) {
			continue
		}
		equal := true
		for _, c := range step.Set {
			v, set := rec.Get(c.Attribute)
			equal = equal && same(c.Attribute, directory.Value{Text: v, Set: set}, c.New)
		}
		if equal {
			return state.Written, rec.ID, nil
		}
	}
	if taken {
		return state.Conflict, "", problem.New(problem.AddTaken, problem.Args{"upn": s.actions[step.Action].upn})
	}
	return state.None, "", nil
}

// replay takes a journal up where another process left it.
func (s *syncing) replay(entries []state.Entry) {
	for _, e := range entries {
		key := stepKey{e.Action, e.Step}
		s.entries[key] = e
		a := s.actions[e.Action]
		if a == nil {
			continue
		}
		a.sent = a.sent || e.State != state.None
		back := a.unless != 0 && verbOf(e.Verb) == plan.RestoreUser
		if e.Object.ID != "" {
			a.id = e.Object.ID
		}
		switch e.State {
		case state.Written, state.Seen:
			s.met[a.id] = e.Answered
			if verbOf(e.Verb) == plan.RestoreUser {
				s.back[a.id] = e.Answered
			}
			if back {
				a.back = true
				continue
			}
			a.written++
			if a.written == a.steps {
				s.sent++
			}
		case state.Rejected, state.Conflict, state.Differs:
			a.outcome, a.why = OutcomeFailed, decodeProblem(e.Problem)
			if back {
				a.why = a.notPutBack(a.why)
			}
		case state.None, state.Sent:
		}
		if e.Server.After(s.server) {
			s.server = e.Server
		}
	}
}

// settleUnknown settles what an interrupted sync left unknown. What had no
// effect is sent in its turn.
func (s *syncing) settleUnknown(ctx context.Context) error {
	var unknown []plan.Step
	for wave := range s.plan.Waves() {
		for _, step := range wave.Steps {
			if e, ok := s.entries[stepKey{step.Action, step.Step}]; ok && e.State == state.Sent {
				unknown = append(unknown, step)
			}
		}
	}
	for chunk := range slices.Chunk(unknown, batch) {
		if _, err := s.settleByReading(ctx, chunk, map[stepKey]int{}); err != nil {
			return err
		}
	}
	return nil
}

// checkDrift compares both sides with what the plan rests on. Drifted rows
// refuse the sync, or are left out where that was approved; the guard then
// judges what remains.
func (s *syncing) checkDrift(ctx context.Context) error {
	if err := s.settingsStand(ctx); err != nil {
		return err
	}
	s.r.report(progress.Event{Phase: progress.Drift, Total: -1})
	all, done, err := s.drift(ctx)
	if err != nil {
		return err
	}
	spared, err := s.sparedSince(ctx)
	if err != nil {
		return err
	}
	if err := s.settingsStand(ctx); err != nil { // both sides took their time
		return err
	}
	past, err := s.pastDrift(ctx)
	if err != nil {
		return err
	}
	all = slices.Concat(all, spared, past)
	s.alreadyDone(done)
	for _, d := range all {
		if !s.started(d.No) {
			s.drifted = append(s.drifted, d)
		}
	}
	s.r.report(progress.Event{Phase: progress.Drift, Ended: true})
	if len(s.drifted) == 0 {
		return nil
	}
	rows := rowsOf(s.drifted)
	if !s.sum.SkipDrifted {
		return problem.New(problem.PlanDrifted, problem.Args{"rows": itoa(len(rows)), "domain": s.run.Domain})
	}
	review := s.plan.Review()
	for _, no := range rows {
		if no > 0 {
			review.LeaveOut(no)
		}
	}
	entries := s.entries
	s.use(review.Approve())
	s.replay(slices.Collect(valuesOf(entries)))
	s.alreadyDone(done)
	if err := s.r.save(ctx, s.run.No, s.plan); err != nil {
		return err
	}
	s.run.Fingerprint = s.plan.Fingerprint().String()
	if s.run.Unattended && len(s.entries) == 0 {
		return s.guardToday(ctx)
	}
	if why := s.plan.Applyable(); why != nil && !(s.sum.RaiseOnce && why.Code.Guard()) {
		return why
	}
	return nil
}

// alreadyDone counts rows that are as wanted before anything was sent, by
// somebody else's hand: they were just seen.
func (s *syncing) alreadyDone(nos []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, no := range nos {
		a := s.actions[no]
		if a == nil || a.sent || a.written > 0 || a.outcome != "" {
			continue
		}
		a.outcome, a.written = OutcomeSeen, a.steps
		s.seen++
	}
}

// started reports whether a row of the plan has begun to have its effect, or
// failed: it is read back instead. What was intended and did nothing, because
// the destination asked for a pause, is compared like what was never begun.
func (s *syncing) started(no int) bool {
	a := s.actions[no]
	return a != nil && (a.written > 0 || a.outcome != "")
}

// rowsOf are the distinct row numbers; rows outside of the plan count one each.
func rowsOf(ds []plan.Drifted) []int {
	var nos []int
	seen := map[string]bool{}
	for _, d := range ds {
		key := itoa(d.No)
		if d.No == 0 {
			key = strings.ToLower(d.UPN)
		}
		if !seen[key] {
			seen[key] = true
			nos = append(nos, d.No)
		}
	}
	return nos
}

// drift reads the source whole, and of the destination what the plan touches.
func (s *syncing) drift(ctx context.Context) (drifted []plan.Drifted, done []int, err error) {
	all, err := s.sourceDrift(ctx)
	if err != nil {
		return nil, nil, err
	}
	touches := s.plan.Touches()
	var sightings []directory.Sighting
	if len(touches) > 0 {
		if sightings, err = s.r.Destination.Look(ctx, touches, s.plan.Policy().Attributes, destination.WithRoles); err != nil {
			return nil, nil, err
		}
	}
	s.notice(sightings)
	if err := s.kindsOfMailboxes(ctx, sightings); err != nil {
		return nil, nil, err
	}
	there, done := s.plan.Drift(sightings)
	return append(all, there...), done, nil
}

// sourceDrift reads the source again and compares it with the plan's. An undo
// rests on no source.
func (s *syncing) sourceDrift(ctx context.Context) ([]plan.Drifted, error) {
	if s.plan.Undoes() != 0 {
		return nil, nil
	}
	settings, err := s.r.settings(ctx, s.run.Domain)
	if err != nil {
		return nil, err
	}
	src, err := s.r.openSource(ctx, s.run.Domain, Overrides{Source: s.run.Source, Count: s.sum.Count}, settings)
	if err != nil {
		return nil, err
	}
	s.source = sourceName(settings, src)
	now, err := src.Read(ctx, s.plan.Policy().Attributes, s.r.sink())
	if err != nil {
		return nil, err
	}
	return s.plan.SourceDrift(now), nil
}
