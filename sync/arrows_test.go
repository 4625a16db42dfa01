// Package arrows holds no code: its test keeps the packages of hacsync in their
// places. (sync is a folder; a package of that name would hide the standard one.)
package arrows

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hacsync/hacsync/"

// arrows are all the imports between our packages that are allowed. Whatever is
// not here is refused: a new package, or a new arrow, is a decision that shows
// in this table. They point down only: cmd, tui, run, then what run works with,
// then words. tui and sync never see graphclient, and graphclient never sees
// run, state or tui: it implements what sync declares.
var arrows = map[string][]string{
	// Words and leaves.
	"assets":         {},
	"sync/clock":     {},
	"sync/directory": {},
	"sync/names":     {},
	"sync/problem":   {},
	"sync/progress":  {"sync/problem"},
	"sync/loopback":  {"sync/clock"},
	"sync/input":     {},
	"sync/secret":    {"sync/input", "sync/problem"},
	// Tests alone use these.
	"sync/secret/keyringtest":      {},
	"sync/directory/directorytest": {},
	"sync/message":                 {"assets", "sync/names", "sync/problem"},

	// What a sync is made of.
	"sync/consent":       {"sync/directory"},
	"sync/source":        {"sync/directory", "sync/problem", "sync/progress"},
	"sync/source/haccsv": {"sync/clock", "sync/directory", "sync/problem", "sync/progress", "sync/source"},
	"sync/source/hacapi": {"sync/clock", "sync/directory", "sync/problem", "sync/progress", "sync/secret", "sync/source"},
	"sync/source/hacapi/simulator": {
		"sync/clock", "sync/directory", "sync/loopback", "sync/problem", "sync/progress", "sync/source", "sync/source/haccsv",
	},
	"sync/plan":            {"sync/directory", "sync/names", "sync/problem"},
	"sync/destination":     {"sync/directory", "sync/plan", "sync/problem", "sync/progress"},
	"sync/state/statetest": {"sync/state"},
	"sync/state":           {"sync/clock", "sync/consent", "sync/directory", "sync/problem", "sync/progress", "sync/secret"},
	"sync/auditlog":        {"sync/directory", "sync/message", "sync/plan", "sync/problem"},
	"sync/metrics":         {"sync/clock", "sync/consent", "sync/problem", "sync/progress", "sync/state"},
	"sync/notice": {
		"sync/clock", "sync/message", "sync/problem", "sync/secret", "sync/state",
	},
	"sync/run": {
		"sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/input", "sync/plan", "sync/problem", "sync/progress",
		"sync/source", "sync/state",
	},
	"sync/periodic": {
		"sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/input", "sync/notice", "sync/plan", "sync/problem",
		"sync/progress", "sync/run", "sync/state",
	},

	// The tenant.
	"graphclient/transport":   {"sync/clock", "sync/input", "sync/problem"},
	"graphclient/claims":      {"sync/directory"},
	"graphclient/certificate": {"sync/input", "sync/problem", "sync/secret"},
	"graphclient/adapter":     {},
	"graphclient": {
		"graphclient/adapter", "graphclient/claims", "graphclient/transport", "sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/plan", "sync/problem",
		"sync/progress",
	},
	"graphclient/signin": {"graphclient/certificate", "graphclient/claims", "graphclient/transport", "sync/clock", "sync/consent", "sync/directory", "sync/problem"},
	"graphclient/grants": {
		"assets", "graphclient/adapter", "graphclient/certificate", "graphclient/claims", "graphclient/transport", "sync/clock", "sync/consent",
		"sync/destination", "sync/directory", "sync/problem",
	},
	"graphclient/simulator": {"assets", "sync/clock", "sync/directory", "sync/loopback", "sync/source/hacapi/simulator"},

	// People.
	"tui/words":  {"sync/consent", "sync/directory", "sync/input", "sync/message", "sync/problem"},
	"tui/review": {"sync/directory", "sync/message", "sync/names", "sync/plan", "sync/problem", "tui/words"},
	"tui/flow": {
		"sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/input", "sync/periodic", "sync/plan",
		"sync/problem", "sync/progress", "sync/run", "sync/secret", "sync/source", "sync/state", "tui/review", "tui/words",
	},
	"tui/flow/flowtest": {
		"sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/periodic", "sync/plan", "sync/problem", "sync/progress",
		"sync/run", "sync/secret", "sync/source", "sync/state", "tui/flow",
	},
	"tui/theme":  {},
	"tui/widget": {"sync/message", "tui/theme"},
	"tui/plain": {
		"sync/clock", "sync/input", "sync/message", "sync/problem", "sync/progress", "sync/secret", "tui/flow", "tui/review", "tui/theme", "tui/widget", "tui/words",
	},
	"tui/screen": {
		"sync/consent", "sync/directory", "sync/message", "sync/plan", "sync/problem", "sync/progress", "sync/secret", "tui/flow", "tui/review", "tui/theme",
		"tui/widget", "tui/words",
	},
	"tui": {"tui/flow", "tui/screen"},
	"cmd/hacsync/session": {
		"graphclient", "graphclient/certificate", "graphclient/claims", "graphclient/grants", "graphclient/signin", "sync/clock",
		"sync/consent", "sync/directory", "sync/message", "sync/periodic", "sync/problem", "sync/progress", "sync/run", "sync/secret",
		"sync/source", "sync/source/hacapi", "sync/source/haccsv", "sync/state",
	},
	"cmd/hacsync": {
		"assets", "cmd/hacsync/session", "graphclient/certificate", "graphclient/grants", "graphclient/signin", "graphclient/simulator",
		"sync/auditlog", "sync/clock", "sync/consent", "sync/destination", "sync/directory", "sync/input", "sync/loopback", "sync/message",
		"sync/metrics", "sync/notice", "sync/periodic", "sync/plan", "sync/problem", "sync/progress", "sync/run", "sync/secret",
		"sync/source", "sync/source/haccsv", "sync/state", "tui", "tui/flow", "tui/plain", "tui/widget",
	},
}

// homes are the parts of others that have a place of their own: only these
// packages, and those below them, may import them. So everything but graphclient
// and grants compiles in seconds.
var homes = map[string][]string{
	"github.com/microsoftgraph/":                       {"graphclient", "graphclient/adapter", "graphclient/grants"},
	"github.com/microsoft/kiota-":                      {"graphclient", "graphclient/adapter", "graphclient/grants"},
	"github.com/AzureAD/":                              {"graphclient/signin"},
	"modernc.org/sqlite":                               {"sync/state"},
	"github.com/jackc/pgx/":                            {"sync/state", "sync/periodic"}, // River's pool
	"github.com/riverqueue/":                           {"sync/periodic"},
	"github.com/nicksnyder/go-i18n/":                   {"sync/message"},
	"filippo.io/age":                                   {"sync/secret"},
	"github.com/zalando/go-keyring":                    {"sync/secret"},
	"github.com/spf13/cobra":                           {"cmd/hacsync"},
	"charm.land/bubbletea/":                            {"tui", "cmd/hacsync"},
	"charm.land/bubbles/":                              {"tui"},
	"rsc.io/qr":                                        {"tui/widget"},
	"charm.land/lipgloss/":                             {"tui", "cmd/hacsync"},
	"github.com/nicholas-fedor/shoutrrr/":              {"sync/notice"},
	"github.com/prometheus/":                           {"sync/metrics"},
	"github.com/microsoftgraph/msgraph-sdk-go/groups":  {}, // 166,000 lines: read as bytes
	"github.com/microsoftgraph/msgraph-beta-sdk-go/":   {},
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity": {}, // hides the device code's expiry and the token cache
}

// alone are homes that hold for the package itself, not for those below it.
var alone = map[string]bool{"graphclient": true}

// source is one file and what it imports.
type source struct {
	pkg, file string
	test      bool
	imports   []string
}

// sources reads the imports of every Go file of the module.
func sources(t *testing.T) []source {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var all []source
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		if ignored(tree) {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		s := source{file: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go")}
		s.pkg = strings.TrimSuffix(strings.TrimSuffix(s.file, name), "/")
		for _, i := range tree.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			s.imports = append(s.imports, p)
		}
		all = append(all, s)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 10 {
		t.Fatalf("only %d files found", len(all))
	}
	return all
}

// ignored are files that belong to no build: "//go:build ignore" and pins, which
// only keeps modules required.
func ignored(tree *ast.File) bool {
	for _, g := range tree.Comments {
		for _, c := range g.List {
			if c.Pos() < tree.Package && (c.Text == "//go:build ignore" || c.Text == "//go:build pins") {
				return true
			}
		}
	}
	return false
}

func TestArrows_PointOnlyWhereTheTableSays(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		allowed, ok := arrows[s.pkg]
		if !ok {
			t.Errorf("%s: package %s is not in the table of arrows", s.file, s.pkg)
			continue
		}
		for _, i := range s.imports {
			if to, ours := strings.CutPrefix(i, module); ours && !slices.Contains(allowed, to) {
				t.Errorf("%s: %s must not import %s", s.file, s.pkg, to)
			}
		}
	}
}

// Tests may reach for simulators and words, but keep the great directions: a
// test of sync that needs the SDK would take minutes to compile.
func TestArrows_OfTestsKeepTheGreatDirections(t *testing.T) {
	forbidden := map[string][]string{
		"assets":      {"sync", "graphclient", "tui", "cmd"},
		"sync":        {"graphclient", "tui", "cmd"},
		"graphclient": {"sync/run", "sync/state", "tui", "cmd"},
		"tui":         {"graphclient", "cmd"},
	}
	for _, s := range sources(t) {
		if !s.test {
			continue
		}
		top, _, _ := strings.Cut(s.pkg, "/")
		for _, i := range s.imports {
			to, ours := strings.CutPrefix(i, module)
			if !ours || to == "graphclient/simulator" || to == "graphclient/transport" {
				continue
			}
			for _, f := range forbidden[top] {
				if to == f || strings.HasPrefix(to, f+"/") {
					t.Errorf("%s: a test of %s must not import %s", s.file, top, to)
				}
			}
		}
	}
}

func TestArrows_PartsOfOthersHaveOneHome(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.imports {
			for prefix, packages := range homes {
				if !strings.HasPrefix(i, prefix) || s.test && !strings.HasPrefix(prefix, "github.com/microsoft") {
					continue
				}
				if !slices.ContainsFunc(packages, func(home string) bool {
					return s.pkg == home || !alone[home] && strings.HasPrefix(s.pkg, home+"/")
				}) {
					t.Errorf("%s: %s must not import %s; it belongs to %v", s.file, s.pkg, i, packages)
				}
			}
		}
	}
}

// The table itself has no way round: what a package may import may not lead
// back to it, nor to what must stay apart.
func TestArrows_TableLeadsDownOnly(t *testing.T) {
	for from := range maps.Keys(arrows) {
		seen := map[string]bool{}
		var follow func(string)
		follow = func(pkg string) {
			for _, to := range arrows[pkg] {
				if _, ok := arrows[to]; !ok {
					t.Errorf("%s may import %s, which is not in the table", pkg, to)
				}
				if !seen[to] {
					seen[to] = true
					follow(to)
				}
			}
		}
		follow(from)
		if seen[from] {
			t.Errorf("%s leads back to itself", from)
		}
		top, _, _ := strings.Cut(from, "/")
		for to := range seen {
			other, _, _ := strings.Cut(to, "/")
			switch {
			case top == "sync" && (other == "graphclient" || other == "tui" || other == "cmd"),
				top == "tui" && (other == "graphclient" || other == "cmd"),
				top == "graphclient" && (to == "sync/run" || to == "sync/state" || other == "tui" || other == "cmd"),
				top == "assets", other == "cmd" && to != "cmd/hacsync/session",
				to == "cmd/hacsync/session" && top != "cmd":
				t.Errorf("%s leads to %s", from, to)
			}
		}
	}
}

var draw = flag.Bool("draw", false, "print who imports whom, the top first")

// TestArrows_Drawn is the drawing of the house: go test ./sync -run Drawn -draw -v.
// A package is one floor above the highest that it imports, so an arrow that does
// not point down is one between packages of one floor; there is none.
func TestArrows_Drawn(t *testing.T) {
	to := map[string][]string{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		to[s.pkg] = append(to[s.pkg], "")
		for _, i := range s.imports {
			if pkg, ours := strings.CutPrefix(i, module); ours {
				to[s.pkg] = append(to[s.pkg], pkg)
			}
		}
	}
	floors := map[string]int{}
	var floor func(pkg string) int
	floor = func(pkg string) int {
		if f, ok := floors[pkg]; ok {
			return f
		}
		for _, below := range to[pkg] {
			if below != "" {
				floors[pkg] = max(floors[pkg], floor(below)+1)
			}
		}
		return floors[pkg]
	}
	arrows, highest := 0, 0
	for pkg := range to {
		list := slices.Compact(slices.Sorted(slices.Values(to[pkg])))[1:]
		to[pkg] = list
		highest = max(highest, floor(pkg))
		for _, below := range list {
			arrows++
			if floor(below) >= floor(pkg) {
				t.Errorf("the arrow from %s to %s does not point down", pkg, below)
			}
		}
	}
	if !*draw {
		return
	}
	for f := highest; f >= 0; f-- {
		for _, pkg := range slices.Sorted(maps.Keys(to)) {
			if floors[pkg] == f {
				fmt.Printf("%2d  %-30s %s\n", f, pkg, strings.Join(to[pkg], " "))
			}
		}
	}
	fmt.Printf("%d packages, %d arrows, all down\n", len(to), arrows)
}

// A package uses each arrow of the table: an unused one was not decided on.
func TestArrows_TableNamesNoPackageThatDoesNotExist(t *testing.T) {
	there := map[string]bool{}
	for _, s := range sources(t) {
		there[s.pkg] = true
	}
	for pkg := range arrows {
		if !there[pkg] {
			t.Errorf("%s is in the table, but not in the tree", pkg)
		}
	}
}
