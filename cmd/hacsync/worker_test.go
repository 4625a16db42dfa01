package main

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/hacsync/hacsync/sync/state"
)

// A worker on a machine whose clock has jumped prunes nothing: by that clock all
// that guard and undo need is old.
func TestPrune_NotByAClockThatJumped(t *testing.T) {
	store, err := state.Open(t.Context(), state.FileURL(filepath.Join(t.TempDir(), "s.db")), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	enter := func(kind state.RunKind, ago time.Duration) {
		t.Helper()
		at := time.Now().Add(-ago)
		if _, err := store.BeginRun(t.Context(), state.Run{
			Kind: kind, Tenant: "t", Domain: "a.example", State: state.Done, Started: at, Ended: at,
		}); err != nil {
			t.Fatal(err)
		}
	}
	const day = 24 * time.Hour
	// The state's clock is that of this machine: all of it is a year old by it.
	for _, ago := range []time.Duration{367 * day, 366 * day, 365 * day} {
		enter(state.Sync, ago)
		enter(state.DryRun, ago)
	}
	if got, err := prune(t.Context(), store, time.Now()); err != nil || got.Runs != 0 {
		t.Fatalf("%+v %v", got, err)
	}
	enter(state.DryRun, time.Hour) // the clock is right
	if got, err := prune(t.Context(), store, time.Now()); err != nil || got.Runs != 5 {
		t.Errorf("%+v %v", got, err)
	}
}
