package run

import (
	"context"
	"slices"
	"strings"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
)

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

// alreadyDone counts rows that already had the wanted values before this run sent
// anything; they count as seen.
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

// started reports whether a row of the plan had an effect, or failed: such a row is
// read back, not compared. A row that was intended and had no effect, because the
// destination asked for a pause, is compared like one that was never begun.
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

// drift reads the whole source, and of the destination the accounts in the plan.
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

// sourceDrift reads the source again and compares it with the plan's. The plan of an
// undo has no source.
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
