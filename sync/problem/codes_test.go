package problem

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// constants are all codes as the source has them: code → name.
func constants(t *testing.T) map[Code]string {
	t.Helper()
	files, err := filepath.Glob("codes_*.go")
	if err != nil {
		t.Fatal(err)
	}
	all := map[Code]string{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			v, ok := n.(*ast.ValueSpec)
			if !ok || len(v.Values) != 1 {
				return true
			}
			if id, ok := v.Type.(*ast.Ident); !ok || id.Name != "Code" {
				return true
			}
			code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if was, ok := all[Code(code)]; ok {
				t.Errorf("%s is %s and %s", code, was, v.Names[0].Name)
			}
			all[Code(code)] = v.Names[0].Name
			return true
		})
	}
	if len(all) < 400 {
		t.Fatalf("only %d codes", len(all))
	}
	return all
}

// The digits of a code of planning say to its reader what its table says to the
// program: HS-31 to HS-36 are reasons of a skip, each in a group, HS-390 is the
// guard's, the rest is neither.
func TestCodes_OfPlanningStandInTheirTableAsTheirDigitsSay(t *testing.T) {
	groups := map[string]Group{
		"HS-31": LeftAlone, "HS-32": NotWritable, "HS-33": NotWritable, "HS-34": NotHere, "HS-35": LeftOut, "HS-36": NotWritable,
	}
	for code, name := range constants(t) {
		row, listed := planning[code]
		if !strings.HasPrefix(string(code), "HS-3") {
			if listed || code.Guard() {
				t.Errorf("%s %s stands in a table of planning", code, name)
			}
			continue
		}
		if !listed {
			t.Errorf("%s %s stands in no table of planning", code, name)
		}
		if want := groups[string(code[:5])]; row.group != want {
			t.Errorf("%s %s: group %d, want %d", code, name, row.group, want)
		}
		if row.group != 0 && code.Class() != Skip {
			t.Errorf("%s %s: class %d of the reason of a skip", code, name, code.Class())
		}
		guard := strings.HasPrefix(string(code), "HS-390")
		if code.Guard() != guard || Guarded(fmt.Errorf("x: %w", New(code, nil))) != guard {
			t.Errorf("%s %s: guard %t, want %t", code, name, code.Guard(), guard)
		}
		if guard && code.Class() != Mend {
			t.Errorf("%s %s: class %d of the guard", code, name, code.Class())
		}
	}
}

// A new reason of a skip takes the number that stands at the head of its block.
func TestCodes_OfPlanningNameTheNextFreeOne(t *testing.T) {
	all := constants(t)
	tree, err := parser.ParseFile(token.NewFileSet(), "codes_plan.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	groups := map[Group]string{LeftAlone: "LeftAlone", NotWritable: "NotWritable", NotHere: "NotHere", LeftOut: "LeftOut"}
	for _, d := range tree.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		head := strings.Join(strings.Fields(block.Doc.Text()), " ")
		last := 0
		for _, s := range block.Specs {
			code, _ := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			n, _ := strconv.Atoi(code[len("HS-"):])
			last = max(last, n)
			if name := groups[Code(code).Group()]; code < "HS-39" && !strings.Contains(head, "Group "+name+".") {
				t.Errorf("%s is in the group %s; its block says %q", code, name, head)
			}
		}
		free := last + 1
		for all[Code(fmt.Sprintf("HS-%d", free))] != "" {
			free++
		}
		if want := fmt.Sprintf("Next free: HS-%d.", free); !strings.HasSuffix(head, want) {
			t.Errorf("a block says %q, want %q", head, want)
		}
	}
}

func TestCodes_OfTheGuardAreThese(t *testing.T) {
	var all []Code
	for code := range constants(t) {
		if code.Guard() {
			all = append(all, code)
		}
	}
	slices.Sort(all)
	if want := []Code{GuardCancels, GuardCancelsNumber, GuardCancelsDay, SignInCancels, GuardCancelsKnown, MovesCancel, LostCancels, ChangesCancel, LostCancelsNumber}; !slices.Equal(all, want) {
		t.Errorf("%s, want %s", all, want)
	}
}

func TestGuarded_IsAboutTheOutermostProblem(t *testing.T) {
	var none *Problem
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"nothing":         {nil, false},
		"no problem":      {none, false},
		"any error":       {errors.New("x"), false},
		"the guard":       {New(SignInCancels, nil), true},
		"within another":  {Wrap(New(GuardCancels, nil), StateWentAway, nil), false},
		"around an error": {Wrap(errors.New("x"), GuardCancelsDay, nil), true},
	} {
		if got := Guarded(c.err); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestCodes_ThatNoTableHas(t *testing.T) {
	if c := Code("HS-3999"); c.Class() != Fatal || c.Group() != NotWritable || c.Guard() {
		t.Errorf("class %d, group %d, guard %t", c.Class(), c.Group(), c.Guard())
	}
}
