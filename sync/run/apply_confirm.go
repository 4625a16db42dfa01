package run

import (
	"context"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// confirm reads the accounts of the steps once more, by ID, and drops the steps
// whose account is no longer as it was approved: gone, changed by another writer,
// protected since, or already as wanted. A new account cannot be read before it
// exists; Graph refuses a second one with its UPN. late are steps whose account may
// be hidden by a replica that lags: they are read again after wait.
func (s *syncing) confirm(
	ctx context.Context, steps []plan.Step, attempts map[stepKey]int,
) (left, late []plan.Step, wait time.Duration, err error) {
	var refs []directory.Ref
	for _, step := range steps {
		if step.Verb != plan.Create {
			refs = append(refs, directory.Ref{ID: s.objectID(step)})
		}
	}
	found, err := s.look(ctx, refs, destination.WithRoles)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, 0, errStop
		}
		return nil, nil, 0, err
	}
	protected, err := s.protectedNow(ctx, steps, found)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil, 0, errStop
		}
		return nil, nil, 0, err
	}
	for _, step := range steps {
		key := stepKey{step.Action, step.Step}
		if step.Verb == plan.Create {
			left = append(left, step)
			continue
		}
		if why := protected[step.Action]; why != nil {
			s.fail(step, why)
			continue
		}
		if pause, ok := s.hidden(step, found[s.objectID(step)]); ok {
			late, wait = append(late, step), max(wait, pause)
			continue
		}
		switch why, done := s.stillAsApproved(step, found[s.objectID(step)]); {
		case done:
			s.wrote(step, attempts[key] > 0)
		case why != nil:
			s.fail(step, why)
		default:
			s.keep(step, found[s.objectID(step)])
			left = append(left, step)
		}
	}
	return left, late, wait, nil
}

// hidden reports whether a step's account was not found, but may exist.
func (s *syncing) hidden(step plan.Step, found []directory.Sighting) (wait time.Duration, ok bool) {
	live, deleted := sorted(found)
	switch {
	case live != nil:
		return 0, false
	case deleted != nil && step.Verb != plan.Patch && step.Verb != plan.PatchUPN:
		return 0, false // to be restored, or deleted already
	}
	return s.late(step, deleted != nil)
}

// keep remembers the values of a deleted account. They are the before-image of its
// restoration in the journal, from which an undo sees what was changed since.
func (s *syncing) keep(step plan.Step, found []directory.Sighting) {
	_, deleted := sorted(found)
	if step.Verb != plan.RestoreUser || deleted == nil {
		return
	}
	s.saw(deleted.ID)
	was := state.Image{}
	for _, a := range s.plan.Policy().Attributes {
		v, set := deleted.Get(a)
		was.Put(a, directory.Value{Text: v, Set: set})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.actions[step.Action].was = was
}

// objectID is the ID of the account that a step writes to.
func (s *syncing) objectID(step plan.Step) directory.ID {
	if step.Object.ID != "" {
		return step.Object.ID
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.actions[step.Action].id
}

// look reads accounts and sorts what was found by ID.
func (s *syncing) look(ctx context.Context, refs []directory.Ref, roles destination.Roles) (map[directory.ID][]directory.Sighting, error) {
	found := make(map[directory.ID][]directory.Sighting, len(refs))
	if len(refs) == 0 {
		return found, nil
	}
	sightings, err := s.r.Destination.Look(ctx, refs, s.plan.Policy().Attributes, roles)
	if err != nil {
		return nil, err
	}
	s.notice(sightings)
	for _, g := range sightings {
		id := g.Ref.ID
		if g.Record.ID != "" {
			id = g.Record.ID
		}
		found[id] = append(found[id], g)
	}
	return found, nil
}

// tell remembers the newest time of the destination's clock.
func (s *syncing) tell(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.After(s.server) {
		s.server = t
	}
}

// stillAsApproved compares the values that a step was approved for with those just
// read. done: the account is already as wanted.
func (s *syncing) stillAsApproved(step plan.Step, found []directory.Sighting) (why *problem.Problem, done bool) {
	live, deleted := sorted(found)
	upn := step.Object.UPN
	switch step.Verb {
	case plan.DeleteUser:
		switch {
		case live == nil && deleted != nil:
			return nil, true
		case live == nil:
			return problem.New(problem.ConfirmLost, problem.Args{"upn": upn}), false
		}
	case plan.RestoreUser:
		switch {
		case live != nil:
			return nil, true
		case deleted == nil:
			return problem.New(problem.RowGone, problem.Args{"upn": upn}), false
		}
		return nil, false
	case plan.Create, plan.Patch, plan.PatchUPN:
		if live == nil {
			return problem.New(problem.RowGone, problem.Args{"upn": upn}), false
		}
	}
	if s.plan.ProtectedAtSending(step.Action, live.Marks) != "" {
		return drifted(upn, "protected", "no", "yes"), false
	}
	if step.Verb == plan.DeleteUser {
		if !strings.EqualFold(live.UPN, upn) {
			return drifted(upn, string(directory.UserPrincipalName), upn, live.UPN), false
		}
		for _, c := range step.Still { // an undo deletes only what is as we left it
			if v, set := live.Get(c.Attribute); !same(c.Attribute, directory.Value{Text: v, Set: set}, c.New) {
				return drifted(upn, string(c.Attribute), c.New.Text, v), false
			}
		}
		if step.Unlicensed && live.Marks.Has(directory.Licensed) {
			return problem.New(problem.UndoLicensed, problem.Args{
				"upn": upn, "name": "", "line": "", "domain": s.run.Domain,
			}), false
		}
		return nil, false
	}
	done = true
	for _, c := range step.Set {
		v, set := live.Get(c.Attribute)
		now := directory.Value{Text: v, Set: set}
		if same(c.Attribute, now, c.New) {
			continue
		}
		done = false
		if !same(c.Attribute, now, c.Old) {
			return drifted(upn, string(c.Attribute), c.Old.Text, now.Text), false
		}
	}
	return nil, done && len(step.Set) > 0
}

func drifted(upn, attribute, then, now string) *problem.Problem {
	return problem.New(problem.RowDrifted, problem.Args{
		"upn": upn, "attribute": attribute, "then": then, "now": now,
	})
}

// sorted returns the live and the deleted record among sightings, nil for none.
func sorted(found []directory.Sighting) (live, deleted *directory.Record) {
	for i := range found {
		switch found[i].Presence {
		case directory.Live:
			live = &found[i].Record
		case directory.InRecycleBin:
			deleted = &found[i].Record
		case directory.Absent:
		}
	}
	return live, deleted
}

// same reports whether two values are equal for the destination: UPNs are compared
// without case, and no value equals an empty one.
func same(a directory.Attribute, x, y directory.Value) bool {
	if a == directory.UserPrincipalName {
		return strings.EqualFold(x.Text, y.Text)
	}
	return x.Text == y.Text
}
