package state

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

func TestLocate_TakesTwoFormsAndShowsNoPassword(t *testing.T) {
	for _, c := range []struct{ url, path, shown string }{
		{"sqlite:///var/lib/hacsync/state.db", "/var/lib/hacsync/state.db", "sqlite:///var/lib/hacsync/state.db"},
		{"sqlite:///a%20b/c%23d%3F.db", "/a b/c#d?.db", "sqlite:///a%20b/c%23d%3F.db"},
		{"sqlite:///a/../b/./s.db", "/b/s.db", "sqlite:///b/s.db"},
		{"postgres://u:hunter2@db.example:5432/h", "", "postgres://u@db.example:5432/h"},
		{"postgresql://u@db/h?sslmode=require&password=hunter2&sslkey=hunter2", "", "postgresql://u@db/h?sslmode=require"},
		{"postgres:///h?host=/run/pg&user=u&passfile=hunter2", "", "postgres:///h?host=%2Frun%2Fpg&user=u"},
	} {
		if runtime.GOOS == "windows" && c.path != "" {
			continue
		}
		l, err := locate(c.url)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		if l.path != c.path || l.shown != c.shown {
			t.Errorf("%s: path %q shown %q", c.url, l.path, l.shown)
		}
	}
}

func TestLocate_RefusesOtherFormsWithoutTheirPassword(t *testing.T) {
	for _, url := range []string{
		"", "state.db", "/var/lib/state.db", "sqlite:state.db", "sqlite://state.db", "sqlite://./state.db",
		"sqlite:///", "sqlite:///dir/", "sqlite:///a.db?mode=ro", "sqlite:///a%00b.db", "file:///a.db", `C:\state.db`,
		"mysql://u:hunter2@h/d", "postgres://", "postgres:u:hunter2@h", "postgres://u:hunter2%@h/d",
		"postgres://u:hunter2@h:port/d?password=hunter2", "u:hunter2@h/d", "postgres ://u:hunter2@h/d",
		"postgres://u:hunter2@h/d?sslmode=bogus&password=hunter2",
	} {
		store, err := Open(t.Context(), url, nil)
		if err == nil {
			_ = store.Close()
		}
		if p := problem.Of(err); p == nil || p.Code != problem.StateURL || p.Args["url"] == "" && url != "" {
			t.Errorf("%q: %v", url, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows the password: %v", url, err)
		}
	}
}

func TestFilePath_KnowsWindowsDrives(t *testing.T) {
	for _, c := range []struct{ url, goos, want string }{
		{"/C:/Users/a/state.db", "windows", "C:/Users/a/state.db"},
		{"//server/share/state.db", "windows", "//server/share/state.db"},
		{"/C:/x", "linux", "/C:/x"},
	} {
		if got := filePath(c.url, c.goos); got != c.want {
			t.Errorf("%s on %s: %s", c.url, c.goos, got)
		}
	}
}

func TestFileURL_GoesThereAndBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "100% of #1?", "ユーザー.db")
	l, err := locate(FileURL(path))
	if err != nil || l.path != path {
		t.Fatalf("%q, %v", l.path, err)
	}
}
