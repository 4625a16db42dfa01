package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/sync/message"
)

func TestLanguage_OfTheWizardIsKeptForEveryCommand(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	xdg.Reload()
	t.Cleanup(xdg.Reload)
	start := func(args ...string) message.Language {
		a, err := newApp(args, nil, io.Discard, io.Discard, os.Getenv)
		if err != nil {
			t.Fatal(err)
		}
		return a.words.Language()
	}
	t.Setenv("LC_ALL", "C")
	if got := start("version"); got != message.English {
		t.Errorf("before: %s", got)
	}
	a, err := newApp(nil, nil, io.Discard, io.Discard, os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	a.rememberLanguage(message.Japanese)
	if got := start("version"); got != message.Japanese {
		t.Errorf("after: %s", got)
	}
	if got := start("version", "--lang", "en"); got != message.English {
		t.Errorf("--lang does not come first: %s", got)
	}
	if err := os.WriteFile(filepath.Join(xdg.DataHome, "hacsync", "language"), []byte("tlh"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := start("version"); got != message.English {
		t.Errorf("of a damaged file: %s", got)
	}
}
