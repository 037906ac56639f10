// Package markup fills HTML templates: the language of text/template, as far as a page
// needs it, with every value escaped. It reads fields and never calls methods: with a
// call of a method by its name in it, the linker has to keep every method of every type
// in the program, a fifth of the binary.
package markup

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"text/template/parse"
)

// Raw goes out as it is: our own style and script, and JSON that was escaped for them.
type Raw string

// Funcs are what a template may call, by name. They give one value.
type Funcs map[string]any

// Template is a parsed one. It is safe for concurrent use once it is.
type Template struct {
	trees map[string]*parse.Tree
	main  string
	funcs map[string]reflect.Value
	raw   map[*parse.ActionNode]bool // that stand in a script or a style
}

// Parse reads a template, and those that it uses: the first is the one that is filled.
// It errs on one that puts a value where HTML does not hold it safely.
func Parse(funcs Funcs, sources ...string) (*Template, error) {
	t := &Template{trees: map[string]*parse.Tree{}, main: "0", funcs: map[string]reflect.Value{}, raw: map[*parse.ActionNode]bool{}}
	known := map[string]any{}
	for _, list := range []Funcs{builtin(), funcs} {
		for name, f := range list {
			t.funcs[name] = reflect.ValueOf(f)
			known[name] = f
		}
	}
	for i, text := range sources {
		trees, err := parse.Parse(strconv.Itoa(i), text, "", "", known)
		if err != nil {
			return nil, err
		}
		for name, tree := range trees {
			if t.trees[name] != nil {
				return nil, fmt.Errorf("template %s is there twice", name)
			}
			t.trees[name] = tree
		}
	}
	c := &checker{trees: t.trees, ends: map[string]place{}, raw: t.raw}
	end, err := c.template(t.main, text)
	if err == nil && end != text {
		err = errors.New("the page ends within a tag, a script or a comment")
	}
	return t, err
}

// Execute fills the template with data. What it wrote when it errs is to be thrown away.
func (t *Template) Execute(w io.Writer, data any) (err error) {
	out := bufio.NewWriter(w)
	f := &filling{Template: t, out: out}
	defer func() {
		switch r := recover().(type) {
		case nil:
			err = out.Flush()
		case wrong:
			err = r.error
		default:
			panic(r)
		}
	}()
	f.run(t.main, reflect.ValueOf(data))
	return nil
}

// wrong is the panic of a template that does not fit its data.
type wrong struct{ error }

// filling is a template while it is filled. It panics with wrong.
type filling struct {
	*Template
	out  *bufio.Writer
	vars []variable
}

type variable struct {
	name  string
	value reflect.Value
}

func (f *filling) fail(n parse.Node, format string, args ...any) {
	panic(wrong{fmt.Errorf("%s: %s", n, fmt.Sprintf(format, args...))})
}

// run fills the template of a name.
func (f *filling) run(name string, dot reflect.Value) {
	inner := &filling{Template: f.Template, out: f.out, vars: []variable{{"$", dot}}}
	inner.list(f.trees[name].Root, dot)
}

func (f *filling) list(l *parse.ListNode, dot reflect.Value) {
	if l == nil {
		return
	}
	for _, n := range l.Nodes {
		f.node(n, dot)
	}
}

func (f *filling) node(n parse.Node, dot reflect.Value) {
	switch n := n.(type) {
	case *parse.TextNode:
		f.write(string(n.Text))
	case *parse.ActionNode:
		value := f.pipe(n.Pipe, dot)
		if len(n.Pipe.Decl) == 0 {
			f.print(n, value)
		}
	case *parse.IfNode:
		f.branch(&n.BranchNode, dot, false)
	case *parse.WithNode:
		f.branch(&n.BranchNode, dot, true)
	case *parse.RangeNode:
		f.each(n, dot)
	case *parse.TemplateNode:
		given := reflect.Value{}
		if n.Pipe != nil {
			given = f.pipe(n.Pipe, dot)
		}
		f.run(n.Name, given)
	case *parse.CommentNode:
	default:
		f.fail(n, "a page has no such thing")
	}
}

func (f *filling) branch(b *parse.BranchNode, dot reflect.Value, with bool) {
	defer f.scope()()
	value := f.pipe(b.Pipe, dot)
	switch {
	case !truth(value):
		f.list(b.ElseList, dot)
	case with:
		f.list(b.List, value)
	default:
		f.list(b.List, dot)
	}
}

func (f *filling) each(r *parse.RangeNode, dot reflect.Value) {
	defer f.scope()()
	value := indirect(f.pipe(&parse.PipeNode{Cmds: r.Pipe.Cmds}, dot))
	n := 0
	switch value.Kind() {
	case reflect.Slice, reflect.Array:
		n = value.Len()
	case reflect.Invalid:
	default:
		f.fail(r.Pipe, "a %s has no elements", value.Type())
	}
	for i := range n {
		end := f.scope()
		item := value.Index(i)
		for k, d := range r.Pipe.Decl {
			v := item
			if k == 0 && len(r.Pipe.Decl) == 2 {
				v = reflect.ValueOf(i)
			}
			f.vars = append(f.vars, variable{d.Ident[0], v})
		}
		f.list(r.List, item)
		end()
	}
	if n == 0 {
		f.list(r.ElseList, dot)
	}
}

// scope begins a stretch whose variables end with it.
func (f *filling) scope() (end func()) {
	n := len(f.vars)
	return func() { f.vars = f.vars[:n] }
}

func (f *filling) write(s string) {
	if _, err := f.out.WriteString(s); err != nil {
		panic(wrong{err})
	}
}

// print writes a value, escaped unless it is Raw.
func (f *filling) print(n *parse.ActionNode, v reflect.Value) {
	v = indirect(v)
	if !v.IsValid() {
		return
	}
	own, isRaw := reflect.TypeAssert[Raw](v)
	if isRaw != f.raw[n] {
		f.fail(n, "Raw, and nothing else, goes into a script or a style, and nowhere else")
	}
	if isRaw {
		f.write(string(own))
		return
	}
	switch x := v.Interface().(type) {
	case string:
		f.write(escape(x))
	case fmt.Stringer:
		f.write(escape(x.String()))
	default:
		switch v.Kind() {
		case reflect.Struct, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
			f.fail(n, "a %s is nothing to print", v.Type())
		default:
			f.write(escape(fmt.Sprint(x)))
		}
	}
}

// escape makes text safe between tags and within quotes.
func escape(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer("\x00", "\ufffd", `"`, "&#34;", "&", "&amp;", "'", "&#39;", "+", "&#43;", "<", "&lt;", ">", "&gt;")

var errNoTemplate = errors.New("no such template")
