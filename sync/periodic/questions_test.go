package periodic_test

import (
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/notice"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// heard is the last notice of a kind.
func (e *ears) heard(kind notice.Kind) (notice.Event, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := len(e.events) - 1; i >= 0; i-- {
		if e.events[i].Kind == kind {
			return e.events[i], true
		}
	}
	return notice.Event{}, false
}

// recreated makes people of a domain appear as other HAC users, with the same names
// and without an immutable ID.
func (k *customer) recreated(domain string, people ...int) {
	for _, i := range people {
		p := &k.staff[domain][i]
		*p = person{UPN: "new." + p.UPN, Name: p.Name}
	}
}

func TestWorker_ReportsQuestionsAndDoesTheRest(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	k := w.cloud.add("t1", 40, "a.example")
	w.enable("t1", time.Hour, -1)
	worker := w.worker("w1", w.store, periodic.Limits{})
	k.recreated("a.example", 3)
	k.staff["a.example"][0].Name = "Changed"
	w.once(worker, "t1", "a.example")
	e, ok := w.told.heard(notice.Questions)
	n := e.Numbers
	if !ok || n.Questions != 1 || n.Accounts != 1 || n.Rows != 1 || n.Updated != 1 || n.Deleted != 0 || e.Set == "" {
		t.Fatalf("told %v: %+v", ok, e)
	}
	if q := e.Asked; len(q) != 1 || q[0].Account != "p3@a.example" || len(q[0].Rows) != 1 || q[0].For[0] != string(plan.SignName) {
		t.Errorf("%+v", e.Asked)
	}
	if len(k.users) != 40 {
		t.Errorf("%d accounts: an open question changes nothing", len(k.users))
	}
	again := e.Set
	w.once(worker, "t1", "a.example")
	if e, _ = w.told.heard(notice.Questions); e.Set != again {
		t.Errorf("the same question is another: %q, %q", again, e.Set)
	}
	if p := w.row("t1", "a.example"); p.Last.Outcome != periodic.Unchanged || p.State != state.Enabled {
		t.Errorf("%+v", p)
	}
}

// A file that lost many of its people is stopped by the guard; it does not become a
// list of questions.
func TestWorker_ManyQuestionsAreTheGuards(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	k := w.cloud.add("t1", 40, "a.example")
	w.enable("t1", time.Hour, -1)
	k.recreated("a.example", 1, 2, 3, 4)
	w.once(w.worker("w1", w.store, periodic.Limits{}), "t1", "a.example")
	if _, ok := w.told.heard(notice.Questions); ok {
		t.Error("questions were told of a read that the guard refuses")
	}
	e, ok := w.told.heard(notice.Guard)
	if !ok || e.Why == nil || e.Why.Code != problem.LostCancels || e.Numbers.Lost != 4 {
		t.Errorf("told %v: %+v", ok, e)
	}
}

// An account that was in no complete read is held, and reported among the held
// rows.
func TestWorker_HoldsAnAccountThatWasNeverInTheSource(t *testing.T) {
	w := newWorld(t, statetest.NewFile(t), newBy(), state.Options{})
	k := w.cloud.add("t1", 40, "a.example")
	w.enable("t1", time.Hour, -1)
	k.users["stranger"] = &person{ID: "stranger", UPN: "stranger@a.example", Name: "Somebody Else", Created: w.clock.Now().Add(-time.Hour)}
	leaver := k.staff["a.example"][7]
	k.staff["a.example"] = append(k.staff["a.example"][:7:7], k.staff["a.example"][8:]...)
	w.once(w.worker("w1", w.store, periodic.Limits{}), "t1", "a.example")
	e, ok := w.told.heard(notice.Held)
	if !ok || e.Numbers.Held != 1 || len(e.Users) != 1 || e.Users[0] != "stranger@a.example" {
		t.Errorf("told %v: %+v", ok, e)
	}
	if k.users["stranger"] == nil || k.users[leaver.ID] != nil {
		t.Errorf("stranger kept %v, leaver kept %v", k.users["stranger"] != nil, k.users[leaver.ID] != nil)
	}
}
