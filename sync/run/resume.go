package run

import (
	"context"
	"strconv"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Resume finishes a sync that was interrupted or stopped: it takes the claim,
// settles unknown outcomes by reading, and goes on with what was approved. Drift is
// judged for the rows that were not begun. A sync that ended before its plan was
// stored gives problem.PlanMissing: nothing was written, and the caller starts again
// with a dry run.
func (r *Runner) Resume(ctx context.Context, no int64) (*Report, error) {
	return r.resume(ctx, no, false)
}

func (r *Runner) resume(ctx context.Context, no int64, alone bool) (*Report, error) {
	run, err := r.Store.Run(ctx, no)
	if err != nil {
		return nil, err
	}
	if err := resumable(run); err != nil {
		return nil, err
	}
	var leaves []string
	if p, err := r.Stored(ctx, no); err == nil {
		leaves = p.Plan.Leaves()
	}
	claim, others, err := r.claims(ctx, run.Domain, leaves, !alone)
	if err != nil {
		return nil, err
	}
	defer release(ctx, append(others, claim)...)
	// Read again: its last holder may have ended it while we waited.
	if run, err = r.Store.Run(ctx, no); err != nil {
		return nil, err
	}
	if err := resumable(run); err != nil {
		return nil, err
	}
	s, err := r.takenUp(ctx, claim, run)
	if alone && problem.Has(err, problem.PlanMissing) { // killed before anything could be sent
		sum := summaryOf(run)
		sum.Problem = storedProblem(err)
		run.State, run.Ended, run.Summary = state.Abandoned, r.Clock.Now(), sum.json()
		if uerr := claim.UpdateRun(ctx, run); uerr != nil {
			err = uerr
		}
	}
	if err != nil {
		return nil, err
	}
	ctx = applying(ctx, s.plan)
	s.alone = alone
	s.log("run resumed", "unattended", alone, "rows", len(s.entries))
	if alone && r.Clock.Now().Sub(run.Started) > day {
		return s.abandon(ctx)
	}
	return s.end(ctx, s.carryOut(ctx))
}

func resumable(run state.Run) error {
	if run.Kind != state.DryRun && (run.State == state.Running || run.State == state.Stopped) {
		return nil
	}
	return problem.New(problem.RunEnded, problem.Args{
		"run": strconv.FormatInt(run.No, 10), "state": string(run.State),
	})
}

// takenUp is the sync of a stored run, with the rows of its journal.
func (r *Runner) takenUp(ctx context.Context, c Claim, run state.Run) (*syncing, error) {
	p, err := r.Stored(ctx, run.No)
	if err != nil {
		return nil, err
	}
	entries, err := r.Store.Journal(ctx, run.No)
	if err != nil {
		return nil, err
	}
	s := newSyncing(r, c, p.Plan, run, summaryOf(run))
	s.replay(entries)
	s.resumed = true
	return s, nil
}

// Interrupted lists the syncs of this tenant that can be resumed, the newest
// first: of each domain the latest, if it was stopped, or if the process that
// ran it is gone.
func (r *Runner) Interrupted(ctx context.Context) ([]state.Run, error) {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Kinds: []state.RunKind{state.Sync, state.Undo},
	})
	if err != nil {
		return nil, err
	}
	var open []state.Run
	latest := map[string]bool{}
	for _, run := range runs {
		if latest[run.Domain] {
			continue
		}
		latest[run.Domain] = true
		is, err := r.interrupted(ctx, run)
		if err != nil {
			return nil, err
		}
		if is {
			open = append(open, run)
		}
	}
	return open, nil
}

// abandonOlder ends the open syncs of a domain before a new one begins. Unknown
// outcomes in their journals are settled by reading first, so that the journal
// explains every change of the tenant.
func (r *Runner) abandonOlder(ctx context.Context, c Claim, domain string) error {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: domain,
		Kinds: []state.RunKind{state.Sync, state.Undo}, States: []state.RunState{state.Running, state.Stopped},
	})
	if err != nil {
		return err
	}
	for _, run := range runs {
		s, err := r.takenUp(ctx, c, run)
		switch {
		case problem.Has(err, problem.PlanMissing): // killed before anything could be sent
		case err != nil:
			return err
		default:
			if err := s.settleUnknown(ctx); err != nil {
				return err
			}
		}
		run.State, run.Ended = state.Abandoned, r.Clock.Now()
		if err := c.UpdateRun(ctx, run); err != nil {
			return err
		}
	}
	return nil
}
