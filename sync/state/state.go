// Package state keeps what outlives a process: connections, settings, decisions,
// runs with their plans, the journal, claims. It is a SQLite file or a PostgreSQL
// database, with one SQL text for both.
//
// Start with Open. A Store reads and writes everything but the journal. That is
// written through a Claim, the right to write to one tenant's domain, so that a
// process that lost the right cannot write a line more. Every method is one
// transaction: it happens whole or not at all. Errors that a user can meet are
// problems of family 5.
package state

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hacsync/hacsync/sync/clock"
)

// Store is an open state. It is safe for concurrent use.
type Store struct {
	db      *sql.DB
	dialect dialect
	where   location
	log     *slog.Logger
	clock   clock.Clock
	pace    pace
	lockDir string
	machine string
	// writing lets one goroutine of this process write a SQLite file at a
	// time: SQLite itself makes the others sleep and poll. A channel, because a
	// context can end the wait.
	writing chan struct{}
	// watched records since when another holder's lease has been unchanged.
	watchedMu sync.Mutex
	watched   map[string]watch
	claims    sync.Map // of *Claim, those not released
}

// Options are what Open sets to their defaults.
type Options struct {
	// Log gets what support needs; nil discards it.
	Log *slog.Logger
	// Clock is the clock by which claims wait, and the time of rows whose times
	// callers leave zero; nil is the real one. The clocks of processes that share a
	// state must run at the same speed, so it stays real outside of tests.
	Clock clock.Clock
	// TTL is how long a holder may be silent before another takes its claim; 0 is
	// 60 s. Beat is how often a holder beats; 0 is a twelfth of TTL. Fresh is how
	// young the last beat must be for Held; 0 is a quarter of TTL. All processes
	// that share a state must have the same values.
	TTL, Beat, Fresh time.Duration
	// LockDir is the folder of the lock files, which prove that a holder is dead;
	// empty is the folder of a SQLite file, or the user's cache directory for
	// PostgreSQL.
	LockDir string
	// Absence is how long the holder of a claim waits for a server that does not
	// answer before it gives up; 0 is 2 minutes.
	Absence time.Duration
}

// pace are the times of claims.
type pace struct{ ttl, beat, fresh, patience, absence time.Duration }

// Open opens the state at url (sqlite:///absolute/path or postgres://…), creates it
// if it does not exist, and migrates it under a lock. A newer schema than this
// program's is a problem. Files are made with mode 0600.
func Open(ctx context.Context, url string, log *slog.Logger) (*Store, error) {
	return OpenWith(ctx, url, Options{Log: log})
}

// OpenWith is Open with options other than the defaults.
func OpenWith(ctx context.Context, url string, o Options) (*Store, error) {
	where, err := locate(url)
	if err != nil {
		return nil, err
	}
	s := &Store{
		where: where, log: o.Log, clock: o.Clock, lockDir: o.LockDir,
		machine: machineID(),
		pace:    pace{ttl: o.TTL, beat: o.Beat, fresh: o.Fresh, absence: o.Absence},
		watched: map[string]watch{},
	}
	s.defaults()
	if where.path != "" {
		err = s.openFile(ctx)
	} else {
		err = s.openServer(ctx)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		if s.db != nil {
			_ = s.db.Close()
		}
		return nil, s.explain(ctx, "open the state", err)
	}
	return s, nil
}

func (s *Store) defaults() {
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.clock == nil {
		s.clock = clock.Real()
	}
	s.pace.patience = patience
	if s.pace.absence <= 0 {
		s.pace.absence = absence
	}
	if s.pace.ttl <= 0 {
		s.pace.ttl = 60 * time.Second
	}
	if s.pace.beat <= 0 {
		s.pace.beat = s.pace.ttl / 12
	}
	if s.pace.fresh <= 0 {
		s.pace.fresh = s.pace.ttl / 4
	}
}

// openFile makes the SQLite file if it does not exist, readable for its owner
// alone; SQLite gives its -wal and -shm files the same mode.
func (s *Store) openFile(ctx context.Context) error {
	s.dialect = sqliteDialect()
	s.writing = make(chan struct{}, 1)
	if s.lockDir == "" {
		s.lockDir = s.where.path + ".locks"
	}
	if err := os.MkdirAll(filepath.Dir(s.where.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.where.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.db, err = openSQLite(s.where.path); err != nil {
		return err
	}
	return s.patiently(ctx, func() error { return walMode(ctx, s.db) })
}

func (s *Store) openServer(ctx context.Context) error {
	s.dialect = postgresDialect()
	if s.lockDir == "" {
		// Without a cache directory claims work, but a dead holder is recognised
		// only by its silence.
		if dir, err := os.UserCacheDir(); err == nil {
			s.lockDir = filepath.Join(dir, "hacsync", "claims")
		}
	}
	db, wait, err := openPostgres(s.where.postgres)
	if err != nil {
		return err
	}
	s.db = db
	// A server that is frozen, or a proxy before one that is gone, accepts the
	// connection and never answers.
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	return s.db.PingContext(ctx)
}

// Close releases the database. A claim that was not released is abandoned, as by
// the end of the process: its lease stays until another process sees that its
// holder is gone.
func (s *Store) Close() error {
	s.claims.Range(func(c, _ any) bool {
		c.(*Claim).abandon()
		return true
	})
	return s.db.Close()
}

// URL returns where the state is, without a password.
func (s *Store) URL() string { return s.where.shown }

// patience is how long a statement waits for other processes that write. It is real
// time, which the other processes share.
const patience = 15 * time.Second

// patiently repeats what failed only because another process was writing.
func (s *Store) patiently(ctx context.Context, f func() error) error {
	start := time.Now()
	for {
		err := f()
		if err == nil || !busy(err) || time.Since(start) > s.pace.patience {
			return err
		}
		if err := clock.Real().Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
}

// write runs f in a transaction that takes the write lock at its beginning. f may
// run more than once: if another process wrote first, nothing of f has taken
// effect.
func (s *Store) write(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	if s.writing != nil {
		select {
		case s.writing <- struct{}{}:
			defer func() { <-s.writing }()
		case <-ctx.Done():
			return s.explain(ctx, doing, ctx.Err())
		}
	}
	err := s.patiently(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		if s.dialect.begin != "" {
			if _, err := tx.ExecContext(ctx, s.dialect.begin); err != nil {
				return err
			}
		}
		if err := f(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
	return s.explain(ctx, doing, err)
}

// read runs f in a transaction that sees one moment of the state.
func (s *Store) read(ctx context.Context, doing string, f func(*sql.Tx) error) error {
	err := s.patiently(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true, Isolation: s.snapshot()})
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }()
		return f(tx)
	})
	return s.explain(ctx, doing, err)
}

// snapshot returns the isolation level in which all statements of a read see one
// moment; SQLite's readers always do.
func (s *Store) snapshot() sql.IsolationLevel {
	if s.dialect.sqlite {
		return sql.LevelDefault
	}
	return sql.LevelRepeatableRead
}

// one reports whether a statement changed a row.
func one(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}

func none(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// nanos returns a time as it is stored: nanoseconds since 1970, 0 for the zero
// time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

// moment returns a stored time.
func moment(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// clean returns a text that both databases can store: PostgreSQL refuses bytes that
// are not UTF-8, and NUL.
func clean(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
