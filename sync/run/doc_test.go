package run_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

// The walk in the package's comment is what a reader starts with: a name in it
// that is no function any more leads them nowhere.
func TestDoc_EveryNameOfTheWalkIsAFunction(t *testing.T) {
	set := token.NewFileSet()
	//nolint:staticcheck // one folder, without build tags
	pkgs, err := parser.ParseDir(set, ".", func(i fs.FileInfo) bool { return !strings.HasSuffix(i.Name(), "_test.go") }, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]bool{}
	doc := ""
	for _, f := range pkgs["run"].Files {
		if f.Doc != nil {
			doc += f.Doc.Text()
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				functions[fn.Name.Name] = true
			}
		}
	}
	names := regexp.MustCompile(`(?m)^\t *(?:[1-9a-g] )?([A-Za-z]+)  +\S`).FindAllStringSubmatch(doc, -1)
	if len(names) < 20 {
		t.Fatalf("the walk has %d names", len(names))
	}
	for _, n := range names {
		if !functions[n[1]] {
			t.Errorf("the walk names %s, which is no function of the package", n[1])
		}
	}
}
