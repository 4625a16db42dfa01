package flow

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/progress"
)

func TestWork_RateAndTimeLeftOfASync(t *testing.T) {
	start := time.Date(2026, 11, 25, 9, 47, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	tr := newTracker(start, []progress.Phase{progress.Drift, progress.Write})
	tr.plans(plan.Counts{Update: 100, Delete: 20})
	tr.event(progress.Event{Phase: progress.Drift, Ended: true}, at(3))
	for i := range 10 {
		tr.event(progress.Event{Phase: progress.Write, Row: &progress.Row{No: i + 1, Kind: "update", Outcome: "sent"}}, at(4))
	}
	if w := tr.work(at(5)); w.Left != 0 || w.Sum().Sent != 10 || w.Sum().Seen != 0 {
		t.Errorf("before anything was seen: %+v", w)
	}
	for i := range 10 {
		outcome := "seen"
		if i == 9 {
			outcome = "failed"
		}
		tr.event(progress.Event{Row: &progress.Row{No: i + 1, Kind: "update", Outcome: outcome}}, at(6))
	}
	if w := tr.work(at(5)); w.Left != 0 {
		t.Errorf("a time left of %s before the pace was steady", w.Left)
	}
	w := tr.work(at(9))
	if s := w.Sum(); s.Seen != 9 || s.Failed != 1 || s.Planned != 120 || len(w.Failures) != 1 {
		t.Errorf("sums %+v, failures %d", s, len(w.Failures))
	}
	if w.Rate != 2 || w.Left != 55*time.Second {
		t.Errorf("rate %v, left %s; want 2 a second and 55 s", w.Rate, w.Left)
	}
	// A pause is no reason to think that the work is slow.
	tr.event(progress.Event{Pause: 14 * time.Second}, at(9))
	if w := tr.work(at(13)); w.Pause != 10*time.Second || w.Rate != 2 || w.Left != 65*time.Second {
		t.Errorf("in a pause: %s, rate %v, left %s", w.Pause, w.Rate, w.Left)
	}
}

func TestWork_ALateReportTakesNothingBack(t *testing.T) {
	start := time.Now()
	tr := newTracker(start, dryRunPhases())
	tr.event(progress.Event{Phase: progress.Users, Done: 2000, Total: 4391}, start)
	tr.event(progress.Event{Phase: progress.Users, Done: 1000, Total: 4391}, start.Add(3*time.Second))
	w := tr.work(start.Add(4 * time.Second))
	if p := w.Phases[1]; p.Done != 2000 || p.Ended {
		t.Errorf("%+v", p)
	}
	if w.Rate != 500 || w.Left == 0 {
		t.Errorf("rate %v, left %s", w.Rate, w.Left)
	}
}
