package periodic_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// once moves the clock to the next interval of a domain and lets a worker work.
func (w *world) once(worker *periodic.Worker, tenant, domain string) state.Periodic {
	w.t.Helper()
	w.clock.(*by).to(w.row(tenant, domain).Due)
	if err := worker.Once(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.row(tenant, domain)
}

// dueNow makes the next interval of a domain begin now.
func (w *world) dueNow(tenant, domain string) {
	w.t.Helper()
	_, err := w.store.ChangePeriodic(w.t.Context(), tenant, domain, func(p *state.Periodic) error {
		p.Due = w.clock.Now()
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// oneDomain is a world with a domain of ten people that is enabled.
func oneDomain(t *testing.T, url string) (*world, *periodic.Worker) {
	w := newWorld(t, url, newBy(), state.Options{})
	w.cloud.add("t1", 10, "a.example")
	w.enable("t1", time.Hour, -1)
	worker := w.worker("w1", w.store, periodic.Limits{})
	return w, worker
}

func TestWorker_RunsAnIntervalOnceAndSaysWhenTheNextIs(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w, worker := oneDomain(t, url)
		first := w.row("t1", "a.example").Due
		if want := time.Date(2026, 11, 25, 10, 0, 0, 0, time.UTC); !first.Equal(want) {
			t.Fatalf("first run at %v", first)
		}
		if err := worker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if p := w.row("t1", "a.example"); p.Slot != 0 || p.Last != nil {
			t.Fatalf("carried out before it was due: %+v", p)
		}
		w.cloud.tenants["t1"].staff["a.example"][3].Name = "New Name"
		p := w.once(worker, "t1", "a.example")
		if p.Slot != 1 || p.Last.Outcome != periodic.Synced || p.Last.Update != 1 || p.Last.Seen != 1 || p.Last.Sync == 0 {
			t.Fatalf("%+v %+v", p, p.Last)
		}
		if want := first.Add(time.Hour); !p.Due.Equal(want) {
			t.Errorf("next at %v, not %v", p.Due, want)
		}
		// Once more in the same interval: nothing.
		if err := worker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if q := w.row("t1", "a.example"); q.Version != p.Version {
			t.Error("an interval was carried out twice")
		}
		p = w.once(worker, "t1", "a.example")
		if p.Last.Outcome != periodic.Unchanged || p.Last.Sync != 0 {
			t.Errorf("%+v", p.Last)
		}
		if n := len(w.cloud.lines()); n != 1 {
			t.Errorf("%d writes", n)
		}
		if got := w.told.kinds(); got != "recovered recovered" {
			t.Errorf("told %q", got)
		}
	})
}

func TestWorker_GuardCancelsSlowDownAndStopAfterThree(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w, worker := oneDomain(t, url)
		k := w.cloud.tenants["t1"]
		k.staff["a.example"] = k.staff["a.example"][:8]
		var gaps []time.Duration
		for range 3 {
			due := w.row("t1", "a.example").Due
			p := w.once(worker, "t1", "a.example")
			if p.Last.Outcome != periodic.Cancelled || p.Last.Why.Code != problem.GuardCancels {
				t.Fatalf("%+v", p.Last)
			}
			gaps = append(gaps, p.Due.Sub(due))
		}
		p := w.row("t1", "a.example")
		if p.State != state.Held || p.Why.Code != problem.PeriodicStoppedByGuard || p.Why.Args["times"] != "3" {
			t.Fatalf("%v %+v", p.State, p.Why)
		}
		if want := []time.Duration{2 * time.Hour, 4 * time.Hour, 8 * time.Hour}; !slices.Equal(gaps, want) {
			t.Errorf("waited %v, not %v", gaps, want)
		}
		if n := len(w.cloud.lines()); n != 0 {
			t.Errorf("%d writes", n)
		}
		if got := w.told.kinds(); got != "guard guard guard stopped" {
			t.Errorf("told %q", got)
		}
		// Stopped, nothing runs; released, it does.
		w.clock.(*by).pass(100 * time.Hour)
		if err := worker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		if q := w.row("t1", "a.example"); q.Version != p.Version {
			t.Error("a stopped domain was carried out")
		}
		k.staff["a.example"] = append(k.staff["a.example"], *k.users["00000000-0000-4000-8000-000000000009"], *k.users["00000000-0000-4000-8000-000000000010"])
		if _, err := w.control("t1").Resume(t.Context(), "a.example", "t.mori"); err != nil {
			t.Fatal(err)
		}
		if p := w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Unchanged || p.Cancels != 0 || p.State != state.Enabled {
			t.Errorf("%+v %+v", p, p.Last)
		}
	})
}

// fails makes the worker fail with the problem, so many times, and returns the
// domain as it is after each.
func fails(t *testing.T, times int, method string, why *problem.Problem) []state.Periodic {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.hook = func(m string, _ request) error {
		if m == method {
			return why
		}
		return nil
	}
	var all []state.Periodic
	for range times {
		all = append(all, w.once(worker, "t1", "a.example"))
	}
	return all
}

func TestQuarantine_StopsSoonForWhatAPersonHasToMend(t *testing.T) {
	for _, c := range []struct {
		name   string
		method string
		why    *problem.Problem
		stops  int // 0 never
	}{
		{"revoked consent", "tenant", problem.New(problem.ConsentMissing, nil), 2},
		{"a refused token", "read", problem.New(problem.TokenRefused, nil), 2},
		{"an empty source", "source", problem.New(problem.SourceEmpty, nil), 5},
		{"no network", "read", problem.New(problem.NoConnection, nil), 0},
		{"an error nobody knows", "read", problem.New(problem.Internal, nil), 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			for i, p := range fails(t, 6, c.method, c.why) {
				n := i + 1
				if c.stops > 0 && n > c.stops {
					break
				}
				if p.Last.Outcome != periodic.Failed || p.Last.Why.Code != c.why.Code || p.Failures != n {
					t.Fatalf("%d: %+v %+v", n, p, p.Last)
				}
				want := state.Enabled
				if n == c.stops {
					want = state.Held
				}
				if p.State != want {
					t.Fatalf("after %d failures %s", n, p.State)
				}
			}
		})
	}
}

func TestQuarantine_SlowsDownAndForgetsWithTheNextSuccess(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	bad := true
	w.cloud.hook = func(m string, _ request) error {
		if m == "read" && bad {
			return problem.New(problem.NoConnection, nil)
		}
		return nil
	}
	for i, want := range []float64{2, 4, 8, 8, 8} {
		due := w.row("t1", "a.example").Due
		if p := w.once(worker, "t1", "a.example"); p.Due.Sub(due).Hours() != want {
			t.Errorf("%d: waits %v", i, p.Due.Sub(due))
		}
	}
	bad = false
	due := w.row("t1", "a.example").Due
	p := w.once(worker, "t1", "a.example")
	if p.Failures != 0 || p.Due.Sub(due) != time.Hour || p.LastGood == nil {
		t.Errorf("%+v", p)
	}
	if got := w.told.kinds(); got != strings.Repeat("failed ", 5)+"recovered" {
		t.Errorf("told %q", got)
	}
}

func TestWorker_OneBadDomainDelaysNoOther(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 3, "a.example", "b.example", "c.example")
	w.enable("t1", time.Hour, -1)
	for _, d := range []string{"a.example", "c.example"} {
		w.cloud.tenants["t1"].hourly(d)
	}
	w.cloud.hook = func(m string, q request) error {
		if m == "open" && q.Domain == "b.example" && q.Worker != "person" {
			panic("a source that breaks everything")
		}
		return nil
	}
	worker := w.worker("w1", w.store, periodic.Limits{})
	for range 3 {
		w.once(worker, "t1", "a.example")
	}
	for d, want := range map[string]int64{"a.example": 3, "b.example": 1, "c.example": 3} {
		if p := w.row("t1", d); p.Slot < want {
			t.Errorf("%s: %d intervals of %d", d, p.Slot, want)
		}
	}
	if p := w.row("t1", "b.example"); p.Last.Outcome != periodic.Failed || p.Last.Why.Code != problem.Internal {
		t.Errorf("%+v", p.Last)
	}
}

func TestWorker_CountsIntervalsThatNoWorkerCarriedOut(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.clock.(*by).to(w.row("t1", "a.example").Due.Add(5*time.Hour + 10*time.Minute))
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := w.row("t1", "a.example")
	if p.Slot != 1 || p.Skipped != 5 {
		t.Errorf("slot %d, skipped %d", p.Slot, p.Skipped)
	}
	if got := p.Due.Sub(w.clock.Now()); got != 50*time.Minute {
		t.Errorf("next in %v", got)
	}
}

func TestWorker_AnIntervalShorterThanASyncSkipsTheNext(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.hook = func(m string, _ request) error {
		if m == "source" {
			w.clock.(*by).pass(70 * time.Minute)
		}
		return nil
	}
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Other"
	p := w.once(worker, "t1", "a.example") // reads the source twice: 140 minutes
	if p.Skipped != 2 || p.Slot != 1 || p.Last.Outcome != periodic.Synced {
		t.Errorf("skipped %d, %+v", p.Skipped, p.Last)
	}
}

func TestWorker_LeavesADomainAloneThatAPersonStopped(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	k := w.cloud.tenants["t1"]
	for i := range 5 {
		k.staff["a.example"][i].Name = "Changed"
	}
	// A user's sync that is stopped before its first write.
	c := w.control("t1")
	planned, err := c.Runner.DryRun(t.Context(), "a.example", runOverrides())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c.Runner.MayWrite = func(context.Context) error { cancel(); return nil }
	if _, err := c.Runner.Sync(ctx, planned, approve(planned)); err == nil {
		t.Fatal("not stopped")
	}
	p := w.once(worker, "t1", "a.example")
	if p.Last.Outcome != periodic.PassedOver || p.Last.Why.Code != problem.PeriodicWaitsForPerson || p.Passed != 1 || p.Failures != 0 {
		t.Fatalf("%+v", p.Last)
	}
	if n := len(w.cloud.lines()); n != 0 {
		t.Fatalf("%d writes", n)
	}
	w.clock.(*by).pass(24 * time.Hour)
	if p = w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Synced || p.Last.Seen != 5 {
		t.Errorf("%+v", p.Last)
	}
}

func TestWorker_ResumesWhatADeadWorkerBegan(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w := newWorld(t, url, newBy(), state.Options{})
		w.cloud.add("t1", 60, "a.example")
		w.enable("t1", time.Hour, -1)
		k := w.cloud.tenants["t1"]
		for i := range 50 {
			k.staff["a.example"][i].Name = "Changed"
		}
		// The first worker dies after its first batch of writes: its state is
		// closed, and it can clean nothing up.
		s := w.open(state.Options{})
		dead := w.worker("w1", s, periodic.Limits{})
		ctx, cancel := context.WithCancel(t.Context())
		batches := 0
		w.cloud.hook = func(m string, q request) error {
			if m == "write" && q.Worker == "w1" {
				if batches++; batches > 1 {
					_ = s.Close()
					cancel()
					return errors.New("dead")
				}
			}
			return nil
		}
		w.clock.(*by).to(w.row("t1", "a.example").Due)
		_ = dead.Once(ctx)
		written := len(w.cloud.lines())
		if written == 0 || written == 50 {
			t.Fatalf("%d writes before death", written)
		}
		if p := w.row("t1", "a.example"); p.Turn == nil || p.Turn.Worker != "w1" {
			t.Fatalf("%+v", p)
		}
		if err := w.worker("w2", w.store, periodic.Limits{}).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		p := w.row("t1", "a.example")
		if p.Slot != 1 || p.Last.Outcome != periodic.Synced || p.Last.Worker != "w2" || p.Last.Seen != 50 {
			t.Fatalf("%+v %+v", p, p.Last)
		}
		once := map[string]int{}
		for _, l := range w.cloud.lines() {
			once[l.UPN]++
		}
		if len(once) != 50 || len(w.cloud.lines()) != 50 {
			t.Errorf("%d accounts, %d writes", len(once), len(w.cloud.lines()))
		}
	})
}

func TestWorker_DoesNotRepeatAnIntervalWhoseEndWasNotWrittenDown(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 3, "a.example")
	w.enable("t1", time.Hour, -1)
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	s := w.open(state.Options{})
	dead := w.worker("w1", s, periodic.Limits{})
	dead.Notices = &deathBell{ears: w.told, ring: func() { _ = s.Close() }} // the notice comes before the end is stored
	w.clock.(*by).to(w.row("t1", "a.example").Due)
	_ = dead.Once(t.Context())
	if p := w.row("t1", "a.example"); p.Slot != 0 || p.Turn == nil {
		t.Fatalf("%+v", p)
	}
	w.cloud.tenants["t1"].staff["a.example"][1].Name = "Changed meanwhile"
	if err := w.worker("w2", w.store, periodic.Limits{}).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := w.row("t1", "a.example")
	if p.Slot != 1 || p.Last.Outcome != periodic.Synced || p.Last.Update != 1 || p.Last.Seen != 1 {
		t.Errorf("%+v %+v", p, p.Last)
	}
	if n := len(w.cloud.lines()); n != 1 {
		t.Errorf("%d writes in one interval", n)
	}
}

func TestWorker_PausedUnderWayWritesNothing(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	w.cloud.hook = func(m string, _ request) error {
		if m == "source" && w.row("t1", "a.example").State == state.Enabled {
			_, err := w.control("t1").Pause(context.Background(), "a.example", w.clock.Now().Add(3*time.Hour), "t.mori", "personnel changes")
			return err
		}
		return nil
	}
	p := w.once(worker, "t1", "a.example")
	if p.State != state.Paused || p.Last.Outcome != periodic.Interrupted || p.Reason != "personnel changes" {
		t.Fatalf("%+v %+v", p, p.Last)
	}
	if n := len(w.cloud.lines()); n != 0 {
		t.Fatalf("%d writes", n)
	}
	// Its end brings it back.
	w.cloud.hook = nil
	w.clock.(*by).to(p.Until)
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p = w.row("t1", "a.example"); p.State != state.Enabled || !p.Until.IsZero() {
		t.Fatalf("%+v", p)
	}
	if p = w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Synced {
		t.Errorf("%+v", p.Last)
	}
}

func TestWorker_AnUndoPausesTheDomain(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	p := w.once(worker, "t1", "a.example")
	c := w.control("t1")
	planned, err := c.Runner.Undo(t.Context(), p.Last.Sync)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Runner.Sync(t.Context(), planned, approve(planned)); err != nil {
		t.Fatal(err)
	}
	p = w.row("t1", "a.example")
	if p.State != state.Paused || p.Why.Code != problem.PeriodicPausedByUndo || !p.Until.IsZero() {
		t.Fatalf("%v %+v", p.State, p.Why)
	}
	w.clock.(*by).pass(48 * time.Hour)
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.cloud.lines()); n != 2 {
		t.Errorf("%d writes: what was undone was done again", n)
	}
}

func TestWorker_StopsBetweenBatchesAndGivesTheIntervalBack(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 200, "a.example")
	w.enable("t1", time.Hour, -1)
	for i := range w.cloud.tenants["t1"].staff["a.example"] {
		w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.hook = func(m string, _ request) error {
		if m == "write" {
			cancel()
		}
		return nil
	}
	worker := w.worker("w1", w.store, periodic.Limits{})
	w.clock.(*by).to(w.row("t1", "a.example").Due)
	if err := worker.Once(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	p := w.row("t1", "a.example")
	if p.Turn == nil || p.Slot != 0 {
		t.Fatalf("%+v", p)
	}
	if n := len(w.cloud.lines()); n == 0 || n == 200 {
		t.Fatalf("%d writes", n)
	}
	workers, err := w.store.Workers(t.Context())
	if err != nil || len(workers) != 1 || workers[0].Stopped.IsZero() {
		t.Fatalf("%+v %v", workers, err)
	}
	w.cloud.hook = nil
	if err := w.worker("w2", w.store, periodic.Limits{}).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p = w.row("t1", "a.example"); p.Last == nil || p.Last.Outcome != periodic.Synced || p.Last.Seen != 200 {
		t.Errorf("%+v", p.Last)
	}
	if n := len(w.cloud.lines()); n != 200 {
		t.Errorf("%d writes", n)
	}
}

func TestWorker_StaysWithinTheQuotaByWaiting(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), clock.Scaled(200), state.Options{})
	w.cloud.add("t1", 60, "a.example", "b.example")
	w.enable("t1", 24*time.Hour, -1) // minutes pass: the next interval must not begin meanwhile
	for _, d := range w.cloud.tenants["t1"].domains {
		for i := range w.cloud.tenants["t1"].staff[d] {
			w.cloud.tenants["t1"].staff[d][i].Name = "Changed"
		}
		w.dueNow("t1", d)
	}
	const limit, window = 40, 150 * time.Second
	worker := w.worker("w1", w.store, periodic.Limits{TenantWrites: limit, TenantWindow: window})
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, d := range w.cloud.tenants["t1"].domains {
		if p := w.row("t1", d); p.Last == nil || p.Last.Outcome != periodic.Synced || p.Last.Seen != 60 {
			t.Fatalf("%s: %+v", d, p.Last)
		}
	}
	lines := w.cloud.lines()
	if len(lines) != 120 {
		t.Errorf("%d writes", len(lines))
	}
	for i := range lines {
		n := 0
		for _, l := range lines[i:] {
			if l.At.Sub(lines[i].At) < window {
				n++
			}
		}
		if n > limit {
			t.Fatalf("%d writes within %v of %v", n, window, lines[i].At)
		}
	}
}

func TestWorker_ReadsATenantOnceForItsDomains(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	var domains []string
	for i := range 12 {
		domains = append(domains, fmt.Sprintf("d%02d.example", i))
	}
	w.cloud.add("t1", 2, domains...)
	w.enable("t1", time.Hour, -1)
	worker := w.worker("w1", w.store, periodic.Limits{})
	w.once(worker, "t1", "d00.example")
	if n := w.cloud.reads["t1"]; n != 1 {
		t.Errorf("%d reads for 12 domains without a change", n)
	}
	// A write makes what was read old.
	w.cloud.tenants["t1"].staff["d03.example"][0].Name = "Changed"
	w.once(worker, "t1", "d00.example")
	if n := w.cloud.reads["t1"]; n < 2 || n > 4 {
		t.Errorf("%d reads", n)
	}
	for _, d := range domains {
		if p := w.row("t1", d); p.Slot != 2 || p.Failures != 0 {
			t.Errorf("%s: %+v %+v", d, p, p.Last)
		}
	}
	if n := len(w.cloud.lines()); n != 1 {
		t.Errorf("%d writes", n)
	}
}
