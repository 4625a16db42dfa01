package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

var renewReadme = flag.Bool("renew", false, "write the excerpts of both READMEs anew from the demo")

// pages are the documents in English, each with its Japanese one.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob("../../assets/docs/*.md")
	if err != nil || len(found) < 7 {
		t.Fatalf("no documents: %v, %v", found, err)
	}
	all := map[string]string{"../../README.md": "../../assets/docs/ja/README.ja.md"}
	for _, page := range found {
		all[page] = filepath.Join(filepath.Dir(page), "ja", filepath.Base(page))
	}
	return all
}

func readPage(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var (
	comment  = regexp.MustCompile(`\s+# .*`)
	codeWord = regexp.MustCompile("`[^`]+`")
	fence    = regexp.MustCompile("(?s)```.*?```")
	link     = regexp.MustCompile(`\]\(([^)#:]+)\)`)
)

// skeleton is what a page has whatever its language: headings, rows of tables and
// points of lists by their number, and what stands in blocks and marks of code.
func skeleton(text string) map[string][]string {
	s := map[string][]string{}
	fenced := false
	for _, l := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(l); {
		case strings.HasPrefix(trimmed, "```"):
			fenced = !fenced
		case fenced: // the excerpt, in the language of the page
		case strings.HasPrefix(l, "#"):
			s["headings"] = append(s["headings"], strings.Fields(l)[0])
		case strings.HasPrefix(l, "|"):
			s["rows"] = append(s["rows"], "|")
		case strings.HasPrefix(l, "    ") && !strings.HasPrefix(trimmed, "-"):
			s["code"] = append(s["code"], strings.TrimSpace(comment.ReplaceAllString(l, "")))
		case strings.HasPrefix(trimmed, "- "):
			s["points"] = append(s["points"], "-")
		}
	}
	text = fence.ReplaceAllString(text, "")
	for _, w := range codeWord.FindAllString(strings.ReplaceAll(text, "\n", " "), -1) {
		if w = strings.Join(strings.Fields(w), " "); !slices.Contains(s["words"], w) {
			s["words"] = append(s["words"], w)
		}
	}
	slices.Sort(s["words"])
	return s
}

func TestDocs_JapanesePagesHaveWhatTheEnglishOnesHave(t *testing.T) {
	for english, japanese := range pages(t) {
		en, ja := skeleton(readPage(t, english)), skeleton(readPage(t, japanese))
		for _, part := range []string{"headings", "rows", "points", "code", "words"} {
			if !slices.Equal(en[part], ja[part]) {
				t.Errorf("%s and %s differ in %s:\n%q\n%q", english, japanese, part, en[part], ja[part])
			}
		}
	}
}

func TestDocs_LinksLeadSomewhereAndCommandsExist(t *testing.T) {
	a, err := newApp(nil, nil, io.Discard, io.Discard, func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	root := a.root()
	for english, japanese := range pages(t) {
		for _, page := range []string{english, japanese} {
			text := readPage(t, page)
			for _, m := range link.FindAllStringSubmatch(text, -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
					t.Errorf("%s: %v", page, err)
				}
			}
			for _, line := range append(skeleton(text)["code"], skeleton(text)["words"]...) {
				commandExists(t, root, page, strings.Trim(line, "`"))
			}
		}
	}
}

// commandExists finds the command and the flags of a line that begins with hacsync.
func commandExists(t *testing.T, root *cobra.Command, page, line string) {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "hacsync" {
		return
	}
	c, _, err := root.Find(words[1:])
	if err != nil || c == root {
		t.Errorf("%s: %q is no command", page, line)
		return
	}
	for _, w := range words[1:] {
		name, _, _ := strings.Cut(strings.TrimPrefix(w, "--"), "=")
		if strings.HasPrefix(w, "--") && c.Flag(name) == nil {
			t.Errorf("%s: %q has no flag --%s", page, line, name)
		}
	}
}

var someDay = regexp.MustCompile(`\b[0-9]{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b|\b[0-9]{1,2}/[0-9]{1,2}\b`)

// The excerpt of a README is what the demo shows, whatever the day; go test
// ./cmd/hacsync -run Readme -renew writes it anew.
func TestReadme_ShowsWhatTheDemoShows(t *testing.T) {
	for path, c := range map[string]struct{ lang, begin, end string }{
		"../../README.md":                   {"en", "Preview of midori.example", "\n> q"},
		"../../assets/docs/ja/README.ja.md": {"ja", "midori.example のプレビュー", "\n> q"},
	} {
		in, err := os.Open("testdata/readme.lines")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		home := t.TempDir()
		code := program([]string{"demo", "--plain", "--lang", c.lang}, in, &out, io.Discard, func(name string) string {
			if name == "HOME" || name == "XDG_DATA_HOME" {
				return home
			}
			return ""
		})
		_ = in.Close()
		shown := out.String()
		from := strings.LastIndex(shown, c.begin)
		to := strings.LastIndex(shown, c.end)
		if code != 0 || from < 0 || to < from {
			t.Fatalf("the demo ended with %d:\n%s", code, shown)
		}
		excerpt := strings.TrimSpace(shown[from:to])
		page := readPage(t, path)
		head, rest, ok := strings.Cut(page, "```text\n")
		was, tail, closed := strings.Cut(rest, "```\n")
		if !ok || !closed {
			t.Fatalf("%s has no excerpt", path)
		}
		if plain := func(s string) string { return someDay.ReplaceAllString(strings.TrimSpace(s), "DAY") }; plain(was) != plain(excerpt) {
			if *renewReadme {
				if err := os.WriteFile(path, []byte(head+"```text\n"+excerpt+"\n```\n"+tail), 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			t.Errorf("%s shows\n%s\nthe demo\n%s", path, was, excerpt)
		}
	}
}
