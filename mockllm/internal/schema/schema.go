// Package schema makes values that are valid against a JSON Schema.
package schema

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
)

// Bounds of what a schema may ask for.
const (
	maxSchemaSteps = 4000
	maxSchemaBytes = 64 << 10
	maxSchemaItems = 256
	maxSchemaText  = 16 << 10
)

// instancer makes the value that answers a JSON Schema. It knows the keywords of
// structured outputs and refuses all others: a value that might not be valid is
// never given.
type instancer struct {
	root    gjson.Result
	say     string              // what strings without a bound say
	steps   int                 // taken so far
	entered map[string]struct{} // references being followed
}

var errEndless = errors.New("the schema refers to itself without an end")

// Instance appends a value that is valid against schema.
func Instance(dst []byte, schema gjson.Result, say string) ([]byte, error) {
	if len(schema.Raw) > maxSchemaBytes {
		return nil, errors.New("the schema is too large")
	}
	m := instancer{root: schema, say: say, entered: map[string]struct{}{}}
	return m.value(dst, schema)
}

// annotations assert nothing.
var annotations = []string{"title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs", "definitions", "deprecated", "readOnly", "writeOnly"}

// only refuses a keyword that is neither an annotation nor among known.
func only(schema gjson.Result, known ...string) error {
	var err error
	schema.ForEach(func(key, _ gjson.Result) bool {
		if !slices.Contains(annotations, key.Str) && !slices.Contains(known, key.Str) {
			err = fmt.Errorf("the keyword %q is not supported here", jsontext.Clip(key.Str, 64))
		}
		return err == nil
	})
	return err
}

func (m *instancer) value(dst []byte, schema gjson.Result) ([]byte, error) {
	if m.steps++; m.steps > maxSchemaSteps {
		return nil, errors.New("the schema is too large")
	}
	if schema.Type == gjson.True {
		return append(dst, "{}"...), nil
	}
	if !schema.IsObject() {
		return nil, errors.New("a schema must be an object")
	}
	for _, key := range []string{"$ref", "enum", "const", "anyOf", "allOf"} {
		if v := jsontext.Member(schema, key); v.Exists() {
			if err := only(schema, key, "type"); err != nil {
				return nil, err
			}
			return m.composed(dst, key, v, jsontext.Member(schema, "type"))
		}
	}
	return m.typed(dst, schema)
}

// composed answers a schema that refers to other schemas or lists its values.
func (m *instancer) composed(dst []byte, key string, v, kind gjson.Result) ([]byte, error) {
	if kind.Exists() && key != "enum" && key != "const" {
		return nil, fmt.Errorf("the keyword \"type\" is not supported beside %q", key)
	}
	switch key {
	case "$ref":
		return m.follow(dst, v.Str)
	case "const":
		if !ofType(v, kind) {
			return nil, errors.New("const is not of the type")
		}
		return append(dst, v.Raw...), nil
	case "enum":
		for _, one := range v.Array() {
			if ofType(one, kind) {
				return append(dst, one.Raw...), nil
			}
		}
		return nil, errors.New("enum has no value of the type")
	}
	branches := v.Array()
	if len(branches) == 0 || key == "allOf" && len(branches) != 1 {
		return nil, fmt.Errorf("%s must have one schema, anyOf at least one", key)
	}
	var err error
	for _, branch := range branches {
		var out []byte
		if out, err = m.value(dst, branch); err == nil {
			return out, nil
		}
	}
	return nil, err
}

// follow answers a reference into this document.
func (m *instancer) follow(dst []byte, ref string) ([]byte, error) {
	path, inside := strings.CutPrefix(ref, "#")
	if !inside {
		return nil, fmt.Errorf("the reference %q leads out of the schema", jsontext.Clip(ref, 64))
	}
	if _, again := m.entered[ref]; again || ref == "#" {
		return nil, errEndless
	}
	m.entered[ref] = struct{}{}
	defer delete(m.entered, ref)
	at := m.root
	for _, step := range strings.Split(path, "/")[1:] {
		at = jsontext.Member(at, strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
	}
	if !at.Exists() {
		return nil, fmt.Errorf("the reference %q leads nowhere", jsontext.Clip(ref, 64))
	}
	return m.value(dst, at)
}

// types lists what the keyword type allows.
func types(kind gjson.Result) []string {
	if kind.Type == gjson.String {
		return []string{kind.Str}
	}
	var out []string
	for _, k := range kind.Array() {
		out = append(out, k.Str)
	}
	return out
}

func ofType(v, kind gjson.Result) bool {
	if !kind.Exists() {
		return true
	}
	return slices.ContainsFunc(types(kind), func(k string) bool {
		switch k {
		case "string":
			return v.Type == gjson.String
		case "number":
			return v.Type == gjson.Number
		case "integer":
			return v.Type == gjson.Number && v.Num == math.Trunc(v.Num)
		case "boolean":
			return v.IsBool()
		case "null":
			return v.Type == gjson.Null
		case "object":
			return v.IsObject()
		case "array":
			return v.IsArray()
		}
		return false
	})
}

// typed answers by the first type allowed.
func (m *instancer) typed(dst []byte, schema gjson.Result) ([]byte, error) {
	kind := ""
	if all := types(jsontext.Member(schema, "type")); len(all) > 0 {
		kind = all[0]
	} else if jsontext.Member(schema, "properties").Exists() {
		kind = "object"
	}
	known := map[string][]string{
		"object":  {"type", "properties", "required", "additionalProperties"},
		"array":   {"type", "items", "minItems", "maxItems"},
		"string":  {"type", "minLength", "maxLength", "format"},
		"integer": {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
		"number":  {"type", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
		"boolean": {"type"}, "null": {"type"}, "": {},
	}
	words, ok := known[kind]
	if !ok {
		return nil, fmt.Errorf("there is no type %q", jsontext.Clip(kind, 64))
	}
	if err := only(schema, words...); err != nil {
		return nil, err
	}
	switch kind {
	case "object":
		return m.object(dst, schema)
	case "array":
		return m.array(dst, schema)
	case "string":
		return m.text(dst, schema)
	case "integer", "number":
		return number(dst, schema, kind == "integer")
	case "boolean":
		return append(dst, "true"...), nil
	case "null":
		return append(dst, "null"...), nil
	}
	return append(dst, "{}"...), nil
}

// object gives every property, but for optional ones that cannot be answered.
func (m *instancer) object(dst []byte, schema gjson.Result) ([]byte, error) {
	required := map[string]bool{}
	for _, name := range jsontext.Member(schema, "required").Array() {
		required[name.Str] = true
	}
	dst = append(dst, '{')
	first := true
	var failed error
	jsontext.Member(schema, "properties").ForEach(func(key, property gjson.Result) bool {
		before := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(jsontext.AppendString(dst, key.Str), ':')
		out, err := m.value(dst, property)
		switch {
		case err == nil:
			dst, first = out, false
			delete(required, key.Str)
		case required[key.Str]:
			failed = fmt.Errorf("%s: %w", jsontext.Clip(key.Str, 64), err)
		default:
			dst = dst[:before]
		}
		return failed == nil
	})
	if failed != nil {
		return nil, failed
	}
	for name := range required {
		return nil, fmt.Errorf("%s is required and no property", jsontext.Clip(name, 64))
	}
	return append(dst, '}'), nil
}

// array gives the fewest items allowed, but one rather than none.
func (m *instancer) array(dst []byte, schema gjson.Result) ([]byte, error) {
	least, most := math.Ceil(max(bound(schema, "minItems", 0), 0)), bound(schema, "maxItems", maxSchemaItems)
	if least > most || least > maxSchemaItems {
		return nil, fmt.Errorf("minItems must be at most maxItems and %d", maxSchemaItems)
	}
	start := len(dst)
	dst = append(dst, '[')
	items := jsontext.Member(schema, "items")
	for i := range int(min(max(least, 1), most)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		if !items.Exists() {
			dst = append(dst, "{}"...)
			continue
		}
		out, err := m.value(dst, items)
		if err != nil && least == 0 {
			return append(dst[:start], "[]"...), nil
		}
		if err != nil {
			return nil, err
		}
		dst = out
	}
	return append(dst, ']'), nil
}

func bound(schema gjson.Result, name string, otherwise float64) float64 {
	if v := jsontext.Member(schema, name); v.Type == gjson.Number {
		return v.Num
	}
	return otherwise
}

// formats are an example of each known format of strings.
var formats = map[string]string{
	"date-time": "2026-11-11T00:00:00Z", "date": "2026-11-11", "time": "00:00:00Z", "duration": "P3D", "email": "kefu@shop.example",
	"hostname": "shop.example", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://shop.example/", "uuid": "6f1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",
}

func (m *instancer) text(dst []byte, schema gjson.Result) ([]byte, error) {
	text := m.say
	if format := jsontext.Member(schema, "format"); format.Exists() {
		example, ok := formats[format.Str]
		if !ok {
			return nil, fmt.Errorf("the format %q is not supported", jsontext.Clip(format.Str, 64))
		}
		text = example
	}
	least, most := math.Ceil(max(bound(schema, "minLength", 0), 0)), bound(schema, "maxLength", math.Inf(1))
	n := float64(utf8.RuneCountInString(text))
	switch {
	case least > most || least > maxSchemaText:
		return nil, fmt.Errorf("minLength must be at most maxLength and %d", maxSchemaText)
	case n >= least && n <= most:
	case jsontext.Member(schema, "format").Exists():
		return nil, errors.New("the bounds of the length do not fit the format")
	case n < least:
		text += strings.Repeat("。", int(math.Ceil(least-n)))
	default:
		text = string([]rune(text)[:int(most)])
	}
	return jsontext.AppendString(dst, text), nil
}

// number gives the least multiple allowed, 1 where nothing bounds it.
func number(dst []byte, schema gjson.Result, whole bool) ([]byte, error) {
	low, high := bound(schema, "minimum", math.Inf(-1)), bound(schema, "maximum", math.Inf(1))
	above, below := bound(schema, "exclusiveMinimum", math.Inf(-1)), bound(schema, "exclusiveMaximum", math.Inf(1))
	step := bound(schema, "multipleOf", 1)
	if step != math.Trunc(step) || step < 1 {
		return nil, errors.New("multipleOf must be a whole number of at least 1")
	}
	fits := func(v float64) bool { return v >= low && v <= high && v > above && v < below && math.Abs(v) <= 1<<53 }
	candidates := []float64{step, 0}
	for _, edge := range []float64{low, above} {
		up := math.Ceil(edge/step) * step
		candidates = append(candidates, up, up+step)
	}
	for _, edge := range []float64{high, below} {
		down := math.Floor(edge/step) * step
		candidates = append(candidates, down, down-step)
	}
	if !whole && !jsontext.Member(schema, "multipleOf").Exists() {
		candidates = append(candidates, low, high, max(low, above)/2+min(high, below)/2)
	}
	for _, v := range candidates {
		if fits(v) {
			return strconv.AppendFloat(dst, v, 'f', -1, 64), nil
		}
	}
	return nil, errors.New("no number is within the bounds")
}
