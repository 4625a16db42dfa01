package flow

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hacsync/hacsync/sync/message"
)

// Every entry that the steps and the line by line walk name is in the English
// catalogue.
func TestWords_EveryNamedEntryExists(t *testing.T) {
	p, err := message.New("en")
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`"((?:flow|preview|word|kind|guard|progress|badge|evidence|mailbox|completeness|value|flag)\.[A-Za-z_.-]+)"`)
	key := regexp.MustCompile(`\bk\((?:"[^"]*"|s\.keyOf\([^)]*\)), "([a-z_]+)"`) // a key of the preview with its word
	found := 0
	for _, pattern := range []string{"*.go", "../plain/*.go", "../review/*.go", "../screen/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range key.FindAllStringSubmatch(string(src), -1) {
				if name := "preview.key." + m[1]; !p.Has(name) {
					t.Errorf("%s: no entry %s", f, name)
				}
			}
			for _, m := range id.FindAllStringSubmatch(string(src), -1) {
				// An entry that ends so is put together with a word of the code.
				if name := m[1]; !strings.HasSuffix(name, "_") && !strings.HasSuffix(name, ".") && name != "flow.is" {
					found++
					if !p.Has(name) {
						t.Errorf("%s: no entry %s", f, name)
					}
				}
			}
		}
	}
	if found < 300 {
		t.Errorf("only %d entries found", found)
	}
	// The footer's words of commands are named by the command.
	ja, err := message.New("ja")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`\b(?:command|of)\("([a-z]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	named := []string{CmdQuestions}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range rows.FindAllStringSubmatch(string(src), -1) {
			named = append(named, m[1])
		}
	}
	if len(named) < 30 {
		t.Errorf("only %d commands found", len(named))
	}
	for _, name := range named {
		if id := "tui.command." + name; !p.Has(id) || !ja.Has(id) {
			t.Errorf("no word for the footer in both languages: %s", id)
		}
	}
	for _, s := range []Part{Approve, Decline, Expire, Block, ErrorOnPage, WrongTenant} {
		if !p.Has("flow.part." + string(s)) {
			t.Errorf("no words for the part %s", s)
		}
	}
	for s := range steps {
		if !p.Has("flow.step." + s.String()) {
			t.Errorf("no name of step %s", s)
		}
	}
}

func TestDoc_NamesFilesThatExist(t *testing.T) {
	src, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?:[a-z]+/)?[a-z_]+\.go`).FindAllString(string(src), -1)
	if len(named) < 10 {
		t.Errorf("only %d files found: %v", len(named), named)
	}
	for _, name := range named {
		path := name
		if strings.Contains(name, "/") {
			path = filepath.Join("..", name)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
}

func TestDryRun_ClaimsNoMissingPermissionWhereThereIsOne(t *testing.T) {
	d := &data{}
	if got := dryRunPromise(d).ID; got != "flow.dryrun.what" {
		t.Errorf("before any sync: %s", got)
	}
	d.began = true
	if got := dryRunPromise(d).ID; got != "flow.dryrun.what_only" {
		t.Errorf("after a sync: %s", got)
	}
}
