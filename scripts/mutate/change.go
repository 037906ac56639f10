package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
)

// writer writes the changes of a file into it.
type writer struct {
	set  *token.FileSet
	info *types.Info
	pkg  *types.Package
	file *ast.File
	list *[]mutant

	source   []byte // of file
	function string // that the changes are in
}

// add gives a change its number.
func (w *writer) add(at token.Pos, what string) ast.Expr {
	p := w.set.Position(at)
	*w.list = append(*w.list, mutant{
		at:   fmt.Sprintf("%s:%d:%d", filepath.Base(p.Filename), p.Line, p.Column),
		file: filepath.Base(p.Filename), function: w.function, line: lineAt(w.source, p.Offset), what: what,
	})
	return number(len(*w.list))
}

func number(n int) ast.Expr { return &ast.BasicLit{Kind: token.INT, Value: strconv.Itoa(n)} }

func call(name string, args ...ast.Expr) ast.Expr {
	return &ast.CallExpr{Fun: ast.NewIdent(name), Args: args}
}

func active(n ast.Expr) ast.Expr {
	return &ast.BinaryExpr{X: ast.NewIdent("zzMutant"), Op: token.EQL, Y: n}
}

// block changes statements, and leaves each out in turn.
func (w *writer) block(list []ast.Stmt) {
	for i, s := range list {
		w.statement(s)
		switch s := s.(type) {
		case *ast.AssignStmt:
			if s.Tok == token.DEFINE {
				continue // what it names would be missing
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.BranchStmt:
		default:
			continue
		}
		n := w.add(s.Pos(), "statement removed")
		list[i] = &ast.IfStmt{Cond: &ast.BinaryExpr{X: ast.NewIdent("zzMutant"), Op: token.NEQ, Y: n}, Body: &ast.BlockStmt{List: []ast.Stmt{s}}}
	}
}

func (w *writer) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.BlockStmt:
		w.block(s.List)
	case *ast.IfStmt:
		w.optional(s.Init)
		at := s.Cond.Pos()
		w.expression(&s.Cond)
		for _, to := range []string{"true", "false"} {
			s.Cond = call("zzIf", w.add(at, "condition is "+to), s.Cond, ast.NewIdent(to))
		}
		w.block(s.Body.List)
		w.optional(s.Else)
	case *ast.ForStmt:
		w.optional(s.Init)
		w.optional(s.Post)
		if s.Cond != nil {
			w.expression(&s.Cond)
		}
		w.block(s.Body.List)
	case *ast.RangeStmt:
		w.expression(&s.X)
		w.block(s.Body.List)
	case *ast.SwitchStmt:
		w.optional(s.Init)
		if s.Tag != nil {
			w.expression(&s.Tag)
		}
		for _, c := range s.Body.List {
			clause, _ := c.(*ast.CaseClause)
			if s.Tag == nil {
				w.expressions(clause.List)
			}
			w.block(clause.Body)
		}
	case *ast.TypeSwitchStmt:
		for _, c := range s.Body.List {
			clause, _ := c.(*ast.CaseClause)
			w.block(clause.Body)
		}
	case *ast.SelectStmt:
		for _, c := range s.Body.List {
			clause, _ := c.(*ast.CommClause)
			w.block(clause.Body)
		}
	case *ast.LabeledStmt:
		w.statement(s.Stmt)
	case *ast.ReturnStmt:
		w.expressions(s.Results)
	case *ast.AssignStmt:
		w.expressions(s.Rhs)
	case *ast.ExprStmt:
		w.expression(&s.X)
	case *ast.GoStmt:
		w.expressions(s.Call.Args)
	case *ast.DeferStmt:
		w.expressions(s.Call.Args)
	}
}

func (w *writer) optional(s ast.Stmt) {
	if s != nil {
		w.statement(s)
	}
}

func (w *writer) expressions(list []ast.Expr) {
	for i := range list {
		w.expression(&list[i])
	}
}

// expression changes what is in an expression, deepest first. What the compiler
// takes for a constant stays one.
func (w *writer) expression(e *ast.Expr) {
	t := w.info.Types[*e]
	if lit, ok := (*e).(*ast.BasicLit); ok {
		w.literal(e, lit, t)
		return
	}
	if t.Value != nil {
		w.constant(e, t)
		return
	}
	switch x := (*e).(type) {
	case *ast.ParenExpr:
		w.expression(&x.X)
	case *ast.UnaryExpr:
		if x.Op != token.AND {
			w.expression(&x.X)
		}
	case *ast.StarExpr:
		w.expression(&x.X)
	case *ast.SelectorExpr:
		if _, plain := x.X.(*ast.Ident); !plain {
			w.expression(&x.X)
		}
	case *ast.IndexExpr:
		if v, ok := w.info.Types[x.Index]; ok && v.IsValue() {
			w.expression(&x.Index)
		}
	case *ast.SliceExpr:
		for _, part := range []*ast.Expr{&x.Low, &x.High, &x.Max} {
			if *part != nil {
				w.expression(part)
			}
		}
	case *ast.CallExpr:
		if f := w.info.Types[x.Fun]; !f.IsBuiltin() || name(x.Fun) != "make" && name(x.Fun) != "new" {
			w.expressions(x.Args)
		}
	case *ast.CompositeLit:
		for i := range x.Elts {
			if kv, ok := x.Elts[i].(*ast.KeyValueExpr); ok {
				w.expression(&kv.Value)
			} else {
				w.expression(&x.Elts[i])
			}
		}
	case *ast.FuncLit:
		w.block(x.Body.List)
	case *ast.BinaryExpr:
		w.binary(e, x)
	}
}

func name(x ast.Expr) string {
	if id, ok := x.(*ast.Ident); ok {
		return id.Name
	}
	return ""
}

// literal changes a whole number by one where a variable may stand.
func (w *writer) literal(e *ast.Expr, lit *ast.BasicLit, t types.TypeAndValue) {
	v, err := strconv.ParseInt(lit.Value, 0, 64)
	if lit.Kind != token.INT || err != nil {
		return
	}
	kind := w.kind(t.Type)
	if kind == nil {
		return
	}
	becomes := strconv.FormatInt(v+1, 10)
	*e = call("zzNumber", w.add(lit.Pos(), lit.Value+" is "+becomes), &ast.CallExpr{Fun: kind, Args: []ast.Expr{lit}}, &ast.CallExpr{Fun: kind, Args: []ast.Expr{number(int(v + 1))}})
}

// constant makes one of a constant expression of numbers one more.
func (w *writer) constant(e *ast.Expr, t types.TypeAndValue) {
	basic, ok := t.Type.Underlying().(*types.Basic)
	if _, plain := (*e).(*ast.BinaryExpr); !ok || !plain || basic.Info()&types.IsNumeric == 0 {
		return
	}
	kind := w.kind(t.Type)
	if kind == nil {
		return
	}
	n := w.add((*e).Pos(), "constant is one more")
	*e = call("zzNumber", n, &ast.CallExpr{Fun: kind, Args: []ast.Expr{*e}}, &ast.CallExpr{Fun: kind, Args: []ast.Expr{&ast.BinaryExpr{X: &ast.ParenExpr{X: *e}, Op: token.ADD, Y: number(1)}}})
}

// kind writes a type of numbers as this file may; nil where it cannot.
func (w *writer) kind(t types.Type) ast.Expr {
	basic, ok := t.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsNumeric == 0 {
		return nil
	}
	t = types.Default(t)
	known := true
	text := types.TypeString(t, func(p *types.Package) string {
		if p == w.pkg {
			return ""
		}
		for _, i := range w.file.Imports {
			if path, _ := strconv.Unquote(i.Path.Value); path == p.Path() && i.Name == nil {
				return p.Name()
			}
		}
		known = false
		return "unknown"
	})
	expr, err := parser.ParseExpr(text)
	if err != nil || !known {
		return nil
	}
	return &ast.ParenExpr{X: expr}
}

var swaps = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
}

var lazy = []token.Token{token.LAND, token.LOR}

// binary swaps an operator. Both operands are made once, but for what Go
// itself makes only when needed.
func (w *writer) binary(e *ast.Expr, x *ast.BinaryExpr) {
	result, left, right := w.info.Types[x].Type, w.info.Types[x.X].Type, w.info.Types[x.Y].Type
	w.expression(&x.X)
	w.expression(&x.Y)
	to, ok := swaps[x.Op]
	if !ok {
		return
	}
	if basic, ok := left.Underlying().(*types.Basic); ok && basic.Info()&types.IsString != 0 && x.Op == token.ADD {
		return
	}
	if slices.Contains(lazy, x.Op) {
		n := w.add(x.OpPos, x.Op.String()+" is "+to.String())
		// a && b or, when the change is made, a || b: a decides alone where it can in either.
		other := &ast.BinaryExpr{X: x.X, Op: to, Y: x.Y}
		*e = &ast.ParenExpr{X: &ast.BinaryExpr{
			X:  &ast.ParenExpr{X: &ast.BinaryExpr{X: active(n), Op: token.LAND, Y: &ast.ParenExpr{X: other}}},
			Op: token.LOR,
			Y:  &ast.ParenExpr{X: &ast.BinaryExpr{X: &ast.BinaryExpr{X: ast.NewIdent("zzMutant"), Op: token.NEQ, Y: n}, Op: token.LAND, Y: &ast.ParenExpr{X: x}}},
		}}
		return
	}
	if result == nil || isNil(left) || isNil(right) {
		if x.Op == token.EQL || x.Op == token.NEQ {
			n := w.add(x.OpPos, x.Op.String()+" is "+to.String())
			*e = &ast.ParenExpr{X: &ast.BinaryExpr{X: &ast.ParenExpr{X: x}, Op: token.NEQ, Y: &ast.ParenExpr{X: active(n)}}}
		}
		return
	}
	if basic, ok := result.Underlying().(*types.Basic); ok && basic.Info()&types.IsBoolean != 0 && (x.Op == token.EQL || x.Op == token.NEQ) {
		n := w.add(x.OpPos, x.Op.String()+" is "+to.String())
		*e = &ast.ParenExpr{X: &ast.BinaryExpr{X: &ast.ParenExpr{X: x}, Op: token.NEQ, Y: &ast.ParenExpr{X: active(n)}}}
		return
	}
	kind := w.kind(left)
	if kind == nil {
		return
	}
	if _, untyped := right.(*types.Basic); !untyped && !types.Identical(left, right) {
		return
	}
	n := w.add(x.OpPos, x.Op.String()+" is "+to.String())
	out := ast.Expr(ast.NewIdent("bool"))
	if basic, ok := result.Underlying().(*types.Basic); !ok || basic.Info()&types.IsBoolean == 0 {
		out = kind
	}
	param := func(name string, t ast.Expr) *ast.Field {
		return &ast.Field{Names: []*ast.Ident{ast.NewIdent(name)}, Type: t}
	}
	second := w.kind(right)
	if x.Op != token.SHL && x.Op != token.SHR {
		second = kind
	}
	if second == nil {
		return
	}
	a, b := ast.NewIdent("zzA"), ast.NewIdent("zzB")
	*e = &ast.CallExpr{
		Fun: &ast.FuncLit{
			Type: &ast.FuncType{Params: &ast.FieldList{List: []*ast.Field{param("zzA", kind), param("zzB", second)}}, Results: &ast.FieldList{List: []*ast.Field{{Type: out}}}},
			Body: &ast.BlockStmt{List: []ast.Stmt{
				&ast.IfStmt{Cond: active(n), Body: &ast.BlockStmt{List: []ast.Stmt{&ast.ReturnStmt{Results: []ast.Expr{&ast.BinaryExpr{X: a, Op: to, Y: b}}}}}},
				&ast.ReturnStmt{Results: []ast.Expr{&ast.BinaryExpr{X: a, Op: x.Op, Y: b}}},
			}},
		},
		Args: []ast.Expr{x.X, x.Y},
	}
}

func isNil(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Kind() == types.UntypedNil
}
