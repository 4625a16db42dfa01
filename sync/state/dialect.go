package state

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
)

// dialect holds all differences between SQLite and PostgreSQL in this package. All
// other SQL is one text.
type dialect struct {
	sqlite bool
	// types replaces the names of column types in migrations.
	types *strings.Replacer
	// begin is run first in every write transaction; empty for nothing.
	begin string
	// migrate is run first in the migration's transaction, as its lock.
	migrate string
	// tables lists the tables in the place where those of hacsync belong.
	tables string
}

// A client that is frozen inside a transaction would keep the row of the claim
// locked for all others as long as it sleeps, so the server ends such a session.
// The setting is in the transaction and not in the session because poolers share
// sessions.
const endFrozenSessions = `SET LOCAL idle_in_transaction_session_timeout = '20s'`

// The number of the advisory lock is arbitrary. Only it must differ from those of
// other programs.
const lockMigrations = `SELECT pg_advisory_xact_lock(7214958063251)`

func sqliteDialect() dialect {
	return dialect{
		sqlite: true,
		types:  strings.NewReplacer("{bytes}", "BLOB"),
		// The lock is BEGIN IMMEDIATE itself (_txlock).
		tables: `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
	}
}

func postgresDialect() dialect {
	return dialect{
		types:   strings.NewReplacer("{bytes}", "BYTEA"),
		begin:   endFrozenSessions,
		migrate: lockMigrations,
		tables:  `SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()`,
	}
}

// openSQLite opens the pool on a file. WAL lets readers and one writer work at once
// and needs a single fsync a commit; with synchronous=FULL a committed transaction
// survives a power cut. Every transaction that is not marked as read-only takes the
// write lock at its beginning, so that it cannot fail half way.
func openSQLite(path string) (*sql.DB, error) {
	p := filepath.ToSlash(path)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	q := url.Values{}
	q.Set("_txlock", "immediate")
	// SQLite itself waits a second for another process's write; the rest of the
	// waiting is done in Go, where a context can end it.
	q.Set("_busy_timeout", "1000")
	q.Set("_synchronous", "FULL")
	q.Set("_dqs", "0")
	q.Set("_error_rc", "1")
	u := url.URL{Scheme: "file", Path: p, RawQuery: q.Encode()}
	dsn := u.String()
	if !strings.HasPrefix(dsn, "file://") {
		dsn = "file://" + strings.TrimPrefix(dsn, "file:")
	}
	db, err := sql.Open("sqlite", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(4)
	return db, nil
}

// openPostgres opens the pool on a database, and returns how long its servers have
// to answer the first question. pgx's own parse errors hide the password, but not
// in every malformed URL, so they are not passed on.
func openPostgres(connection string) (*sql.DB, time.Duration, error) {
	cfg, err := pgx.ParseConfig(connection)
	if err != nil {
		return nil, 0, errMalformed
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connecting
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = "hacsync"
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(4)
	db.SetConnMaxIdleTime(5 * time.Minute)
	wait := connecting
	for range 1 + len(cfg.Fallbacks) {
		wait += cfg.ConnectTimeout
	}
	return db, wait, nil
}

// connecting is how long a server has to take a connection, and then to answer
// the first question.
const connecting = 15 * time.Second

var errMalformed = errors.New("malformed connection string")

// walMode switches a file to WAL once; the file remembers it.
func walMode(ctx context.Context, db *sql.DB) error {
	var mode string
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if mode == "wal" {
		return nil
	}
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode = WAL`).Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" && mode != "memory" {
		return errNoWAL
	}
	return nil
}

var errNoWAL = errors.New("the file system does not support shared memory (WAL)")

// busy reports whether err means only that another process is writing.
func busy(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case sqliteBusyCode, sqliteLockedCode:
		return true
	}
	return false
}
