package run_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

const days = 24 * time.Hour

// TestPrune_TakesNothingThatLaterPlansRestOn blocks a person, forgets the run, and
// lets the person in again: only whom hacsync blocked itself does it unblock.
// waiting shows the time of a clock that stands still, but whoever sleeps by it
// waits until it is over: the state's heartbeat must not move the clock on.
type waiting struct{ clock.Clock }

func (waiting) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestPrune_TakesNothingThatLaterPlansRestOn(t *testing.T) {
	a := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 40)
	p := a.with(t, state.Options{Clock: waiting{a.clock}, Beat: 1000 * days, Fresh: 1000 * days, TTL: 1000 * days})
	if err := p.SetSettings(t.Context(), domain, map[string]string{"source": "hac", "on_disabled": "block-sign-in"}); err != nil {
		t.Fatal(err)
	}
	a.source.rows[3].Marks &^= directory.Enabled
	a.source.rows[4].Values[0] = directory.Text("改")
	first, err := p.approveAll(t.Context())
	if err != nil || first.Seen != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	_ = a.clock.Sleep(t.Context(), 29*days)
	if gone, err := run.Prune(t.Context(), p.store, run.Retention{Runs: days, Plans: days}); err != nil || gone.Runs != 0 {
		t.Fatalf("what can be undone went: %+v, %v", gone, err)
	}
	if planned, err := p.Undo(t.Context(), first.Run); err != nil || planned.Plan.Len() != 2 {
		t.Errorf("undo after 29 days: %+v, %v", planned, err)
	}
	a.source.rows[5].Values[0] = directory.Text("改")
	if _, err := p.approveAll(t.Context()); err != nil { // a newer one
		t.Fatal(err)
	}
	_ = a.clock.Sleep(t.Context(), 100*days)
	keep, err := run.StoredRetention(t.Context(), p.store)
	if err != nil || keep != run.DefaultRetention() {
		t.Fatalf("%+v, %v", keep, err)
	}
	gone, err := run.Prune(t.Context(), p.store, keep)
	if err != nil || gone.Runs != 2 || gone.Rows != 2 {
		t.Fatalf("%+v, %v", gone, err)
	}
	if _, err := p.store.Run(t.Context(), first.Run); !problem.Has(err, problem.RunUnknown) {
		t.Fatalf("the run is still there: %v", err)
	}
	a.source.rows[3].Marks |= directory.Enabled
	planned, err := p.DryRun(t.Context(), domain, run.Overrides{Source: "hac"})
	if err != nil || planned.Plan.Counts().Update != 1 {
		t.Fatalf("whom hacsync blocked is not let in again: %+v, %v", planned, err)
	}
}

func TestRetention_IsStoredAndRefusesWhatIsNoAge(t *testing.T) {
	p := newcomer(t, filepath.Join(t.TempDir(), "s.db"), 1).start(t, &gate{})
	defer p.store.Close()
	want := run.Retention{Runs: 180 * days, Plans: 36 * time.Hour}
	if err := run.SetRetention(t.Context(), p.store, want); err != nil {
		t.Fatal(err)
	}
	if got, err := run.StoredRetention(t.Context(), p.store); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if ds, err := p.store.Domains(t.Context(), "t-1"); err != nil || len(ds) != 0 {
		t.Errorf("the state's own settings are no domain: %q, %v", ds, err)
	}
	for text, want := range map[string]time.Duration{
		"９０日": 90 * day, "12 weeks": 12 * 7 * day, "12週間": 12 * 7 * day, "36 時間": 36 * time.Hour, "1 Day": day, "2 months": 0,
		"90d": 90 * days, "12w": 84 * days, "36h": 36 * time.Hour, "24h": days,
		"": 0, "d": 0, "0d": 0, "-3d": 0, "23h": 0, "9": 0, "1y": 0, "999999999d": 0,
	} {
		got, err := run.ParseAge(text)
		if got != want || (err == nil) != (want > 0) || err != nil && !problem.Has(err, problem.SettingValue) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
