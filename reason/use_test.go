package reason

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Every reason that the source makes has as many arguments as its row in the
// table, and every code of the table is made somewhere.
func TestReasonsAreMadeAsTheTableHasThem(t *testing.T) {
	names := namesOfCodes(t)
	fset := token.NewFileSet()
	used := map[Code]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == "results") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		file, err := parser.ParseFile(fset, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && isReason(s.X) {
				used[names[s.Sel.Name]] = true
			}
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if !makes(call.Fun) {
				return true
			}
			s, ok := call.Args[0].(*ast.SelectorExpr)
			if !ok || !isReason(s.X) || call.Ellipsis.IsValid() {
				return true // a code in a variable: tests of what is said see to it
			}
			row := rows()[names[s.Sel.Name]]
			if row == nil || len(row.args) != len(call.Args)-1 {
				t.Errorf("%s: reason.New(reason.%s) has %d arguments, its row has not", fset.Position(call.Pos()), s.Sel.Name, len(call.Args)-1)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, code := range names {
		if !used[code] && code != AsSaid {
			t.Errorf("nobody says reason.%s", name)
		}
	}
}

// makes tells whether a function makes a reason of a code and its arguments:
// reason.New, and those of its callers that pass them on.
func makes(f ast.Expr) bool {
	switch f := f.(type) {
	case *ast.SelectorExpr:
		return isReason(f.X) && f.Sel.Name == "New"
	case *ast.Ident:
		return f.Name == "refused" || f.Name == "warn"
	}
	return false
}

func isReason(x ast.Expr) bool {
	id, ok := x.(*ast.Ident)
	return ok && id.Name == "reason"
}

// namesOfCodes are the constants of this package, by name.
func namesOfCodes(t *testing.T) map[string]Code {
	t.Helper()
	out := map[string]Code{}
	files, err := filepath.Glob("[a-z]*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			if v, ok := n.(*ast.ValueSpec); ok && isCode(v.Type) {
				for i, name := range v.Names {
					if l, ok := v.Values[i].(*ast.BasicLit); ok {
						code, _ := strconv.Unquote(l.Value)
						out[name.Name] = Code(code)
					}
				}
			}
			return true
		})
	}
	if len(out) != len(rows()) {
		t.Fatalf("%d constants, %d rows", len(out), len(rows()))
	}
	return out
}

func isCode(of ast.Expr) bool {
	name, ok := of.(*ast.Ident)
	return ok && name.Name == "Code"
}
