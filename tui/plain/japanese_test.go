package plain_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// allowed are the English words of a Japanese screen, each list with its reason.
// Names, addresses, paths, flags, codes and commands are cut out before.
var allowed = map[string][]string{
	"names of products, of their screens and of files and shells": {
		"hacsync", "HENNGE", "HAC", "Access", "Control", "Microsoft", "Entra", "Graph", "Command", "Line", "Tools", "Active", "Directory", "OneDrive",
		"PowerShell", "Windows", "Webhook", "Teams", "Slack", "Exchange", "Linux", "Docker", "Online",
	},
	"terms that Microsoft and HENNGE write so in Japanese": {
		"UPN", "ID", "Immutable", "API", "URL", "QR", "CSV", "UTF", "BOM", "PIM", "AADSTS", "Username", "Email", "Address", "Display", "Name", "Login", "Last",
		"New", "Password", "PEM", "SMTP", "TLS", "IMAP", "MFA", "Domain", "Family", "Given", "request", "Shift_JIS",
	},
	"names of attributes in Graph, beside their Japanese name": {
		"displayName", "department", "userPrincipalName", "mailNickname", "surname", "givenName", "accountEnabled", "onPremisesImmutableId", "jobTitle",
		"companyName", "employeeId", "officeLocation", "usageLocation",
	},
	"keys of the keyboard":                         {"enter", "esc", "space", "tab", "shift", "ctrl", "pgup", "pgdn", "home", "end", "page", "down", "up"},
	"time zones":                                   {"JST", "UTC", "Asia"},
	"the sign of a check, a number":                {"ok", "No"},
	"the other language, in itself, for the key L": {"English"},
	"keys and values of settings, as the command line and the state have them": {
		"max_allowed_deletions", "max_deletions", "max_changes", "max_sign_in_changes", "change_alias", "delete_after", "immutable_id_change", "on_disabled",
		"on_empty", "on_missing", "protected", "reset_passwords", "shrink_share", "source", "source_name", "map", "hac_client", "link_share", "namesakes",
		"no", "none", "yes", "skip", "delete", "block", "keep", "ignore", "clear", "clear-known", "hac", "csv", "source_zone", "zone",
	},
	"commands to be copied to another terminal": {
		"worker", "notices", "connect", "sudo", "cp", "systemctl", "enable", "hacsync-worker", "daemon-reload", "add", "certificate", "key", "periodic",
		"HACSYNC_PASSPHRASE",
	},
}

// foreign are the parts of a line that no language of ours chooses.
var foreign = regexp.MustCompile(strings.Join([]string{
	`\x1b\[[0-9;]*m`, `https?://\S+`, `\S*%[0-9A-F]{2}\S*`, `\S*&\S*`, // addresses, also the second line of one
	`\S*@\S*`, `[\w-]+(\.[\w-]+)+`, `[/~][\w./-]+`, // UPNs, domains, files
	`\[[\w.]*\]\.?[\w]*|\w*\[\.?[\w-]+\]`, // UPNs whose differences are in brackets
	`[\w-]*\.\.[\w-]*`, `\w+\.\.`,         // what is cut
	`HS-\d{4}`, `--?[a-z][a-z-]*`, `\b[0-9a-f]{4,}(-[0-9a-f]{4,})+\b`, `\bCODE\d+`, `\bimm-[\w-]+`, `\b[\w-]*\d[\w-]*\b`,
	`「[^」]*」|"[^"]*"`, // a quoted value
}, "|"))

var english = regexp.MustCompile(`[A-Za-z][A-Za-z_'-]*[A-Za-z]`)

// A Japanese screen has no English sentence and no English value: each English word
// stands in a list with its reason. Names of people and places of the tests' worlds
// begin with a capital or are in people.
func TestGolden_JapaneseScreensHaveNoEnglishWords(t *testing.T) {
	var known []string
	for _, list := range allowed {
		known = append(known, list...)
	}
	people := []string{ // of the worlds of the tests, in columns that hold names
		"midori", "midorisample", "aoi", "user", "hostile", "Michael", "Brown", "Midori", "Aoi", "Sample", "alone", "ito", "sato", "takahashi", "hana",
		"aoki", "misaki", "copier", "sales", "support", "room-osaka", "yoko", "ho", "other", "users", "side", "srv-sync", "midorisam", "midoris", "om", "imm", "rei", "kobay",
	}
	// A screen of a script, and what a hostile value or an operator's text says.
	texts := []string{
		"consent-dedicated-script", "grant-script", "preview-hostile", "personnel changes", "and a name ", "[ many", "that is much too long", "place (midorisample", "hostile", "accent", "CHG-",
		"PowerShell の表示", "# permissions", "Connect-MgGraph", "object ID", "users (2)", "response_type", "redirect_uri",
	}
	var files []string
	for _, pattern := range []string{"testdata/*-ja*.golden", "../screen/testdata/*-ja*.golden"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v, %v", pattern, found, err)
		}
		files = append(files, found...)
	}
	seen := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(raw), "\n") {
			if strings.HasPrefix(line, "> ") { // what the walk typed
				continue
			}
			if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(line, s) || strings.Contains(file, s) }) {
				continue
			}
			for _, word := range english.FindAllString(foreign.ReplaceAllString(line, " "), -1) {
				if slices.Contains(people, word) || slices.Contains(known, word) || seen[word+file] {
					continue
				}
				seen[word+file] = true
				t.Errorf("%s: %q in %q", filepath.Base(file), word, strings.TrimSpace(line))
			}
		}
	}
}
