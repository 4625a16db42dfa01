package state

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/secret"
)

// ErrStale reports that a sealed row is no longer the one that was read.
var ErrStale = secret.ErrStale

const (
	sqliteBusyCode   = sqlite3.SQLITE_BUSY
	sqliteLockedCode = sqlite3.SQLITE_LOCKED
)

// explain turns an error of the database into a problem. The error of a context
// that ended is returned unchanged, so that callers see their own ctrl+c.
func (s *Store) explain(ctx context.Context, doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case problem.Of(err) != nil, errors.Is(err, ErrStale):
		return err
	case errors.Is(err, errMalformed):
		return problem.New(problem.StateURL, problem.Args{"url": s.URL()})
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	code := codeOf(err)
	if code == problem.StateDenied && s.full() {
		code = problem.StateFull
	}
	return problem.Wrap(fmt.Errorf("%s: %w", doing, err), code, problem.Args{"state": s.URL()})
}

// full reports whether no file can be made in the state's folder for want of room.
// SQLite reports of its own files only that it cannot open them.
func (s *Store) full() bool {
	if s.where.path == "" {
		return false
	}
	f, err := os.CreateTemp(filepath.Dir(s.where.path), ".hacsync-*")
	if err != nil {
		return isFull(err)
	}
	_ = f.Close()
	_ = os.Remove(f.Name())
	return false
}

// isFull reports whether the operating system has no room to write, or allows no
// more of it: a full disk, a quota, a limit of the size of files.
func isFull(err error) bool {
	if runtime.GOOS == "windows" {
		const handleDiskFull, diskFull, quotaExceeded = syscall.Errno(39), syscall.Errno(112), syscall.Errno(1295)
		return errors.Is(err, handleDiskFull) || errors.Is(err, diskFull) || errors.Is(err, quotaExceeded)
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// codeOf finds the code for an error of either database or of the file system.
func codeOf(err error) problem.Code {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return sqliteCode(lite.Code())
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return postgresCode(pg.Code)
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	var name *net.DNSError
	var path *fs.PathError
	switch {
	case isFull(err):
		return problem.StateFull
	case errors.Is(err, syscall.EROFS):
		return problem.StateReadOnly
	case errors.Is(err, fs.ErrPermission):
		return problem.StateDenied
	case errors.As(err, &path):
		return problem.StatePath
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, driver.ErrBadConn),
		errors.Is(err, syscall.ECONNREFUSED):
		return problem.StateUnreachable // cut in the middle of an answer
	case errors.As(err, &connect), errors.As(err, &network), errors.As(err, &name), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, net.ErrClosed), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return problem.StateUnreachable
	}
	return problem.StateFailed
}

// sqliteCode follows SQLite's list of result codes, sqlite.org/rescode.html.
func sqliteCode(code int) problem.Code {
	switch code {
	// SQLite reports a full disk as such in most places only: a quota, a limit of
	// the size of files, and no room for the index of its log give these codes.
	case sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE:
		return problem.StateFull
	}
	switch code & 0xff {
	case sqlite3.SQLITE_FULL:
		return problem.StateFull
	case sqlite3.SQLITE_READONLY:
		return problem.StateReadOnly
	case sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_CANTOPEN:
		return problem.StateDenied
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return problem.StateBusy
	case sqlite3.SQLITE_NOTADB:
		return problem.StateForeign
	case sqlite3.SQLITE_CORRUPT:
		return problem.StateDamaged
	}
	return problem.StateFailed
}

// postgresCode follows PostgreSQL's table of error codes (appendix A).
func postgresCode(code string) problem.Code {
	switch code {
	case "28P01", "28000": // wrong password; no role or no pg_hba line
		return problem.StateSignIn
	case "3D000": // no such database
		return problem.StateNoDatabase
	case "42501", "3F000": // no permission; no schema to make tables in
		return problem.StateDenied
	case "25006":
		return problem.StateReadOnly
	case "53100":
		return problem.StateFull
	case "53300", "57P01", "57P02", "57P03": // too many clients; shutting down; starting
		return problem.StateUnreachable
	case "55P03", "40P01", "40001", "25P03":
		return problem.StateBusy
	case "XX001", "XX002":
		return problem.StateDamaged
	}
	if strings.HasPrefix(code, "08") {
		return problem.StateUnreachable
	}
	return problem.StateFailed
}
