package run

import (
	"context"
	"slices"
	"strconv"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Keep learns from a dry run whose plan was not applied: a reviewer says that its read
// is right. Rows that were matched count; additions, skips and questions do not.
// approve is given the number of links before any claim is held, and stops Keep with
// an error. Keep returns the number of links.
func (r *Runner) Keep(ctx context.Context, domain string, no int64, approve func(links int) error) (int, error) {
	n, err := r.keep(ctx, domain, no, false)
	if err != nil {
		return 0, err
	}
	if err := approve(n); err != nil {
		return 0, err
	}
	return r.keep(ctx, domain, no, true)
}

func (r *Runner) keep(ctx context.Context, domain string, no int64, learns bool) (int, error) {
	domain = directory.FoldUPN(domain)
	run, err := r.Store.Run(ctx, no)
	if err != nil {
		return 0, err
	}
	if err := r.keepable(ctx, domain, run); err != nil {
		return 0, err
	}
	claim, err := r.Store.Take(ctx, r.Connection.Tenant, domain, r.Holder, false)
	if err != nil {
		return 0, err
	}
	defer release(ctx, claim)
	if err := r.notTaught(ctx, run); err != nil { // now that no sync of the domain can end
		return 0, err
	}
	l, err := r.keptLesson(ctx, claim, run)
	if err != nil || !learns {
		return lengthOf(l), err
	}
	r.logOf(run).InfoContext(ctx, "kept by a reviewer", "links", len(l.Links))
	return len(l.Links), claim.EndRun(context.WithoutCancel(ctx), run, l)
}

func lengthOf(l *state.Lesson) int {
	if l == nil {
		return 0
	}
	return len(l.Links)
}

// nothingKept says why a run has nothing to keep.
func nothingKept(run state.Run, domain, why, of string) error {
	return problem.New(problem.LessonNone, problem.Args{
		"run": strconv.FormatInt(run.No, 10), "domain": domain, "why": why, "of": of,
	})
}

// keepable refuses every run but a dry run of the domain's stored source that is
// done.
func (r *Runner) keepable(ctx context.Context, domain string, run state.Run) error {
	switch {
	case run.Tenant != r.Connection.Tenant || run.Domain != domain:
		return nothingKept(run, domain, "domain", run.Domain)
	case run.Kind == state.Sync && run.PlanOf != 0:
		return nothingKept(run, domain, "sync", strconv.FormatInt(run.PlanOf, 10))
	case run.Kind != state.DryRun:
		return nothingKept(run, domain, "kind", "")
	case run.State != state.Done:
		return nothingKept(run, domain, "failed", "")
	}
	settings, err := r.settings(ctx, domain)
	if err == nil && settings.Source != run.Source {
		err = nothingKept(run, domain, "source", run.Source)
	}
	return err
}

// notTaught refuses a dry run whose plan was applied, and one since whose beginning
// a sync was carried out: that sync taught what is known now.
func (r *Runner) notTaught(ctx context.Context, run state.Run) error {
	later, err := r.Store.Runs(ctx, state.RunFilter{
		Tenant: run.Tenant, Domain: run.Domain, Kinds: []state.RunKind{state.Sync, state.Undo}, After: run.No,
	})
	if err != nil {
		return err
	}
	slices.Reverse(later)
	for _, s := range later {
		by := strconv.FormatInt(s.No, 10)
		switch s.State {
		case state.Done, state.Partial:
			if s.PlanOf == run.No {
				return passed(run, problem.LessonTaught, by)
			}
			return passed(run, problem.LessonOlder, by)
		case state.Stopped, state.Running: // interrupted: no other process holds the claim
			if s.PlanOf == run.No {
				return nothingKept(run, run.Domain, "open", by)
			}
		case state.Failed, state.Refused, state.Abandoned:
		}
	}
	return nil
}

// passed is the problem of a run that can no longer be kept, because of a sync.
func passed(run state.Run, code problem.Code, by string) error {
	return problem.New(code, problem.Args{"run": strconv.FormatInt(run.No, 10), "domain": run.Domain, "by": by})
}

// keptLesson is what a dry run teaches that a reviewer keeps.
func (r *Runner) keptLesson(ctx context.Context, claim Claim, run state.Run) (*state.Lesson, error) {
	p, err := r.Stored(ctx, run.No)
	if problem.Has(err, problem.PlanMissing) {
		return nil, nothingKept(run, run.Domain, "gone", "")
	}
	if err != nil {
		return nil, err
	}
	l, err := claim.Lesson(ctx, run.No)
	switch {
	case err != nil:
		return nil, err
	case problem.Guarded(p.Plan.Applyable()):
		return nil, nothingKept(run, run.Domain, "guard", "")
	case l == nil:
		return nil, nothingKept(run, run.Domain, "none", "")
	}
	seen, err := r.Store.Seen(ctx, run.Tenant, run.Domain)
	if err != nil {
		return nil, err
	}
	switch same := seen.Source == l.Source; {
	case same && l.At.Equal(seen.At):
		return nil, passed(run, problem.LessonTaught, "")
	case same && (l.At.Before(seen.At) || l.Newest.Before(seen.Newest)):
		return nil, passed(run, problem.LessonOlder, "")
	}
	return upheld(l, p.Plan), nil
}

// upheld is the part of a lesson that holds although nothing was written: the accounts
// that were matched. A row that would add or restore has no account yet, and a
// question that is open says nothing about the read.
func upheld(l *state.Lesson, p *plan.Plan) *state.Lesson {
	matched := map[int]bool{}
	for a := range p.Actions() {
		matched[a.No] = a.Kind == plan.Update || a.Kind == plan.Rename
	}
	sure := *l
	sure.Links = slices.DeleteFunc(slices.Clone(l.Links), func(t state.Taught) bool {
		return t.Asked || t.No != 0 && !matched[t.No]
	})
	return learnt(&sure, p, func(no int) (string, bool) { return "", matched[no] })
}
