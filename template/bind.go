package template

import (
	"fmt"
	"slices"

	"github.com/cstest/cstest/reason"
)

// Variable is what a name stands for in what is rendered from a V.
type Variable[V any] struct {
	constant string
	value    func(dst []byte, v *V) []byte
	always   bool
	list     bool
}

// Constant is a variable that is the same in all that is rendered.
func Constant[V any](text string) Variable[V] { return Variable[V]{constant: text} }

// Value is a variable that is read from a V: value appends it to dst, nothing
// when there is none, and it is escaped where it then stands.
func Value[V any](value func(dst []byte, v *V) []byte) Variable[V] { return Variable[V]{value: value} }

// Always is a Value that is written even when it is empty, where another would
// take the member that it is the whole of with it.
func Always[V any](value func(dst []byte, v *V) []byte) Variable[V] {
	return Variable[V]{value: value, always: true}
}

// List is a variable that is a list in a JSON document: items appends the JSON of
// its items with commas between them, each of them most likely a template of its
// own.
func List[V any](items func(dst []byte, v *V) []byte) Variable[V] {
	return Variable[V]{value: items, list: true}
}

// Bound is a template whose variables are read from a V. It is a plain value,
// read-only, and safe for concurrent use. The zero Bound renders nothing.
type Bound[V any] struct {
	ops   []op[V]
	names []string
}

// op writes a literal and, where there is a value, the value and what stands
// behind it.
type op[V any] struct {
	before   string
	value    func(dst []byte, v *V) []byte
	after    string
	form     Form // Text: the value is written as it is
	comma    bool // before all of it, unless nothing of the object or list stands yet
	optional bool // an empty value takes the literals and the comma with it
}

// Bind gives every variable of t what it stands for. An error names the variable.
func Bind[V any](t Template, variable func(name string) (Variable[V], error)) (Bound[V], error) {
	var b Bound[V]
	for i := range t.parts {
		p := &t.parts[i]
		if p.name == "" {
			b.add(op[V]{before: p.literal, comma: p.comma})
			continue
		}
		v, err := variable(p.name)
		if err == nil && v.list && (t.form != JSON || p.stands == among) {
			err = reason.Errorf("is a list: it can only be the whole of a member or an item in a JSON body")
		}
		if err != nil {
			return Bound[V]{}, fmt.Errorf("${%s}: %w", p.name, err)
		}
		b.names = append(b.names, p.name)
		b.add(v.op(p, t.form))
	}
	return b, nil
}

// op writes v where p stands.
func (v Variable[V]) op(p *part, form Form) op[V] {
	o := op[V]{before: p.literal, value: v.value, form: form, comma: p.comma}
	switch {
	case v.list:
		o.form = Text
		if p.stands == item {
			o.optional = true
		} else {
			o.before, o.after = o.before+"[", "]"
		}
	case p.stands != among:
		o.before, o.after, o.optional = o.before+`"`, `"`, p.stands == member && !v.always
	}
	if v.value != nil {
		return o
	}
	if o.optional && v.constant == "" {
		return op[V]{}
	}
	if form != Text {
		v.constant = string(escape([]byte(v.constant), 0, form))
	}
	return op[V]{before: o.before + v.constant + o.after, comma: o.comma}
}

// add puts o behind b, in one with what stands before it where that is certain.
func (b *Bound[V]) add(o op[V]) {
	if o.before == "" && o.value == nil {
		return
	}
	n := len(b.ops)
	if n == 0 || o.comma || b.ops[n-1].optional {
		b.ops = append(b.ops, o)
		return
	}
	switch last := &b.ops[n-1]; {
	case last.value == nil && !o.optional:
		o.before, o.comma = last.before+o.before, last.comma
		*last = o
	case last.value != nil && o.value == nil:
		last.after += o.before
	default:
		b.ops = append(b.ops, o)
	}
}

// Raw is a literal, written as it is.
func Raw[V any](text string) Bound[V] {
	var b Bound[V]
	b.add(op[V]{before: text})
	return b
}

// Only is a variable alone, written into a text of the form.
func Only[V any](name string, v Variable[V], form Form) Bound[V] {
	b := Bound[V]{names: []string{name}}
	b.add(v.op(&part{name: name}, form))
	return b
}

// Maybe renders b between two literals; where b is empty, nothing.
func Maybe[V any](before string, b Bound[V], after string) Bound[V] {
	return Bound[V]{names: b.names, ops: []op[V]{{before: before, value: b.Append, after: after, optional: true}}}
}

// Instead renders b, but where other says so what it appends. Names are those of b.
func Instead[V any](b Bound[V], other func(dst []byte, v *V) (out []byte, instead bool)) Bound[V] {
	return Bound[V]{names: b.names, ops: []op[V]{{value: func(dst []byte, v *V) []byte {
		if out, instead := other(dst, v); instead {
			return out
		}
		return b.Append(dst, v)
	}}}}
}

// Join renders one behind the other.
func Join[V any](list ...Bound[V]) Bound[V] {
	var all Bound[V]
	for _, b := range list {
		all.names = append(all.names, b.names...)
		for _, o := range b.ops {
			all.add(o)
		}
	}
	return all
}

// Append renders b behind dst. It allocates only where dst has to grow or a
// variable does.
func (b Bound[V]) Append(dst []byte, v *V) []byte {
	for i := range b.ops {
		o := &b.ops[i]
		start := len(dst)
		// Every value ends in a quote, a digit, a letter or a closing bracket.
		if o.comma && start > 0 && dst[start-1] != '{' && dst[start-1] != '[' {
			dst = append(dst, ',')
		}
		dst = append(dst, o.before...)
		if o.value == nil {
			continue
		}
		from := len(dst)
		dst = o.value(dst, v)
		if len(dst) == from && o.optional {
			dst = dst[:start]
			continue
		}
		if o.form != Text {
			dst = escape(dst, from, o.form)
		}
		dst = append(dst, o.after...)
	}
	return dst
}

// Constant gives the text of what is always the same.
func (b Bound[V]) Constant() (text string, ok bool) {
	for i := range b.ops {
		if b.ops[i].value != nil {
			return "", false
		}
		text = b.ops[i].before
	}
	return text, len(b.ops) <= 1
}

// Empty tells whether nothing is ever rendered.
func (b Bound[V]) Empty() bool { return len(b.ops) == 0 }

// Names lists the variables that are in it, repeated and constant ones too.
func (b Bound[V]) Names() []string { return slices.Clone(b.names) }
