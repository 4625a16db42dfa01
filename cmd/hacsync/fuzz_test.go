package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/hacsync/hacsync/sync/problem"
)

// FuzzReadyFile reads ready files: each is accepted, with all that a connection
// needs, or refused with a problem that names the file.
func FuzzReadyFile(f *testing.F) {
	dir := f.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, []byte("pem"), 0o600); err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"graph":"https://127.0.0.1:1","authority":"https://127.0.0.1:1","tenant":"t","ca":"` + ca + `","speed":1}`,
		`{"graph":"x","authority":"y","tenant":"t","ca":"/nonexistent"}`, `{"graph":5}`, `{"graph":"x"}{}`, "\ufeff{}", `{"speed":1e400}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "ready.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := newApp(nil, nil, io.Discard, io.Discard, func(string) string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		a.flags.Simulator = path
		r, err := a.readySimulator()
		switch {
		case err != nil && problem.Of(err) == nil:
			t.Fatalf("an error without a code: %v", err)
		case err == nil && (r == nil || r.Graph == "" || r.Authority == "" || r.Tenant == ""):
			t.Fatalf("taken although it lacks something: %+v", r)
		}
	})
}

// FuzzSettingsFile reads settings files: each is accepted, or refused with a
// problem.
func FuzzSettingsFile(f *testing.F) {
	for _, seed := range []string{
		"", "null", "{}", "[]", `{"hacsync_settings":1,"domain":"midori.example","settings":{"source":"hac"}}`,
		`{"version":1,"settings":{}}`, `{"version":2}`, `{"version":"1"}`, `{"settings":{"on_empty":5}}`, `{}{}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "settings.json")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readSettings(path); err != nil && problem.Of(err) == nil {
			t.Fatalf("an error without a code: %v", err)
		}
	})
}
