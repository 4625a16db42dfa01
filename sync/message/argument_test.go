package message

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"

	"github.com/hacsync/hacsync/sync/problem"
)

// shownRaw are the arguments that a text prints as they are, and with which family
// of the catalogue it puts others into words ("reason" for the function of that name).
func shownRaw(t *testing.T, id, text string) (raw map[string]bool, families map[string][]string) {
	t.Helper()
	raw, families = map[string]bool{}, map[string][]string{}
	eachNode(t, id, text, func(n parse.Node) {
		action, ok := n.(*parse.ActionNode)
		if !ok {
			return
		}
		args := action.Pipe.Cmds[0].Args
		last, ok := args[len(args)-1].(*parse.FieldNode)
		if !ok {
			return
		}
		switch name := last.Ident[0]; {
		case len(args) == 1:
			raw[name] = true
		case args[0].String() == "reason":
			families[name] = append(families[name], "reason")
		case args[0].String() == "word":
			families[name] = append(families[name], strings.Trim(args[1].String(), `"`))
		}
	})
	return raw, families
}

// sayable are values that are the same in every language: names of flags,
// files, requests and products, numbers and lists of words to be typed.
var sayable = regexp.MustCompile(`^[^a-zA-Z]*$|^--?[a-z][a-z -]*$|^[A-Z_]+$|^(GET|POST|PATCH|DELETE) /|^[a-z-]+(, [a-z-]+)+$|^[0-9]+[dwhm](, [0-9]+[dwhm])*$|^407 `)

// free are arguments for the support of hacsync, or names that the program has.
var free = []string{
	"HS-9001 what",    // what was not expected: for the support
	"HS-9101 command", // hacsync grant
	"HS-5060 what",    // hacsync, the name of its keyring
}

// A word of the code is never printed inside a sentence: an argument with a literal
// value is a key of the catalogue. What reads "no ID" in English is not said so in
// Japanese.
func TestArguments_WordsOfTheCodeAreKeysOfTheCatalogue(t *testing.T) {
	ja := catalogues(t, Japanese)
	p := printer(t, "ja")
	values := map[string]string{}
	for _, c := range codes(t) {
		values[c.name] = c.value
	}
	checked := 0
	for _, folder := range []string{"cmd", "sync", "tui", "graphclient"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "flowtest") {
				return err
			}
			for _, a := range literals(t, path, values) {
				if sayable.MatchString(a.value) || slices.Contains(free, a.code+" "+a.arg) {
					continue
				}
				checked++
				for _, part := range []string{"what", "remedy", "short"} {
					e, ok := ja[a.code+"."+part]
					if !ok {
						continue
					}
					raw, families := shownRaw(t, a.code+"."+part, e.text)
					if raw[a.arg] {
						t.Errorf("%s: %s.%s prints %s as it is: %q", a.at, a.code, part, a.arg, a.value)
					}
					for _, family := range families[a.arg] {
						if !p.Has(family + "." + a.value) {
							t.Errorf("%s: %s.%s: no message %s.%s", a.at, a.code, part, family, a.value)
						}
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if checked < 10 {
		t.Fatalf("only %d literals were found", checked)
	}
}

// Errors whose text stands in a sentence as its reason are keys of the catalogue too.
func TestArguments_ReasonsOfOurOwnAreKeysOfTheCatalogue(t *testing.T) {
	p := printer(t, "ja")
	for _, path := range []string{"../../graphclient/certificate/parse.go", "../plan/file_decode.go"} {
		tree, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 1 {
				return true
			}
			if f, ok := call.Fun.(*ast.SelectorExpr); !ok || f.Sel.Name != "New" {
				return true
			}
			if lit, ok := call.Args[0].(*ast.BasicLit); ok {
				if text, _ := strconv.Unquote(lit.Value); !p.Has("reason." + text) {
					t.Errorf("%s: no message reason.%s", path, text)
				}
			}
			return true
		})
	}
}

// Days and times reach a problem in one form, and a reader in that of the language
// and zone.
func TestArguments_DaysAndTimesAreShownInTheReadersForm(t *testing.T) {
	times := []string{"due", "newest", "deleted", "made", "ends", "ended", "until", "since"}
	for _, lang := range []Language{English, Japanese} {
		checked := 0
		for id, e := range catalogues(t, lang) {
			code, _, _ := strings.Cut(id, ".")
			if !strings.HasPrefix(code, "HS-") {
				continue
			}
			raw, _ := shownRaw(t, id, e.text)
			of := times
			if code == string(problem.DriftAbsence) {
				of = []string{"then", "now"}
			}
			for _, arg := range of {
				if checked++; raw[arg] {
					t.Errorf("%s %s prints %s as it is", lang, id, arg)
				}
			}
		}
		if checked == 0 {
			t.Error("nothing was checked")
		}
	}
}

// literal is an argument of a problem that the code gives as a literal.
type literal struct{ at, code, arg, value string }

func literals(t *testing.T, path string, values map[string]string) (all []literal) {
	t.Helper()
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(tree, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		code, args := "", (*ast.CompositeLit)(nil)
		for _, a := range call.Args {
			switch a := a.(type) {
			case *ast.SelectorExpr:
				if v, ok := values[a.Sel.Name]; ok {
					code = v
				}
			case *ast.CompositeLit:
				if s, ok := a.Type.(*ast.SelectorExpr); ok && s.Sel.Name == "Args" {
					args = a
				}
			}
		}
		if code == "" || args == nil {
			return true
		}
		for _, e := range args.Elts {
			kv := e.(*ast.KeyValueExpr)
			key, ok := kv.Key.(*ast.BasicLit)
			value, lit := kv.Value.(*ast.BasicLit)
			if !ok || !lit || value.Kind != token.STRING {
				continue
			}
			name, _ := strconv.Unquote(key.Value)
			text, _ := strconv.Unquote(value.Value)
			all = append(all, literal{files.Position(kv.Pos()).String(), code, name, text})
		}
		return true
	})
	return all
}
