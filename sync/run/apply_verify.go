package run

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/state"
)

// lagWindow is how long a read may show what was before a write.
const lagWindow = 15 * time.Minute

// verify reads back what was written and not yet seen. It reads at once; with wait,
// it reads the rows that still differ again, at growing intervals, until the lag
// window has passed.
func (s *syncing) verify(ctx context.Context, wait bool) error {
	start := s.r.Clock.Now()
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		last := !wait || s.r.Clock.Now().Sub(start) >= lagWindow
		left, err := s.readBack(ctx, wait && last)
		if err != nil {
			if ctx.Err() != nil {
				return errStop
			}
			return err
		}
		if left == 0 || last {
			return nil
		}
		s.r.report(progress.Event{Phase: progress.Seen, Done: s.seen, Total: s.sent})
		if s.r.Clock.Sleep(ctx, pause) != nil {
			return errStop
		}
	}
}

// awaitSteps waits until the steps of a wave are seen, because the next wave
// depends on them: where the new UPN of an account is seen, the old one is free. If
// a step is not seen within the lag window, the steps that depend on it are sent all
// the same: the destination refuses a UPN that is still taken.
func (s *syncing) awaitSteps(ctx context.Context, steps []plan.Step) error {
	start := s.r.Clock.Now()
	waiting := slices.Clone(steps)
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		var left []plan.Step
		for chunk := range slices.Chunk(waiting, batch) {
			refs := make([]directory.Ref, len(chunk))
			for i, step := range chunk {
				refs[i] = directory.Ref{ID: s.objectID(step)}
			}
			found, err := s.look(ctx, refs, destination.WithoutRoles)
			if err != nil {
				if ctx.Err() != nil {
					return errStop
				}
				return err
			}
			for i, step := range chunk {
				if s.pending(step) && !effectSeen(step, found[refs[i].ID]) {
					left = append(left, step)
				}
			}
		}
		if len(left) == 0 || s.r.Clock.Now().Sub(start) >= lagWindow {
			return nil
		}
		waiting = left
		if s.r.Clock.Sleep(ctx, pause) != nil {
			return errStop
		}
	}
}

// pending reports whether a step is the last of its action that was written, and
// the action has no outcome yet. An account that has its final UPN never shows the
// temporary one again: a resumed sync must not wait for that.
func (s *syncing) pending(step plan.Step) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.actions[step.Action]
	return a != nil && a.outcome == "" && a.written == step.Step+1
}

// effectSeen reports whether a step's effect shows in what was read.
func effectSeen(step plan.Step, found []directory.Sighting) bool {
	live, deleted := sorted(found)
	if step.Verb == plan.DeleteUser {
		return live == nil && deleted != nil
	}
	if live == nil {
		return false
	}
	for _, c := range step.Set {
		v, set := live.Get(c.Attribute)
		if !same(c.Attribute, directory.Value{Text: v, Set: set}, c.New) {
			return false
		}
	}
	return true
}

// readBack looks once at every account that was written and not yet seen. It
// returns how many are still not as written; with final they are given up.
func (s *syncing) readBack(ctx context.Context, final bool) (left int, err error) {
	var nos []int
	s.mu.Lock()
	for no, a := range s.actions {
		if a.outcome == "" && a.steps > 0 && a.written == a.steps {
			nos = append(nos, no)
		}
	}
	s.mu.Unlock()
	slices.Sort(nos)
	for chunk := range slices.Chunk(nos, batch) {
		refs := make([]directory.Ref, len(chunk))
		for i, no := range chunk {
			refs[i] = directory.Ref{ID: s.actions[no].id}
		}
		found, err := s.look(ctx, refs, destination.WithoutRoles)
		if err != nil {
			return 0, err
		}
		var rows []state.Entry
		for _, no := range chunk {
			seen, differs := s.asWritten(no, found[s.actions[no].id])
			if !seen && !final {
				left++
				continue
			}
			rows = append(rows, s.conclude(no, seen, differs)...)
		}
		if err := s.note(ctx, rows); err != nil {
			return 0, err
		}
	}
	return left, nil
}

// asWritten compares an account with the values that its action wrote. differs names
// the first value that is not equal.
func (s *syncing) asWritten(no int, found []directory.Sighting) (seen bool, differs *problem.Problem) {
	a := s.actions[no]
	live, deleted := sorted(found)
	if a.kind == plan.Delete && !a.back {
		return live == nil && deleted != nil, nil
	}
	if live == nil {
		return false, nil
	}
	for _, attribute := range slices.Sorted(maps.Keys(a.final)) {
		want, _ := a.final.Get(attribute)
		v, set := live.Get(attribute)
		if now := (directory.Value{Text: v, Set: set}); !same(attribute, now, want) {
			return false, problem.New(problem.RowDiffers, problem.Args{
				"upn": a.upn, "attribute": string(attribute), "wrote": want.Text, "reads": now.Text,
			})
		}
	}
	return true, nil
}

// conclude gives an action its outcome, and its journal rows.
func (s *syncing) conclude(no int, seen bool, differs *problem.Problem) []state.Entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.actions[no]
	entryState := state.Seen
	first, last := 0, a.steps
	if a.back { // its deletion was seen before
		first, last = a.steps, a.steps+1
	}
	switch {
	case seen && a.back:
		differs = problem.New(problem.RowPutBack, problem.Args{"upn": a.upn, "no": itoa(a.unless)})
		a.outcome, a.why = OutcomeFailed, differs
	case seen:
		a.outcome = OutcomeSeen
		s.seen++
	case differs != nil:
		a.outcome, a.why, entryState = OutcomeDifferent, differs, state.Differs
	default:
		a.outcome, a.why = OutcomeNotYetSeen, problem.New(problem.RowNotYetSeen, problem.Args{"upn": a.upn})
		entryState = state.Written
	}
	var rows []state.Entry
	for step := first; step < last; step++ {
		e, ok := s.entries[stepKey{no, step}]
		if !ok {
			continue // already as wanted; nothing was sent
		}
		e.State, e.SeenAt = entryState, s.r.Clock.Now()
		if entryState == state.Seen {
			e.Seen = e.After
		}
		e.Problem = problemJSON(differs)
		rows = append(rows, e)
	}
	s.r.report(progress.Event{Phase: progress.Seen, Done: s.seen, Total: s.sent, Row: &progress.Row{
		No: no, Kind: a.kind.String(), UPN: a.upn, Outcome: a.outcome, Err: errOf(a.why),
	}})
	return rows
}

// errOf returns a nil problem as a nil error.
func errOf(p *problem.Problem) error {
	if p == nil {
		return nil
	}
	return p
}

func itoa(n int) string { return strconv.Itoa(n) }

// valuesOf are the rows of the journal that this process holds.
func valuesOf(m map[stepKey]state.Entry) iter.Seq[state.Entry] { return maps.Values(m) }
