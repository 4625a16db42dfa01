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

// What differs in an unattended run: the guard also counts the deletions of the day,
// no user is asked for the permission to write, and an approval that is too old no
// longer counts. The rest is the planner's part: it holds every row that needs a
// choice.

// day is the window over which unattended deletions are summed, and how long after
// its approval a run may be resumed unattended.
const day = 24 * time.Hour

// today counts the deletions and sign-in blocks of the last 24 hours in the
// journal of a domain, sent or seen, attended or not, and returns the number of users
// that a sync might touch when the first of them was planned; 0 if that is not known.
// now is the destination's clock, so that it does not matter which of several machines
// wrote. Rows of the run except are not counted.
func (r *Runner) today(ctx context.Context, domain string, now time.Time, except int64) (deletions, usersThen int, err error) {
	// The journal is searched by the clocks of the machines that wrote it. They may
	// differ, so a day more is read than is counted.
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

// settingsStand refuses an unattended plan whose settings are no longer those of the
// domain: a user who lowers the limit of deletions or sets another source means the
// plans made before, too. The next run makes a new plan.
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

// mayWrite obtains the permission to write; it asks a user only in an attended run.
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

// ResumeUnattended is Resume without a user: no question is asked, and a claim that
// another process holds is not waited for. A plan that was approved more than 24 hours
// ago is not carried out: unknown outcomes are settled by reading, the run is
// abandoned, and the problem is PlanOld. A run whose plan was never stored is
// abandoned too, with PlanMissing. After either, a dry run of the domain is possible.
func (r *Runner) ResumeUnattended(ctx context.Context, no int64) (*Report, error) {
	return r.resume(ctx, no, true)
}

// abandon settles unknown outcomes and ends the run without doing the rest.
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
// there is none: it has no end, and no living process carries it out.
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

// interrupted reports whether a sync was stopped, or its process died.
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
