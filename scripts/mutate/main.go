// Command mutate changes one thing at a time in given files of a package, runs
// the package's tests, and prints every change that no test noticed.
//
//	go run ./scripts/mutate [-timeout 60s] [-run REGEXP] [-slow REGEXP] PACKAGE FILE...
//
// Tests that match -slow run only for what the others did not notice.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// mutant is one change: make does it to the tree, undo takes it back.
type mutant struct {
	at         token.Pos
	what       string
	make, undo func()
}

var swaps = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR, token.EQL: token.NEQ, token.NEQ: token.EQL,
	token.LAND: token.LOR, token.LOR: token.LAND, token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
}

func main() {
	timeout := flag.Duration("timeout", time.Minute, "of one run of the tests; a mutant that hangs is noticed")
	match := flag.String("run", "", "only the tests that match")
	slow := flag.String("slow", "", "tests that run last, for what the others did not notice")
	flag.Parse()
	if flag.NArg() < 2 {
		fmt.Fprintln(os.Stderr, "usage: mutate [-timeout D] [-run REGEXP] [-slow REGEXP] PACKAGE FILE...")
		os.Exit(64)
	}
	survived, err := mutate(flag.Arg(0), flag.Args()[1:], tests{match: *match, slow: *slow, timeout: *timeout})
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "mutate:", err)
		os.Exit(70)
	case survived > 0:
		os.Exit(1)
	}
}

// tests says which tests look for a change, and for how long.
type tests struct {
	match, slow string
	timeout     time.Duration
}

func mutate(dir string, files []string, tests tests) (survived int, err error) {
	if out, ok := tests.pass(dir, ""); !ok {
		return 0, fmt.Errorf("the tests of %s fail without a change:\n%s", dir, out)
	}
	work, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	total := 0
	for _, name := range files {
		path, err := filepath.Abs(filepath.Join(dir, name))
		if err != nil {
			return 0, err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
		if err != nil {
			return 0, err
		}
		changed, overlay := filepath.Join(work, name), filepath.Join(work, "overlay.json")
		if err := os.WriteFile(overlay, fmt.Appendf(nil, `{"Replace":{%q:%q}}`, path, changed), 0o600); err != nil {
			return 0, err
		}
		for _, m := range mutants(file) {
			m.make()
			var text bytes.Buffer
			err := printer.Fprint(&text, set, file)
			m.undo()
			if err == nil {
				err = os.WriteFile(changed, text.Bytes(), 0o600)
			}
			if err != nil {
				return 0, err
			}
			total++
			if _, ok := tests.pass(dir, overlay); ok {
				survived++
				at := set.Position(m.at)
				fmt.Printf("%s/%s:%d:%d: %s\n", dir, name, at.Line, at.Column, m.what)
			}
		}
	}
	fmt.Printf("%d mutants, %d survived\n", total, survived)
	return survived, nil
}

// pass tells whether the tests do. The source tree is not touched: the
// compiler reads the changed file in place of its own. What does not compile fails.
func (t tests) pass(dir, overlay string) ([]byte, bool) {
	out, ok := t.run(dir, overlay, "-run", t.match, "-skip", t.slow)
	if ok && t.slow != "" {
		out, ok = t.run(dir, overlay, "-run", t.slow)
	}
	return out, ok
}

func (t tests) run(dir, overlay string, which ...string) ([]byte, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), t.timeout+10*time.Second)
	defer cancel()
	args := append([]string{"test", "-vet=off", "-failfast", "-timeout", t.timeout.String()}, which...)
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	out, err := exec.CommandContext(ctx, "go", append(args, "./"+dir)...).CombinedOutput()
	return out, err == nil
}

func mutants(file *ast.File) []mutant {
	var list []mutant
	add := func(at token.Pos, what string, do, undo func()) { list = append(list, mutant{at, what, do, undo}) }
	drop := func(body []ast.Stmt) {
		for i, s := range body {
			switch s.(type) {
			case *ast.ExprStmt, *ast.AssignStmt, *ast.IncDecStmt, *ast.SendStmt, *ast.BranchStmt:
				add(s.Pos(), "statement removed", func() { body[i] = &ast.EmptyStmt{Semicolon: s.Pos()} }, func() { body[i] = s })
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if to, ok := swaps[n.Op]; ok {
				from := n.Op
				add(n.OpPos, from.String()+" is "+to.String(), func() { n.Op = to }, func() { n.Op = from })
			}
		case *ast.IfStmt:
			cond := n.Cond
			for _, value := range []string{"true", "false"} {
				// The condition is still evaluated by the compiler's eyes: what it uses stays used.
				fixed := &ast.BinaryExpr{X: &ast.ParenExpr{X: cond}, Op: map[string]token.Token{"true": token.LOR, "false": token.LAND}[value], Y: ast.NewIdent(value)}
				add(cond.Pos(), "condition is "+value, func() { n.Cond = fixed }, func() { n.Cond = cond })
			}
		case *ast.BasicLit:
			if v, err := strconv.ParseInt(n.Value, 0, 64); n.Kind == token.INT && err == nil {
				text := n.Value
				add(n.Pos(), text+" is "+strconv.FormatInt(v+1, 10), func() { n.Value = strconv.FormatInt(v+1, 10) }, func() { n.Value = text })
			}
		case *ast.BlockStmt:
			drop(n.List)
		case *ast.CaseClause:
			drop(n.Body)
		}
		return true
	})
	return list
}
