package flowtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var renew = flag.Bool("renew", false, "write the golden files anew")

// Golden compares what is shown with testdata/name.golden, which -renew writes
// anew. A word that the catalogues lack is never taken for one.
func Golden(t testing.TB, name, got string) {
	t.Helper()
	got = strings.TrimSuffix(got, "\n") + "\n"
	if _, after, missing := strings.Cut(got, "«"); missing {
		id, _, _ := strings.Cut(after, "»")
		t.Errorf("%s: the catalogues have no word for %q", name, id)
		return
	}
	file := filepath.Join("testdata", name+".golden")
	if *renew {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if strings.TrimSuffix(string(want), "\n")+"\n" != got {
		t.Errorf("%s is not as it was (go test -run Golden -renew in this package writes it anew):\n%s\nwas:\n%s", file, got, want)
	}
}
