package arrows

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each rule that CONTRIBUTING lists has a test named after its number.
func TestRules_EachHasATestOfItsNumber(t *testing.T) {
	page, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(page), "\n## Rules that never break\n")
	list, _, _ = strings.Cut(list, "\n## ")
	rules := regexp.MustCompile(`(?m)^(\d+)\. `).FindAllStringSubmatch(list, -1)
	if len(rules) < 12 {
		t.Fatalf("%d rules are listed", len(rules))
	}
	named := map[string]bool{}
	name := regexp.MustCompile(`(?m)^func TestRule(\d+)_`)
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range name.FindAllStringSubmatch(string(text), -1) {
			named[m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules {
		if !named[r[1]] {
			t.Errorf("rule %s has no test: TestRule%s_…", r[1], r[1])
		}
	}
}
