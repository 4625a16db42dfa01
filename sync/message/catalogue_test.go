package message

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	texttemplate "text/template"
	"text/template/parse"

	"github.com/hacsync/hacsync/assets"
	"github.com/hacsync/hacsync/sync/problem"
)

// entry is one message as its file has it.
type entry struct{ file, text string }

// catalogues reads every file of a language, without the library under test: each
// message by its dotted ID. A key that appears twice is an error.
func catalogues(t *testing.T, lang Language) map[string]entry {
	t.Helper()
	files := assets.Locales()
	names, err := fs.Glob(files, "*."+string(lang)+".json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no catalogue of %s: %v", lang, err)
	}
	all := map[string]entry{}
	for _, name := range names {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		d := json.NewDecoder(bytes.NewReader(raw))
		if err := flatten(d, name, nil, all); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := d.Token(); err != io.EOF {
			t.Fatalf("%s: more than one object", name)
		}
	}
	return all
}

// flatten reads one object into all.
func flatten(d *json.Decoder, file string, above []string, all map[string]entry) error {
	if tok, err := d.Token(); err != nil || tok != json.Delim('{') {
		return fmt.Errorf("at %s: want an object, got %v %w", strings.Join(above, "."), tok, err)
	}
	seen := map[string]bool{}
	for d.More() {
		tok, err := d.Token()
		if err != nil {
			return err
		}
		key := tok.(string)
		id := strings.Join(append(slices.Clone(above), key), ".")
		if seen[key] {
			return fmt.Errorf("%s stands twice", id)
		}
		seen[key] = true
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		if raw[0] == '{' {
			if err := flatten(json.NewDecoder(bytes.NewReader(raw)), file, append(slices.Clone(above), key), all); err != nil {
				return err
			}
			continue
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		if other, ok := all[id]; ok {
			return fmt.Errorf("%s is in %s too", id, other.file)
		}
		all[id] = entry{file, text}
	}
	_, err := d.Token()
	return err
}

// code is a constant of sync/problem.
type code struct {
	name, value, file string
	args              []string
}

var argName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// codes reads the constants from the source of sync/problem, with what their
// comments say after "Args:".
func codes(t *testing.T) []code {
	t.Helper()
	files, err := filepath.Glob("../problem/codes*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no codes: %v", err)
	}
	var all []code
	for _, file := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range tree.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Code" {
					continue
				}
				value, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				c := code{name: v.Names[0].Name, value: value, file: filepath.Base(file)}
				if v.Doc == nil {
					t.Errorf("%s %s has no comment", c.file, c.name)
				} else {
					c.args = documented(t, c.name, v.Doc.Text())
				}
				all = append(all, c)
			}
		}
	}
	return all
}

var aside = regexp.MustCompile(`\([^)]*\)`)

// documented gives the names after "Args:" up to the end of the sentence.
func documented(t *testing.T, name, doc string) []string {
	t.Helper()
	_, list, ok := strings.Cut(strings.Join(strings.Fields(doc), " "), "Args:")
	if !ok {
		return nil
	}
	list = aside.ReplaceAllString(list, "")
	if i := strings.IndexAny(list, ".;"); i >= 0 {
		list = list[:i]
	}
	var args []string
	for a := range strings.SplitSeq(list, ",") {
		a = strings.TrimSpace(a)
		if !argName.MatchString(a) {
			t.Errorf("%s: %q after Args: is no name", name, a)
			continue
		}
		args = append(args, a)
	}
	return args
}

// placeholders are the arguments that a message uses.
func placeholders(t *testing.T, id, text string) []string {
	t.Helper()
	found := map[string]bool{}
	eachNode(t, id, text, func(n parse.Node) {
		if f, ok := n.(*parse.FieldNode); ok {
			found[strings.Join(f.Ident, ".")] = true
		}
	})
	return slices.Sorted(maps.Keys(found))
}

// eachNode calls f with every node of a message.
func eachNode(t *testing.T, id, text string, f func(parse.Node)) {
	t.Helper()
	tmpl, err := texttemplate.New(id).Funcs((&Printer{}).funcs()).Parse(text)
	if err != nil {
		t.Errorf("%s: %v", id, err)
		return
	}
	var walk func(parse.Node)
	walk = func(n parse.Node) {
		f(n)
		switch n := n.(type) {
		case *parse.ListNode:
			if n != nil {
				for _, c := range n.Nodes {
					walk(c)
				}
			}
		case *parse.ActionNode:
			walk(n.Pipe)
		case *parse.PipeNode:
			for _, c := range n.Cmds {
				walk(c)
			}
		case *parse.CommandNode:
			for _, a := range n.Args {
				walk(a)
			}
		case *parse.IfNode:
			walk(n.Pipe)
			walk(n.List)
			walk(n.ElseList)
		}
	}
	walk(tmpl.Root)
}

func TestCatalogue_EveryCodeHasWordsAndARemedy(t *testing.T) {
	en := catalogues(t, English)
	values := map[string]string{}
	for _, c := range codes(t) {
		if !regexp.MustCompile(`^HS-[1-59]\d{3}$`).MatchString(c.value) {
			t.Errorf("%s: %q is no code", c.name, c.value)
		}
		if other, ok := values[c.value]; ok {
			t.Errorf("%s and %s are both %s", other, c.name, c.value)
		}
		values[c.value] = c.name
		for _, part := range []string{"what", "remedy"} {
			if en[c.value+"."+part].text == "" {
				t.Errorf("%s (%s): %s has no %s in English", c.value, c.file, c.name, part)
			}
		}
		if strings.HasPrefix(c.value, "HS-3") && c.value < "HS-3900" && en[c.value+".short"].text == "" {
			t.Errorf("%s (%s): %s, a reason to skip, has no short form", c.value, c.file, c.name)
		}
	}
}

func TestCatalogue_NoWordsForACodeThatDoesNotExist(t *testing.T) {
	known := map[string]bool{}
	for _, c := range codes(t) {
		for _, part := range []string{"what", "remedy", "short"} {
			known[c.value+"."+part] = true
		}
	}
	for _, lang := range []Language{English, Japanese} {
		for id, e := range catalogues(t, lang) {
			if strings.HasPrefix(id, "HS-") && !known[id] {
				t.Errorf("%s: %s belongs to no code", e.file, id)
			}
		}
	}
}

func TestCatalogue_UsesOnlyArgumentsThatTheCodeHas(t *testing.T) {
	en := catalogues(t, English)
	for _, c := range codes(t) {
		for _, part := range []string{"what", "remedy", "short"} {
			for _, p := range placeholders(t, c.value+"."+part, en[c.value+"."+part].text) {
				if !slices.Contains(c.args, p) {
					t.Errorf("%s (%s): %s uses {{.%s}}, which the comment of %s does not name", c.value, c.file, part, p, c.name)
				}
			}
		}
	}
}

func TestCatalogue_JapaneseSaysWhatEnglishSays(t *testing.T) {
	en := catalogues(t, English)
	for id, e := range catalogues(t, Japanese) {
		english, ok := en[id]
		if !ok {
			t.Errorf("%s: %s is not in English", e.file, id)
			continue
		}
		if want, got := placeholders(t, id, english.text), placeholders(t, id, e.text); !slices.Equal(want, got) {
			t.Errorf("%s: %s uses %v, English %v", e.file, id, got, want)
		}
		if strings.TrimSuffix(e.file, ".ja.json") != strings.TrimSuffix(english.file, ".en.json") {
			t.Errorf("%s: %s is in %s in English", e.file, id, english.file)
		}
	}
}

// English stands in for what Japanese lacks, and nobody would see it: only terms and
// bare arguments may be missing.
func TestCatalogue_EveryTextHasItsJapanese(t *testing.T) {
	same := regexp.MustCompile(`^(UPN|Username|Immutable ID|[^A-Za-z]*)$`)
	ja := catalogues(t, Japanese)
	for id, e := range catalogues(t, English) {
		if _, ok := ja[id]; !ok && !same.MatchString(regexp.MustCompile(`\{\{[^}]*\}\}`).ReplaceAllString(e.text, "")) {
			t.Errorf("%s: %s is not in Japanese: %q", e.file, id, e.text)
		}
	}
}

// The library under message takes some keys ("other", "description") for plural
// forms and notes: words under such a key must be found as well.
func TestCatalogue_EveryWordIsFound(t *testing.T) {
	for _, lang := range []Language{English, Japanese} {
		p := printer(t, string(lang))
		for id, e := range catalogues(t, lang) {
			if e.text == "" {
				t.Errorf("%s: %s is empty", e.file, id)
				continue
			}
			args := problem.Args{}
			for _, name := range placeholders(t, id, e.text) {
				args[name] = "1"
			}
			if got := p.Text(id, args); got == "" || strings.HasPrefix(got, "«") || strings.Contains(got, "<no value>") {
				t.Errorf("%s: %s cannot be found or does not work: %q", e.file, id, got)
			}
		}
	}
}

// A text of the wizard that has two IDs is changed in one place and forgotten in the
// other. Words that are named by what they are for, such as a command, may be alike.
func TestCatalogue_TextsOfTheWizardHaveOneID(t *testing.T) {
	named := regexp.MustCompile(`^(tui\.(command|rail)|flow\.(step|cloud|part)|preview\.(tab|col|q\.value|notable|filter))\.`)
	apart := map[string]bool{ // by chance, said by two kinds of value, or drawn apart
		"What next?": true, "{{.x}}": true, "Wrong?": true, "search": true, "go on": true, "Sign in again": true, "on any device, by anybody": true,
		"Run the script": true, "demo: stands for the administrator who runs it in PowerShell": true,
		"A dedicated application": true, `application "{{.name}}"`: true,
	}
	en, ja := catalogues(t, English), catalogues(t, Japanese)
	first := map[[2]string]string{}
	for _, id := range slices.Sorted(maps.Keys(en)) {
		family, _, _ := strings.Cut(id, ".")
		if !slices.Contains([]string{"flow", "preview", "tui"}, family) || named.MatchString(id) || apart[en[id].text] {
			continue
		}
		said := [2]string{en[id].text, ja[id].text}
		if other, ok := first[said]; ok {
			t.Errorf("%s and %s say the same: %q", other, id, said[0])
		}
		first[said] = id
	}
}

func TestCatalogue_KeepsTheTone(t *testing.T) {
	unwanted := regexp.MustCompile(`(?i)\bplease\b|\boops\b|\bsorry\b|\bunfortunately\b|\w!(\s|$)|！`)
	for _, lang := range []Language{English, Japanese} {
		for id, e := range catalogues(t, lang) {
			if m := unwanted.FindString(e.text); m != "" {
				t.Errorf("%s: %s says %q", e.file, id, m)
			}
			if strings.HasPrefix(id, "HS-") && strings.HasSuffix(id, ".remedy") && !strings.ContainsAny(e.text[max(0, len(e.text)-3):], ".。}") {
				t.Errorf("%s: %s is no sentence: %q", e.file, id, e.text)
			}
		}
	}
}

// A remedy that names a command which does not exist does not help the user.
func TestCatalogue_NamesOnlyCommandsThatExist(t *testing.T) {
	files, err := filepath.Glob("../../cmd/hacsync/*.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no commands: %v", err)
	}
	commands := map[string]bool{"completion": true, "help": true}
	use := regexp.MustCompile(`command\("[a-z_-]+", "([a-z-]+)`)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range use.FindAllSubmatch(raw, -1) {
			commands[string(m[1])] = true
		}
	}
	if !commands["dry-run"] || !commands["sync"] {
		t.Fatalf("the commands were not found: %v", commands)
	}
	// A word after "hacsync" may also be a verb: only what can be a command counts.
	named := regexp.MustCompile(`\bhacsync (answer|links|resume|undo|periodic|worker|capture|replay|provision|demo|simulator|connect|connections|domains|check|grant|dry-run|audit-log|sync|logs|settings|version)\b`)
	for _, lang := range []Language{English, Japanese} {
		for id, e := range catalogues(t, lang) {
			for _, m := range named.FindAllStringSubmatch(e.text, -1) {
				if !commands[m[1]] {
					t.Errorf("%s: %s names hacsync %s, which does not exist", e.file, id, m[1])
				}
			}
		}
	}
}

// Words that the program asks for by a literal ID exist.
func TestCatalogue_HasEveryWordThatIsAskedFor(t *testing.T) {
	en := catalogues(t, English)
	for _, folder := range []string{"cmd", "tui", "sync", "graphclient"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			return asked(path, func(pos token.Position, id string) {
				if _, ok := en[id]; !ok {
					t.Errorf("%s: no message %q", pos, id)
				}
			})
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
}

// asked finds literal IDs: the first argument of a Printer's Text, and of T, with
// which the wizard's steps name their words.
func asked(path string, found func(token.Position, string)) error {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		return err
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		name := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
		}
		if name != "T" && (name != "Text" || len(call.Args) != 2) {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if id, err := strconv.Unquote(lit.Value); err == nil {
				found(files.Position(lit.Pos()), id)
			}
		}
		return true
	})
	return nil
}
