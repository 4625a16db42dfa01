package state

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/hacsync/hacsync/sync/problem"
)

// Backup writes a copy of the state to a new SQLite file at path, while other
// processes go on writing: it is the state of one moment. The copy is a complete
// state: to restore it, start with --state pointing at it. In it no claim is held
// and periodic syncs are paused: it lacks what was done since, and the original
// state may still be in use. Sealed rows stay sealed under the same key, which is
// not in the copy. An existing file is never replaced. A backup that fails leaves
// no file.
func (s *Store) Backup(ctx context.Context, path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return problem.Wrap(err, problem.BackupFailed, problem.Args{"file": path})
	}
	if _, err := os.Lstat(path); err == nil {
		return problem.New(problem.BackupExists, problem.Args{"file": path})
	}
	// A reader of path finds all of it or nothing.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".hacsync-backup-")
	if err != nil {
		return backupProblem(err, path, "")
	}
	defer func() { _ = os.RemoveAll(dir) }()
	part := filepath.Join(dir, "state.db")
	if s.dialect.sqlite {
		err = s.vacuumInto(ctx, part)
	} else {
		err = s.copyToFile(ctx, part)
	}
	if err == nil {
		err = s.release(ctx, part)
	}
	if err == nil {
		err = moveNew(part, path)
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("back up the state: %w", context.Cause(ctx))
	case errors.Is(err, fs.ErrExist):
		return problem.New(problem.BackupExists, problem.Args{"file": path})
	}
	return backupProblem(err, path, part)
}

// backupProblem returns a problem of the state that is read as it is; every other
// error is about the file that is written.
func backupProblem(err error, path, part string) error {
	p := problem.Of(err)
	if p != nil && p.Args["state"] != FileURL(part) {
		return err
	}
	code := problem.BackupFailed
	if codeOf(err) == problem.StateFull || p != nil && p.Code == problem.StateFull {
		code = problem.BackupFull
	}
	return problem.Wrap(err, code, problem.Args{"file": path})
}

// vacuumInto lets SQLite write the copy: it reads one moment, as any reader does,
// and the copy has no unused pages.
func (s *Store) vacuumInto(ctx context.Context, path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // SQLite would give it the mode of the umask
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return s.patiently(ctx, func() error {
		_, err := s.db.ExecContext(ctx, `VACUUM INTO $1`, path)
		return err
	})
}

// release frees the claims in a copy, pauses its periodic syncs, and makes sure
// that all of it is on the disk.
func (s *Store) release(ctx context.Context, path string) error {
	db, err := openSQLite(path)
	if err != nil {
		return err
	}
	if err = s.atRest(ctx, db); err == nil {
		// One file that can be carried away; opening it as a state goes back to WAL.
		var mode string
		err = db.QueryRowContext(ctx, `PRAGMA journal_mode = DELETE`).Scan(&mode)
	}
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// atRest removes from a copy whatever would go on by itself.
func (s *Store) atRest(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	for _, statement := range []string{`UPDATE lease SET holder = ''`, `UPDATE seen SET restored = 1`} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	all, err := rows(ctx, tx, s.scanPeriodic, `SELECT `+periodicColumns+` FROM periodic`)
	if err != nil {
		return err
	}
	now := s.clock.Now().UTC()
	for _, p := range all {
		if p.State != Enabled && !p.comesBack() {
			continue
		}
		p.pause(now, "", problem.New(problem.PeriodicRestored, problem.Args{
			"domain": p.Domain, "made": problem.Moment(now),
		}))
		if err := savePeriodic(ctx, tx, p); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// moveNew renames a file, unless the new name exists.
func moveNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	// A file system without links: another process could make the file between the
	// check and the renaming. It allows no better.
	if _, err := os.Lstat(to); err == nil {
		return fs.ErrExist
	}
	return os.Rename(from, to)
}

// copyToFile copies the tables of a PostgreSQL state, as one transaction sees
// them, into a new SQLite state.
func (s *Store) copyToFile(ctx context.Context, path string) error {
	to, err := OpenWith(ctx, FileURL(path), Options{Log: s.log, Clock: s.clock, LockDir: filepath.Dir(path)})
	if err != nil {
		return err
	}
	err = s.copyTo(ctx, to)
	if cerr := to.Close(); err == nil {
		err = cerr
	}
	return err
}

// CopyTo copies the whole state, as it is at one moment, into a new one of either
// kind. This is how a SQLite file becomes a PostgreSQL database when one machine is
// no longer enough. A target state that holds anything already is a problem. In the
// copy no claim is held.
func (s *Store) CopyTo(ctx context.Context, to *Store) error {
	err := s.copyTo(ctx, to)
	if err == nil {
		err = to.write(ctx, "free the claims of the copy", func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE lease SET holder = ''`)
			return err
		})
	}
	return err
}

// copyTo reads in one transaction and writes in one.
func (s *Store) copyTo(ctx context.Context, to *Store) error {
	return s.read(ctx, "read the state for a copy", func(from *sql.Tx) error {
		return to.write(ctx, "write the copy", func(tx *sql.Tx) error {
			var runs int64
			err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM run) + (SELECT COUNT(*) FROM connection)
				+ (SELECT COUNT(*) FROM setting) + (SELECT COUNT(*) FROM sealed)`).Scan(&runs)
			if err != nil {
				return err
			}
			if runs > 0 {
				return problem.New(problem.CopyNotEmpty, problem.Args{"state": to.URL()})
			}
			steps, err := migrations(to.dialect.types)
			if err != nil {
				return err
			}
			for _, table := range ourTables(steps) {
				if err := to.copyTable(ctx, from, tx, table); err != nil {
					return fmt.Errorf("table %s: %w", table, err)
				}
			}
			return nil
		})
	})
}

// copyTable copies all rows of a table into one of this state.
func (s *Store) copyTable(ctx context.Context, from, to *sql.Tx, table string) error {
	if _, err := to.ExecContext(ctx, `DELETE FROM `+table); err != nil { // the rows of a new state
		return err
	}
	r, err := from.QueryContext(ctx, `SELECT * FROM `+table)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	columns, err := r.Columns()
	if err != nil {
		return err
	}
	head := `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES `
	const batch = 50
	var values [][]any
	flush := func() error {
		_, err := s.insert(ctx, to, head, values, "")
		values = values[:0]
		return err
	}
	for r.Next() {
		row := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := r.Scan(into...); err != nil {
			return err
		}
		if values = append(values, row); len(values) == batch {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	return flush()
}
