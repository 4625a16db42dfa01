package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/adrg/xdg"

	"github.com/hacsync/hacsync/sync/message"
)

// languageFile is where the language that was chosen in the wizard is kept, beside
// the state of this account: the help needs it before any state is open. It is
// empty where the account has no folder of its own, as in a test.
func languageFile(getenv func(string) string) string {
	for _, name := range []string{"HOME", "LOCALAPPDATA", "XDG_DATA_HOME"} {
		if getenv(name) != "" {
			return filepath.Join(xdg.DataHome, "hacsync", "language")
		}
	}
	return ""
}

// language is the one of the help and of every text without --lang: what was chosen
// in the wizard, else that of the environment.
func language(getenv func(string) string) string {
	if path := languageFile(getenv); path != "" {
		raw, err := os.ReadFile(path)
		lang := strings.TrimSpace(string(raw))
		if err == nil && (lang == string(message.English) || lang == string(message.Japanese)) {
			return lang
		}
	}
	return message.Default(getenv)
}

// rememberLanguage keeps the language that was chosen. Where it cannot be kept, it
// holds until the end.
func (a *app) rememberLanguage(lang message.Language) {
	path := languageFile(a.getenv)
	if path == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		a.log.Warn("keep the language", "error", err)
		return
	}
	if err := os.WriteFile(path, []byte(string(lang)+"\n"), 0o600); err != nil {
		a.log.Warn("keep the language", "error", err)
	}
}
