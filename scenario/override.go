package scenario

import (
	"cmp"
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/reason"
)

// override edits the tree as "PATH=VALUE" says, before it is decoded: an
// overridden value passes the same checks as a written one.
func (d *decoder) override(root *yaml.Node, ordinal int, set string) {
	fail := func(format string, args ...any) {
		d.problems = append(d.problems, d.place(Problem{Message: reason.Say(format, args...)}, position{line: -ordinal - 1}))
	}
	path, text, ok := strings.Cut(set, "=")
	if !ok || path == "" || len(set) > 64<<10 {
		fail("write PATH=VALUE, for example load.stages[peak].starts=600/s")
		return
	}
	o := overriding{path: path, line: -ordinal - 1, text: text}
	if err := o.apply(root, reflect.TypeFor[Scenario](), path); err != nil {
		fail("%s", err)
	}
}

// overriding walks nodes and types side by side along a path.
type overriding struct {
	path string
	text string
	line int
}

func (o *overriding) apply(n *yaml.Node, t reflect.Type, rest string) error {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	step, rest, err := nextStep(t, rest)
	if err != nil {
		return reason.Errorf("%s: %w", short(o.path), err)
	}
	switch t.Kind() {
	case reflect.Struct:
		f, ok := fieldsOf(t).byName[step]
		if !ok {
			names := fieldsOf(t).names
			return reason.Errorf("%q is not known here%s", short(step), cmp.Or(didYouMean(step, names), reason.Say("; known: %s", strings.Join(names, ", "))))
		}
		return o.member(n, t.Field(f.index).Type, step, rest)
	case reflect.Map:
		return o.member(n, t.Elem(), step, rest)
	case reflect.Slice:
		item, err := pick(n, step)
		if err != nil {
			return err
		}
		if rest == "" {
			value, err := o.value(t.Elem())
			if err == nil {
				*item = *value
			}
			return err
		}
		return o.apply(item, t.Elem(), rest)
	}
	return reason.Errorf("%q goes deeper than the field does", short(o.path))
}

// member sets, creates or enters the value under a key.
func (o *overriding) member(n *yaml.Node, t reflect.Type, key, rest string) error {
	if n.Kind != yaml.MappingNode {
		return reason.Errorf("%q is inside of what the file writes as %s: override the whole of it, {…}", short(o.path), kindName(n))
	}
	at := -1
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			at = i
		}
	}
	if rest == "" {
		if o.text == "null" && at >= 0 {
			n.Content = append(n.Content[:at:at], n.Content[at+2:]...)
			return nil
		}
		value, err := o.value(t)
		if err != nil {
			return err
		}
		if at >= 0 {
			n.Content[at+1] = value
		} else {
			n.Content = append(n.Content, o.scalar(key), value)
		}
		return nil
	}
	if at < 0 {
		inner := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: o.line}
		if err := o.apply(inner, t, rest); err != nil {
			return err
		}
		n.Content = append(n.Content, o.scalar(key), inner)
		return nil
	}
	return o.apply(n.Content[at+1], t, rest)
}

func (o *overriding) scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: text, Line: o.line}
}

// value reads the text after the =. A text stays as it is; everything else is
// YAML in one line.
func (o *overriding) value(t reflect.Type) (*yaml.Node, error) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.String {
		return o.scalar(unquoted(o.text)), nil
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		n := o.scalar(unquoted(o.text))
		n.Style = 0
		return n, nil
	}
	n, problems := parseTree("", []byte(o.text))
	if n == nil {
		if len(problems) > 0 {
			return nil, reason.Errorf("the value %q: %s", short(o.text), problems[0].Message)
		}
		return nil, reason.Errorf("the value is empty")
	}
	o.mark(n)
	return n, nil
}

// unquoted takes the quotes off a text that stands in them as a whole: a shell
// that passed them on meant none of them.
func unquoted(text string) string {
	if len(text) < 2 || text[0] != text[len(text)-1] || text[0] != '"' && text[0] != '\'' {
		return text
	}
	n, problems := parseTree("", []byte(text))
	if n == nil || len(problems) > 0 || n.Kind != yaml.ScalarNode {
		return text
	}
	return n.Value
}

func (o *overriding) mark(n *yaml.Node) {
	n.Line, n.Column = o.line, 0
	for _, c := range n.Content {
		o.mark(c)
	}
}

// nextStep cuts the first step off a path. Keys of free choice may hold dots,
// so for them all that is left is the key.
func nextStep(t reflect.Type, path string) (step, rest string, err error) {
	if strings.HasPrefix(path, "[") {
		end := strings.IndexByte(path, ']')
		if end < 0 {
			return "", "", reason.Errorf("a ] is missing")
		}
		return path[1:end], strings.TrimPrefix(path[end+1:], "."), nil
	}
	if t.Kind() == reflect.Slice {
		return "", "", reason.Errorf("say which: [NAME] or [INDEX]")
	}
	if t == reflect.TypeFor[json.RawMessage]() {
		return "", "", reason.Errorf("a body is overridden as a whole")
	}
	if t.Kind() == reflect.Map && t.Elem().Kind() != reflect.Struct {
		return path, "", nil
	}
	if i := strings.IndexAny(path, ".["); i >= 0 {
		return path[:i], strings.TrimPrefix(path[i:], "."), nil
	}
	return path, "", nil
}

// pick finds an item of a list by name or index.
func pick(n *yaml.Node, name string) (*yaml.Node, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, reason.Errorf("there is no list to take [%s] from", short(name))
	}
	var names []string
	for _, item := range n.Content {
		for i := 0; item.Kind == yaml.MappingNode && i+1 < len(item.Content); i += 2 {
			if item.Content[i].Value != "name" {
				continue
			}
			if item.Content[i+1].Value == name {
				return item, nil
			}
			names = append(names, short(item.Content[i+1].Value))
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(n.Content) {
		return n.Content[i], nil
	}
	return nil, reason.Errorf("there is no [%s]%s; there are %d: %s", short(name), didYouMean(name, names), len(n.Content), strings.Join(names, ", "))
}
