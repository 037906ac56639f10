package scenario

import (
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/cstest/cstest/visible"
)

// Resolved prints the scenario as YAML with every default filled in, secrets
// unexpanded, always in the same order. Parsed again (with the same Options.Dir
// where it names files) it gives an equal Scenario.
func (s *Scenario) Resolved() ([]byte, error) {
	e := encoder{wrote: s.source.wrote}
	root, err := e.value(reflect.ValueOf(s).Elem(), "")
	if err != nil {
		return nil, fmt.Errorf("print scenario %s: %w", s.Name, err)
	}
	text, err := yaml.Dump(root, yaml.WithIndent(2), yaml.WithLineWidth(-1), yaml.WithUnicode(true))
	if err != nil {
		return nil, fmt.Errorf("print scenario %s: %w", s.Name, err)
	}
	return visible.YAML(text), nil
}

// SHA256 is the lower-case hex digest of Resolved: equal for two files that
// mean the same.
func (s *Scenario) SHA256() (string, error) {
	text, err := s.Resolved()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// encoder is the decoder backwards. wrote tells which zero values were meant.
type encoder struct{ wrote func(path string) bool }

// value gives the node of v.
func (e *encoder) value(v reflect.Value, path string) (*yaml.Node, error) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.CanAddr() {
		if form, ok := reflect.TypeAssert[scalarForm](v.Addr()); ok {
			if text, ok := form.shortForm(); ok {
				return plain(text), nil
			}
		}
	}
	switch x := v.Interface().(type) {
	case json.RawMessage:
		root, err := readJSON(x)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return jsonNode(root), nil
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return plain(string(text)), err
	}
	switch v.Kind() {
	case reflect.Struct:
		return e.mapping(v, path)
	case reflect.Map:
		return e.table(v, path)
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for i := range v.Len() {
			c, err := e.value(v.Index(i), path+"["+strconv.Itoa(i)+"]")
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, c)
		}
		return flowIfEmpty(n), nil
	case reflect.String:
		return text(v.String()), nil
	case reflect.Float64:
		return plain(strconv.FormatFloat(v.Float(), 'f', -1, 64)), nil
	}
	return plain(fmt.Sprint(v.Interface())), nil
}

func (e *encoder) mapping(v reflect.Value, path string) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	fields := fieldsOf(v.Type())
	for _, name := range fields.names {
		f := fields.byName[name]
		at := join(path, name)
		if v.Field(f.index).IsZero() && (!f.required || absent(v.Field(f.index))) && (!e.wrote(at) || absent(v.Field(f.index))) {
			continue
		}
		c, err := e.value(v.Field(f.index), at)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, text(name), c)
	}
	return flowIfEmpty(n), nil
}

// absent tells that a field holds nothing that could be printed.
func absent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		return v.IsNil()
	}
	return false
}

func (e *encoder) table(v reflect.Value, path string) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	keys := make(map[string]reflect.Value, v.Len())
	for _, key := range v.MapKeys() {
		keys[key.String()] = key
	}
	for _, name := range sortedKeys(keys) {
		// A map's values cannot be addressed, and short forms need that.
		item := reflect.New(v.Type().Elem()).Elem()
		item.Set(v.MapIndex(keys[name]))
		c, err := e.value(item, join(path, name))
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, text(name), c)
	}
	return flowIfEmpty(n), nil
}

func flowIfEmpty(n *yaml.Node) *yaml.Node {
	if len(n.Content) == 0 {
		n.Style = yaml.FlowStyle
	}
	return n
}

// plainWord matches texts that no YAML reader takes for anything else, unless
// they are one of trap.
var plainWord = regexp.MustCompile(`^\p{L}[\p{L}\p{N}_./-]*$`)

func text(s string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !plainWord.MatchString(s) || trap.MatchString(s) || strings.ContainsFunc(s, visible.Hidden) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n
}

func plain(s string) *yaml.Node {
	// Without a tag the printer decides by the look of it, as a reader will.
	return &yaml.Node{Kind: yaml.ScalarNode, Value: s}
}

func jsonNode(v jsonValue) *yaml.Node {
	switch token := v.token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if token == '{' {
			n = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
		}
		for i, item := range v.items {
			if token == '{' {
				n.Content = append(n.Content, text(v.keys[i]))
			}
			n.Content = append(n.Content, jsonNode(item))
		}
		return flowIfEmpty(n)
	case string:
		return text(token)
	case json.Number:
		return plain(token.String())
	case bool:
		return plain(strconv.FormatBool(token))
	}
	return plain("null")
}
