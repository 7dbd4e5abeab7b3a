package till

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
	"unicode/utf8"
)

// Every message fits the display uncut, has a code of its own, and says in both
// languages what to do. The table is read from its source, so that none can be
// forgotten here.
func TestMessages(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "message.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		lit, ok := n.(*ast.CompositeLit)
		if name, isName := nameOfType(lit); !ok || !isName || name != "message" {
			return true
		}
		var words []string
		ast.Inspect(lit, func(n ast.Node) bool {
			if b, ok := n.(*ast.BasicLit); ok && b.Kind == token.STRING {
				s, err := strconv.Unquote(b.Value)
				if err != nil {
					t.Fatal(err)
				}
				words = append(words, s)
			}
			return true
		})
		if len(words) != 7 {
			t.Errorf("%q: %d texts, want 7", words, len(words))
			return false
		}
		code, display4, text := words[0], words[1:5], words[5:]
		if codes[code] || len(code) != 3 {
			t.Errorf("code %q is used twice or is not three characters", code)
		}
		codes[code] = true
		for i, limit := range []int{columnsMax - 4, columnsMax, columnsMax - 4, columnsMax} {
			if s := display4[i]; utf8.RuneCountInString(s) > limit || display(s, columnsMax) != s {
				t.Errorf("%s: %q is over %d columns, or no display can show it", code, s, limit)
			}
		}
		if text[0] == "" || text[1] == "" || (display4[0] == "") != (display4[2] == "") {
			t.Errorf("%s: not in both languages", code)
		}
		return false
	})
	if len(codes) < 40 {
		t.Errorf("%d messages found", len(codes))
	}
}

func nameOfType(lit *ast.CompositeLit) (string, bool) {
	if lit == nil {
		return "", false
	}
	id, ok := lit.Type.(*ast.Ident)
	if !ok {
		return "", false
	}
	return id.Name, true
}
