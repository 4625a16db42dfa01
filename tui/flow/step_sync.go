package flow

import (
	"context"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// syncStep applies what was approved. It asks only where the permission to write
// needs a person, and where nothing was written.
type syncStep struct {
	track  *tracker
	code   *consent.Code // Microsoft asks for the permission to write
	played bool
	err    error
	// drifted: rows are not as they were; the person chooses.
	drifted *run.Report
}

type synced struct {
	report *run.Report
	err    error
}

func (s *syncStep) enter(d *data, back bool) turn { return s.begin(d) }

func (s *syncStep) begin(d *data) turn {
	s.err, s.code, s.played, s.drifted = nil, nil, false, nil
	s.track = newTracker(time.Now(), []progress.Phase{progress.Drift, progress.Write, progress.Seen})
	s.track.plans(d.review.Remaining())
	d.began, d.report, d.err = true, nil, nil
	engine, approval, settled := d.engine(), d.approval, d.settled()
	p := d.remaining()
	resume := d.resume
	e := effect(func(ctx context.Context, r Reporter) any {
		settled()
		if resume > 0 {
			report, err := engine(r).Resume(ctx, resume)
			return synced{report, err}
		}
		report, err := engine(r).Sync(ctx, p, approval)
		return synced{report, err}
	})
	e.Writes = true
	return does(e)
}

func (s *syncStep) view(d *data, now time.Time) View {
	v := View{Title: words.T("flow.sync.title", "domain", d.domain), Status: words.T("flow.sync.status", "code", d.review.Code())}
	switch {
	case s.drifted != nil:
		s.viewDrift(&v)
		return v
	case s.err != nil:
		v.Blocks = []words.Piece{words.Trouble{Err: s.err}, words.Para{Text: words.T("flow.sync.nothing_written")}}
		v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "preview", Options: []Option{
			{Key: "preview", Text: words.T("flow.sync.to_preview")},
			{Key: "again", Text: words.T("flow.sync.again")},
			{Key: "dryrun", Text: words.T("flow.dryrun.again")},
		}}
		return v
	}
	v.Working = words.T("flow.sync.working")
	v.Work = s.track.work(time.Now())
	v.Ask = Question{Kind: Wait, Optional: true}
	if s.code == nil {
		v.Blocks = []words.Piece{words.Para{Text: words.T("flow.sync.what")}}
		return v
	}
	v.Blocks = []words.Piece{
		words.Para{Text: words.T("flow.sync.asks", "scope", consent.WriteScope)},
		words.CodeCard{Code: *s.code},
		words.Para{Text: words.T("flow.signin.shows", "app", d.appName())},
		words.Para{Text: words.T("flow.sync.nothing_yet")},
	}
	v.Working = words.T("flow.signin.waiting", "until", words.Clock(s.code.Expires))
	v.Ask.Until = s.code.Expires
	playing(d, &v.Ask, s.played)
	return v
}

func (s *syncStep) viewDrift(v *View) {
	v.Blocks = []words.Piece{words.Trouble{Err: s.err}}
	t := words.Table{Head: []words.Text{words.T("preview.col.no"), {}, words.T("preview.col.upn"), words.T("flow.sync.changed")}, Right: []int{0}, Wrap: true}
	for _, x := range s.drifted.Drifted[:min(len(s.drifted.Drifted), pageRows)] {
		what := words.T("flow.sync.then_now", "attribute", string(x.Attribute), "then", x.Then, "now", x.Now)
		if x.Why != nil {
			what = words.T("flow.what", "x", words.What{Err: x.Why})
		}
		t.Rows = append(t.Rows, []words.Text{words.Num(x.No), words.Raw(x.Kind.Sign()), words.Raw(x.UPN), what})
	}
	v.Blocks = append(v.Blocks, t)
	if n := len(s.drifted.Drifted) - pageRows; n > 0 {
		v.Blocks = append(v.Blocks, words.Para{Text: words.T("flow.more", "n", n)})
	}
	v.Ask = Question{Kind: Choice, Text: words.T("flow.choose"), Preset: "dryrun", Options: []Option{
		{Key: "without", Text: words.T("flow.sync.without", "n", len(s.drifted.Drifted)), Note: words.T("flow.sync.without_note")},
		{Key: "dryrun", Text: words.T("flow.dryrun.again"), Note: words.T("flow.sync.dryrun_note")},
		{Key: "preview", Text: words.T("flow.sync.nothing"), Note: words.T("flow.sync.to_preview")},
	}}
}

func (s *syncStep) answer(d *data, a Answer) turn {
	if s.code != nil && s.err == nil && s.drifted == nil {
		k := asking{waits: true, code: *s.code, played: s.played}
		t := k.play(d, a.Text)
		s.played = k.played
		return t
	}
	if s.err == nil {
		return turn{}
	}
	switch a.Text {
	case "without":
		if s.drifted == nil {
			break
		}
		d.approval.SkipDrifted = true
		return s.begin(d)
	case "again":
		return s.begin(d)
	case "dryrun":
		if d.file != nil {
			return stayed(words.T("preview.file_no_dryrun"))
		}
		return goTo(DryRun)
	case "preview":
		return goTo(Preview)
	}
	return turn{}
}

// back is only taken where nothing runs: what is under way is stopped with
// ctrl+c, which waits for the requests that were sent.
func (s *syncStep) back(*data) (turn, bool) {
	if s.err == nil {
		return stayed(words.T("flow.sync.running")), true
	}
	return goTo(Preview), true
}

// running: there is no way back while requests are sent.
func (s *syncStep) inner() bool { return false }

func (s *syncStep) running() bool { return s.err == nil }

func (s *syncStep) event(_ *data, e any, now time.Time) {
	switch e := e.(type) {
	case progress.Event:
		// The permission is there once anything is written.
		if e.Phase == progress.Write || e.Row != nil {
			s.code = nil
		}
		s.track.event(e, now)
	case consent.Code:
		s.code, s.played = &e, false
	}
}

func (s *syncStep) done(d *data, result any) turn {
	switch r := result.(type) {
	case partPlayed:
		return r.acted(&s.played)
	case synced:
		s.code = nil
		d.report, d.err = r.report, r.err
		if d.last == nil || d.last.Sent == 0 || r.report != nil && r.report.Sent > 0 {
			d.last, d.lastErr = r.report, r.err
		}
		switch {
		case r.err == nil, r.report != nil && r.report.Sent > 0:
			return goTo(Result)
		case problem.Has(r.err, problem.PlanDrifted) && r.report != nil && len(r.report.Drifted) > 0:
			s.drifted = r.report
		}
		s.err = r.err
	}
	return turn{}
}
