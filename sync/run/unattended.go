package run

import (
	"bytes"
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// What differs where nobody watches: the guard also counts the deletions of the
// day, nobody is asked for the permission to write, and what a person approved
// long ago is not carried out any more. The rest is the planner's, which then
// holds every row that needs a choice.

// day is the window over which unattended deletions are summed, and how long after
// its approval a run may be resumed unattended.
const day = 24 * time.Hour

// today counts the deletions and sign-in blocks of the last 24 hours in the
// journal of a domain, sent or seen, whoever approved them, and gives the users
// that a sync might touch when the first of them was planned; 0 if that is not
// known. now is the destination's clock, so that it does not matter which of
// several machines wrote. Rows of the run except are not counted.
func (r *Runner) today(ctx context.Context, domain string, now time.Time, except int64) (deletions, usersThen int, err error) {
	// The journal is asked by the clocks of the machines that wrote it, and a day
	// more than is counted: they may be apart.
	entries, err := r.Store.JournalSince(ctx, r.Connection.Tenant, domain, now.Add(-2*day))
	if err != nil {
		return 0, 0, err
	}
	open, err := r.Store.Unanswered(ctx, r.Connection.Tenant, domain)
	if err != nil {
		return 0, 0, err
	}
	type action struct {
		run int64
		no  int
	}
	back := map[action]bool{}
	for i := range entries {
		if TakenBack(&entries[i]) {
			back[action{entries[i].Run, entries[i].Action}] = true
		}
	}
	first := int64(0)
	for _, e := range append(entries, open...) {
		if back[action{e.Run, e.Action}] || e.Run == except || !deletes(&e) || now.Sub(e.When()) >= day {
			continue
		}
		deletions++
		if first == 0 || e.Run < first {
			first = e.Run
		}
	}
	if first == 0 {
		return 0, 0, nil
	}
	run, err := r.Store.Run(ctx, first)
	if err != nil {
		return 0, 0, err
	}
	if v := summaryOf(run).Verdict; v != nil {
		usersThen = v.Users
	}
	return deletions, usersThen, nil
}

// guardToday judges once more, under the claim: another sync may have deleted
// since the plan was made.
func (s *syncing) guardToday(ctx context.Context) error {
	deletions, users, err := s.r.today(ctx, s.run.Domain, s.r.Clock.Now().Add(s.ahead), s.run.No)
	if err != nil {
		return err
	}
	v := s.plan.Today(deletions, users)
	if !v.Cancelled {
		return nil
	}
	s.verdict = &v
	return v.Why
}

// settingsStand refuses a plan that nobody approved and whose settings are not
// those of the domain any more: whoever lowers the limit of deletions or takes
// another source means what was planned before, too. It is planned anew.
func (s *syncing) settingsStand(ctx context.Context) error {
	if !s.alone || !s.run.Unattended {
		return nil
	}
	now, err := s.r.settings(ctx, s.run.Domain)
	if err != nil {
		return err
	}
	was, is := encoded(s.plan.Policy()), encoded(now.Policy)
	if bytes.Equal(was, is) && (s.run.Source == "" || now.Source == "" || s.run.Source == now.Source) {
		return nil
	}
	return problem.New(problem.SettingsChanged, problem.Args{"domain": s.run.Domain})
}

// mayWrite obtains the permission to write, from a person only where there is
// one.
func (s *syncing) mayWrite(ctx context.Context) error {
	switch {
	case !s.alone:
		if s.r.MayWrite != nil {
			return s.r.MayWrite(ctx)
		}
	case s.r.MayWriteAlone != nil:
		return s.r.MayWriteAlone(ctx)
	case s.r.MayWrite != nil:
		return problem.New(problem.WriteNeedsPerson, problem.Args{"domain": s.run.Domain})
	}
	return nil
}

// ResumeUnattended is Resume where nobody watches: nobody is asked, a claim that
// another holds is not waited for, and a plan that was approved more than 24
// hours ago is not carried out any more, whoever approved it: what stayed unknown
// is settled by reading, the run is abandoned, and problem.PlanOld says so. A run
// whose plan was never stored is abandoned too, with problem.PlanMissing. After
// either the domain can be planned anew.
func (r *Runner) ResumeUnattended(ctx context.Context, no int64) (*Report, error) {
	return r.resume(ctx, no, true)
}

// abandon settles what stayed unknown and gives the rest of the run up.
func (s *syncing) abandon(ctx context.Context) (*Report, error) {
	why := problem.New(problem.PlanOld, problem.Args{
		"run": strconv.FormatInt(s.run.No, 10), "domain": s.run.Domain, "by": cmp.Or(s.run.By, "hacsync"),
		"hours": strconv.Itoa(int(s.r.Clock.Now().Sub(s.run.Started) / time.Hour)),
	})
	if err := s.settleUnknown(ctx); err != nil {
		return nil, err
	}
	if err := s.verify(ctx, false); err != nil {
		return nil, err
	}
	return s.endAs(ctx, state.Abandoned, why)
}

// OpenRun is the sync or undo of a domain that was stopped or interrupted, nil if
// there is none: it was not ended, and nobody alive carries it out.
func (r *Runner) OpenRun(ctx context.Context, domain string) (*state.Run, error) {
	runs, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: r.Connection.Tenant, Domain: directory.FoldUPN(domain),
		Kinds: []state.RunKind{state.Sync, state.Undo}, Limit: 1,
	})
	if err != nil || len(runs) == 0 {
		return nil, err
	}
	open, err := r.interrupted(ctx, runs[0])
	if err != nil || !open {
		return nil, err
	}
	return &runs[0], nil
}

// interrupted reports whether a sync was stopped, or left by a process that is
// gone.
func (r *Runner) interrupted(ctx context.Context, run state.Run) (bool, error) {
	switch run.State {
	case state.Stopped:
		return true, nil
	case state.Running:
		_, alive, err := r.Store.Alive(ctx, run.Tenant, run.Domain)
		return err == nil && !alive, err
	case state.Done, state.Partial, state.Refused, state.Abandoned, state.Failed:
	}
	return false, nil
}
