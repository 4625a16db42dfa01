package periodic_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// setUpOne is a world with one domain that is set up and not enabled.
func setUpOne(t *testing.T) *world {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	w.cloud.add("t1", 10, "a.example")
	w.setUp("t1", "a.example")
	return w
}

// sync is a user's sync of the domain, with rows left out for this time.
func (w *world) sync(out ...int) {
	w.t.Helper()
	c := w.control("t1").Runner
	planned, err := c.DryRun(w.t.Context(), "a.example", runOverrides())
	if err != nil {
		w.t.Fatal(err)
	}
	review := planned.Plan.Review()
	for _, no := range out {
		review.LeaveOut(no)
	}
	if len(out) > 0 {
		planned.Plan = review.Approve()
	}
	if _, err := c.Sync(w.t.Context(), planned, approve(planned)); err != nil {
		w.t.Fatal(err)
	}
}

func marks(l periodic.Checklist) string {
	var words []string
	for _, f := range l {
		words = append(words, string(f.Mark)+" "+string(f.Why.Code))
	}
	return strings.Join(words, ", ")
}

func TestEnable_OnlyAfterASyncThatConverged(t *testing.T) {
	w := setUpOne(t)
	ask := periodic.Request{Domain: "A.example", By: "t.mori"}
	_, list, err := w.control("t1").Enable(t.Context(), ask)
	if !problem.Has(err, problem.PeriodicNotReady) {
		t.Fatal(err)
	}
	if got, want := marks(list), "missing HS-5202, ok HS-5204, ok HS-5209, ok HS-5211, note HS-5215"; got != want {
		t.Errorf("%s\nnot %s", got, want)
	}
	if _, is, _ := w.store.Periodic(t.Context(), "t1", "a.example"); is {
		t.Fatal("enabled all the same")
	}
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	w.sync()
	p, list, err := w.control("t1").Enable(t.Context(), ask)
	if err != nil {
		t.Fatal(err, marks(list))
	}
	if p.State != state.Enabled || p.Every != time.Hour || p.Jitter != 15*time.Minute || p.By != "t.mori" || p.Connection != "to-t1" {
		t.Errorf("%+v", p)
	}
	if list[0].Why.Code != problem.PeriodicConverged || list[0].Why.Args["planned"] != "1" || list[0].Why.Args["seen"] != "1" {
		t.Errorf("%v", list[0].Why)
	}
}

// A first sync that has nothing to apply leaves a dry run alone. One that found
// something is no first sync.
func TestEnable_AfterAFirstSyncWithNothingToApply(t *testing.T) {
	w := setUpOne(t)
	ask := periodic.Request{Domain: "a.example", By: "t.mori"}
	dry := func() {
		t.Helper()
		if _, err := w.control("t1").Runner.DryRun(t.Context(), "a.example", runOverrides()); err != nil {
			t.Fatal(err)
		}
	}
	person := &w.cloud.tenants["t1"].staff["a.example"][0]
	was := person.Name
	person.Name = "Changed"
	dry()
	if _, list, err := w.control("t1").Enable(t.Context(), ask); !problem.Has(err, problem.PeriodicNotReady) {
		t.Errorf("with a change to make: %v, %s", err, marks(list))
	}
	person.Name = was
	dry()
	_, list, err := w.control("t1").Enable(t.Context(), ask)
	if err != nil {
		t.Fatal(err, marks(list))
	}
	if list[0].Why.Code != problem.PeriodicConverged || list[0].Why.Args["planned"] != "0" {
		t.Errorf("%v", list[0].Why)
	}
}

// An undo leaves the source asking for what was undone. Once a dry run finds nothing
// to apply, the domain is in step, whatever ran before.
func TestEnable_AfterAnUndoOnlyOnceTheSourceIsMended(t *testing.T) {
	w := setUpOne(t)
	ask := periodic.Request{Domain: "a.example", By: "t.mori"}
	r := w.control("t1").Runner
	person := &w.cloud.tenants["t1"].staff["a.example"][0]
	was := person.Name
	person.Name = "Changed"
	w.sync()
	runs, err := r.Logs(t.Context(), "a.example", 1)
	if err != nil || runs[0].Kind != state.Sync {
		t.Fatal(err, runs)
	}
	undo, err := r.Undo(t.Context(), runs[0].No)
	if err == nil {
		_, err = r.Sync(t.Context(), undo, run.Approval{Fingerprint: undo.Plan.Fingerprint(), By: "t.mori"})
	}
	if err != nil {
		t.Fatal(err)
	}
	dry := func() {
		t.Helper()
		if _, err := r.DryRun(t.Context(), "a.example", runOverrides()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		_, list, err := w.control("t1").Enable(t.Context(), ask)
		if !problem.Has(err, problem.PeriodicNotReady) || list[0].Why.Code != problem.PeriodicNotConverged ||
			list[0].Why.Args["undo"] != strconv.FormatInt(runs[0].No, 10) {
			t.Fatal(err, marks(list), list[0].Why)
		}
		dry()
	}
	person.Name = was
	dry()
	if _, list, err := w.control("t1").Enable(t.Context(), ask); err != nil {
		t.Fatal(err, marks(list))
	}
}

// A row that was left out of a plan not yet synchronised is asked about as well.
func TestEnable_AsksAboutRowsLeftOutOfAPlanToCome(t *testing.T) {
	w := setUpOne(t)
	w.sync()
	r := w.control("t1").Runner
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	p, err := r.DryRun(t.Context(), "a.example", runOverrides())
	if err != nil {
		t.Fatal(err)
	}
	d, _ := p.Plan.Leave(p.Plan.Action(0).No, false)
	undo := plan.Decision{Kind: plan.LeaveOutOnce, ID: "id-x", Undo: 1} // no plan of the domain
	if err := r.Decide(t.Context(), "a.example", []plan.Decision{d, undo}); err != nil {
		t.Fatal(err)
	}
	ask := periodic.Request{Domain: "a.example"}
	_, list, err := w.control("t1").Enable(t.Context(), ask)
	if !problem.Has(err, problem.PeriodicNotReady) || len(list[2].Rows) != 1 || list[2].Rows[0].ID != d.ID {
		t.Fatal(err, marks(list), list[2].Rows)
	}
	ask.CarryOut = true
	if _, list, err = w.control("t1").Enable(t.Context(), ask); err != nil {
		t.Fatal(err, marks(list))
	}
	if ds, err := r.Decisions(t.Context(), "a.example"); err != nil || len(ds) != 1 || ds[0].ID != undo.ID {
		t.Errorf("%v: still decided: %+v", err, ds)
	}
}

func TestEnable_AReasonPassesOverWhatItMay(t *testing.T) {
	w := setUpOne(t)
	p, _, err := w.control("t1").Enable(t.Context(), periodic.Request{Domain: "a.example", By: "t.mori", Reason: "moved from another tool"})
	if err != nil || p.Reason != "moved from another tool" {
		t.Fatal(p, err)
	}
	// But not over an application that cannot sign in.
	for name, a := range map[string]*consent.Application{
		"none":       nil,
		"unverified": {Name: "x", Ends: w.clock.Now().Add(time.Hour)},
		"ended":      {Name: "x", Verified: w.clock.Now(), Ends: w.clock.Now()},
	} {
		c := w.control("t1")
		c.Runner.Connection.Application = a
		if _, list, err := c.Enable(t.Context(), periodic.Request{Domain: "a.example", Reason: "because"}); !problem.Has(err, problem.PeriodicNotReady) || list[1].Mark != periodic.Missing {
			t.Errorf("%s: %v %s", name, err, marks(list))
		}
	}
}

func TestEnable_AsksAboutASourceThatDoesNotRenewItself(t *testing.T) {
	w := setUpOne(t)
	w.cloud.tenants["t1"].staff["a.example"][0].Name = "Changed"
	w.sync()
	c := w.control("t1")
	if err := c.Runner.SetSettings(t.Context(), "a.example", map[string]string{"source": "csv:a.example/hand"}); err != nil {
		t.Fatal(err)
	}
	_, list, err := c.Enable(t.Context(), periodic.Request{Domain: "a.example"})
	if !problem.Has(err, problem.PeriodicNotReady) || list[3].Why.Code != problem.PeriodicByHand {
		t.Fatal(err, marks(list))
	}
	if _, _, err := c.Enable(t.Context(), periodic.Request{Domain: "a.example", Reason: "a job replaces the file at night"}); err != nil {
		t.Error(err)
	}
}

func TestEnable_AsksAgainAboutRowsLeftOutThisTimeOnly(t *testing.T) {
	w := setUpOne(t)
	for i := range 3 {
		w.cloud.tenants["t1"].staff["a.example"][i].Name = "Changed"
	}
	w.sync(2, 3)
	ask := periodic.Request{Domain: "a.example"}
	_, list, err := w.control("t1").Enable(t.Context(), ask)
	if !problem.Has(err, problem.PeriodicNotReady) || list[2].Why.Code != problem.PeriodicLeftOutOnce || len(list[2].Rows) != 2 ||
		list[2].Why.Args["n"] != "2" || !strings.Contains(list[2].Why.Args["accounts"], "@a.example") {
		t.Fatal(err, marks(list))
	}
	ask.Reason = "a reason does not answer it"
	if _, _, err := w.control("t1").Enable(t.Context(), ask); !problem.Has(err, problem.PeriodicNotReady) {
		t.Fatal(err)
	}
	rows := list[2].Rows
	ask = periodic.Request{Domain: "a.example", Always: []plan.Decision{{Kind: plan.LeaveOutAlways, ID: rows[0].ID, By: "t.mori"}}}
	if _, _, err := w.control("t1").Enable(t.Context(), ask); !problem.Has(err, problem.PeriodicNotReady) {
		t.Fatal("one row is not answered:", err)
	}
	ask.CarryOut = true
	if _, list, err = w.control("t1").Enable(t.Context(), ask); err != nil {
		t.Fatal(err, marks(list))
	}
	p := w.once(w.worker("w1", w.store, periodic.Limits{}), "t1", "a.example")
	if p.Last.Outcome != periodic.Synced || p.Last.Update != 1 {
		t.Errorf("%+v", p.Last)
	}
}

func TestEnable_TakesFrom15MinutesTo24Hours(t *testing.T) {
	w := setUpOne(t)
	for every, want := range map[time.Duration]problem.Code{
		14 * time.Minute: problem.PeriodicEvery, 15 * time.Minute: "", 24 * time.Hour: "", 25 * time.Hour: problem.PeriodicEvery,
	} {
		_, _, err := w.control("t1").Enable(t.Context(), periodic.Request{Domain: "a.example", Every: every, Jitter: -1, Reason: "x"})
		if want == "" && err != nil || want != "" && !problem.Has(err, want) {
			t.Errorf("%v: %v", every, err)
		}
	}
	_, _, err := w.control("t1").Enable(t.Context(), periodic.Request{Domain: "a.example", Every: time.Hour, Jitter: 2 * time.Hour, Reason: "x"})
	if !problem.Has(err, problem.PeriodicJitter) {
		t.Error(err)
	}
}

func TestPause_KeepsEverySetting(t *testing.T) {
	w, worker := oneDomain(t, statetest.NewFile(t))
	c := w.control("t1")
	if _, _, err := c.Enable(t.Context(), periodic.Request{Domain: "a.example", Every: 2 * time.Hour, Jitter: time.Hour, Reason: "x"}); err != nil {
		t.Fatal(err)
	}
	before := w.row("t1", "a.example")
	until := w.clock.Now().Add(30 * time.Hour)
	if _, err := c.Pause(t.Context(), "a.example", w.clock.Now(), "t.mori", ""); !problem.Has(err, problem.PeriodicUntil) {
		t.Fatal(err)
	}
	p, err := c.Pause(t.Context(), "a.example", until, "t.mori", "personnel changes")
	if err != nil || p.State != state.Paused || p.Every != before.Every || p.Jitter != before.Jitter || p.Slot != before.Slot {
		t.Fatalf("%+v %v", p, err)
	}
	s, err := c.Status(t.Context(), "a.example")
	if err != nil || !s.Next.Equal(until) || s.Worker.Why.Code != problem.PeriodicNoWorker {
		t.Fatalf("%+v %v", s, err)
	}
	w.clock.(*by).pass(29 * time.Hour)
	if err := worker.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q := w.row("t1", "a.example"); q.Version != p.Version {
		t.Fatal("carried out during the pause")
	}
	if _, err := c.Resume(t.Context(), "a.example", "t.mori"); err != nil {
		t.Fatal(err)
	}
	s, err = c.Status(t.Context(), "a.example")
	if err != nil || s.State != state.Enabled || s.Every != 2*time.Hour || !s.Next.After(w.clock.Now()) || s.Worker.Mark != periodic.Note {
		t.Errorf("%+v %v", s, err)
	}
	if _, err := c.Disable(t.Context(), "a.example", "t.mori", "customer left"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Resume(t.Context(), "a.example", "t.mori"); !problem.Has(err, problem.PeriodicNotOn) {
		t.Error(err)
	}
	if _, err := c.Pause(t.Context(), "b.example", until, "t.mori", ""); !problem.Has(err, problem.PeriodicNone) {
		t.Error(err)
	}
}
