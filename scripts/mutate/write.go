package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// mutant is one change: where it is, in which function and line of source, and
// what it does.
type mutant struct{ at, file, function, line, what string }

// write puts every change of the files into copies of them, each made when the
// package is told its number, and gives the overlay that has them compiled in
// place of the files.
func write(work, dir string, files []string) (list []mutant, overlay string, err error) {
	set := token.NewFileSet()
	names, err := goFiles(dir)
	if err != nil {
		return nil, "", err
	}
	var parsed []*ast.File
	byName := map[string]*ast.File{}
	for _, name := range names {
		f, err := parser.ParseFile(set, filepath.Join(dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, "", err
		}
		parsed, byName[name] = append(parsed, f), f
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	exports, err := exportsOf(dir)
	if err != nil {
		return nil, "", err
	}
	pkg, err := (&types.Config{Importer: importer.ForCompiler(set, "gc", exports)}).Check(dir, set, parsed, info)
	if err != nil {
		return nil, "", err
	}
	replace := map[string]string{}
	for _, name := range files {
		f := byName[name]
		if f == nil {
			return nil, "", fmt.Errorf("%s is no file of %s", name, dir)
		}
		source, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, "", err
		}
		w := writer{set: set, info: info, pkg: pkg, file: f, list: &list, source: source}
		f.Comments = nil // their places are no longer those of the code
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Body != nil {
				w.function = fn.Name.Name
				w.block(fn.Body.List)
			}
		}
		if err := replaced(replace, work, filepath.Join(dir, name), name, set, f); err != nil {
			return nil, "", err
		}
	}
	helper := "package " + parsed[0].Name.Name + helpers
	if err := put(replace, work, filepath.Join(dir, "zz_mutant.go"), "zz_mutant.go", []byte(helper)); err != nil {
		return nil, "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return nil, "", err
	}
	overlay = filepath.Join(work, "overlay.json")
	return list, overlay, os.WriteFile(overlay, text, 0o600)
}

const helpers = `

import (
	"os"
	"strconv"
)

var zzMutant, _ = strconv.Atoi(os.Getenv("` + which + `"))

func zzIf(number int, cond, fixed bool) bool {
	if zzMutant == number {
		return fixed
	}
	return cond
}

func zzNumber[T any](number int, is, becomes T) T {
	if zzMutant == number {
		return becomes
	}
	return is
}
`

func replaced(replace map[string]string, work, path, name string, set *token.FileSet, f *ast.File) error {
	var text bytes.Buffer
	if err := printer.Fprint(&text, set, f); err != nil {
		return err
	}
	return put(replace, work, path, name, text.Bytes())
}

func put(replace map[string]string, work, path, name string, text []byte) error {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	replace[absolute] = filepath.Join(work, name)
	return os.WriteFile(replace[absolute], text, 0o600)
}

// goFiles are the files that a package is compiled from on this machine, less its tests.
func goFiles(dir string) ([]string, error) {
	out, err := exec.Command("go", "list", "-f", "{{range .GoFiles}}{{println .}}{{end}}", "./"+dir).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	return strings.Fields(string(out)), nil
}

// exportsOf finds what the compiler says of the packages that dir imports.
func exportsOf(dir string) (func(string) (io.ReadCloser, error), error) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", "./"+dir).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := map[string]string{}
	for line := range bytes.Lines(out) {
		path, export, _ := bytes.Cut(bytes.TrimSpace(line), []byte("\t"))
		files[string(path)] = string(export)
	}
	return func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, errors.New("no export data of " + path)
		}
		return os.Open(files[path])
	}, nil
}
