package run

import (
	"context"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Undo plans the inverse of a run from its journal, and writes nothing to the
// tenant. The plan is reviewed, approved and given to Sync as any other. Rows that it
// leaves alone, for example because another writer changed the account since, are
// listed with the reason.
//
// A run that was stopped or interrupted can be undone too: unknown outcomes are
// settled by reading first, and the rest of the run is given up when the undo begins.
// A run under way, a dry run, one that wrote nothing and one of another tenant
// are problems.
func (r *Runner) Undo(ctx context.Context, no int64) (*Planned, error) {
	run, err := r.Store.Run(ctx, no)
	if err != nil {
		return nil, err
	}
	args := problem.Args{"run": strconv.FormatInt(no, 10)}
	switch {
	case run.Tenant != r.Connection.Tenant:
		return nil, problem.New(problem.WrongTenant, problem.Args{"plan": run.Tenant, "connection": r.Connection.Tenant})
	case run.Kind == state.DryRun:
		return nil, problem.New(problem.UndoDryRun, args)
	}
	if err := r.settled(ctx, run); err != nil {
		return nil, err
	}
	entries, err := r.Store.Journal(ctx, no)
	if err != nil {
		return nil, err
	}
	done := applied(entries)
	if len(done) == 0 {
		return nil, problem.New(problem.UndoNothing, args)
	}
	p, err := r.invert(ctx, run, done)
	if err != nil {
		return nil, err
	}
	return r.Reviewed(ctx, &Planned{Run: no, Plan: p, At: r.Clock.Now()})
}

// settled makes sure that no outcome of a run is unknown. The run can still be
// resumed.
func (r *Runner) settled(ctx context.Context, run state.Run) error {
	if resumable(run) != nil {
		return nil // it came to its end, with every outcome known
	}
	holder, alive, err := r.Store.Alive(ctx, run.Tenant, run.Domain)
	if err != nil {
		return err
	}
	if run.State == state.Running && alive {
		return problem.New(problem.UndoRunning, problem.Args{
			"run": strconv.FormatInt(run.No, 10), "domain": run.Domain, "holder": holder,
		})
	}
	claim, err := r.Store.Take(ctx, run.Tenant, run.Domain, r.Holder, true)
	if err != nil {
		return err
	}
	defer release(ctx, claim)
	s, err := r.takenUp(ctx, claim, run)
	if problem.Has(err, problem.PlanMissing) {
		return nil // killed before anything could be sent
	}
	if err != nil {
		return err
	}
	return s.settleUnknown(ctx)
}

// invert reads the tenant and plans.
func (r *Runner) invert(ctx context.Context, run state.Run, done []plan.Applied) (*plan.Plan, error) {
	settings, err := r.settings(ctx, run.Domain)
	if err != nil {
		return nil, err
	}
	u := plan.Undoing{Run: run.No, Done: done, Input: plan.Input{Domain: run.Domain, Policy: settings.Policy}}
	// What was written is compared, whether or not it would still be written.
	u.Policy.Attributes = slices.Clone(u.Policy.Attributes)
	refs := make([]directory.Ref, len(done))
	for i, d := range done {
		refs[i] = directory.Ref{ID: d.User.ID}
		for _, c := range d.Changes {
			if c.Attribute != directory.AccountEnabled && !slices.Contains(u.Policy.Attributes, c.Attribute) {
				u.Policy.Attributes = append(u.Policy.Attributes, c.Attribute)
			}
		}
	}
	begun := r.Clock.Now()
	reading, err := r.Destination.Read(ctx, u.Policy.Attributes, r.sink())
	if err != nil {
		return nil, err
	}
	u.Tenant, u.Users, u.Deleted, u.At = reading.Tenant, reading.Users, reading.Deleted, reading.ServerTime
	if u.Now, err = r.Destination.Look(ctx, refs, u.Policy.Attributes, destination.WithRoles); err != nil {
		return nil, err
	}
	if u.SetUp, err = r.Store.Domains(ctx, r.Connection.Tenant); err != nil {
		return nil, err
	}
	decided, err := r.decisions(ctx, run.Domain)
	if err != nil {
		return nil, err
	}
	u.Decisions = ofKinds(decided, plan.LeaveOutAlways)
	ids := make([]string, len(done))
	for i, d := range done {
		ids[i] = string(d.User.ID)
	}
	marked, err := r.Store.AccountsOf(ctx, run.Tenant, ids)
	if err != nil {
		return nil, err
	}
	if u.Facts, err = r.facts(ctx, &u.Input, settings, begun.Add(r.ahead(u.At)), marked); err != nil {
		return nil, err
	}
	u.Purposes = map[directory.ID]directory.Marks{}
	return r.complete(ctx, u.Purposes, func() (*plan.Plan, error) { return plan.Invert(u) })
}

// kindOf is the kind of run that applies a plan.
func kindOf(p *plan.Plan) state.RunKind {
	if p.Undoes() != 0 {
		return state.Undo
	}
	return state.Sync
}

// planOf is the run that a plan came from: a dry run, or the run it undoes.
func planOf(p *Planned) int64 {
	if no := p.Plan.Undoes(); no != 0 {
		return no
	}
	return p.Run
}

// pausePeriodic pauses the domain's periodic sync before an undo writes: the source
// still has the undone values, and the next interval would write them again. The
// claim is held by now, so that no other sync is under way.
func (s *syncing) pausePeriodic(ctx context.Context) error {
	if s.run.Kind != state.Undo {
		return nil
	}
	return s.r.Store.PausePeriodic(ctx, s.run.Tenant, s.run.Domain, s.run.By,
		problem.New(problem.PeriodicPausedByUndo, problem.Args{
			"domain": s.run.Domain, "run": strconv.FormatInt(s.run.No, 10),
		}))
}
