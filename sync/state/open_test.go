package state_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
	"github.com/hacsync/hacsync/sync/state"
	"github.com/hacsync/hacsync/sync/state/statetest"
)

func fileOf(t testing.TB, place string) string {
	t.Helper()
	u, err := url.Parse(place)
	if err != nil {
		t.Fatal(err)
	}
	return u.Path
}

// sqlOn opens the database without the store.
func sqlOn(t testing.TB, place string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", place
	if strings.HasPrefix(place, "sqlite") {
		driver, dsn = "sqlite", "file:"+fileOf(t, place)+"?_pragma=busy_timeout(10000)" // others write meanwhile
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func TestOpen_ManyProcessesMakeOneStateAtOnce(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		var all []*process
		for range 6 {
			all = append(all, start(t, "open", place, 0))
		}
		for _, p := range all {
			if got := p.line(); got != "ready" {
				t.Fatal(got)
			}
		}
		for _, p := range all {
			p.say("go")
		}
		numbers := map[string]bool{}
		for _, p := range all {
			got := p.line()
			if !strings.HasPrefix(got, "opened ") || !strings.HasSuffix(got, " <nil>") {
				t.Error(got)
			}
			numbers[got] = true
		}
		if len(numbers) != len(all) {
			t.Errorf("run numbers: %v", numbers)
		}
	})
}

func TestOpen_AgainFindsEverything(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		beginSync(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := open(t, place, state.Options{}).Run(t.Context(), 1); err != nil {
			t.Error(err)
		}
	})
}

func TestOpen_FilesAreTheirOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such mode")
	}
	place := statetest.NewFile(t)
	s := open(t, place, state.Options{})
	beginSync(t, s)
	take(t, s)
	seen := map[string]bool{}
	err := filepath.WalkDir(filepath.Dir(fileOf(t, place)), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		seen[filepath.Ext(path)] = true
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: %v", path, info.Mode())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ext := range []string{".db", ".db-wal", ".db-shm", ".lock", ".locks"} {
		if !seen[ext] {
			t.Errorf("no %s file: %v", ext, seen)
		}
	}
}

func TestOpen_RefusesANewerSchema(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		s := open(t, place, state.Options{})
		_ = s.Close()
		if _, err := sqlOn(t, place).Exec(`INSERT INTO hacsync_schema (version, applied) VALUES (4711, 0)`); err != nil {
			t.Fatal(err)
		}
		_, err := state.Open(t.Context(), place, nil)
		if p := problem.Of(err); p == nil || p.Code != problem.StateNewer || p.Args["have"] != "4711" {
			t.Errorf("%v", err)
		}
	})
}

func TestOpen_LeavesOthersTablesAlone(t *testing.T) {
	statetest.Places(t, func(t *testing.T, place string) {
		if strings.HasPrefix(place, "sqlite") {
			if err := os.MkdirAll(filepath.Dir(fileOf(t, place)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		db := sqlOn(t, place)
		if _, err := db.Exec(`CREATE TABLE run (theirs TEXT)`); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Open(t.Context(), place, nil); !problem.Has(err, problem.StateForeign) {
			t.Errorf("%v", err)
		}
		var n int
		if err := db.QueryRow(`SELECT COUNT(theirs) FROM run`).Scan(&n); err != nil {
			t.Errorf("their table: %v", err)
		}
		if err := db.QueryRow(`SELECT COUNT(*) FROM hacsync_schema`).Scan(&n); err == nil {
			t.Error("a table was made beside theirs")
		}
	})
}

func TestOpen_SharesAPostgresDatabaseWithOthers(t *testing.T) {
	place := statetest.NewDatabase(t)
	if _, err := sqlOn(t, place).Exec(`CREATE TABLE theirs (x TEXT)`); err != nil {
		t.Fatal(err)
	}
	open(t, place, state.Options{})
}

func TestOpen_FileProblemsHaveTheirOwnCode(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, text []byte, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := write("text.db", bytes.Repeat([]byte("this is not a database\n"), 100), 0o600)
	noDir := filepath.Join(text, "below.db")
	cases := map[string]struct {
		path string
		want problem.Code
	}{
		"a text":                     {text, problem.StateForeign},
		"a directory":                {dir, problem.StatePath},
		"a file where a folder must": {noDir, problem.StatePath},
	}
	if os.Getuid() > 0 {
		readOnly := write("readonly.db", nil, 0o400)
		cases["a read-only file"] = struct {
			path string
			want problem.Code
		}{readOnly, problem.StateDenied}
	}
	for name, c := range cases {
		s, err := state.Open(t.Context(), state.FileURL(c.path), nil)
		if err == nil {
			_ = s.Close()
		}
		if p := problem.Of(err); p == nil || p.Code != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if after, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(after), "this is not") {
		t.Errorf("the text was changed: %v", err)
	}
}

func TestOpen_ServerProblemsHaveTheirOwnCodeAndHideThePassword(t *testing.T) {
	place := statetest.NewDatabase(t)
	db := sqlOn(t, place)
	if _, err := db.Exec(`DROP ROLE IF EXISTS hacsync_test_poor`); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE ROLE hacsync_test_poor LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = db.Exec(`DROP ROLE hacsync_test_poor`) })
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(place)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("postgres", "hunter2")
		change(u)
		return u.String()
	}
	for name, c := range map[string]struct {
		url  string
		want problem.Code
	}{
		"no such user":     {with(func(u *url.URL) { u.User = url.UserPassword("nobody-here", "hunter2") }), problem.StateSignIn},
		"no such database": {with(func(u *url.URL) { u.Path = "/nothing_here" }), problem.StateNoDatabase},
		"no server":        {with(func(u *url.URL) { u.Host = "127.0.0.1:1" }), problem.StateUnreachable},
		"no such host":     {with(func(u *url.URL) { u.Host = "nothing.invalid" }), problem.StateUnreachable},
		"may not":          {with(func(u *url.URL) { u.User = url.UserPassword("hacsync_test_poor", "hunter2") }), problem.StateDenied},
	} {
		_, err := state.Open(t.Context(), c.url, nil)
		if p := problem.Of(err); p == nil || p.Code != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows the password: %v", name, err)
		}
	}
}
