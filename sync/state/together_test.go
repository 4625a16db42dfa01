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
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

// rounds is how often each process does everything.
const rounds = 15

// together does what a wizard, a command line or a worker does with the state: it
// sets things up, decides, runs and journals, for a domain of its own and for one
// that all share.
func together(ctx context.Context, s *state.Store) int {
	me := fmt.Sprintf("p%d", os.Getpid())
	own := me + ".example"
	fail := func(what string, err error) int {
		fmt.Println("error", what, err)
		return 1
	}
	syncs := 0
	for i := range rounds {
		if err := s.SaveConnection(ctx, consent.Connection{Name: me, Tenant: "t"}); err != nil {
			return fail("connection", err)
		}
		if err := s.SetSettings(ctx, "t", "shared.example", map[string]string{me: fmt.Sprint(i), "last": me}); err != nil {
			return fail("settings", err)
		}
		d := state.Decision{Key: fmt.Sprint(me, " ", i), Data: json.RawMessage(`{}`)}
		if err := s.ChangeDecisions(ctx, "t", "shared.example", []state.Decision{d}, nil); err != nil {
			return fail("decision", err)
		}
		for _, domain := range []string{own, "shared.example"} {
			no, err := s.BeginRun(ctx, state.Run{Kind: state.DryRun, Tenant: "t", Domain: domain, By: me})
			if err != nil {
				return fail("run", err)
			}
			if err := s.SavePlan(ctx, no, fmt.Sprintf("%064x", no), []byte(strings.Repeat(me, 1000))); err != nil {
				return fail("plan", err)
			}
			if err := s.UpdateRun(ctx, state.Run{No: no, State: state.Done, Ended: time.Now(), By: me}); err != nil {
				return fail("end of run", err)
			}
			c, err := s.Take(ctx, "t", domain, me, false)
			if problem.Has(err, problem.DomainBusy) && domain != own {
				continue // another process has it
			}
			if err != nil {
				return fail("claim", err)
			}
			if no, err = s.BeginRun(ctx, state.Run{Kind: state.Sync, Tenant: "t", Domain: domain, By: me}); err != nil {
				return fail("sync", err)
			}
			rows := make([]state.Entry, 20)
			for j := range rows {
				rows[j] = state.Entry{Run: no, Action: j, State: state.Written, Attempt: 1, Kind: "add", Verb: "create"}
			}
			if err := c.Intend(ctx, rows); err != nil {
				return fail("intents", err)
			}
			for j := range rows {
				rows[j].State = state.Written
			}
			if err := c.Settle(ctx, rows); err != nil {
				return fail("outcomes", err)
			}
			if err := c.UpdateRun(ctx, state.Run{No: no, State: state.Done, Ended: time.Now(), By: me}); err != nil {
				return fail("end of sync", err)
			}
			if err := c.Release(ctx); err != nil {
				return fail("release", err)
			}
			syncs++
		}
		if i%5 == 4 {
			if _, err := s.Prune(ctx, state.Pruning{Runs: 90 * 24 * time.Hour}); err != nil {
				return fail("prune", err)
			}
		}
	}
	fmt.Println("did", me, syncs)
	return 0
}

// TestState_ManyProcessesWriteEverythingAtOnce is a wizard, the command line and
// workers on one state. Nothing is lost, and numbers have no gaps.
func TestState_ManyProcessesWriteEverythingAtOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		var all []*process
		for range 5 {
			all = append(all, start(t, "together", place, 0))
		}
		for _, p := range all {
			if got := p.line(); got != "ready" {
				t.Fatal(got)
			}
		}
		begun := time.Now()
		for _, p := range all {
			p.say("go") // each makes the state, or finds it made
		}
		syncs := map[string]int{}
		for _, p := range all {
			var me string
			var n int
			line := p.line()
			if _, err := fmt.Sscanf(line, "did %s %d", &me, &n); err != nil {
				t.Fatal(line)
			}
			syncs[me] = n
		}
		t.Logf("%d processes, %d rounds each: %v", len(all), rounds, time.Since(begun))

		s := open(t, place, state.Options{})
		kv, err := s.Settings(t.Context(), "t", "shared.example")
		if err != nil {
			t.Fatal(err)
		}
		ds, err := s.Decisions(t.Context(), "t", "shared.example")
		if err != nil || len(ds) != len(all)*rounds {
			t.Errorf("%d decisions, want %d, %v", len(ds), len(all)*rounds, err)
		}
		connections, err := s.Connections(t.Context())
		if err != nil || len(connections) != len(all) {
			t.Errorf("%d connections, %v", len(connections), err)
		}
		runs, err := s.Runs(t.Context(), state.RunFilter{Tenant: "t"})
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]int{}
		for i, r := range runs {
			if r.No != int64(len(runs)-i) {
				t.Fatalf("run %d stands at place %d of %d", r.No, len(runs)-i, len(runs))
			}
			if r.State != state.Done {
				t.Errorf("run %d is %s", r.No, r.State)
			}
			if r.Kind == state.DryRun {
				if plan, err := s.Plan(t.Context(), r.No); err != nil || !strings.HasPrefix(string(plan), r.By) {
					t.Errorf("plan of run %d: %v", r.No, err)
				}
				continue
			}
			got[r.By]++
			rows, err := s.Journal(t.Context(), r.No)
			if err != nil || len(rows) != 20 || rows[19].State != state.Written {
				t.Errorf("journal of run %d: %d rows, %v", r.No, len(rows), err)
			}
		}
		for me, n := range syncs {
			if got[me] != n || kv[me] != fmt.Sprint(rounds-1) {
				t.Errorf("%s: %d syncs, did %d; setting %s", me, got[me], n, kv[me])
			}
		}
	})
}

// TestOpen_ManyProcessesUpgradeOneStateAtOnce lets processes of today open a state
// that an older program made.
func TestOpen_ManyProcessesUpgradeOneStateAtOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		kind := "postgres"
		if strings.HasPrefix(place, "sqlite") {
			kind = "sqlite"
			if err := os.MkdirAll(filepath.Dir(fileOf(t, place)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		text, err := os.ReadFile("../run/testdata/released/state-1." + kind + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		old := sqlOn(t, place)
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if strings.TrimSpace(statement) == "" {
				continue
			}
			if _, err := old.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		var all []*process
		for range 5 {
			all = append(all, start(t, "open", place, 0))
		}
		for _, p := range all {
			if got := p.line(); got != "ready" {
				t.Fatal(got)
			}
		}
		for _, p := range all {
			p.say("go")
		}
		numbers := map[string]bool{}
		for _, p := range all {
			got := p.line()
			if !strings.HasSuffix(got, " <nil>") {
				t.Error(got)
			}
			numbers[got] = true
		}
		if len(numbers) != len(all) || !numbers["opened 5 <nil>"] || !numbers["opened 9 <nil>"] {
			t.Errorf("run numbers: %v", numbers)
		}
		var steps, versions int
		err = old.QueryRowContext(t.Context(), `SELECT COUNT(*), COUNT(DISTINCT version) FROM hacsync_schema`).Scan(&steps, &versions)
		if err != nil || steps < 2 || steps != versions {
			t.Errorf("%d steps to %d versions, %v", steps, versions, err)
		}
	})
}
