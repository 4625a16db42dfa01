package state

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
)

// KeptForUndo is how long a sync and its journal are kept, whatever retention is
// set: every sync can be undone for 30 days. A day more than the recycle bin of the
// tenant does no harm.
const KeptForUndo = 31 * 24 * time.Hour

// keptRunning is how long a dry run that seems to be under way is left alone.
const keptRunning = 24 * time.Hour

// Pruning sets what may be removed.
type Pruning struct {
	// Runs is the age at which a run is removed, with its plan and journal. Syncs
	// and undos stay for KeptForUndo in any case.
	Runs time.Duration
	// Plans is the age at which the plan of a dry run is removed; the run stays in
	// the sync log. 0 is the same as Runs.
	Plans time.Duration
}

// Pruned counts what was removed.
type Pruned struct {
	Runs  int `json:"runs"`
	Plans int `json:"plans"` // of runs that stayed
	Rows  int `json:"rows"`  // of journals
}

// pruneBatch is how many runs one transaction removes: other processes want to
// write too.
const pruneBatch = 20

// Prune removes old runs with their plans and journals, and old plans of dry runs.
// It never removes a run that can be resumed or undone, the newest run of each kind
// of a domain, its newest dry run with a plan, a decision, or the record that a
// raise of the guard was used. If it is interrupted, the next call goes on.
func (s *Store) Prune(ctx context.Context, p Pruning) (Pruned, error) {
	var done Pruned
	now := s.clock.Now()
	if p.Plans <= 0 {
		p.Plans = p.Runs
	}
	var runs, plans []int64
	err := s.read(ctx, "look for old runs", func(tx *sql.Tx) error {
		newest, err := column[int64](ctx, tx, `SELECT MAX(no) FROM run GROUP BY tenant, domain, kind
			UNION SELECT MAX(run.no) FROM run JOIN plan ON plan.run = run.no
			WHERE run.kind = 'dry-run' AND run.state = 'done' GROUP BY run.tenant, run.domain`)
		if err != nil {
			return err
		}
		keep := make(map[int64]bool, len(newest))
		for _, no := range newest {
			keep[no] = true
		}
		kept := func(no int64) bool { return keep[no] }
		dry, sync := max(p.Runs, keptRunning), max(p.Runs, KeptForUndo)
		runs, err = column[int64](ctx, tx, `SELECT no FROM run
			WHERE kind = 'dry-run' AND started < $1
			OR kind <> 'dry-run' AND started < $2 AND ended > 0 AND ended < $2 AND state NOT IN ('running', 'stopped')
			ORDER BY no`, nanos(now.Add(-dry)), nanos(now.Add(-sync)))
		if err != nil {
			return err
		}
		runs = slices.DeleteFunc(runs, kept)
		plans, err = column[int64](ctx, tx, `SELECT plan.run FROM plan JOIN run ON run.no = plan.run
			WHERE run.kind = 'dry-run' AND plan.saved < $1 ORDER BY plan.run`, nanos(now.Add(-max(p.Plans, keptRunning))))
		plans = slices.DeleteFunc(plans, kept)
		return err
	})
	if err != nil {
		return done, err
	}
	plans = slices.DeleteFunc(plans, func(no int64) bool {
		_, goes := slices.BinarySearch(runs, no)
		return goes
	})
	for nos := range slices.Chunk(plans, pruneBatch) {
		err := s.write(ctx, "remove old plans", func(tx *sql.Tx) error { return removePlans(ctx, tx, nos) })
		if err != nil {
			return done, err
		}
		done.Plans += len(nos)
	}
	for nos := range slices.Chunk(runs, pruneBatch) {
		rows, err := s.removeRuns(ctx, nos)
		if err != nil {
			return done, err
		}
		done.Runs += len(nos)
		done.Rows += rows
	}
	s.log.InfoContext(ctx, "old runs removed", "runs", done.Runs, "plans", done.Plans, "rows", done.Rows)
	return done, nil
}

// amongThem returns a condition for a few numbers that the state made itself.
func amongThem(column string, nos []int64) string {
	return column + " IN (" + strings.Trim(strings.ReplaceAll(fmt.Sprint(nos), " ", ", "), "[]") + ")"
}

// removePlans removes plans and their lessons.
func removePlans(ctx context.Context, tx *sql.Tx, nos []int64) error {
	for _, table := range []string{"plan_piece", "plan", "lesson_piece", "lesson"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE `+amongThem("run", nos)); err != nil {
			return err
		}
	}
	return nil
}

// removeRuns removes runs with all that belongs to them. What they did to accounts
// stays known, see Touched. It returns the number of journal rows removed.
func (s *Store) removeRuns(ctx context.Context, nos []int64) (int, error) {
	gone := int64(0)
	err := s.write(ctx, "remove old runs", func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM journal WHERE `+amongThem("run", nos))
		if err != nil {
			return err
		}
		if gone, err = r.RowsAffected(); err != nil {
			return err
		}
		if err := removePlans(ctx, tx, nos); err != nil {
			return err
		}
		for _, table := range []string{"learnt", "taught"} { // none of them can be undone any more
			if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE `+amongThem("run", nos)); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM run WHERE `+amongThem("no", nos))
		return err
	})
	return int(gone), err
}
