package periodic_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
	"github.com/hacsync/hacsync/sync/periodic"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func (w *world) queue(s *state.Store) *periodic.River {
	w.t.Helper()
	q, err := periodic.OpenQueue(w.t.Context(), s, periodic.QueueOptions{Poll: 20 * time.Millisecond, Log: logTo(w.t)})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = q.Close() })
	return q
}

// waitFor waits in real time.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 60 s", what)
		}
	}
}

func TestRiver_TwoProcessesMakeItsTablesAtOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w := newWorld(t, url, clock.Real(), state.Options{TTL: time.Second})
		var wg sync.WaitGroup
		for range 4 {
			s := w.open(state.Options{TTL: time.Second})
			wg.Go(func() {
				q, err := periodic.OpenQueue(t.Context(), s, periodic.QueueOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				_ = q.Close()
			})
		}
		wg.Wait()
	})
}

func TestRiver_KeepsOneRingOfEach(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		w := newWorld(t, url, clock.Real(), state.Options{})
		q := w.queue(w.store)
		var mu sync.Mutex
		heard := map[periodic.Ring]int{}
		hold := make(chan struct{})
		err := q.Start(context.Background(), 4, func(_ context.Context, r periodic.Ring) bool {
			mu.Lock()
			heard[r]++
			mu.Unlock()
			<-hold
			return r.Slot != 2
		})
		if err != nil {
			t.Fatal(err)
		}
		rings := []periodic.Ring{{Tenant: "t", Domain: "a", Slot: 1}, {Tenant: "t", Domain: "b", Slot: 2}}
		got, err := q.Ring(t.Context(), rings)
		if err != nil || got[0].Taken || got[1].Taken {
			t.Fatal(got, err)
		}
		waitFor(t, "both are heard", func() bool { mu.Lock(); defer mu.Unlock(); return len(heard) == 2 })
		if got, err = q.Ring(t.Context(), rings); err != nil || !got[0].Taken || !got[1].Taken {
			t.Fatal(got, err)
		}
		close(hold)
		// A wish that was of no use may be rung for again, one that was of use may
		// not.
		waitFor(t, "the second is heard again", func() bool {
			if _, err := q.Ring(t.Context(), rings); err != nil {
				t.Fatal(err)
			}
			mu.Lock()
			defer mu.Unlock()
			return heard[rings[1]] >= 2
		})
		if heard[rings[0]] != 1 {
			t.Errorf("%v", heard)
		}
		if err := q.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestRun_CarriesOutEveryIntervalOfTwoWorkersOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		t.Parallel()
		const speed = 400 // an hour in nine seconds
		c := clock.Scaled(speed)
		o := state.Options{Clock: c, TTL: 10 * time.Minute}
		w := newWorld(t, url, c, o)
		for i := range 3 {
			tenant := fmt.Sprintf("t%d", i)
			k := w.cloud.add(tenant, 2, fmt.Sprintf("a%d.example", i), fmt.Sprintf("b%d.example", i))
			for _, d := range k.domains {
				k.hourly(d)
			}
			w.enable(tenant, time.Hour, 10*time.Minute)
		}
		began := c.Now()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 2 {
			s := w.open(o)
			worker := w.worker(fmt.Sprintf("w%d", i), s, periodic.Limits{Look: 2 * time.Minute, Report: 5 * time.Minute})
			worker.Queue = w.queue(s)
			wg.Go(func() {
				if err := worker.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		end := began.Truncate(time.Hour).Add(time.Hour + 45*time.Minute)
		waitFor(t, "the hours", func() bool {
			return c.Now().After(end) && w.underWay("w0")+w.underWay("w1") == 0
		})
		cancel()
		wg.Wait()
		for _, problem := range exactlyHourly(w.cloud, began, end) {
			t.Error(problem)
		}
		workers, err := w.store.Workers(t.Context())
		if err != nil || len(workers) != 2 || workers[0].Stopped.IsZero() || workers[0].Done+workers[1].Done != int64(len(w.cloud.lines())) {
			t.Errorf("%+v %v", workers, err)
		}
	})
}

// exactlyHourly checks in the ledger of the cloud that every domain was written
// once in each full hour between two moments, and lists the exceptions.
func exactlyHourly(c *cloud, began, end time.Time) []string {
	var wrong []string
	counts := map[string]map[int64]int{}
	for _, k := range c.tenants {
		for _, d := range k.domains {
			counts[d] = map[int64]int{}
		}
	}
	for _, l := range c.lines() {
		var hour int64
		if _, err := fmt.Sscanf(l.Name, "Hour %d", &hour); err != nil {
			wrong = append(wrong, fmt.Sprintf("%s: a write of %q", l.Domain, l.Name))
		}
		counts[l.Domain][hour]++
	}
	for d, byHour := range counts {
		for h := hourOf(began) + 1; h <= hourOf(end); h++ {
			if n := byHour[h]; n != 1 {
				wrong = append(wrong, fmt.Sprintf("%s: %d writes in hour %d", d, n, h-hourOf(began)))
			}
		}
	}
	return wrong
}
