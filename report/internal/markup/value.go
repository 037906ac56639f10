package markup

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// pipe gives the value of a pipeline, and declares what it declares.
func (f *filling) pipe(p *parse.PipeNode, dot reflect.Value) reflect.Value {
	if len(p.Cmds) != 1 {
		f.fail(p, "a page has no pipelines of several commands")
	}
	value := f.command(p.Cmds[0], dot)
	for _, d := range p.Decl {
		f.vars = append(f.vars, variable{d.Ident[0], value})
	}
	return value
}

func (f *filling) command(c *parse.CommandNode, dot reflect.Value) reflect.Value {
	name, ok := c.Args[0].(*parse.IdentifierNode)
	if !ok {
		if len(c.Args) > 1 {
			f.fail(c, "only functions have arguments")
		}
		return f.value(c.Args[0], dot)
	}
	args := make([]reflect.Value, 0, len(c.Args)-1)
	for _, a := range c.Args[1:] {
		args = append(args, f.value(a, dot))
	}
	return f.call(c, name.Ident, args)
}

func (f *filling) value(n parse.Node, dot reflect.Value) reflect.Value {
	switch n := n.(type) {
	case *parse.DotNode:
		return dot
	case *parse.FieldNode:
		return f.fields(n, dot, n.Ident)
	case *parse.VariableNode:
		for _, v := range slices.Backward(f.vars) {
			if v.name == n.Ident[0] {
				return f.fields(n, v.value, n.Ident[1:])
			}
		}
		f.fail(n, "no such variable")
	case *parse.ChainNode:
		return f.fields(n, f.value(n.Node, dot), n.Field)
	case *parse.PipeNode:
		return f.pipe(n, dot)
	case *parse.IdentifierNode:
		return f.call(n, n.Ident, nil)
	case *parse.StringNode:
		return reflect.ValueOf(n.Text)
	case *parse.BoolNode:
		return reflect.ValueOf(n.True)
	case *parse.NumberNode:
		if n.IsInt && !strings.ContainsAny(n.Text, ".eE") {
			return reflect.ValueOf(int(n.Int64))
		}
		return reflect.ValueOf(n.Float64)
	default:
		f.fail(n, "a page has no such value")
	}
	return reflect.Value{}
}

// fields follows the names of fields.
func (f *filling) fields(n parse.Node, v reflect.Value, names []string) reflect.Value {
	for _, name := range names {
		v = indirect(v)
		if v.Kind() != reflect.Struct {
			f.fail(n, "there is no %s", name)
		}
		field := v.FieldByName(name)
		if !field.IsValid() || !field.CanInterface() {
			f.fail(n, "%s has no field %s", v.Type(), name)
		}
		v = field
	}
	return v
}

// indirect follows pointers and interfaces; invalid where they lead nowhere.
func indirect(v reflect.Value) reflect.Value {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	return v
}

// truth tells what if and with take for true: what is neither zero nor empty.
func truth(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Invalid:
		return false
	case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
		return v.Len() > 0
	case reflect.Struct:
		return true
	case reflect.Interface:
		return truth(v.Elem())
	}
	return !v.IsZero()
}

// call calls a function with values as it takes them.
func (f *filling) call(n parse.Node, name string, args []reflect.Value) reflect.Value {
	function := f.funcs[name]
	t := function.Type()
	if !t.IsVariadic() && t.NumIn() != len(args) || t.IsVariadic() && len(args) < t.NumIn()-1 {
		f.fail(n, "%s takes %d values, not %d", name, t.NumIn(), len(args))
	}
	for i, a := range args {
		args[i] = f.argument(n, a, in(t, i))
	}
	out := function.Call(args)
	if len(out) == 2 && !out[1].IsNil() {
		f.fail(n, "%v", out[1].Interface())
	}
	return out[0]
}

// in is the type of a function's parameter.
func in(t reflect.Type, i int) reflect.Type {
	if t.IsVariadic() && i >= t.NumIn()-1 {
		return t.In(t.NumIn() - 1).Elem()
	}
	return t.In(i)
}

// argument makes a value one of the type that is wanted.
func (f *filling) argument(n parse.Node, v reflect.Value, want reflect.Type) reflect.Value {
	switch {
	case !v.IsValid():
		return reflect.Zero(want)
	case v.Type().AssignableTo(want):
		return v
	case v.Kind() == reflect.Pointer && v.Type().Elem().AssignableTo(want) && !v.IsNil():
		return v.Elem()
	case want.Kind() == reflect.Pointer && v.Type().AssignableTo(want.Elem()) && v.CanAddr():
		return v.Addr()
	case v.Kind() == reflect.Interface && !v.IsNil():
		return f.argument(n, v.Elem(), want)
	case v.Kind() == want.Kind() && v.CanConvert(want): // a named string for a string
		return v.Convert(want)
	case v.CanInt() && want.Kind() >= reflect.Int && want.Kind() <= reflect.Int64:
		return v.Convert(want)
	}
	f.fail(n, "a %s is no %s", v.Type(), want)
	return v
}

// builtin are the functions that every page has.
func builtin() Funcs {
	return Funcs{
		"len": func(v any) (int, error) {
			switch x := indirect(reflect.ValueOf(v)); x.Kind() {
			case reflect.Slice, reflect.Map, reflect.String, reflect.Array:
				return x.Len(), nil
			}
			return 0, fmt.Errorf("a %T has no length", v)
		},
		"index": func(v any, at ...int) (any, error) {
			x := indirect(reflect.ValueOf(v))
			for _, i := range at {
				if k := x.Kind(); k != reflect.Slice && k != reflect.Array || i < 0 || i >= x.Len() {
					return nil, fmt.Errorf("there is no element %d", i)
				}
				x = indirect(x.Index(i))
			}
			return x.Interface(), nil
		},
		"not": func(v any) bool { return !truth(reflect.ValueOf(v)) },
		"or":  func(list ...any) any { return firstThat(true, list) },
		"and": func(list ...any) any { return firstThat(false, list) },
		"eq":  equal,
		"ne": func(a, b any) (bool, error) {
			same, err := equal(a, b)
			return !same, err
		},
		"gt": func(a, b int) bool { return a > b },
	}
}

// firstThat is the first value that is as true as that, else the last.
func firstThat(is bool, list []any) any {
	for _, v := range list {
		if truth(reflect.ValueOf(v)) == is {
			return v
		}
	}
	return list[len(list)-1]
}

func equal(a, b any) (bool, error) {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	switch {
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return x.String() == y.String(), nil
	case x.CanInt() && y.CanInt():
		return x.Int() == y.Int(), nil
	case x.CanFloat() && y.CanFloat():
		return x.Float() == y.Float(), nil
	}
	return false, fmt.Errorf("a %T and a %T are not compared", a, b)
}
