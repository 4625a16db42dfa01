package state_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func keys(all []state.Notice) []string {
	var k []string
	for _, n := range all {
		k = append(k, n.Key)
	}
	return k
}

// Two stores on one state act as two processes.
func TestNotice_IsOpenedAndClosedOnceByAllWhoTry(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		stores := []*state.Store{open(t, url, state.Options{}), open(t, url, state.Options{})}
		at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
		const tries = 8
		race := func(f func(i int, s *state.Store) bool) (won int) {
			var all sync.WaitGroup
			results := make([]bool, tries)
			for i := range tries {
				all.Go(func() { results[i] = f(i, stores[i%2]) })
			}
			all.Wait()
			for _, r := range results {
				if r {
					won++
				}
			}
			return won
		}
		for round := range 3 {
			for _, key := range []string{"failed/t/a", "guard/t/a"} {
				if won := race(func(_ int, s *state.Store) bool {
					opened, err := s.OpenNotice(t.Context(), state.Notice{
						Key: key, Tenant: "t", Domain: "a", Told: at, Due: at, Data: json.RawMessage(`{}`),
					})
					if err != nil {
						t.Error(err)
					}
					return opened
				}); won != 1 {
					t.Fatalf("%s was opened %d times", key, won)
				}
			}
			if won := race(func(i int, s *state.Store) bool {
				closed, err := s.CloseNotices(t.Context(), []string{"failed/t/a", "guard/t/a", "stopped/t/a"}, func(closed []state.Notice) (state.Notice, error) {
					if !slices.Equal(keys(closed), []string{"failed/t/a", "guard/t/a"}) {
						t.Errorf("closed %v", keys(closed))
					}
					return state.Notice{Key: fmt.Sprintf("recovered/t/a/%d/%d", round, i), Tenant: "t", Domain: "a", Told: at, Data: json.RawMessage(`{}`)}, nil
				})
				if err != nil {
					t.Error(err)
				}
				return len(closed) > 0
			}); won != 1 {
				t.Fatalf("closed %d times", won)
			}
			left, err := stores[0].NoticesOf(t.Context(), "t", "a")
			if err != nil || len(left) != round+1 {
				t.Fatalf("left %v %v", keys(left), err)
			}
		}
	})
}

func TestNotice_IsSavedOnlyAsItWasRead(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		ctx := t.Context()
		at := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)
		if _, err := s.OpenNotice(ctx, state.Notice{Key: "k", Told: at, Due: at, Data: json.RawMessage(`{"a":1}`)}); err != nil {
			t.Fatal(err)
		}
		all, err := s.OpenNotices(ctx, 10)
		if err != nil || len(all) != 1 || !all[0].Told.Equal(at) || !all[0].Due.Equal(at) || string(all[0].Data) != `{"a":1}` {
			t.Fatalf("%+v %v", all, err)
		}
		one, two := all[0], all[0]
		one.Due, one.Data = at.Add(time.Minute), json.RawMessage(`{"a":2}`)
		if saved, err := s.SaveNotice(ctx, &one); err != nil || !saved {
			t.Fatal(saved, err)
		}
		if saved, err := s.SaveNotice(ctx, &two); err != nil || saved {
			t.Fatal("the stale one was saved", err)
		}
		one.Due = time.Time{}
		if saved, err := s.SaveNotice(ctx, &one); err != nil || !saved {
			t.Fatal("the version was not kept up", err)
		}
		if all, err = s.OpenNotices(ctx, 10); err != nil || len(all) != 0 {
			t.Fatalf("%v %v", keys(all), err)
		}
		if has, err := s.HasNotice(ctx, "k"); err != nil || !has {
			t.Fatal(has, err)
		}
	})
}

func TestNotice_PruningKeepsWhatIsYoungOrNotDelivered(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		ctx := t.Context()
		old, now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		for _, n := range []state.Notice{
			{Key: "held/old", Told: old},
			{Key: "held/undelivered", Told: old, Due: old},
			{Key: "held/young", Told: now},
			{Key: "failed/old", Told: old},
		} {
			n.Data = json.RawMessage(`{}`)
			if _, err := s.OpenNotice(ctx, n); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.PruneNotices(ctx, "held/", now.AddDate(0, -3, 0)); err != nil {
			t.Fatal(err)
		}
		all, err := s.NoticesOf(ctx, "", "")
		if err != nil || !slices.Equal(keys(all), []string{"failed/old", "held/undelivered", "held/young"}) {
			t.Fatalf("%v %v", keys(all), err)
		}
	})
}
