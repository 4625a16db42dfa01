package periodic

import (
	"context"
	"fmt"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// leaveAlone is how long a worker leaves a sync that a user began to the users.
const leaveAlone = 24 * time.Hour

// finishBegun looks at what was begun in the domain before: by a worker that had
// this interval and died, by an earlier interval, or by a user. done reports that
// the interval has its outcome.
func (t *turn) finishBegun(ctx context.Context) (done bool, err error) {
	of := state.RunFilter{
		Tenant: t.p.Tenant, Domain: t.p.Domain, Kinds: []state.RunKind{state.Sync, state.Undo}, Limit: 1,
	}
	runs, err := t.w.Store.Runs(ctx, of) // only the latest sync counts
	if err != nil {
		return false, err
	}
	of.Kinds, of.State, of.After, of.Limit = []state.RunKind{state.DryRun}, state.Done, t.p.Turn.After, 0
	if len(runs) > 0 {
		of.After = max(of.After, runs[0].No)
	}
	dry, err := t.w.Store.Runs(ctx, of)
	if err != nil {
		return false, err
	}
	for _, r := range dry {
		// Nothing to do, as the worker that had the interval before found out.
		if sum := run.SummaryOf(r); r.Unattended && sum.Counts != nil && sum.Counts.Changes() == 0 {
			t.count(sum)
			t.i.DryRun, t.i.Outcome = r.No, Unchanged
			return true, nil
		}
	}
	if len(runs) == 0 {
		return false, nil
	}
	r := runs[0]
	own := r.No > t.p.Turn.After && r.Unattended
	switch r.State {
	case state.Stopped, state.Running:
		return t.takeUp(ctx, r, own)
	case state.Done, state.Partial, state.Refused:
		return own && t.ended(r), nil
	case state.Abandoned, state.Failed:
	}
	return false, nil
}

// ended takes over the outcome of the interval's own sync, if the worker died
// between the end of the sync and that of the interval. It reports false for a sync
// that has to be planned again.
func (t *turn) ended(r state.Run) bool {
	sum := run.SummaryOf(r)
	t.count(sum)
	t.i.Sync, t.i.DryRun = r.No, r.PlanOf
	t.i.Seen, t.i.Failed = sum.Seen, sum.Failed+sum.NotTried+sum.NotYetSeen
	why := sum.Problem.Problem()
	t.i.Why = sum.Problem
	switch {
	case r.State == state.Done:
		t.i.Outcome = Synced
	case r.State == state.Partial:
		t.i.Outcome = Partly
	case problem.Guarded(why):
		t.i.Outcome = Cancelled
	default:
		return false
	}
	return true
}

// takeUp goes on with a sync that was interrupted or stopped.
func (t *turn) takeUp(ctx context.Context, r state.Run, own bool) (done bool, err error) {
	if r.State == state.Running {
		_, alive, err := t.w.Store.Alive(ctx, t.p.Tenant, t.p.Domain)
		if err != nil {
			return false, err
		}
		if alive {
			return false, problem.New(problem.DomainBusy, problem.Args{"domain": t.p.Domain, "holder": ""})
		}
	}
	if !r.Unattended {
		switch old := t.w.Clock.Now().Sub(r.Started) >= leaveAlone; {
		case old:
			return false, nil // the domain is planned again; the new sync abandons the old one
		case r.State == state.Stopped || r.Kind == state.Undo:
			t.i.Outcome, t.i.Sync = PassedOver, 0
			t.i.Why = problem.New(problem.PeriodicWaitsForPerson, problem.Args{
				"domain": t.p.Domain, "run": fmt.Sprint(r.No),
			}).Store()
			return true, nil
		}
	}
	rep, err := t.r.ResumeUnattended(ctx, r.No)
	// It wrote nothing, another process abandoned or ended it, or the rest of it no
	// longer fits: the domain is planned again.
	if problem.Has(err, problem.PlanMissing, problem.PlanOld, problem.RunEnded, problem.PlanDrifted, problem.SettingsChanged) {
		t.w.reads.of(t.p.Tenant).forget()
		return false, nil
	}
	t.i.Sync = r.No
	if !own {
		return false, err // an earlier interval's sync is finished; this interval begins
	}
	t.i.DryRun = r.PlanOf
	t.count(run.SummaryOf(r))
	if rep != nil && rep.Plan != nil {
		c := rep.Plan.Counts()
		t.count(run.Summary{Counts: &c})
	}
	return true, t.reported(rep, err)
}
