package periodic_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// A user pauses until tomorrow, and undoes what was done: tomorrow must not do it
// again.
func TestWorker_APauseWithAnEndDoesNotEndAfterAnUndo(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	p := w.once(worker, "t1", "a.example")
	c := w.control("t1")
	if _, err := c.Pause(t.Context(), "a.example", w.clock.Now().Add(3*time.Hour), "t.mori", "let me look"); err != nil {
		t.Fatal(err)
	}
	planned, err := c.Runner.Undo(t.Context(), p.Last.Sync)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Runner.Sync(t.Context(), planned, approve(planned)); err != nil {
		t.Fatal(err)
	}
	p = w.row("t1", "a.example")
	if p.State != state.Paused || p.Why == nil || p.Why.Code != problem.PeriodicPausedByUndo || !p.Until.IsZero() {
		t.Errorf("%v until %v, %+v", p.State, p.Until, p.Why)
	}
	w.clock.(*by).pass(48 * time.Hour)
	for range 2 {
		if err := worker.Once(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.clock.(*by).pass(2 * time.Hour)
	}
	if n := len(w.cloud.lines()); n != 2 {
		t.Errorf("%d writes: what was undone was done again", n)
	}
}

// A pause stops a sync that is under way: the present batch is finished, and
// nothing more is sent until the pause is over.
func TestWorker_PausedWhileItWritesStopsAfterTheBatchesUnderWay(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		for _, how := range []string{"pause", "disable"} {
			t.Run(how, func(t *testing.T) {
				url := url
				if how == "disable" {
					if url = statetest.NewFile(t); strings.HasPrefix(t.Name(), "postgres") {
						t.Skip("shown by the pause")
					}
				}
				w := newWorld(t, url, newBy(), state.Options{})
				w.cloud.add("t1", 400, "a.example")
				w.enable("t1", time.Hour, -1)
				for i := range w.cloud.tenants["t1"].staff["a.example"] {
					w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
				}
				var once sync.Once
				w.cloud.hook = func(m string, _ request) (err error) {
					if m == "write" {
						once.Do(func() {
							if how == "pause" {
								_, err = w.control("t1").Pause(context.Background(), "a.example", time.Time{}, "t.mori", "wrong people")
							} else {
								_, err = w.control("t1").Disable(context.Background(), "a.example", "t.mori", "wrong people")
							}
						})
					}
					return err
				}
				worker := w.worker("w1", w.store, periodic.Limits{})
				w.clock.(*by).to(w.row("t1", "a.example").Due)
				if err := worker.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
				p := w.row("t1", "a.example")
				if n := len(w.cloud.lines()); n == 0 || n > 80 {
					t.Fatalf("%d writes; 4 batches of 20 can be under way", n)
				}
				if how == "disable" {
					if p.State != state.Disabled {
						t.Errorf("%+v", p)
					}
					return
				}
				if p.State != state.Paused || p.Last == nil || p.Last.Outcome != periodic.Interrupted || p.Failures != 0 {
					t.Fatalf("%+v %+v", p, p.Last)
				}
				if _, err := w.control("t1").Resume(t.Context(), "a.example", "t.mori"); err != nil {
					t.Fatal(err)
				}
				if p = w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Unchanged && p.Last.Outcome != periodic.Synced {
					t.Errorf("%+v", p.Last)
				}
				if n := len(w.cloud.lines()); n != 400 {
					t.Errorf("%d writes", n)
				}
			})
		}
	})
}

// Two connections of one tenant read it separately: an account that signed in for
// one of them is protected for that one only.
func TestWorker_ConnectionsOfATenantDoNotShareARead(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 3, "a.example", "b.example")
	w.enable("t1", time.Hour, -1)
	if _, err := w.store.ChangePeriodic(t.Context(), "t1", "b.example", func(p *state.Periodic) error {
		p.Connection = "other"
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	worker := w.worker("w1", w.store, periodic.Limits{Domains: 1})
	worker.Open = func(_ context.Context, connection string) (*run.Runner, error) {
		r := runnerOn(w.cloud, "t1", "w1", run.OnStore(w.store), w.clock)
		r.Connection.Name = connection
		if connection == "other" {
			r.Connection.SignedIn = []directory.ID{"00000000-0000-4000-8000-000000000005"}
		}
		return r, nil
	}
	w.clock.(*by).to(w.row("t1", "b.example").Due)
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := w.cloud.reads["t1"]; n != 2 {
		t.Errorf("%d reads for two connections", n)
	}
}

// A user lowers the guard between an unattended plan and its sync, or before
// another worker goes on with it: the plan of the old settings writes nothing more.
func TestWorker_WritesNothingOnSettingsThatWereChanged(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 50, "a.example")
	w.enable("t1", time.Hour, -1)
	k := w.cloud.tenants["t1"]
	k.staff["a.example"] = k.staff["a.example"][4:] // 8 %
	reads := 0
	w.cloud.hook = func(m string, _ request) error {
		if m == "source" {
			if reads++; reads == 2 { // the plan is made, the sync looks for drift
				return w.control("t1").Runner.SetSettings(context.Background(), "a.example", map[string]string{"max_allowed_deletions": "0"})
			}
		}
		return nil
	}
	p := w.once(w.worker("w1", w.store, periodic.Limits{}), "t1", "a.example")
	if n := len(w.cloud.lines()); n != 0 {
		t.Errorf("%d deletions with a guard of 0 %%", n)
	}
	if p.Last.Outcome != periodic.Cancelled {
		t.Errorf("%+v", p.Last)
	}
}

// What a dead worker left half done is not finished on settings that were changed
// since.
func TestWorker_ResumesNothingOnSettingsThatWereChanged(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"guard": {"max_allowed_deletions": "0"}, "source": {"source": "csv:b.example"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
			w.cloud.add("t1", 1000, "a.example")
			w.enable("t1", time.Hour, -1)
			k := w.cloud.tenants["t1"]
			k.staff["b.example"] = k.staff["a.example"]
			k.staff["a.example"] = k.staff["a.example"][90:] // 9 %
			s := w.open(state.Options{})
			writes := 0
			w.cloud.after = func(m string, q request) error {
				if m == "write" && q.Worker == "w1" {
					if writes++; writes == 1 {
						_ = s.Close()
					}
				}
				return nil
			}
			w.clock.(*by).to(w.row("t1", "a.example").Due)
			_ = w.worker("w1", s, periodic.Limits{}).Once(t.Context())
			before := len(w.cloud.lines())
			if before == 0 || before > 80 {
				t.Fatalf("%d deletions before it died", before)
			}
			if err := w.control("t1").Runner.SetSettings(t.Context(), "a.example", change); err != nil {
				t.Fatal(err)
			}
			if err := w.worker("w2", w.store, periodic.Limits{}).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			deleted := 0
			for _, l := range w.cloud.lines()[before:] {
				if l.Worker == "w2" && name == "guard" {
					deleted++
				}
			}
			if deleted > 0 {
				t.Errorf("%d more deletions after the guard was set to 0 %%", deleted)
			}
			if n := len(w.cloud.lines()); name == "source" && n > before+before {
				t.Errorf("%d more writes", n-before)
			}
		})
	}
}

// A failure of the state in the middle of a sync does not count against the domain.
func TestQuarantine_TheStatesTroubleIsNotTheDomains(t *testing.T) {
	for _, code := range []problem.Code{problem.StateWentAway, problem.StateRanFull, problem.StateUnreachable, problem.StateFull} {
		w, worker := oneDomain(t, statetest.NewFile(t))
		fails := 2
		w.cloud.hook = func(m string, _ request) error {
			if m == "source" && fails > 0 {
				fails--
				return problem.New(code, problem.Args{"run": "1", "domain": "a.example", "state": "x"})
			}
			return nil
		}
		if p := w.once(worker, "t1", "a.example"); p.Failures != 0 || p.Last.Outcome != periodic.Unchanged {
			t.Errorf("%s: %d failures, %+v", code, p.Failures, p.Last)
		}
	}
}

// Fifty dry runs without a change do not hide the sync before them.
func TestEnable_FindsASyncThatIsWeeksOld(t *testing.T) {
	w := setUpOne(t)
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	w.sync()
	for range 60 {
		if _, err := w.control("t1").Runner.DryRun(t.Context(), "a.example", runOverrides()); err != nil {
			t.Fatal(err)
		}
	}
	if _, list, err := w.control("t1").Enable(t.Context(), periodic.Request{Domain: "a.example", By: "t.mori"}); err != nil {
		t.Error(err, marks(list))
	}
}

// deaf is a notifier over a state that does not answer to the first call.
type deaf struct {
	*ears
	times int
}

func (d *deaf) Tell(ctx context.Context, n notice.Event) error {
	if n.Kind == notice.Stopped && d.times > 0 {
		d.times--
		return problem.New(problem.StateUnreachable, problem.Args{"state": "x"})
	}
	return d.ears.Tell(ctx, n)
}

// That a domain stopped is reported even if the state was away at that moment: no
// later interval would report it.
func TestWorker_ReportsThatADomainStoppedOnceTheStateIsBack(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	worker.Notices = &deaf{ears: w.told, times: 2}
	w.cloud.hook = func(m string, _ request) error {
		if m == "source" {
			return problem.New(problem.PermissionMissing, nil)
		}
		return nil
	}
	var kinds string
	for range 4 {
		if w.row("t1", "a.example").State != state.Enabled {
			break
		}
		w.once(worker, "t1", "a.example")
		kinds += " " + w.told.kinds()
	}
	if p := w.row("t1", "a.example"); p.State != state.Held {
		t.Fatalf("%+v", p)
	}
	if !strings.Contains(kinds, string(notice.Stopped)) {
		t.Errorf("told:%s", kinds)
	}
}

// inEpisodes reports each kind once per episode, as the notices of a state do.
type inEpisodes struct {
	*ears
	told map[notice.Kind]bool
}

func (o *inEpisodes) Tell(ctx context.Context, n notice.Event) error {
	if o.told[n.Kind] {
		return nil
	}
	o.told[n.Kind] = true
	return o.ears.Tell(ctx, n)
}

func (o *inEpisodes) Forget(context.Context, string, string) error {
	clear(o.told)
	return nil
}

// A domain that stopped, was released and stops again is reported again.
func TestWorker_ReportsAgainADomainThatWasReleased(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	worker.Notices = &inEpisodes{ears: w.told, told: map[notice.Kind]bool{}}
	w.cloud.hook = func(m string, _ request) error {
		if m == "source" {
			return problem.New(problem.PermissionMissing, nil)
		}
		return nil
	}
	var kinds []string
	for range 2 {
		for w.row("t1", "a.example").State == state.Enabled {
			w.once(worker, "t1", "a.example")
		}
		kinds = append(kinds, w.told.kinds())
		if _, err := w.control("t1").Resume(t.Context(), "a.example", "t.mori"); err != nil {
			t.Fatal(err)
		}
	}
	if kinds[0] != "failed stopped" || kinds[1] != kinds[0] {
		t.Errorf("told %q", kinds)
	}
}

// The permission to write is removed while a sync is under way: every row fails,
// and so will all later ones. The unchanged rows must not make this a success.
func TestQuarantine_StopsOnceWritingIsNotAllowedAnyMore(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.refuse = problem.New(problem.WriteNotAllowed, problem.Args{"upn": "x"})
	for i := range 3 {
		w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
	}
	for range 2 {
		if p := w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Partly || p.LastGood != nil {
			t.Fatalf("%+v %+v", p.Last, p.LastGood)
		}
	}
	if p := w.row("t1", "a.example"); p.State != state.Held || p.Failures != 2 {
		t.Errorf("%s, %d failures", p.State, p.Failures)
	}
}

// One row that is always refused does not stop the other rows.
func TestQuarantine_OneRowThatFailsForEverStopsNothing(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	w.cloud.refuse = problem.New(problem.AccountGone, problem.Args{"upn": "x"})
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	for range 6 {
		if p := w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Partly || p.Failures != 0 || p.State != state.Enabled {
			t.Fatalf("%+v %+v", p, p.Last)
		}
	}
}

// A machine whose clock was years ahead ended an interval. Once the clock is right,
// the domain does not wait for years.
func TestWorker_AClockThatJumpedTakesNoDomainAway(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	ahead := newBy()
	ahead.pass(9 * 365 * 24 * time.Hour)
	wrong := w.worker("w9", w.store, periodic.Limits{})
	wrong.Clock = ahead
	w.cloud.hook = func(_ string, q request) error {
		if q.Worker == "w9" { // such a clock must not be believed
			return problem.New(problem.TokenRefused, nil)
		}
		return nil
	}
	if err := wrong.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := w.row("t1", "a.example"); p.Slot != 1 || p.Last.Outcome != periodic.Failed {
		t.Fatalf("%+v", p)
	}
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := w.row("t1", "a.example")
	if in := p.Due.Sub(w.clock.Now()); in <= 0 || in > time.Hour {
		t.Fatalf("due in %v", in)
	}
	if p = w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.Unchanged || p.Slot != 2 {
		t.Errorf("%+v", p.Last)
	}
}

// A domain that slowed down to the longest pause is not brought back.
func TestWorker_BringsNothingBackThatSlowedDown(t *testing.T) {
	for _, every := range []time.Duration{15 * time.Minute, time.Hour, 24 * time.Hour} {
		w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
		w.cloud.add("t1", 3, "a.example")
		w.enable("t1", every, every)
		worker := w.worker("w1", w.store, periodic.Limits{})
		w.cloud.hook = func(m string, _ request) error {
			if m == "source" {
				return problem.New(problem.HACUnreachable, problem.Args{"url": "x"})
			}
			return nil
		}
		for range 12 {
			due := w.once(worker, "t1", "a.example").Due
			if err := w.worker("w2", w.store, periodic.Limits{}).Once(t.Context()); err != nil {
				t.Fatal(err)
			}
			if p := w.row("t1", "a.example"); !p.Due.Equal(due) {
				t.Fatalf("every %v: due %v, was %v at %v", every, p.Due, due, w.clock.Now())
			}
		}
	}
}

// A user changes the tenant between the read for one domain and the sync of another
// domain that used the read: the tenant is read again, once, and planning does not
// repeat on the old read.
func TestWorker_ReadsATenantAgainThatHasDrifted(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	k := w.cloud.add("t1", 5, "a.example", "b.example")
	w.enable("t1", time.Hour, -1)
	k.staff["b.example"][0].Name = "Changed by the source"
	worker := w.worker("w1", w.store, periodic.Limits{Domains: 1})
	w.clock.(*by).to(w.row("t1", "b.example").Due)
	var once sync.Once
	w.cloud.hook = func(m string, q request) error {
		if m == "source" && q.Domain == "b.example" {
			once.Do(func() { // a user in the admin center
				for _, p := range k.users {
					if p.UPN == "p0@b.example" {
						p.Name = "Changed by hand"
					}
				}
			})
		}
		return nil
	}
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := w.row("t1", "b.example")
	if p.Last == nil || p.Last.Outcome != periodic.Synced || p.Failures != 0 {
		t.Errorf("%+v", p.Last)
	}
	if n := w.cloud.reads["t1"]; n != 2 {
		t.Errorf("%d reads", n)
	}
}

// A user stopped a sync and makes one dry run after another: the worker still
// leaves the domain alone.
func TestWorker_LeavesAStoppedSyncAloneBehindManyDryRuns(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	for i := range 10 {
		w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
	}
	c := w.control("t1").Runner
	planned, err := c.DryRun(t.Context(), "a.example", runOverrides())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.cloud.hook = func(m string, _ request) error {
		if m == "write" {
			cancel()
		}
		return nil
	}
	if _, err := c.Sync(ctx, planned, approve(planned)); err == nil {
		t.Fatal("not stopped")
	}
	w.cloud.hook = nil
	for range 25 {
		if _, err := c.DryRun(t.Context(), "a.example", runOverrides()); err != nil {
			t.Fatal(err)
		}
	}
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed again"
	before := len(w.cloud.lines())
	if p := w.once(worker, "t1", "a.example"); p.Last.Outcome != periodic.PassedOver {
		t.Errorf("%+v", p.Last)
	}
	if n := len(w.cloud.lines()); n != before {
		t.Errorf("%d writes", n-before)
	}
}

// A user spares accounts, or lowers the guard, while deletions are written: the
// present batch is finished, and nothing more of it is sent, whether or not a user
// approved the plan.
func TestSync_SparesAccountsThatAreSparedWhileItDeletes(t *testing.T) {
	for _, who := range []string{"worker", "person"} {
		for name, set := range map[string]string{"protected": "", "max_allowed_deletions": "0"} {
			if who == "person" && name != "protected" {
				continue // a user approved that plan, by its numbers
			}
			t.Run(who+" "+name, func(t *testing.T) {
				w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
				k := w.cloud.add("t1", 1000, "a.example")
				w.enable("t1", time.Hour, -1)
				runner := w.control("t1").Runner
				if err := runner.SetSettings(t.Context(), "a.example", map[string]string{"max_allowed_deletions": "50"}); err != nil {
					t.Fatal(err)
				}
				if name == "protected" {
					var all []string
					for _, p := range k.staff["a.example"][:300] {
						all = append(all, p.UPN)
					}
					set = strings.Join(all, ",")
				}
				k.staff["a.example"] = k.staff["a.example"][300:]
				var once sync.Once
				w.cloud.hook = func(m string, _ request) (err error) {
					if m == "write" {
						once.Do(func() { err = runner.SetSettings(context.Background(), "a.example", map[string]string{name: set}) })
					}
					return err
				}
				if who == "worker" {
					w.once(w.worker("w1", w.store, periodic.Limits{}), "t1", "a.example")
				} else {
					planned, err := runner.DryRun(t.Context(), "a.example", runOverrides())
					if err != nil {
						t.Fatal(err)
					}
					rep, err := runner.Sync(t.Context(), planned, approve(planned))
					if err != nil || rep.Failed < 220 {
						t.Errorf("%+v %v", rep, err)
					}
				}
				if n := len(w.cloud.lines()); n == 0 || n > 80 {
					t.Errorf("%d deletions; 4 batches of 20 can be under way", n)
				}
			})
		}
	}
}
