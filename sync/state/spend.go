package state

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Quota is how many requests of a kind are allowed in any window of time, over all
// processes that share the state.
type Quota struct {
	Name   string
	Limit  int64
	Window time.Duration
}

// windowParts is into how many parts a window is cut. Two parts more than the
// window are counted: requests that are sent up to a part later than they were
// booked for still stay within the limit.
const windowParts = 20

// Slack is how much later than the booked time requests may be sent.
func (q Quota) Slack() time.Duration { return time.Duration(q.length()) }

// Book books n requests in every quota and returns the time from which they may be
// sent: now, or later if a quota is used up. A booking counts also for a later
// time, so that callers are served in turn; n above a limit counts as the limit.
//
// The clocks of the processes may differ: what others booked in the future counts
// as used.
func (s *Store) Book(ctx context.Context, quotas []Quota, n int64, now time.Time) (time.Time, error) {
	var at time.Time
	err := s.write(ctx, "book requests", func(tx *sql.Tx) error {
		at = now
		for _, q := range quotas {
			// One booking at a time, also on a server.
			if _, err := tx.ExecContext(ctx, `INSERT INTO spend (name, slice, used) VALUES ($1, -1, 1)
				ON CONFLICT (name, slice) DO UPDATE SET used = spend.used + 1`, clean(q.Name)); err != nil {
				return err
			}
		}
		// The first time at which every quota has room: each quota may only move it
		// later.
		used := make([]map[int64]int64, len(quotas))
		for i, q := range quotas {
			var err error
			if used[i], err = q.used(ctx, tx, now); err != nil {
				return err
			}
		}
		for settled := false; !settled; {
			settled = true
			for i, q := range quotas {
				if t := q.room(used[i], n, at); t.After(at) {
					at, settled = t, false
				}
			}
		}
		for _, q := range quotas {
			if _, err := tx.ExecContext(ctx, `INSERT INTO spend (name, slice, used) VALUES ($1, $2, $3)
				ON CONFLICT (name, slice) DO UPDATE SET used = spend.used + excluded.used`,
				clean(q.Name), q.slice(at), min(n, q.Limit)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM spend WHERE name = $1 AND slice >= 0 AND slice < $2`,
				clean(q.Name), q.slice(now)-3*windowParts); err != nil {
				return err
			}
		}
		return nil
	})
	return at, err
}

// Unbook returns what was booked for a time and not sent.
func (s *Store) Unbook(ctx context.Context, quotas []Quota, n int64, at time.Time) error {
	return s.write(ctx, "give bookings back", func(tx *sql.Tx) error {
		for _, q := range quotas {
			if _, err := tx.ExecContext(ctx, `UPDATE spend SET used = used - $1 WHERE name = $2 AND slice = $3 AND used >= $1`,
				min(n, q.Limit), clean(q.Name), q.slice(at)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (q Quota) length() int64 { return max(1, int64(q.Window)/windowParts) }

func (q Quota) slice(t time.Time) int64 { return max(0, t.UnixNano()) / q.length() }

func (q Quota) used(ctx context.Context, tx *sql.Tx, now time.Time) (map[int64]int64, error) {
	all, err := rows(ctx, tx, func(scan func(...any) error) (r [2]int64, err error) {
		err = scan(&r[0], &r[1])
		return r, err
	}, `SELECT slice, used FROM spend WHERE name = $1 AND slice >= $2`, clean(q.Name), max(0, q.slice(now)-windowParts-1))
	used := make(map[int64]int64, len(all))
	for _, r := range all {
		used[r[0]] = r[1]
	}
	return used, err
}

// room returns the first time from t on at which n requests fit: no window that
// holds this time has more than the limit with them.
func (q Quota) room(used map[int64]int64, n int64, t time.Time) time.Time {
	n = min(n, q.Limit)
	for at := q.slice(t); ; at++ {
		fits := true
		for first := at - windowParts - 1; first <= at && fits; first++ {
			sum := n
			for i := first; i <= first+windowParts+1; i++ {
				sum += used[i]
			}
			fits = sum <= q.Limit
		}
		if !fits {
			continue
		}
		if begins := time.Unix(0, at*q.length()); begins.After(t) {
			return begins.In(t.Location())
		}
		return t
	}
}

// Booked returns how many bookings were ever made in a quota.
func (s *Store) Booked(ctx context.Context, name string) (n int64, err error) {
	err = s.read(ctx, "count bookings", func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT used FROM spend WHERE name = $1 AND slice = -1`, clean(name)).Scan(&n)
		if none(err) {
			n = 0
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("quota %s: %w", name, err)
	}
	return n, nil
}
