package scenario

import (
	"cmp"
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/reason"
)

// position is a place in the file; a negative line is an override, by its ordinal.
type position struct{ line, column int }

// source remembers where the fields of a scenario stood. A field that is in it
// was written; every other one was filled in.
type source struct {
	file     string
	sets     []string
	at       map[string]position
	read     []Problem // warnings of the files that the scenario names
	warnings []Problem
	options  Options
}

// wrote tells whether the file (or an override) says something about a field.
func (s *source) wrote(path string) bool { _, ok := s.at[path]; return ok }

// problem makes a Problem about a field: at its own place, or at that of the
// nearest field around it that was written.
func (s *source) problem(path, format string, args ...any) Problem {
	p := Problem{File: s.file, Field: path, Message: reason.Say(format, args...)}
	for around := path; ; {
		if at, ok := s.at[around]; ok {
			return s.place(p, at)
		}
		cut := strings.LastIndexAny(around, ".[")
		if cut < 0 {
			return s.place(p, position{1, 1})
		}
		around = around[:cut]
	}
}

func (s *source) place(p Problem, at position) Problem {
	if at.line < 0 {
		p.File = "--set"
		if i := -at.line - 1; i < len(s.sets) {
			p.File = "--set " + short(s.sets[i])
		}
		return p
	}
	p.Line, p.Column = at.line, at.column
	return p
}

// decoder fills Go values from YAML nodes, strictly, and goes on after a problem.
type decoder struct {
	source
	problems []Problem
}

func (d *decoder) fail(n *yaml.Node, path, format string, args ...any) {
	p := Problem{File: d.file, Field: path, Message: reason.Say(format, args...)}
	d.problems = append(d.problems, d.place(p, position{n.Line, n.Column}))
}

// value fills v from n.
func (d *decoder) value(n *yaml.Node, path string, v reflect.Value) {
	d.at[path] = position{n.Line, n.Column}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Style == 0 {
		d.fail(n, path, "is empty: give it a value or remove it")
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch x := v.Addr().Interface().(type) {
	case *json.RawMessage:
		d.body(n, path, x)
		return
	case encoding.TextUnmarshaler:
		d.quantity(n, path, x)
		return
	case scalarForm:
		if n.Kind == yaml.ScalarNode {
			d.short(n, path, x)
			return
		}
	}
	switch v.Kind() {
	case reflect.Struct:
		d.mapping(n, path, v)
	case reflect.Map:
		d.table(n, path, v)
	case reflect.Slice:
		if n.Kind == yaml.MappingNode && v.Type() == reflect.TypeFor[Conditions]() {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			d.mapping(n, path, v.Index(0))
			return
		}
		d.list(n, path, v)
	default:
		d.scalar(n, path, v)
	}
}

func kindName(n *yaml.Node) reason.Phrase {
	switch n.Kind {
	case yaml.MappingNode:
		return reason.Say("a mapping")
	case yaml.SequenceNode:
		return reason.Say("a list")
	}
	return reason.Say("a single value")
}

func (d *decoder) mapping(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, path, "must be a mapping (key: value), not %s", kindName(n))
		return
	}
	fields := fieldsOf(v.Type())
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		f, ok := fields.byName[key.Value]
		if !ok && commaCut(n, i) {
			d.fail(key, path, "%s", commaMessage(n, i))
			continue
		}
		if !ok {
			d.fail(key, join(path, short(key.Value)), "is not known here%s", cmp.Or(didYouMean(key.Value, fields.names), reason.Say("; known: %s", strings.Join(fields.names, ", "))))
			continue
		}
		d.value(n.Content[i+1], join(path, f.name), v.Field(f.index))
	}
	for _, name := range fields.names {
		if f := fields.byName[name]; f.required && !d.wrote(join(path, name)) {
			d.fail(n, join(path, name), "is missing")
		}
	}
}

// table fills a map by name.
func (d *decoder) table(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, path, "must be a mapping (name: value), not %s", kindName(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		item := reflect.New(v.Type().Elem()).Elem()
		value := n.Content[i+1]
		if commaCut(n, i) {
			d.fail(n.Content[i], path, "%s", commaMessage(n, i))
			continue
		}
		if path == "target.bundled.knobs" && knobNumber(value) {
			d.at[join(path, key)] = position{value.Line, value.Column}
			item.SetString(value.Value)
		} else {
			d.value(value, join(path, key), item)
		}
		v.SetMapIndex(reflect.ValueOf(key), item)
	}
}

// commaCut tells whether the key at i is the rest of a text that a comma inside
// of { } cut in two.
func commaCut(n *yaml.Node, i int) bool {
	if n.Style&yaml.FlowStyle == 0 || i < 2 {
		return false
	}
	before, value := n.Content[i-1], n.Content[i+1]
	return before.Kind == yaml.ScalarNode && before.Style == 0 && before.Value != "" && value.Kind == yaml.ScalarNode && value.Tag == "!!null" && value.Value == ""
}

func commaMessage(n *yaml.Node, i int) reason.Phrase {
	whole := n.Content[i-1].Value + ", " + n.Content[i].Value
	return reason.Say("a text with a comma inside { } needs quotes: %s: %q", short(n.Content[i-2].Value), short(whole))
}

// knobNumber tells whether a knob's value is written as a plain number or a
// switch: the knob's own unit, which the server checks, decides what it means.
func knobNumber(n *yaml.Node) bool {
	if n.Kind != yaml.ScalarNode || n.Style != 0 {
		return false
	}
	switch n.Tag {
	case "!!int", "!!float":
		return plainNumber.MatchString(n.Value)
	}
	return n.Value == "on" || n.Value == "off" || n.Value == "true" || n.Value == "false"
}

func (d *decoder) list(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.fail(n, path, "must be a list (- item), not %s", kindName(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, c := range n.Content {
		d.value(c, path+"["+strconv.Itoa(i)+"]", v.Index(i))
	}
}

// quantity reads a number with a unit. The value is brought to what its own
// printed form reads as, so that a resolved scenario reads back equal.
func (d *decoder) quantity(n *yaml.Node, path string, v encoding.TextUnmarshaler) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, path, "must be a single value, not %s", kindName(n))
		return
	}
	if n.Style == 0 && len(n.Value) > 1 && n.Value[0] == '0' && strings.Trim(n.Value, "0123456789") == "" {
		d.fail(n, path, "%q begins with 0, which YAML may read as octal: write %s", short(n.Value), cmp.Or(strings.TrimLeft(short(n.Value), "0"), "0"))
		return
	}
	if err := v.UnmarshalText([]byte(n.Value)); err != nil {
		d.fail(n, path, "%s", reason.Say("%s", err).Map(short200))
		return
	}
	canonical(v)
}

func canonical(v encoding.TextUnmarshaler) {
	m, ok := v.(encoding.TextMarshaler)
	for range 3 {
		if !ok {
			return
		}
		text, err := m.MarshalText()
		if err != nil || v.UnmarshalText(text) != nil {
			return
		}
	}
}

func (d *decoder) short(n *yaml.Node, path string, v scalarForm) {
	if err := v.fromScalar(n.Value); err != nil {
		d.fail(n, path, "%s", reason.Say("%s", err).Map(short200))
		return
	}
	if r, ok := v.(*RateRamp); ok {
		canonical(&r.From)
		r.To = r.From
	}
}

// scalar reads a text, a number or a truth value.
func (d *decoder) scalar(n *yaml.Node, path string, v reflect.Value) {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, path, "must be a single value, not %s", kindName(n))
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(n, path, v)
	case reflect.Bool:
		if n.Style != 0 || (n.Value != "true" && n.Value != "false") {
			d.fail(n, path, "%q is not a truth value: write true or false", short(n.Value))
			return
		}
		v.SetBool(n.Value == "true")
	default:
		d.number(n, path, v)
	}
}

func (d *decoder) text(n *yaml.Node, path string, v reflect.Value) {
	words := wordsOf(v.Type())
	switch {
	case words != nil && (n.Tag == "!!str" || n.Style != 0) && slices.Contains(words, n.Value):
	case words != nil && slices.Contains(words, n.Value):
		d.fail(n, path, "%s is a number to YAML: write %q, in quotes", n.Value, n.Value)
		return
	case words != nil:
		d.fail(n, path, "%q is not one of %s%s", short(n.Value), strings.Join(words, ", "), didYouMean(n.Value, words))
		return
	case !plainText(n):
		d.fail(n, path, "%s may be read as something else than text: write %q, in quotes", short(n.Value), short(n.Value))
		return
	}
	v.SetString(n.Value)
}

func (d *decoder) number(n *yaml.Node, path string, v reflect.Value) {
	if n.Style != 0 || !plainNumber.MatchString(n.Value) {
		d.fail(n, path, "%q is not a plain number: write for example 3", short(n.Value))
		return
	}
	var err error
	switch v.Kind() {
	case reflect.Int, reflect.Int64:
		var i int64
		if i, err = strconv.ParseInt(n.Value, 10, 64); err == nil && (i < 0 || i > 1<<31) {
			err = errors.New("out of range")
		}
		v.SetInt(i)
	case reflect.Uint64:
		var u uint64
		u, err = strconv.ParseUint(n.Value, 10, 64)
		v.SetUint(u)
	case reflect.Float64:
		var f float64
		if f, err = strconv.ParseFloat(n.Value, 64); err == nil && (f < 0 || f > 1e9) {
			err = errors.New("out of range")
		}
		v.SetFloat(f)
	}
	if err != nil {
		d.fail(n, path, "%q is not a number in range: write for example 3", short(n.Value))
	}
}

// field is a struct's field under its name in the file.
type field struct {
	name     string
	index    int
	required bool
}

type fieldSet struct {
	names  []string // in the order of the struct
	byName map[string]field
}

func fieldsOf(t reflect.Type) fieldSet {
	set := fieldSet{byName: map[string]field{}}
	for i := range t.NumField() {
		tag := t.Field(i).Tag.Get("json")
		name, opts, _ := strings.Cut(tag, ",")
		if name == "" || name == "-" {
			continue
		}
		set.names = append(set.names, name)
		set.byName[name] = field{name: name, index: i, required: opts == ""}
	}
	return set
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func short200(text string) string {
	if r := []rune(text); len(r) > 200 {
		text = string(r[:200]) + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || (r >= 0x7f && r < 0xa0) {
			return '�'
		}
		return r
	}, text)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
