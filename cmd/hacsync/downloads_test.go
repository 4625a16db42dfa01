package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestNewestExport_IsTheLastOneThatLooksLikeIt(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	if got := newestExport(t.Context()); got != "" {
		t.Fatalf("without a folder: %q", got)
	}
	dir := filepath.Join(home, "Downloads")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for i, f := range []struct{ name, text string }{
		{"users.csv", "Username,Email Address\n"},
		{"users (2).CSV", "\ufeffUsername,Email Address,Display Name\r\n"},
		{"invoice.csv", "No,Amount\n"},
		{"users.txt", "Username,Email Address\n"},
	} {
		path := filepath.Join(dir, f.name)
		if err := os.WriteFile(path, []byte(f.text), 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i-10) * time.Hour)
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := newestExport(t.Context()), filepath.Join(dir, "users (2).CSV"); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
