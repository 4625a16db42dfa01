package run_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/run"
	"github.com/hacsync/hacsync/sync/state"
)

func summed(t *testing.T, s run.Summary) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestLogged_TookIsOneNumberForEveryLayout(t *testing.T) {
	began := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		r    state.Run
		want time.Duration
	}{
		"a resumed run: its last part, not the days between": {
			state.Run{Kind: state.Sync, Started: began, Ended: began.Add(48 * time.Hour), Summary: summed(t, run.Summary{Took: time.Minute})}, time.Minute,
		},
		"not stored":         {state.Run{Kind: state.Sync, Started: began, Ended: began.Add(3 * time.Second)}, 3 * time.Second},
		"under way":          {state.Run{Kind: state.DryRun, Started: began}, 0},
		"summary unreadable": {state.Run{Kind: state.Undo, Started: began, Ended: began.Add(time.Second), Summary: json.RawMessage(`[`)}, time.Second},
	} {
		if got := run.LogOf(c.r); got.Took != c.want || got.Writes != (c.r.Kind != state.DryRun) {
			t.Errorf("%s: took %v, writes %v; want %v", name, got.Took, got.Writes, c.want)
		}
	}
}

func TestLogged_CauseIsTheRunsOwnElseTheMostFrequentOfItsRows(t *testing.T) {
	causes := map[problem.Code]int{problem.RowNotTried: 2, problem.RowConflict: 5, problem.ConflictUPN: 5}
	first := min(problem.RowConflict, problem.ConflictUPN)
	l := run.LogOf(state.Run{Kind: state.Sync, Summary: summed(t, run.Summary{Causes: causes})})
	if l.Cause != first || l.CauseRows != 5 {
		t.Errorf("cause %s of %d rows, want %s of 5", l.Cause, l.CauseRows, first)
	}
	own := problem.New(problem.ClaimLost, nil).Store()
	l = run.LogOf(state.Run{Kind: state.Sync, Summary: summed(t, run.Summary{Causes: causes, Problem: own})})
	if l.Cause != problem.ClaimLost || l.CauseRows != 0 {
		t.Errorf("cause %s of %d rows, want the run's own", l.Cause, l.CauseRows)
	}
	if l = run.LogOf(state.Run{Kind: state.Sync}); l.Cause != "" {
		t.Errorf("cause %s of a run without one", l.Cause)
	}
}

// held answers whether the claims of a test are held.
type held bool

func (h held) Alive(context.Context, string, string) (string, bool, error) {
	return "worker-1", bool(h), nil
}

func TestLogged_ARunWithoutALiveProcessIsInterrupted(t *testing.T) {
	now := time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		kind  state.RunKind
		state state.RunState
		age   time.Duration
		alive held
		want  state.RunState
	}{
		{state.Sync, state.Running, time.Minute, true, state.Running},
		{state.Sync, state.Running, time.Minute, false, run.Interrupted},
		{state.Undo, state.Running, time.Minute, false, run.Interrupted},
		{state.Sync, state.Stopped, time.Minute, false, state.Stopped},
		{state.DryRun, state.Running, 12 * time.Hour, false, state.Running}, // it takes no claim
		{state.DryRun, state.Running, 12*time.Hour + 1, true, run.Interrupted},
	} {
		got, err := run.Judged(t.Context(), c.alive, now, state.Run{Kind: c.kind, State: c.state, Started: now.Add(-c.age)})
		if err != nil || got.State != c.want {
			t.Errorf("%s, %s for %v, claim held %v: %s, %v; want %s", c.kind, c.state, c.age, c.alive, got.State, err, c.want)
		}
	}
}
