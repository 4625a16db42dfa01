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
	domain := d.review.Plan().Domain()
	return d.inTurn(func(ctx context.Context, e Engine) any {
		err := e.TakeBack(ctx, domain, remove...)
		if err == nil {
			err = e.Decide(ctx, domain, save)
		}
		return decided{err, undo}
	})
}

// keepLook stores where the person is in the plan.
func (d *data) keepLook(l Look) turn {
	is := run.Look{Tab: string(l.Tab), Filter: string(l.Filter), Search: l.Search}
	if is == d.planned.Look {
		return turn{}
	}
	p := *d.planned
	p.Look, d.planned = is, &p
	e := d.inTurn(func(ctx context.Context, e Engine) any {
		_ = e.KeepLook(ctx, &p, is) // it is looked for again
		return decided{}
	})
	e.Looks = true
	return does(e)
}

// look is where the person was in the plan.
func (d *data) look() Look {
	l := d.planned.Look
	return Look{review.Tab(l.Tab), review.Filter(l.Filter), l.Search}
}

// inTurn is an effect that stores something after what was to be stored before it.
func (d *data) inTurn(f func(ctx context.Context, e Engine) any) Effect {
	before, done := d.stored, make(chan struct{})
	d.stored = done
	engine := d.engine()
	return effect(func(ctx context.Context, r Reporter) any {
		defer close(done)
		// What was said is kept, also when the person has gone on.
		ctx = context.WithoutCancel(ctx)
		wait(before)
		return f(ctx, engine(r))
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
