package run

import (
	"context"
	"strconv"
	"time"

	"github.com/hacsync/hacsync/sync/input"
	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
)

// Retention is how long a state keeps what it no longer needs. It holds for all
// connections of the state, which share the sync log.
type Retention struct {
	// Runs is the age at which a run leaves the sync log, with its journal; syncs
	// stay for as long as they can be undone, at least 31 days.
	Runs time.Duration
	// Plans is the age at which the plan of a dry run goes; its counts stay.
	Plans time.Duration
}

// DefaultRetention holds until another is set: what an undo needs, and as much again
// to look back.
func DefaultRetention() Retention {
	return Retention{Runs: 90 * day, Plans: 7 * day}
}

// The keys of the state's own settings, which belong to no tenant.
const (
	keyKeepRuns  = "keep_runs"
	keyKeepPlans = "keep_plans"
)

// ParseAge reads an age such as 90d, 12 weeks, 36h or 90日; at least a day.
func ParseAge(text string) (time.Duration, error) {
	d, ok := input.Length(text)
	if !ok || d < day || d > 100_000*day || d%time.Hour != 0 {
		return 0, settingValue("age", input.Fold(text), "age")
	}
	return d, nil
}

// Age writes an age as ParseAge reads it.
func Age(d time.Duration) string {
	if d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	return strconv.Itoa(int(d/time.Hour)) + "h"
}

// StoredRetention is that of a state.
func StoredRetention(ctx context.Context, s *state.Store) (Retention, error) {
	r := DefaultRetention()
	kv, err := s.Settings(ctx, "", "")
	if err != nil {
		return r, err
	}
	for key, field := range map[string]*time.Duration{keyKeepRuns: &r.Runs, keyKeepPlans: &r.Plans} {
		if kv[key] == "" {
			continue
		}
		if *field, err = ParseAge(kv[key]); err != nil {
			return r, problem.Wrap(err, problem.SettingValue, problem.Args{"key": key, "value": kv[key], "takes": "age"})
		}
	}
	return r, nil
}

// SetRetention stores it; a zero age goes back to the default.
func SetRetention(ctx context.Context, s *state.Store, r Retention) error {
	kv := map[string]string{keyKeepRuns: "", keyKeepPlans: ""}
	if r.Runs > 0 {
		kv[keyKeepRuns] = Age(r.Runs)
	}
	if r.Plans > 0 {
		kv[keyKeepPlans] = Age(r.Plans)
	}
	return s.SetSettings(ctx, "", "", kv)
}

// Prune removes from a state what is older than r, and nothing that a later plan,
// an undo or a resumption needs: see state.Prune. A worker calls it once a day
// with what StoredRetention gives.
func Prune(ctx context.Context, s *state.Store, r Retention) (state.Pruned, error) {
	return s.Prune(ctx, state.Pruning{Runs: r.Runs, Plans: min(r.Plans, r.Runs)})
}
