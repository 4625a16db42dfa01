package flow

import (
	"context"
	"slices"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
)

// What a reviewer decides is stored at once, in the order said, while the walk goes
// on: it holds whichever way the plan is left and opened again.

// decided is what became of decisions that were to be stored; undo takes them back in
// the review where they were not.
type decided struct {
	err  error
	undo func()
}

// decide stores decisions and removes others.
func (d *data) decide(save, remove []plan.Decision, undo func()) Effect {
	before, done := d.stored, make(chan struct{})
	d.stored = done
	engine, domain := d.engine(), d.review.Plan().Domain()
	return effect(func(ctx context.Context, r Reporter) any {
		defer close(done)
		// What was said is kept, also when the person has gone on.
		ctx = context.WithoutCancel(ctx)
		wait(before)
		e := engine(r)
		err := e.TakeBack(ctx, domain, remove...)
		if err == nil {
			err = e.Decide(ctx, domain, save)
		}
		return decided{err, undo}
	})
}

// lasting are the decisions that hold until they are taken back.
func lasting(all []plan.Decision) []plan.Decision {
	return slices.DeleteFunc(slices.Clone(all), func(d plan.Decision) bool { return d.Kind != plan.LeaveOutAlways })
}

// settled gives what waits until all that was decided so far is stored.
func (d *data) settled() func() {
	before := d.stored
	return func() { wait(before) }
}

func wait(done <-chan struct{}) {
	if done != nil {
		<-done
	}
}

// reviewed is a plan as reviewers left it.
func reviewed(p *run.Planned) *review.Review {
	r := review.New(p.Plan)
	r.Restore(p.Decided)
	return r
}
