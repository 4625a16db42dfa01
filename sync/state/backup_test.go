package state_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/consent"
	"github.com/hacsync/hacsync/sync/directory"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// fill writes some rows of every kind into a state.
func fill(t testing.TB, s *state.Store) *state.Claim {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.SaveConnection(ctx, consent.Connection{Name: "みどり", Tenant: "t", SignedIn: []directory.ID{"x"}}))
	must(s.SaveSealed(ctx, "みどり", "key", []byte{0, 1, 2, 255}, 0))
	must(s.SetSettings(ctx, "t", "a.example", map[string]string{"source": "csv:/利用者.csv"}))
	must(s.ChangeDecisions(ctx, "t", "a.example", []state.Decision{{Key: "k", Data: json.RawMessage(`{"why":"理由"}`)}}, nil))
	no := beginSync(t, s)
	big := make([]byte, 3<<20)
	for i := range big {
		big[i] = byte(i * i >> 3 * 7919 >> (i % 5))
	}
	must(s.SavePlan(ctx, no, "ff", big))
	if _, err := s.UseRaise(ctx, "t", "ff"); err != nil {
		t.Fatal(err)
	}
	must(s.Remember(ctx, "t", "a.example", map[string][]string{"k": {"surname"}}))
	c := take(t, s)
	var rows []state.Entry
	for i := range 120 {
		rows = append(rows, state.Entry{Run: no, Action: i, Kind: "add", Verb: "create", After: image("名")})
	}
	must(c.Intend(ctx, rows))
	return c
}

// contents returns all that fill wrote, as text.
func contents(t testing.TB, s *state.Store) string {
	t.Helper()
	ctx := t.Context()
	var b strings.Builder
	put := func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
		b.WriteByte('\n')
	}
	put(s.Connections(ctx))
	sealed, version, err := s.Sealed(ctx, "みどり", "key")
	put([]any{sealed, version}, err)
	put(s.Settings(ctx, "t", "a.example"))
	put(s.Decisions(ctx, "t", "a.example"))
	put(s.Runs(ctx, state.RunFilter{}))
	put(s.Plan(ctx, 1))
	put(s.PlanKnown(ctx, "t", "ff"))
	put(s.Known(ctx, "t", "a.example"))
	put(s.Journal(ctx, 1))
	return b.String()
}

func TestBackup_IsAStateOfItsOwn(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		fill(t, s)
		file := filepath.Join(t.TempDir(), "backup 日本.db")
		if err := s.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
		if left, err := os.ReadDir(filepath.Dir(file)); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v, %v", left, err)
		}
		b := open(t, state.FileURL(file), state.Options{})
		if got, want := contents(t, b), contents(t, s); got != want {
			t.Errorf("the copy has\n%.3000s\nwant\n%.3000s", got, want)
		}
		// The numbers go on, and the claim is free at once.
		if no := beginSync(t, b); no != 2 {
			t.Errorf("the next run is %d", no)
		}
		begun := time.Now()
		c, err := b.Take(t.Context(), "t", "a.example", "restored", false)
		if err != nil || time.Since(begun) > 5*time.Second {
			t.Fatalf("%v after %v", err, time.Since(begun))
		}
		_ = c.Release(t.Context())
		if fresh, err := b.UseRaise(t.Context(), "t", "ff"); err != nil || fresh {
			t.Errorf("a raise can be used again: %v", err)
		}
	})
}

// What was deleted, decided and paused since is not in a backup: nothing goes on in
// it until an administrator has looked at it.
func TestBackup_NothingGoesOnInItByItself(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s, ctx := open(t, place, state.Options{}), t.Context()
		for domain, as := range map[string]state.PeriodicState{
			"on.example": state.Enabled, "back.example": state.Paused, "off.example": state.Disabled, "held.example": state.Held,
		} {
			p := hourly(domain)
			p.State = as
			if as == state.Paused {
				p.Until = time.Now().Add(time.Hour)
			}
			if _, err := s.SavePeriodic(ctx, p); err != nil {
				t.Fatal(err)
			}
		}
		file := filepath.Join(t.TempDir(), "b.db")
		if err := s.Backup(ctx, file); err != nil {
			t.Fatal(err)
		}
		all, err := open(t, state.FileURL(file), state.Options{}).Periodics(ctx, state.PeriodicFilter{})
		if err != nil || len(all) != 4 {
			t.Fatalf("%+v %v", all, err)
		}
		for _, p := range all {
			switch p.Domain {
			case "on.example", "back.example":
				if p.State != state.Paused || !p.Until.IsZero() || p.Why == nil || p.Why.Code != problem.PeriodicRestored ||
					p.Why.Args["domain"] != p.Domain || p.Why.Args["made"] == "" || p.Every != time.Hour {
					t.Errorf("%+v", p)
				}
			default:
				if p.State == state.Paused || p.Why != nil {
					t.Errorf("%+v", p)
				}
			}
		}
		if p, _, err := s.Periodic(ctx, "t", "on.example"); err != nil || p.State != state.Enabled {
			t.Errorf("the state itself: %+v %v", p, err)
		}
	})
}

func TestBackup_NeverReplacesAFileAndLeavesNoneBehind(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		fill(t, s)
		dir := t.TempDir()
		file := filepath.Join(dir, "b.db")
		if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.Backup(t.Context(), file); !problem.Has(err, problem.BackupExists) {
			t.Errorf("%v", err)
		}
		if b, err := os.ReadFile(file); err != nil || string(b) != "mine" {
			t.Errorf("%q %v", b, err)
		}
		if err := s.Backup(t.Context(), filepath.Join(dir, "no such folder", "b.db")); !problem.Has(err, problem.BackupFailed) {
			t.Errorf("%v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Backup(ctx, filepath.Join(dir, "c.db")); err == nil || problem.Of(err) != nil {
			t.Errorf("cancelled: %v", err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	})
}

// TestBackup_IsOneMomentWhileOthersWrite lets processes write batches of 20 rows
// each, and checks that no backup has one half.
func TestBackup_IsOneMomentWhileOthersWrite(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		beginSync(t, s)
		writer := start(t, "storm", place, 0)
		if got := writer.line(); got != "held" {
			t.Fatal(got)
		}
		dir := t.TempDir()
		last := 0
		for i := range 5 {
			for range 5 {
				writer.line()
			}
			file := filepath.Join(dir, fmt.Sprintf("%d.db", i))
			if err := s.Backup(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			b := open(t, state.FileURL(file), state.Options{})
			rows, err := b.Journal(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			batches := map[int]map[state.EntryState]int{}
			for _, e := range rows {
				if batches[e.Action] == nil {
					batches[e.Action] = map[state.EntryState]int{}
				}
				batches[e.Action][e.State]++
			}
			for n, states := range batches {
				if states[state.Sent] != 20 && states[state.Written] != 20 {
					t.Errorf("backup %d has batch %d half: %v", i, n, states)
				}
			}
			if len(batches) <= last {
				t.Errorf("backup %d has %d batches, the one before %d: nobody wrote", i, len(batches), last)
			}
			last = len(batches)
			_ = b.Close()
		}
	})
}

func TestCopyTo_ASqliteFileBecomesAPostgresDatabase(t *testing.T) {
	s := open(t, statetest.NewFile(t), state.Options{})
	fill(t, s)
	to := open(t, statetest.NewDatabase(t), state.Options{})
	if err := s.CopyTo(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	if got, want := contents(t, to), contents(t, s); got != want {
		t.Errorf("the copy has\n%.3000s\nwant\n%.3000s", got, want)
	}
	if no := beginSync(t, to); no != 2 {
		t.Errorf("the next run is %d", no)
	}
	c, err := to.Take(t.Context(), "t", "a.example", "there", false)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Release(t.Context())
	if err := s.CopyTo(t.Context(), to); !problem.Has(err, problem.CopyNotEmpty) {
		t.Errorf("again: %v", err)
	}
}
