package run

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// wanted returns the UPN and immutable ID that a step gives to a new account.
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

// matching returns the sightings of a ref.
func matching(all []directory.Sighting, ref directory.Ref) []directory.Sighting {
	var found []directory.Sighting
	for _, g := range all {
		if g.Ref == ref {
			found = append(found, g)
		}
	}
	return found
}

// judge decides from what was read whether a step had its effect.
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

// judgeAdd decides whether an account that exists now is the one that this step
// made: its values are equal, and it is not older than the destination's date at the
// intent. Any other account with the UPN or immutable ID was made by another writer.
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

// replay continues from the rows that another process left in the journal.
func (s *syncing) replay(entries []state.Entry) {
	for _, e := range entries {
		key := stepKey{e.Action, e.Step}
		s.entries[key] = e
		a := s.actions[e.Action]
		if a == nil {
			continue
		}
		a.sent = a.sent || e.State != state.None
		back := a.unless != 0 && e.Verb == state.VerbRestore
		if e.Object.ID != "" {
			a.id = e.Object.ID
		}
		switch e.State {
		case state.Written, state.Seen:
			s.met[a.id] = e.Answered
			if e.Verb == state.VerbRestore {
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

// settleUnknown settles the steps whose outcome an interrupted sync left unknown. A
// step that had no effect is sent later, in its wave.
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
		a := attempt{s: s, steps: chunk, tries: map[stepKey]int{}}
		if err := a.settleByReading(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// took remembers that the destination accepted a step.
func (s *syncing) took(step plan.Step, id directory.ID) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if id != "" {
		a.id = id
	}
	now := s.r.Clock.Now()
	s.met[a.id] = now
	switch step.Verb {
	case plan.DeleteUser:
		if a.unless == 0 { // else it may come back
			delete(s.met, a.id)
		}
		s.released[directory.FoldUPN(step.Object.UPN)] = now
	case plan.PatchUPN:
		for _, c := range step.Set {
			if c.Attribute == directory.UserPrincipalName && c.Old.Set {
				s.released[directory.FoldUPN(c.Old.Text)] = now
			}
		}
	case plan.RestoreUser:
		s.back[a.id] = now
	case plan.Create, plan.Patch:
	}
	s.mu.Unlock()
	s.wrote(step, true)
}

// wrote counts a step as done. ours: this sync sent it.
func (s *syncing) wrote(step plan.Step, ours bool) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if step.Unless != 0 {
		a.back = true
		s.mu.Unlock()
		return
	}
	a.written++
	a.sent = a.sent || ours
	complete := a.written == a.steps
	if complete && a.sent {
		s.sent++
	}
	e := progress.Event{Phase: progress.Write, Done: s.sent, Total: len(s.actions)}
	if complete {
		e.Row = &progress.Row{No: step.Action, Kind: a.kind.String(), UPN: a.upn, Outcome: "sent"}
	}
	s.mu.Unlock()
	s.r.report(e)
}

// fail gives up an action.
func (s *syncing) fail(step plan.Step, why *problem.Problem) {
	s.mu.Lock()
	a := s.actions[step.Action]
	if step.Unless != 0 {
		why = a.notPutBack(why)
	}
	a.outcome, a.why = OutcomeFailed, why
	e := progress.Event{Phase: progress.Write, Done: s.sent, Total: len(s.actions), Row: &progress.Row{
		No: step.Action, Kind: a.kind.String(), UPN: a.upn, Outcome: OutcomeFailed, Err: why,
	}}
	s.mu.Unlock()
	s.log("row failed", "no", step.Action, "upn", e.Row.UPN, told(why))
	s.r.report(e)
}

// notPutBack returns the problem of an account that is still deleted although its
// deletion was to be taken back.
func (a *acting) notPutBack(why *problem.Problem) *problem.Problem {
	args := problem.Args{"upn": a.upn, "no": strconv.Itoa(a.unless)}
	if why == nil {
		return problem.New(problem.RowNotPutBack, args)
	}
	return problem.Wrap(why, problem.RowNotPutBack, args).WithUpstream(upstreamOf(why))
}

// unsent marks an action as not sent if its first step is known to have had no
// effect.
func (s *syncing) unsent(step plan.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.actions[step.Action]; a.written == 0 {
		a.sent = false
	}
}
