package arrows

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// layout are the folders that CONTRIBUTING's layout names: by indentation below
// another, and side by side on one line.
func layout(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "CONTRIBUTING.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\n## Layout\n")
	rest, _, _ = strings.Cut(rest, "\n## ")
	named := map[string]bool{}
	var above []string // the folder of each depth
	for _, line := range strings.Split(rest, "\n") {
		if !strings.HasPrefix(line, "    ") {
			continue
		}
		in := strings.TrimLeft(line, " ")
		depth := (len(line) - len(in) - 4) / 2
		if depth > len(above) {
			continue // the rest of a sentence
		}
		parent := ""
		if depth > 0 {
			parent = above[depth-1]
		}
		first := ""
		for _, word := range strings.Fields(in) {
			name, folder := strings.CutSuffix(word, "/")
			if !folder {
				break
			}
			if first == "" {
				first = path.Join(parent, name)
				named[first] = true
				continue
			}
			named[path.Join(path.Dir(first), name)] = true
		}
		if first != "" {
			above = append(above[:depth], first)
		}
	}
	return named
}

// Who is new here finds a package by its line in CONTRIBUTING.
func TestLayout_NamesEveryPackageAndNoOther(t *testing.T) {
	named := layout(t)
	if len(named) < 30 {
		t.Fatalf("the layout names %d folders", len(named))
	}
	there := map[string]bool{"sync": true} // a folder, not a package
	for _, s := range sources(t) {
		there[s.pkg] = true
		helper := strings.HasSuffix(s.pkg, "test") || slices.Contains([]string{"sync", "assets/deploy"}, s.pkg)
		if !s.test && !helper && !named[s.pkg] {
			t.Errorf("CONTRIBUTING's layout lacks %s", s.pkg)
			named[s.pkg] = true
		}
	}
	for folder := range named {
		if !there[folder] {
			t.Errorf("CONTRIBUTING's layout names %s, which is not there", folder)
		}
	}
}
