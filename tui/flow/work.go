package flow

import (
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/progress"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/tui/words"
)

// Work is how far long work is: what progress bars and progress lines show. A
// View has a copy.
type Work struct {
	Started time.Time
	Phases  []PhaseState
	// Rows are the sums of a sync by kind, nil for reading.
	Rows []Tally
	// Failures are the rows that failed so far.
	Failures []progress.Row
	// Pause is how long nothing is sent still, PauseWhy why, and PauseSide whose
	// side is waited for.
	Pause     time.Duration
	PauseWhy  progress.Why
	PauseSide string
	// Silent is how long there has been no report, and Spent how long it all took so
	// far; zero while reports come.
	Silent, Spent time.Duration
	// Rate is in items a second of what takes longest, 0 while it is not known.
	Rate float64
	// Left is the time that is left, 0 while it is not known or not steady.
	Left time.Duration
}

// PhaseState is how far one phase is. Total is -1 while it is not known.
type PhaseState struct {
	Phase        progress.Phase
	Done, Total  int
	Began, Ended bool
	started      time.Time
}

// Tally are the sums of one kind during a sync.
type Tally struct {
	Kind                        plan.Kind
	Planned, Sent, Seen, Failed int
}

// Sum adds up all kinds.
func (w *Work) Sum() Tally {
	var t Tally
	for _, r := range w.Rows {
		t.Planned += r.Planned
		t.Sent += r.Sent
		t.Seen += r.Seen
		t.Failed += r.Failed
	}
	return t
}

// tracker collects events into Work.
type tracker struct {
	w      Work
	pause  time.Time // until when
	heard  time.Time // the last report
	paused time.Duration
	rows   map[int]string
}

// dryRunPhases are shown from the start, so that what is still to come is known.
func dryRunPhases() []progress.Phase {
	return []progress.Phase{
		progress.Source, progress.Users, progress.Deleted, progress.Roles,
		progress.Recount, progress.Compare, progress.Purposes, progress.Guard,
	}
}

func newTracker(now time.Time, phases []progress.Phase) *tracker {
	t := &tracker{w: Work{Started: now}, heard: now, rows: map[int]string{}}
	for _, p := range phases {
		t.w.Phases = append(t.w.Phases, PhaseState{Phase: p, Total: -1})
	}
	return t
}

// plans sets what a sync is going to do.
func (t *tracker) plans(c plan.Counts) {
	for _, k := range []struct {
		kind plan.Kind
		n    int
	}{{plan.Rename, c.Rename}, {plan.Restore, c.Restore}, {plan.Add, c.Add}, {plan.Update, c.Update}, {plan.Delete, c.Delete}} {
		if k.n > 0 {
			t.w.Rows = append(t.w.Rows, Tally{Kind: k.kind, Planned: k.n})
		}
	}
}

func (t *tracker) event(e progress.Event, now time.Time) {
	t.heard = now
	if e.Pause > 0 {
		t.pause = now.Add(e.Pause)
		t.paused += e.Pause
		t.w.PauseWhy, t.w.PauseSide = e.Why, e.Phase.Side()
	}
	if e.Row != nil {
		t.row(*e.Row)
	}
	if e.Phase == "" {
		return
	}
	i := 0
	for i < len(t.w.Phases) && t.w.Phases[i].Phase != e.Phase {
		i++
	}
	if i == len(t.w.Phases) {
		t.w.Phases = append(t.w.Phases, PhaseState{Phase: e.Phase, Total: -1})
	}
	p := &t.w.Phases[i]
	if !p.Began {
		p.Began, p.started = true, now
	}
	// Reports come from several goroutines: an older one may arrive later.
	p.Done = max(p.Done, e.Done)
	if e.Total != 0 {
		p.Total = e.Total
	}
	p.Ended = p.Ended || e.Ended
}

func (t *tracker) row(r progress.Row) {
	for i := range t.w.Rows {
		w := &t.w.Rows[i]
		if w.Kind.String() != r.Kind {
			continue
		}
		was := t.rows[r.No]
		if was == "" && r.Outcome != run.OutcomeNotTried && r.Outcome != "not tried" {
			w.Sent++
		}
		switch r.Outcome {
		case run.OutcomeSeen:
			if was != run.OutcomeSeen {
				w.Seen++
			}
		case run.OutcomeFailed, run.OutcomeDifferent:
			if was != run.OutcomeFailed && was != run.OutcomeDifferent {
				w.Failed++
				t.w.Failures = append(t.w.Failures, r)
			}
		}
		t.rows[r.No] = r.Outcome
	}
}

// steady is how long a rate has to be watched before it is shown.
const steady = 2 * time.Second

// quiet is how long nothing may be reported before it is said.
const quiet = 5 * time.Second

// Waits says what is waited for, as a sentence: a pause and its reason, or how
// long nothing has come. It is zero while work goes on.
func (w *Work) Waits() words.Text {
	switch {
	case w.Pause > 0:
		return words.T("progress.pause."+string(w.PauseWhy), "duration", w.Pause, "who", words.T("progress.side."+w.PauseSide))
	case w.Silent > 0:
		return words.T("progress.silent", "for", w.Silent, "spent", w.Spent)
	}
	return words.Text{}
}

// work is a copy with rate and time left as of now.
func (t *tracker) work(now time.Time) *Work {
	w := t.w
	w.Phases = append([]PhaseState(nil), t.w.Phases...)
	w.Rows = append([]Tally(nil), t.w.Rows...)
	w.Failures = append([]progress.Row(nil), t.w.Failures...)
	w.Pause = max(0, t.pause.Sub(now))
	if silent := min(now.Sub(t.heard), now.Sub(t.pause)); silent >= quiet {
		w.Silent, w.Spent = silent, now.Sub(w.Started)
	}
	done, total, began := 0, -1, time.Time{}
	if w.Rows != nil {
		sum := w.Sum()
		done, total = sum.Seen+sum.Failed, sum.Planned
		for _, p := range w.Phases {
			if p.Phase == progress.Write && p.Began {
				began = p.started
			}
		}
	} else {
		for _, p := range w.Phases {
			if p.Began && !p.Ended && p.Total > total {
				done, total, began = p.Done, p.Total, p.started
			}
		}
	}
	// A pause says nothing about the pace.
	spent := now.Sub(began) - t.paused + w.Pause
	if began.IsZero() || spent < steady || done == 0 {
		return &w
	}
	w.Rate = float64(done) / spent.Seconds()
	if total > done {
		w.Left = w.Pause + time.Duration(float64(total-done)/w.Rate*float64(time.Second))
	}
	return &w
}
