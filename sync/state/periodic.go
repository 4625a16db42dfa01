package state

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/hacsync/hacsync/sync/problem"
)

// PeriodicState is whether workers synchronise a domain.
type PeriodicState string

// The states of periodic sync.
const (
	Enabled  PeriodicState = "enabled"
	Paused   PeriodicState = "paused"   // by a user or an undo; every setting is kept
	Held     PeriodicState = "stopped"  // by its own failures, until a user releases it
	Disabled PeriodicState = "disabled" // by a user
)

// Periodic is the periodic sync of one domain, without a user. Its intervals are
// counted: Slot is how many are over, which is the number of the next one due.
type Periodic struct {
	Tenant     string        `json:"-"`
	Domain     string        `json:"-"`
	Connection string        `json:"-"`
	State      PeriodicState `json:"-"`
	// Due is when interval Slot begins.
	Due  time.Time `json:"-"`
	Slot int64     `json:"-"`
	// Version counts the writes; 0 means not stored yet.
	Version int64 `json:"-"`

	Every  time.Duration `json:"every"`
	Jitter time.Duration `json:"jitter"` // the time over which domains are spread
	// Since is when State began, By who set it: a user, or empty for the workers
	// themselves. Reason is in that user's words.
	Since  time.Time `json:"since"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	// Until is the end of a pause; zero is a pause without one.
	Until time.Time `json:"until,omitzero"`
	// Why is the problem that stopped or paused it, if no user did.
	Why *problem.Stored `json:"why,omitempty"`
	// Turn is the interval under way; it outlives the worker that began it.
	Turn *Turn `json:"turn,omitempty"`
	// Failures and Cancels are how many intervals in a row failed, or were
	// cancelled by the guard.
	Failures int `json:"failures,omitempty"`
	Cancels  int `json:"cancels,omitempty"`
	// Anew: no interval has ended since a user enabled or released the domain, or
	// since a pause was over.
	Anew bool `json:"anew,omitempty"`
	// Skipped counts the intervals since it was enabled that began and ended while
	// another was under way or no worker ran. Passed counts those in which a user's
	// sync of the domain was under way.
	Skipped int64 `json:"skipped,omitempty"`
	Passed  int64 `json:"passed,omitempty"`
	// Last is the latest interval, LastGood the latest that did all or some of its
	// work.
	Last     *Interval `json:"last,omitempty"`
	LastGood *Interval `json:"last_good,omitempty"`
}

// Turn is an interval under way.
type Turn struct {
	Worker string    `json:"worker"`
	Since  time.Time `json:"since"`
	// After is the newest run of the domain when the interval began: every later
	// unattended run belongs to the interval.
	After int64 `json:"after"`
	// Taken counts the workers that took the interval up; above 1, one of them died
	// or stopped in it.
	Taken int `json:"taken"`
}

// Interval is one that is over.
type Interval struct {
	Slot    int64     `json:"slot"`
	Due     time.Time `json:"due"`
	Worker  string    `json:"worker"`
	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"`
	// Outcome is one of the outcomes that sync/periodic defines.
	Outcome string `json:"outcome"`
	// DryRun and Sync are its runs, 0 for none.
	DryRun int64 `json:"dry_run,omitempty"`
	Sync   int64 `json:"sync,omitempty"`
	// The numbers of the dry run, and of its sync.
	Add     int `json:"add,omitempty"`
	Update  int `json:"update,omitempty"`
	Rename  int `json:"rename,omitempty"`
	Restore int `json:"restore,omitempty"`
	Delete  int `json:"delete,omitempty"`
	Skips   int `json:"skips,omitempty"`
	Seen    int `json:"seen,omitempty"`
	Failed  int `json:"failed,omitempty"`
	// Why is the problem of the interval.
	Why *problem.Stored `json:"why,omitempty"`
}

// Changes returns the number of rows that the dry run would have written.
func (i Interval) Changes() int { return i.Add + i.Update + i.Rename + i.Restore + i.Delete }

const periodicColumns = `tenant, domain, connection, state, due, slot, version, data`

func (s *Store) scanPeriodic(scan func(...any) error) (Periodic, error) {
	var p Periodic
	var tenant, domain, connection, word, data string
	var due, slot, version int64
	if err := scan(&tenant, &domain, &connection, &word, &due, &slot, &version, &data); err != nil {
		return p, err
	}
	if err := json.Unmarshal([]byte(data), &p); err != nil {
		return p, problem.Wrap(fmt.Errorf("periodic sync of %s: %w", domain, err), problem.StateDamaged,
			problem.Args{"state": s.URL()})
	}
	p.Tenant, p.Domain, p.Connection, p.State = tenant, domain, connection, PeriodicState(word)
	p.Due, p.Slot, p.Version = moment(due), slot, version
	return p, nil
}

// Periodic returns the periodic sync of a domain; is is false if it was never
// enabled.
func (s *Store) Periodic(ctx context.Context, tenant, domain string) (p Periodic, is bool, err error) {
	err = s.read(ctx, "read periodic sync", func(tx *sql.Tx) error {
		var err error
		p, is, err = s.periodic(ctx, tx, tenant, domain)
		return err
	})
	return p, is, err
}

func (s *Store) periodic(ctx context.Context, q queryer, tenant, domain string) (Periodic, bool, error) {
	p, err := s.scanPeriodic(q.QueryRowContext(ctx, `SELECT `+periodicColumns+` FROM periodic
		WHERE tenant = $1 AND domain = $2`, clean(tenant), fold(domain)).Scan)
	if none(err) {
		return Periodic{}, false, nil
	}
	return p, err == nil, err
}

// PeriodicFilter selects domains; zero fields select all.
type PeriodicFilter struct {
	Tenant, Connection string
	State              PeriodicState
	DueBy              time.Time // due at or before this time
}

// Periodics returns those that the filter selects, in order of their due times.
func (s *Store) Periodics(ctx context.Context, f PeriodicFilter) ([]Periodic, error) {
	var where []string
	var args []any
	add := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf("%s $%d", condition, len(args)))
	}
	if f.Tenant != "" {
		add("tenant =", clean(f.Tenant))
	}
	if f.Connection != "" {
		add("connection =", clean(f.Connection))
	}
	if f.State != "" {
		add("state =", string(f.State))
	}
	if !f.DueBy.IsZero() {
		add("due <=", nanos(f.DueBy))
	}
	query := `SELECT ` + periodicColumns + ` FROM periodic`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	var all []Periodic
	err := s.read(ctx, "list periodic syncs", func(tx *sql.Tx) error {
		var err error
		all, err = rows(ctx, tx, s.scanPeriodic, query+` ORDER BY due, tenant, domain`, args...)
		return err
	})
	return all, err
}

// SavePeriodic stores p if its version is still the one read (0: the domain has
// none yet), and returns it with its new version. Otherwise it returns ErrStale.
func (s *Store) SavePeriodic(ctx context.Context, p Periodic) (Periodic, error) {
	err := s.write(ctx, "store periodic sync", func(tx *sql.Tx) error {
		return savePeriodic(ctx, tx, p)
	})
	p.Version++
	return p, err
}

func savePeriodic(ctx context.Context, tx *sql.Tx, p Periodic) error {
	data, err := json.Marshal(p)
	if err != nil {
		return err
	}
	args := []any{
		clean(p.Tenant), fold(p.Domain), clean(p.Connection), string(p.State), nanos(p.Due), p.Slot, p.Version + 1,
		clean(string(data)),
	}
	var saved bool
	if p.Version == 0 {
		saved, err = one(tx.ExecContext(ctx, `INSERT INTO periodic (`+periodicColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (tenant, domain) DO NOTHING`, args...))
	} else {
		saved, err = one(tx.ExecContext(ctx, `UPDATE periodic
			SET connection = $3, state = $4, due = $5, slot = $6, version = $7, data = $8
			WHERE tenant = $1 AND domain = $2 AND version = $9`, append(args, p.Version)...))
	}
	if err == nil && !saved {
		return ErrStale
	}
	return err
}

// ChangePeriodic reads, changes and stores a domain's periodic sync, and repeats
// that if another process wrote meanwhile. If there is none, change gets a zero
// value with tenant and domain. An error of change is returned, and nothing is
// stored.
func (s *Store) ChangePeriodic(ctx context.Context, tenant, domain string, change func(*Periodic) error) (Periodic, error) {
	return s.changePeriodic(ctx, tenant, domain, change, func(f func(*sql.Tx) error) error {
		return s.write(ctx, "store periodic sync", f)
	})
}

// ChangePeriodic is Store.ChangePeriodic for the holder of an interval: it fails
// once the claim was lost.
func (c *Claim) ChangePeriodic(ctx context.Context, change func(*Periodic) error) (Periodic, error) {
	return c.store.changePeriodic(ctx, c.tenant, c.domain, change, func(f func(*sql.Tx) error) error {
		return c.fenced(ctx, "store an interval", f)
	})
}

func (s *Store) changePeriodic(
	ctx context.Context, tenant, domain string, change func(*Periodic) error, write func(func(*sql.Tx) error) error,
) (Periodic, error) {
	for {
		var p Periodic
		err := write(func(tx *sql.Tx) error {
			var is bool
			var err error
			if p, is, err = s.periodic(ctx, tx, tenant, domain); err != nil {
				return err
			}
			if !is {
				p = Periodic{Tenant: clean(tenant), Domain: fold(domain)}
			}
			if err := change(&p); err != nil {
				return err
			}
			return savePeriodic(ctx, tx, p)
		})
		if err == nil {
			p.Version++
			return p, nil
		}
		if !stale(err) || ctx.Err() != nil {
			return Periodic{}, err
		}
	}
}

// PausePeriodic pauses the periodic sync of a domain for a reason other than a
// user's wish, such as an undo, until a user ends the pause. A pause that would
// have ended by itself then no longer does. A sync that is neither enabled nor in
// such a pause stays as it is.
func (s *Store) PausePeriodic(ctx context.Context, tenant, domain, by string, why *problem.Problem) error {
	_, err := s.ChangePeriodic(ctx, tenant, domain, func(p *Periodic) error {
		if p.State != Enabled && !p.comesBack() {
			return errAsItIs
		}
		p.pause(s.clock.Now(), by, why)
		return nil
	})
	if asItIs(err) {
		return nil
	}
	return err
}

// comesBack reports whether it is paused and will be enabled without a user.
func (p *Periodic) comesBack() bool { return p.State == Paused && !p.Until.IsZero() }

// pause pauses it until a user ends the pause.
func (p *Periodic) pause(now time.Time, by string, why *problem.Problem) {
	p.State, p.Since, p.Until, p.By, p.Reason, p.Why = Paused, now, time.Time{}, clean(by), "", why.Store()
}
