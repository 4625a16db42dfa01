package plan

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"testing"
)

// What is for and against is in both languages.
func TestSigns_HaveWords(t *testing.T) {
	tree, err := parser.ParseFile(token.NewFileSet(), "ask_question.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var signs []string
	ast.Inspect(tree, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Sign" {
			s, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			signs = append(signs, s)
		}
		return true
	})
	if len(signs) < 17 {
		t.Fatalf("only %d signs", len(signs))
	}
	for _, lang := range []string{"en", "ja"} {
		raw, err := os.ReadFile("../../assets/locales/plan." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var words struct {
			Sign map[string]string `json:"sign"`
		}
		if err := json.Unmarshal(raw, &words); err != nil {
			t.Fatal(err)
		}
		for _, s := range signs {
			if words.Sign[s] == "" {
				t.Errorf("%s: no words for %s", lang, s)
			}
		}
		if len(words.Sign) != len(signs) {
			t.Errorf("%s: %d words for %d signs", lang, len(words.Sign), len(signs))
		}
	}
}
