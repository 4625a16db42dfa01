package metrics

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// The metrics that are served and those that metrics.md describes are the same:
// none lacks a line there.
func TestMetrics_AreThoseOfTheDocument(t *testing.T) {
	m, _ := full(t)
	m.requests.WithLabelValues("users", "2xx").Inc()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join("..", "..", "assets", "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for _, name := range regexp.MustCompile("`(hacsync_[a-z_]+)`").FindAllSubmatch(doc, -1) {
		described[string(name[1])] = true
	}
	ours := regexp.MustCompile(`^hacsync_`)
	for _, f := range families {
		if !ours.MatchString(f.GetName()) {
			continue
		}
		if !described[f.GetName()] {
			t.Errorf("metrics.md lacks %s", f.GetName())
		}
		delete(described, f.GetName())
	}
	for name := range described {
		t.Errorf("metrics.md has %s, which is not served", name)
	}
}
