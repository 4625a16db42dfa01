//go:build unix

package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// stop freezes the process of a scene while it waits. A process that is frozen
// inside a transaction keeps a SQLite file locked, so that no other could take
// anything: then it runs for a moment and is frozen again.
func (s *scene) stop(l *life) {
	s.t.Helper()
	for range 50 {
		if err := l.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			s.t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
		if s.unlocked() {
			return
		}
		_ = l.cmd.Process.Signal(syscall.SIGCONT)
		time.Sleep(7 * time.Millisecond)
	}
	s.t.Fatal("the state is always locked")
}

// unlocked reports whether another process can write to the state.
func (s *scene) unlocked() bool {
	path, isFile := strings.CutPrefix(s.order.State, "sqlite://")
	if !isFile {
		return true
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_txlock=immediate&_pragma=busy_timeout(100)")
	if err != nil {
		return false
	}
	defer func() { _ = db.Close() }()
	tx, err := db.Begin()
	if err != nil {
		return false
	}
	return tx.Rollback() == nil
}

// TestRule4_AFrozenProcessThatWakesWritesNothingMore freezes a sync, lets
// another process take over after its beats have stopped, and wakes it. It may
// send the one batch that it was about to send, which changes nothing; its
// journal is another's.
func TestRule4_AFrozenProcessThatWakesWritesNothingMore(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for beats")
	}
	w := newProofWorld(30, 1)
	p := newProof(t)
	var moments []moment
	for _, m := range p.every(t, w) {
		writes := m.request && (m.name == "item PATCH" || m.name == "item POST" || m.name == "item DELETE")
		if !m.request && (m.name == "intend" || m.name == "write" || m.name == "settle" || m.name == "end run") || writes {
			moments = append(moments, m)
		}
	}
	for _, postgres := range []bool{false, true} {
		if postgres && os.Getenv(postgresServer) == "" {
			continue
		}
		for i, m := range moments {
			if m.name == "end run" && m.behind {
				continue // it is over
			}
			if !*proofLong && i%7 != 0 && m.name != "end run" {
				continue
			}
			t.Run(fmt.Sprintf("postgres=%v %v", postgres, m), func(t *testing.T) {
				t.Parallel()
				p.scene(t, w, postgres).takenOver(m)
			})
		}
	}
}

func (s *scene) takenOver(m moment) {
	t := s.t
	t.Helper()
	const ttl = 3 * time.Second
	frozen := s.start(m, ttl)
	if _, waits := frozen.reach(t); !waits {
		t.Log("its moment never came")
		return
	}
	s.stop(frozen)
	s.order.Heir = true
	heir := s.start(moment{}, ttl).end(t)
	if heir.Resumed == 0 {
		t.Errorf("nothing was resumed")
	}
	if heir.Error != "" {
		t.Fatalf("the heir ended: %s", heir.Error)
	}
	before := s.told()
	late := newRequests(0, false)
	s.fault.set(late)
	if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if m.request {
		close(frozen.gate.open)
		frozen.gate.mu.Lock()
		frozen.gate.cut = true // of its own gate nothing is left to open
		frozen.gate.mu.Unlock()
	} else {
		_, _ = frozen.in.Write([]byte("\n"))
	}
	frozen.gate.reached = make(chan struct{})
	woken := frozen.end(t)
	if !problemIs(woken, problem.ClaimLost) {
		t.Errorf("the woken one ended with %q %s", woken.Code, woken.Error)
	}
	for line := range s.told() {
		if !before[line] {
			t.Errorf("the woken one wrote: %s", line)
		}
	}
	late.mu.Lock()
	batches := 0
	for i, name := range late.before {
		first := i == 0 || !strings.HasPrefix(late.before[i-1], "item")
		if strings.HasPrefix(name, "item") && first {
			batches++
		}
	}
	late.mu.Unlock()
	if batches > 1 {
		t.Errorf("the woken one sent %d batches: %v", batches, late.before)
	}
	t.Logf("after waking: %v", late.before)
	s.check()
}

func problemIs(a answered, code problem.Code) bool { return a.Code == string(code) }

// told returns runs and journal as they are.
func (s *scene) told() map[string]bool {
	s.t.Helper()
	store, err := state.OpenWith(context.Background(), s.order.State, state.Options{LockDir: s.order.Locks})
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	runs, err := store.Runs(context.Background(), state.RunFilter{})
	if err != nil {
		s.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, r := range runs {
		all[fmt.Sprintf("run %d %s %s %s", r.No, r.State, r.Ended, r.Summary)] = true
	}
	for _, e := range s.journal() {
		all[fmt.Sprintf("row %d/%d/%d attempt %d %s %s %s token %d", e.Run, e.Action, e.Step, e.Attempt, e.State, e.Answered, e.SeenAt, e.Token)] = true
	}
	return all
}
