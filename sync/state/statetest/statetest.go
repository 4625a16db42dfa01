// Package statetest makes the states that tests run on: a new SQLite file, and a
// new PostgreSQL database if a server is given. Start with Places.
package statetest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver of the server

	"github.com/hacsync/hacsync/sync/state"
)

// Variable is the environment variable with the administrator's URL of a PostgreSQL
// server on which tests make databases of their own.
const Variable = "HACSYNC_TEST_POSTGRES"

// Places runs a test on both kinds of state.
func Places(t *testing.T, test func(t *testing.T, url string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, NewFile(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, NewDatabase(t)) })
}

// NewFile returns the URL of a file that does not exist yet, in a folder that does
// not exist yet either.
func NewFile(t testing.TB) string {
	return state.FileURL(filepath.Join(t.TempDir(), "home", "state.db"))
}

// NewDatabase returns the URL of an empty database, which is removed when the test
// ends. Without a server the test is skipped.
func NewDatabase(t testing.TB) string {
	t.Helper()
	admin := os.Getenv(Variable)
	if admin == "" {
		t.Skip(Variable + " is not set")
	}
	u, err := url.Parse(admin)
	if err != nil {
		t.Fatal("the URL of the test server cannot be read")
	}
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("hacsync_test_%d_%d", os.Getpid(), time.Now().UnixNano())
	if _, err := db.ExecContext(t.Context(), `CREATE DATABASE `+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by then.
		_, _ = db.ExecContext(context.Background(), `DROP DATABASE IF EXISTS `+name+` WITH (FORCE)`)
		_ = db.Close()
	})
	u.Path = "/" + name
	return u.String()
}
