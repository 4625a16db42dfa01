//go:build unix

package state_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func TestTake_AFrozenHolderMustMissItsBeatsAndWritesNothingMore(t *testing.T) {
	statetest.Places(t, func(t *testing.T, url string) {
		const ttl = 3 * time.Second
		s := open(t, url, state.Options{TTL: ttl})
		beginSync(t, s)
		p := start(t, "hold", url, ttl)
		if got := p.line(); got != "held" {
			t.Fatal(got)
		}
		p.say("")
		if got := p.line(); got != "wrote 0" {
			t.Fatal(got)
		}
		// Stopped between two beats: stopped inside a transaction, it would keep a
		// SQLite file locked, and no process could take anything.
		time.Sleep(100 * time.Millisecond)
		if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Take(t.Context(), "t", "a.example", "heir", false); !problem.Has(err, problem.DomainBusy) {
			t.Fatalf("a frozen holder is taken for dead: %v", err)
		}
		begun := time.Now()
		c, err := s.Take(t.Context(), "t", "a.example", "heir", true)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Release(t.Context()) }()
		if d := time.Since(begun); d < ttl/2 || d > 3*ttl {
			t.Errorf("taken after %v", d)
		}
		if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		p.say("")
		if got := p.line(); !strings.Contains(got, string(problem.ClaimLost)) {
			t.Errorf("the woken one: %s", got)
		}
		rows, err := s.Journal(t.Context(), 1)
		if err != nil || len(rows) != 20 {
			t.Errorf("%d rows, %v", len(rows), err)
		}
		if !c.Held() {
			t.Error("the heir lost it")
		}
	})
}
