package run_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/destination"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/plan"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

// noSuch is what graphclient makes of a 404.
func noSuch() *destination.Outcome {
	why := problem.New(problem.AccountGone, nil).WithUpstream(problem.Upstream{Status: 404, Code: "Request_ResourceNotFound"})
	return &destination.Outcome{Did: destination.NotDone, Why: why}
}

// missingFirst answers the first n writes of each step that is not an addition
// with 404.
func missingFirst(n int) func(plan.Step) *destination.Outcome {
	met := map[string]int{}
	return func(s plan.Step) *destination.Outcome {
		key := fmt.Sprint(s.Action, s.Step)
		if met[key]++; s.Verb == plan.Create || met[key] > n {
			return nil
		}
		return noSuch()
	}
}

// onlyWaiting gives a world a clock that moves by waiting alone.
func onlyWaiting(w *world) *world {
	c := &still{now: w.Clock.Now()}
	w.Clock, w.tenant.now = c, c.Now
	return w
}

// restoring makes a world whose plan brings somebody back and then changes them.
func restoring(t *testing.T) (*world, directory.ID) {
	t.Helper()
	w := onlyWaiting(newWorld(t))
	w.both(20)
	back := w.tenant.person("back@"+domain, "immBack==", "Back")
	back.Deleted = w.tenant.now().Add(-time.Hour)
	delete(w.tenant.users, back.ID)
	w.tenant.bin[back.ID] = back
	w.source.rows = append(w.source.rows, user("back@"+domain, "immBack==", "Back Now"))
	return w, back.ID
}

func (w *world) synced(t *testing.T, p *run.Planned) *run.Report {
	t.Helper()
	rep, err := w.Sync(t.Context(), p, approval(p))
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// wantFailed is the row that a report says failed, for this reason.
func wantFailed(t *testing.T, rep *run.Report, upn string, code problem.Code) {
	t.Helper()
	for _, r := range rep.Rows {
		if !strings.HasPrefix(r.UPN, upn) || r.Outcome != run.OutcomeFailed || r.Why.Code != code {
			t.Errorf("row %s %s: %v", r.UPN, r.Outcome, r.Why)
		}
	}
	if len(rep.Rows) != 1 || rep.State != state.Partial {
		t.Errorf("%d rows, state %s", len(rep.Rows), rep.State)
	}
}

func TestSync_AnAccountThatAReplicaDoesNotKnowIsNotGone(t *testing.T) {
	for _, times := range []int{1, 3, 10} {
		w := onlyWaiting(mixed(t))
		p := w.dry(t)
		w.tenant.before = missingFirst(times)
		rep := w.synced(t, p)
		if rep.State != state.Done || rep.Seen != rep.Planned || rep.Sent != rep.Planned {
			t.Errorf("%d times 404: %+v", times, rep)
		}
		if len(w.tenant.writes) != 4 {
			t.Errorf("%d times 404: wrote %q", times, w.tenant.writes)
		}
		if next := w.dry(t); next.Plan.Len() != 0 {
			t.Errorf("the plan after has %d actions", next.Plan.Len())
		}
	}
}

// Both reads and writes of what was just restored meet the replica now and then,
// for ten minutes; it still has the account in the recycle bin.
func TestSync_ARestoredAccountIsWrittenToOnceEveryReplicaKnowsIt(t *testing.T) {
	w, id := restoring(t)
	p := w.dry(t)
	wantCounts(t, p.Plan, 0, 0, 0, 1, 0)
	var mu sync.Mutex
	var since time.Time
	reads := 0
	young := func() bool {
		return !since.IsZero() && w.tenant.now().Sub(since) < 10*time.Minute
	}
	w.tenant.after = func(s plan.Step) *destination.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if s.Verb == plan.RestoreUser {
			since = w.tenant.now()
		}
		return nil
	}
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		mu.Lock()
		defer mu.Unlock()
		if s.Verb == plan.Patch && young() {
			return noSuch()
		}
		return nil
	}
	stale := w.tenant.bin[id]
	w.tenant.hide = func(of directory.ID, p directory.Presence) bool {
		mu.Lock()
		defer mu.Unlock()
		if of != id || !young() {
			return false
		}
		reads++
		if reads%3 == 0 { // seen, then in the bin as before, then nowhere
			w.tenant.bin[id] = stale
		} else {
			delete(w.tenant.bin, id)
		}
		return p == directory.Live && reads%3 != 1
	}
	rep := w.synced(t, p)
	if rep.State != state.Done || rep.Seen != 1 || reads < 5 {
		t.Errorf("%+v after %d reads", rep, reads)
	}
	if v, _ := w.tenant.users[id].Get(directory.DisplayName); v != "Back Now" {
		t.Errorf("displayName %q", v)
	}
}

func TestSync_AnAccountInTheRecycleBinIsGone(t *testing.T) {
	for what, upn := range map[string]string{"update": "user003@", "rename": "user004@"} {
		t.Run(what, func(t *testing.T) {
			w := onlyWaiting(mixed(t))
			p := w.dry(t)
			looks := 0
			w.tenant.before = func(s plan.Step) *destination.Outcome {
				if !strings.HasPrefix(s.Object.UPN, upn) {
					return nil
				}
				w.tenant.mu.Lock()
				defer w.tenant.mu.Unlock()
				if rec := w.tenant.users[s.Object.ID]; rec != nil { // deleted by another hand
					w.tenant.bin[rec.ID] = rec
					delete(w.tenant.users, rec.ID)
					looks = w.tenant.lookup
				}
				return nil
			}
			rep := w.synced(t, p)
			wantFailed(t, rep, strings.NewReplacer("user004@", "renamed@").Replace(upn), problem.RowGone)
			if rep.Ended.Sub(rep.Started) > 5*time.Minute {
				t.Errorf("waited %v for an account in the recycle bin (%d looks)", rep.Ended.Sub(rep.Started), w.tenant.lookup-looks)
			}
		})
	}
	t.Run("delete", func(t *testing.T) {
		w := onlyWaiting(mixed(t))
		p := w.dry(t)
		w.tenant.before = func(s plan.Step) *destination.Outcome {
			if s.Verb == plan.DeleteUser {
				w.tenant.mu.Lock()
				defer w.tenant.mu.Unlock()
				rec := w.tenant.users[s.Object.ID]
				w.tenant.bin[rec.ID] = rec
				delete(w.tenant.users, rec.ID)
			}
			return nil
		}
		if rep := w.synced(t, p); rep.State != state.Done || rep.Seen != rep.Planned {
			t.Errorf("what was to be deleted is deleted: %+v", rep)
		}
	})
}

func TestSync_AnAccountThatIsNowhereForTheLagWindowIsGone(t *testing.T) {
	w := onlyWaiting(mixed(t))
	p := w.dry(t)
	var purged time.Time
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if strings.HasPrefix(s.Object.UPN, "user003@") && purged.IsZero() {
			w.tenant.mu.Lock()
			defer w.tenant.mu.Unlock()
			delete(w.tenant.users, s.Object.ID)
			purged = w.tenant.now()
		}
		return nil
	}
	rep := w.synced(t, p)
	wantFailed(t, rep, "user003@", problem.RowGone)
	if waited := rep.Ended.Sub(purged); waited < 14*time.Minute {
		t.Errorf("given up after %v", waited)
	}
}

// The account shows all the time: whatever Microsoft 365 means by its answer, the
// person is not gone.
func TestSync_A404ThatStaysIsNotCalledGone(t *testing.T) {
	w := onlyWaiting(mixed(t))
	p := w.dry(t)
	sends := 0
	w.tenant.before = func(s plan.Step) *destination.Outcome {
		if strings.HasPrefix(s.Object.UPN, "user003@") {
			sends++
			return noSuch()
		}
		return nil
	}
	rep := w.synced(t, p)
	wantFailed(t, rep, "user003@", problem.RetriesSpent)
	if took := rep.Ended.Sub(rep.Started); sends < 5 || took > 20*time.Minute {
		t.Errorf("sent %d times in %v", sends, took)
	}
}
