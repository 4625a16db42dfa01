package state_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func hourly(domain string) state.Periodic {
	return state.Periodic{
		Tenant: "t", Domain: domain, Connection: "c", State: state.Enabled, Every: time.Hour, Jitter: time.Minute,
		Since: time.Unix(100, 0).UTC(), By: "t.mori", Due: time.Unix(3600, 0).UTC(),
	}
}

func TestPeriodic_IsStoredAsItIsAndOnlyOverWhatWasRead(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		if _, is, err := s.Periodic(ctx, "t", "a.example"); is || err != nil {
			t.Fatal(is, err)
		}
		p, err := s.SavePeriodic(ctx, hourly("A.example"))
		if err != nil || p.Version != 1 {
			t.Fatal(p.Version, err)
		}
		if _, err := s.SavePeriodic(ctx, hourly("a.example")); !errors.Is(err, state.ErrStale) {
			t.Fatal("a second row of one domain:", err)
		}
		p.Turn = &state.Turn{Worker: "w", Since: time.Unix(3601, 0).UTC(), After: 7, Taken: 1}
		p.Last = &state.Interval{Slot: 3, Outcome: "failed", Why: problem.New(problem.SourceEmpty, problem.Args{"source": "x"}).Store()}
		p.Until, p.Slot = time.Unix(7200, 0).UTC(), 4
		if p, err = s.SavePeriodic(ctx, p); err != nil {
			t.Fatal(err)
		}
		got, is, err := s.Periodic(ctx, "t", "a.EXAMPLE")
		if err != nil || !is || got.Domain != "a.example" || got.Version != 2 || got.Slot != 4 || *got.Turn != *p.Turn ||
			got.Last.Why.Code != problem.SourceEmpty || !got.Due.Equal(p.Due) || !got.Until.Equal(p.Until) {
			t.Fatalf("%+v %v", got, err)
		}
		old := got
		old.Version = 1
		if _, err := s.SavePeriodic(ctx, old); !errors.Is(err, state.ErrStale) {
			t.Fatal("an old version was stored:", err)
		}
	})
}

func TestPeriodic_ChangesOfManyAreAllThere(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		a, b := open(t, url, state.Options{}), open(t, url, state.Options{})
		if _, err := a.SavePeriodic(ctx, hourly("a.example")); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			s := []*state.Store{a, b}[i%2]
			wg.Go(func() {
				_, err := s.ChangePeriodic(ctx, "t", "a.example", func(p *state.Periodic) error { p.Skipped++; return nil })
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		p, _, err := a.Periodic(ctx, "t", "a.example")
		if err != nil || p.Skipped != 20 || p.Version != 21 {
			t.Errorf("%d changes, version %d, %v", p.Skipped, p.Version, err)
		}
		no := errors.New("no")
		if _, err := a.ChangePeriodic(ctx, "t", "a.example", func(*state.Periodic) error { return no }); !errors.Is(err, no) {
			t.Error(err)
		}
	})
}

func TestPeriodic_ListsWhatIsDueFirstFirst(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		for i, d := range []string{"c.example", "a.example", "b.example", "off.example"} {
			p := hourly(d)
			p.Due = time.Unix(int64(1000*(i+1)), 0)
			if d == "off.example" {
				p.State, p.Due = state.Disabled, time.Unix(1, 0)
			}
			if _, err := s.SavePeriodic(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		due, err := s.Periodics(ctx, state.PeriodicFilter{State: state.Enabled, DueBy: time.Unix(2000, 0)})
		if err != nil || len(due) != 2 || due[0].Domain != "c.example" || due[1].Domain != "a.example" {
			t.Errorf("%+v %v", due, err)
		}
		all, err := s.Periodics(ctx, state.PeriodicFilter{Tenant: "t", Connection: "c"})
		if err != nil || len(all) != 4 {
			t.Errorf("%d %v", len(all), err)
		}
	})
}

// A user paused until tomorrow, and then an undo comes: tomorrow must not do again
// what was undone.
func TestPausePeriodic_APauseWithAnEndGoesOnWithoutOne(t *testing.T) {
	s, ctx := open(t, statetest.NewFile(t), state.Options{}), t.Context()
	p := hourly("a.example")
	p.State, p.Until, p.By, p.Reason = state.Paused, time.Now().Add(time.Hour), "somebody", "until tomorrow"
	if _, err := s.SavePeriodic(ctx, p); err != nil {
		t.Fatal(err)
	}
	why := problem.New(problem.PeriodicPausedByUndo, problem.Args{"domain": "a.example", "run": "3"})
	if err := s.PausePeriodic(ctx, "t", "a.example", "t.mori", why); err != nil {
		t.Fatal(err)
	}
	p, _, err := s.Periodic(ctx, "t", "a.example")
	if err != nil || p.State != state.Paused || !p.Until.IsZero() || p.Why == nil || p.By != "t.mori" {
		t.Errorf("%+v %v", p, err)
	}
}

// Forgetting a connection pauses its domains, and no others.
func TestForgetConnection_PausesWhatItCarried(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		if err := s.SaveConnection(ctx, consent.Connection{Name: "c", Tenant: "t"}); err != nil {
			t.Fatal(err)
		}
		for domain, connection := range map[string]string{"a.example": "c", "b.example": "another"} {
			p := hourly(domain)
			p.Connection = connection
			if _, err := s.SavePeriodic(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.ForgetConnection(ctx, "c"); err != nil {
			t.Fatal(err)
		}
		for domain, want := range map[string]state.PeriodicState{"a.example": state.Paused, "b.example": state.Enabled} {
			if p, _, err := s.Periodic(ctx, "t", domain); err != nil || p.State != want || (p.Why != nil) != (want == state.Paused) {
				t.Errorf("%s: %+v %v", domain, p, err)
			}
		}
		// A name that does not exist pauses nothing.
		if err := s.ForgetConnection(ctx, "another"); !problem.Has(err, problem.NoSavedData) {
			t.Error(err)
		}
		if p, _, err := s.Periodic(ctx, "t", "b.example"); err != nil || p.State != state.Enabled {
			t.Errorf("%+v %v", p, err)
		}
	})
}

func TestPausePeriodic_TouchesOnlyWhatIsEnabled(t *testing.T) {
	s, ctx := open(t, statetest.NewFile(t), state.Options{}), t.Context()
	why := problem.New(problem.PeriodicPausedByUndo, problem.Args{"domain": "a.example", "run": "3"})
	if err := s.PausePeriodic(ctx, "t", "a.example", "t.mori", why); err != nil {
		t.Fatal("a domain without periodic sync:", err)
	}
	if _, is, _ := s.Periodic(ctx, "t", "a.example"); is {
		t.Fatal("a row was made")
	}
	if _, err := s.SavePeriodic(ctx, hourly("a.example")); err != nil {
		t.Fatal(err)
	}
	if err := s.PausePeriodic(ctx, "t", "a.example", "t.mori", why); err != nil {
		t.Fatal(err)
	}
	p, _, err := s.Periodic(ctx, "t", "a.example")
	if err != nil || p.State != state.Paused || p.Why.Args["run"] != "3" || p.Every != time.Hour {
		t.Fatalf("%+v %v", p, err)
	}
	if err := s.PausePeriodic(ctx, "t", "a.example", "t.mori", why); err != nil {
		t.Fatal(err)
	}
	if q, _, _ := s.Periodic(ctx, "t", "a.example"); q.Version != p.Version {
		t.Error("a pause was paused")
	}
}

func TestTakeSlot_IsAnotherClaimThanThatOfASync(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		slot, err := s.TakeSlot(ctx, "t", "a.example", "w1", 1)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Take(ctx, "t", "a.example", "w1", false)
		if err != nil {
			t.Fatal("the sync of an interval needs its own claim:", err)
		}
		if _, err := s.TakeSlot(ctx, "t", "A.example", "w2", 1); !problem.Has(err, problem.DomainBusy) {
			t.Fatal(err)
		}
		if err := c.Release(ctx); err != nil {
			t.Fatal(err)
		}
		held, err := s.Slots(ctx)
		if err != nil || len(held) != 1 || held[0].Holder != "w1" || !held[0].Alive || held[0].Tenant != "t" ||
			held[0].Domain != "a.example" || held[0].Token != 1 {
			t.Fatalf("%+v %v", held, err)
		}
		if err := slot.Confirm(ctx); err != nil || !slot.Held() {
			t.Fatal(err)
		}
		if err := slot.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if held, _ = s.Slots(ctx); len(held) != 1 || held[0].Holder != "" || held[0].Alive {
			t.Fatalf("%+v", held)
		}
	})
}

// The hard limit of domains at once per tenant holds, however many workers ask at
// the same moment.
func TestTakeSlot_GivesATenantNoMoreSeatsThanItHas(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		stores := []*state.Store{open(t, url, state.Options{}), open(t, url, state.Options{}), open(t, url, state.Options{})}
		const seats, domains = 2, 9
		var mu sync.Mutex
		taken, refused := 0, 0
		var wg sync.WaitGroup
		for i := range domains {
			wg.Go(func() {
				_, err := stores[i%3].TakeSlot(ctx, "t", fmt.Sprintf("d%d.example", i), "w", seats)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					taken++
				case errors.Is(err, state.ErrNoSeat):
					refused++
				default:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if taken != seats || refused != domains-seats {
			t.Errorf("%d taken, %d refused", taken, refused)
		}
		// Another tenant has seats of its own, also one whose ID begins with the
		// same letters.
		if _, err := stores[0].TakeSlot(ctx, "t2", "d.example", "w", seats); err != nil {
			t.Error(err)
		}
	})
}

func TestClaim_ChangesAnIntervalOnlyWhileItIsHeld(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		frozen := &stopped{now: time.Unix(1000, 0)}
		a := open(t, url, state.Options{Clock: frozen, TTL: time.Second})
		b := open(t, url, state.Options{TTL: 150 * time.Millisecond})
		if _, err := a.SavePeriodic(ctx, hourly("a.example")); err != nil {
			t.Fatal(err)
		}
		slot, err := a.TakeSlot(ctx, "t", "a.example", "w1", 1)
		if err != nil {
			t.Fatal(err)
		}
		add := func(p *state.Periodic) error { p.Slot++; return nil }
		if _, err := slot.ChangePeriodic(ctx, add); err != nil {
			t.Fatal(err)
		}
		// Its holder freezes; another sees it silent for a whole TTL and takes it.
		var other *state.Claim
		for try := 0; other == nil; try++ {
			if other, err = b.TakeSlot(ctx, "t", "a.example", "w2", 1); err != nil && (try > 100 || !problem.Has(err, problem.DomainBusy)) {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond)
		}
		if _, err := slot.ChangePeriodic(ctx, add); !problem.Has(err, problem.ClaimLost) {
			t.Fatal("written after the claim was lost:", err)
		}
		if err := slot.Confirm(ctx); !problem.Has(err, problem.ClaimLost) {
			t.Fatal(err)
		}
		p, err := other.ChangePeriodic(ctx, add)
		if err != nil || p.Slot != 2 {
			t.Errorf("%d %v", p.Slot, err)
		}
	})
}

// stopped is the clock of a frozen process: it never wakes.
type stopped struct{ now time.Time }

func (c *stopped) Now() time.Time { return c.now }

func (c *stopped) Sleep(ctx context.Context, _ time.Duration) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestOnce_LetsOneInAtATime(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		var mu sync.Mutex
		in, most, runs := 0, 0, 0
		var wg sync.WaitGroup
		for range 4 {
			s := open(t, url, state.Options{TTL: 400 * time.Millisecond})
			wg.Go(func() {
				err := s.Once(ctx, "tables", func(context.Context) error {
					mu.Lock()
					in++
					runs++
					most = max(most, in)
					mu.Unlock()
					time.Sleep(30 * time.Millisecond)
					mu.Lock()
					in--
					mu.Unlock()
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if most != 1 || runs != 4 {
			t.Errorf("%d at once, %d in all", most, runs)
		}
	})
}

func TestWorkers_AreThoseThatReported(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		for i, name := range []string{"a", "b", "a"} {
			w := state.Worker{Name: name, Seen: time.Unix(int64(i+1), 0), Host: "h", PID: 7, Doing: []string{"x.example"}, Slots: 4, Done: 2}
			if err := s.SaveWorker(ctx, w); err != nil {
				t.Fatal(err)
			}
		}
		ws, err := s.Workers(ctx)
		if err != nil || len(ws) != 2 || ws[0].Name != "a" || !ws[0].Seen.Equal(time.Unix(3, 0)) || ws[0].Doing[0] != "x.example" {
			t.Fatalf("%+v %v", ws, err)
		}
		if err := s.ForgetWorkers(ctx, time.Unix(3, 0)); err != nil {
			t.Fatal(err)
		}
		if ws, _ = s.Workers(ctx); len(ws) != 1 || ws[0].Name != "a" {
			t.Errorf("%+v", ws)
		}
	})
}

func TestBook_LetsNoWindowHoldMoreThanTheLimit(t *testing.T) {
	s, ctx := open(t, statetest.NewFile(t), state.Options{}), t.Context()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		runs++
		quotas := []state.Quota{
			{Name: fmt.Sprintf("tenant %d", runs), Limit: rapid.Int64Range(1, 60).Draw(rt, "limit"), Window: 150 * time.Second},
			{Name: fmt.Sprintf("all %d", runs), Limit: rapid.Int64Range(20, 200).Draw(rt, "limit of all"), Window: 5 * time.Minute},
		}
		now := time.Unix(1_800_000_000, 0)
		type sent struct {
			at time.Time
			n  int64
		}
		var all []sent
		for range rapid.IntRange(1, 25).Draw(rt, "bookings") {
			now = now.Add(time.Duration(rapid.IntRange(0, 90_000).Draw(rt, "pause")) * time.Millisecond)
			n := rapid.Int64Range(1, 20).Draw(rt, "n")
			at, err := s.Book(ctx, quotas, n, now)
			if err != nil {
				rt.Fatal(err)
			}
			if at.Before(now) {
				rt.Fatalf("booked at %v for %v", now, at)
			}
			// It leaves a little later.
			at = at.Add(time.Duration(rapid.Int64Range(0, int64(quotas[0].Slack())).Draw(rt, "late")))
			all = append(all, sent{at, min(n, quotas[0].Limit, quotas[1].Limit)})
		}
		for _, q := range quotas {
			for _, first := range all {
				sum := int64(0)
				for _, x := range all {
					if d := x.at.Sub(first.at); d >= 0 && d < q.Window {
						sum += x.n
					}
				}
				if sum > q.Limit {
					rt.Fatalf("%d of %s within %v, %d allowed", sum, q.Name, q.Window, q.Limit)
				}
			}
		}
	})
}

func TestUnbook_MakesRoomAgain(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s, ctx := open(t, url, state.Options{}), t.Context()
		q := []state.Quota{{Name: "t", Limit: 20, Window: 150 * time.Second}, {Name: "all", Limit: 20, Window: 5 * time.Minute}}
		now := time.Unix(1_800_000_000, 0)
		at, err := s.Book(ctx, q, 20, now)
		if err != nil || !at.Equal(now) {
			t.Fatal(at, err)
		}
		if at, err = s.Book(ctx, q, 5, now); err != nil || at.Sub(now) < 5*time.Minute {
			t.Fatal("booked over the limit:", at, err)
		}
		if err := s.Unbook(ctx, q, 5, at); err != nil {
			t.Fatal(err)
		}
		if err := s.Unbook(ctx, q, 20, now); err != nil {
			t.Fatal(err)
		}
		if at, err = s.Book(ctx, q, 20, now); err != nil || !at.Equal(now) {
			t.Error(at, err)
		}
	})
}

func TestBook_IsSharedByAllProcesses(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		stores := []*state.Store{open(t, url, state.Options{}), open(t, url, state.Options{})}
		q := []state.Quota{{Name: "t", Limit: 100, Window: 150 * time.Second}}
		now := time.Unix(1_800_000_000, 0)
		var mu sync.Mutex
		byTime := map[int64]int64{}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				at, err := stores[i%2].Book(ctx, q, 20, now)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				byTime[at.Unix()] += 20
			})
		}
		wg.Wait()
		if len(byTime) != 4 || byTime[now.Unix()] != 100 {
			t.Errorf("%v", byTime)
		}
		if n, err := stores[0].Booked(ctx, "t"); err != nil || n != 20 {
			t.Errorf("%d bookings, %v", n, err)
		}
	})
}
