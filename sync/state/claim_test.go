package state_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestTake_OneHolderAtATime(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		s := open(t, url, state.Options{})
		c, err := s.Take(ctx, "t", "A.example", "first", false)
		if err != nil {
			t.Fatal(err)
		}
		if holder, alive, err := s.Alive(ctx, "t", "a.example"); err != nil || !alive || holder != "first" {
			t.Errorf("alive: %q %v %v", holder, alive, err)
		}
		other := open(t, url, state.Options{})
		for _, s := range []*state.Store{s, other} {
			_, err = s.Take(ctx, "t", "a.example", "second", false)
			if p := problem.Of(err); p == nil || p.Code != problem.DomainBusy || p.Args["holder"] != "first" {
				t.Errorf("second take: %v", err)
			}
		}
		if c2, err := other.Take(ctx, "t", "b.example", "second", false); err != nil {
			t.Errorf("another domain: %v", err)
		} else if err := c2.Release(ctx); err != nil {
			t.Error(err)
		}
		if err := c.Release(ctx); err != nil {
			t.Fatal(err)
		}
		if err := c.Release(ctx); err != nil {
			t.Errorf("again: %v", err)
		}
		if c.Held() {
			t.Error("held after the release")
		}
		if _, alive, err := s.Alive(ctx, "t", "a.example"); err != nil || alive {
			t.Errorf("alive after the release: %v %v", alive, err)
		}
		c3, err := other.Take(ctx, "t", "a.example", "third", false)
		if err != nil {
			t.Fatal(err)
		}
		if err := c3.Release(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestTake_ReleasesWithACancelledContext(t *testing.T) {
	s := open(t, statetest.NewFile(t), state.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	c, err := s.Take(ctx, "t", "a.example", "first", false)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := c.Release(ctx); err != nil {
		t.Fatal(err)
	}
	if _, alive, _ := s.Alive(t.Context(), "t", "a.example"); alive {
		t.Error("still held")
	}
}

func TestClaim_BeatsKeepItAndALiveHolderIsNotWaitedFor(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		ctx := t.Context()
		o := state.Options{TTL: 1200 * time.Millisecond}
		s, other := open(t, url, o), open(t, url, o)
		c, err := s.Take(ctx, "t", "a.example", "first", false)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Release(ctx) }()
		time.Sleep(2 * time.Second)
		if !c.Held() {
			t.Error("not held, although it beats")
		}
		if _, err := other.Take(ctx, "t", "a.example", "second", true); !problem.Has(err, problem.DomainBusy) {
			t.Errorf("a live holder: %v", err)
		}
	})
}

func TestTake_RacedByManyGoroutinesHasOneWinner(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		var wg sync.WaitGroup
		won := make(chan *state.Claim, 16)
		for range 16 {
			wg.Go(func() {
				c, err := s.Take(t.Context(), "t", "a.example", "one of many", false)
				if err == nil {
					won <- c
				} else if !problem.Has(err, problem.DomainBusy) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		close(won)
		if len(won) != 1 {
			t.Errorf("%d winners", len(won))
		}
		for c := range won {
			_ = c.Release(t.Context())
		}
	})
}

// The next tests need processes of their own: a lock file belongs to a process.

func TestTake_RacedByManyProcessesHasOneWinner(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		var all []*process
		for range 6 {
			all = append(all, start(t, "take", url, time.Minute))
		}
		for _, p := range all {
			if got := p.line(); got != "ready" {
				t.Fatal(got)
			}
		}
		for _, p := range all {
			p.say("go")
		}
		held := 0
		for _, p := range all {
			switch got := p.line(); {
			case got == "held":
				held++
			case !strings.Contains(got, string(problem.DomainBusy)):
				t.Error(got)
			}
		}
		if held != 1 {
			t.Errorf("%d winners", held)
		}
	})
}

func TestTake_AKilledHolderIsDeadAtOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{TTL: time.Hour})
		beginSync(t, s)
		p := start(t, "hold", url, time.Hour)
		if got := p.line(); got != "held" {
			t.Fatal(got)
		}
		if _, alive, err := s.Alive(t.Context(), "t", "a.example"); err != nil || !alive {
			t.Fatalf("alive: %v %v", alive, err)
		}
		if _, err := s.Take(t.Context(), "t", "a.example", "heir", false); !problem.Has(err, problem.DomainBusy) {
			t.Fatalf("a live holder: %v", err)
		}
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		if _, alive, err := s.Alive(t.Context(), "t", "a.example"); err != nil || alive {
			t.Errorf("alive after its death: %v %v", alive, err)
		}
		begun := time.Now()
		c, err := s.Take(t.Context(), "t", "a.example", "heir", false)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begun); d > 5*time.Second {
			t.Errorf("it took %v", d)
		}
		_ = c.Release(t.Context())
	})
}

func TestTake_KilledInTheMiddleLeavesWholeBatches(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		beginSync(t, s)
		for round := range 5 {
			p := start(t, "storm", url, time.Minute)
			if got := p.line(); got != "held" {
				t.Fatal(got)
			}
			if round == 0 {
				p.line()
			}
			time.Sleep(time.Duration(20+37*round) * time.Millisecond)
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
			rows, err := s.Journal(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			whole := map[int]map[state.EntryState]int{}
			for _, e := range rows {
				if whole[e.Action] == nil {
					whole[e.Action] = map[state.EntryState]int{}
				}
				whole[e.Action][e.State]++
			}
			for action, states := range whole {
				if states[state.Sent] != 20 && states[state.Written] != 20 {
					t.Fatalf("batch %d is torn: %v", action, states)
				}
			}
		}
	})
}

func TestJournal_EntryIsNotSentTwice(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		s := open(t, url, state.Options{})
		run := beginSync(t, s)
		c, err := s.Take(t.Context(), "t", "a.example", "one", false)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Release(t.Context()) }()
		row := state.Entry{Run: run, Action: 1, Attempt: 1}
		for _, done := range []state.EntryState{state.Written, state.Seen} {
			row.Action++
			other := state.Entry{Run: run, Action: row.Action + 100, Attempt: 1}
			if err := c.Intend(t.Context(), []state.Entry{row}); err != nil {
				t.Fatal(err)
			}
			settled := row
			settled.State = done
			if err := c.Settle(t.Context(), []state.Entry{settled}); err != nil {
				t.Fatal(err)
			}
			if err := c.Intend(t.Context(), []state.Entry{other, row}); !problem.Has(err, problem.Internal) {
				t.Errorf("%s: %v", done, err)
			}
		}
		rows, err := s.Journal(t.Context(), run)
		if err != nil || len(rows) != 2 {
			t.Errorf("the refused batch left rows behind: %d %v", len(rows), err)
		}
	})
}
