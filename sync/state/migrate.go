package state

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migration is one numbered step of the schema, never changed once released.
type migration struct {
	version    int64
	statements []string
	// then does what no statement can; nil for nothing.
	then func(*Store, context.Context, *sql.Tx) error
}

// touchedVersion makes the table of touched accounts.
const touchedVersion = 4

// migrations reads the embedded steps in order; they are numbered from 1
// without gaps.
func migrations(types *strings.Replacer) ([]migration, error) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	all := make([]migration, 0, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			return nil, err
		}
		number, _, _ := strings.Cut(strings.TrimPrefix(name, "migrations/"), "_")
		if v, err := strconv.Atoi(number); err != nil || v != i+1 {
			return nil, fmt.Errorf("migration %s is not number %d", name, i+1)
		}
		m := migration{version: int64(i + 1)}
		if m.version == touchedVersion {
			m.then = (*Store).fillTouched
		}
		for s := range strings.SplitSeq(types.Replace(string(text)), ";\n") {
			if s = strings.TrimSpace(s); s != "" {
				m.statements = append(m.statements, s)
			}
		}
		all = append(all, m)
	}
	return all, nil
}

// migrate brings the schema to the version of this program. Two processes that open
// a new state at once both succeed: the second finds it done.
func (s *Store) migrate(ctx context.Context) error {
	steps, err := migrations(s.dialect.types)
	if err != nil {
		return err
	}
	latest := steps[len(steps)-1].version
	// Mostly there is nothing to do, and finding that out needs no lock.
	if v, err := schemaVersion(ctx, s.db); err == nil && v == latest {
		return nil
	}
	return s.write(ctx, "migrate the state", func(tx *sql.Tx) error {
		if s.dialect.migrate != "" {
			if _, err := tx.ExecContext(ctx, s.dialect.migrate); err != nil {
				return err
			}
		}
		tables, err := column[string](ctx, tx, s.dialect.tables)
		if err != nil {
			return err
		}
		var have int64
		if slices.Contains(tables, "hacsync_schema") {
			if have, err = schemaVersion(ctx, tx); err != nil {
				return err
			}
		} else {
			if s.foreign(tables, steps) {
				return problem.New(problem.StateForeign, problem.Args{"state": s.URL()})
			}
			if _, err := tx.ExecContext(ctx, `CREATE TABLE hacsync_schema (
				version BIGINT NOT NULL PRIMARY KEY, applied BIGINT NOT NULL)`); err != nil {
				return err
			}
		}
		if have > latest {
			return problem.New(problem.StateNewer, problem.Args{
				"state": s.URL(), "have": strconv.FormatInt(have, 10), "want": strconv.FormatInt(latest, 10),
			})
		}
		for _, m := range steps[have:] {
			for _, statement := range m.statements {
				if _, err := tx.ExecContext(ctx, statement); err != nil {
					return fmt.Errorf("migration %d: %w", m.version, err)
				}
			}
			if m.then != nil {
				if err := m.then(s, ctx, tx); err != nil {
					return fmt.Errorf("migration %d: %w", m.version, err)
				}
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO hacsync_schema (version, applied) VALUES ($1, $2)`,
				m.version, nanos(s.clock.Now())); err != nil {
				return err
			}
			s.log.DebugContext(ctx, "state migrated", "state", s.URL(), "version", m.version)
		}
		return nil
	})
}

// foreign reports whether the tables in a place without hacsync's schema belong to
// another program. A SQLite file belongs to hacsync alone; a PostgreSQL schema may be
// shared, as long as no name collides.
func (s *Store) foreign(tables []string, steps []migration) bool {
	if s.dialect.sqlite {
		return len(tables) > 0
	}
	ours := ourTables(steps)
	return slices.ContainsFunc(tables, func(t string) bool { return slices.Contains(ours, t) })
}

// ourTables returns the names of all tables that migrations make, in their order.
func ourTables(steps []migration) []string {
	var names []string
	for _, m := range steps {
		for _, statement := range m.statements {
			for line := range strings.Lines(statement) { // comments may come before it
				if rest, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
					name, _, _ := strings.Cut(rest, " ")
					names = append(names, name)
				}
			}
		}
	}
	return names
}

type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func schemaVersion(ctx context.Context, q queryer) (int64, error) {
	var v int64
	err := q.QueryRowContext(ctx, `SELECT COALESCE(MAX(version), 0) FROM hacsync_schema`).Scan(&v)
	return v, err
}

// column reads all rows of a query of one column.
func column[T any](ctx context.Context, q queryer, query string, args ...any) ([]T, error) {
	return rows(ctx, q, func(scan func(...any) error) (T, error) {
		var v T
		err := scan(&v)
		return v, err
	}, query, args...)
}

// rows reads a query to its end before anything else uses the pool.
func rows[T any](ctx context.Context, q queryer, read func(scan func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	r, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []T
	for r.Next() {
		v, err := read(r.Scan)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, r.Err()
}
