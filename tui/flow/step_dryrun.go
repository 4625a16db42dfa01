package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/review"
	"github.com/hacsync/hacsync/tui/words"
)

// dryRunStep reads both sides and plans. It asks nothing unless it failed.
type dryRunStep struct {
	base
	track *tracker
}

type dryRan struct {
	planned *run.Planned
	review  *review.Review
	err     error
}

func (s *dryRunStep) enter(d *data, back bool) turn {
	d.forgetPlan()
	if d.last == nil || d.last.Sent == 0 {
		// A sync that was refused is over once a new plan is made.
		d.last, d.lastErr = nil, nil
	}
	s.err = nil
	s.track = newTracker(time.Now(), dryRunPhases())
	engine, domain, settled := d.engine(), d.domain, d.settled()
	o := run.Overrides{Source: d.spec, Count: d.count}
	// An opened plan is reviewed as it is; the sync compares it with both sides as they
	// are now.
	file := d.file
	return does(effect(func(ctx context.Context, r Reporter) any {
		settled()
		var p *run.Planned
		var err error
		if file != nil {
			p, err = engine(r).Reviewed(ctx, &run.Planned{Plan: file, Source: o.Source, Count: o.Count})
		} else {
			p, err = engine(r).DryRun(ctx, domain, o)
		}
		if err != nil {
			return dryRan{err: err}
		}
		// Looking through all rows takes a while where there are many.
		return dryRan{planned: p, review: reviewed(p)}
	}))
}

func (s *dryRunStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.dryrun.title", "domain", d.domain), Status: words.T("flow.dryrun.status")}
	if s.err != nil {
		v.Blocks = []words.Piece{words.Trouble{Err: s.err}, words.Para{Text: words.T("flow.dryrun.no_plan")}}
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "again", Options: []Option{
			{Key: "again", Text: words.T("flow.dryrun.again")},
			{Key: "source", Text: words.T("flow.source.another")},
		}}
		if wantsPerson(s.err) {
			v.Ask.Preset = "signin"
			v.Ask.Options = append(v.Ask.Options, Option{Key: "signin", Text: words.T("flow.signin.again"), Note: words.T("flow.signin.again_note")})
		}
		return v
	}
	what := dryRunPromise(d)
	if d.mayWrite() {
		what = words.T("flow.dryrun.status")
	}
	v.Blocks = []words.Piece{words.Para{Text: what}, words.Para{Text: words.T("flow.dryrun.why")}}
	v.Working = words.T("flow.dryrun.working")
	v.Work = s.track.work(time.Now())
	v.Ask = Question{Kind: Wait, Optional: true}
	return v
}

func (s *dryRunStep) answer(d *data, a Answer) turn {
	switch a.Text {
	case "again":
		return s.enter(d, false)
	case "signin":
		if wantsPerson(s.err) {
			return d.signInAgain()
		}
	case "source":
		return turn{move: backward}
	}
	return turn{}
}

func (s *dryRunStep) event(_ *data, e any, now time.Time) {
	if p, ok := e.(progress.Event); ok {
		s.track.event(p, now)
	}
}

func (s *dryRunStep) done(d *data, result any) turn {
	r, ok := result.(dryRan)
	if !ok {
		return turn{}
	}
	if r.err != nil {
		s.err = r.err
		return turn{}
	}
	d.planned = r.planned
	d.review = r.review
	t := goTo(Preview)
	if n := len(d.review.LeftOut()); n > 0 {
		t.say = []words.Text{words.T("preview.inherited", "n", n)}
	}
	return t
}

// dryRunPromise says that nothing is written, and why nothing can be where that
// is so: the dedicated application may write, and a person after a sync.
func dryRunPromise(d *data) words.Text {
	if d.began || d.session != nil && d.session.Connection().Acts() {
		return words.T("flow.dryrun.what_only")
	}
	return words.T("flow.dryrun.what")
}
