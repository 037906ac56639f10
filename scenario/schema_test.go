package scenario

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cstest/cstest/scenarios"
	"github.com/cstest/cstest/unit"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"
)

var update = flag.Bool("update", false, "write docs/scenario.schema.json and docs/scenario.md")

// golden compares with a file of docs/, or writes it with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("..", "docs", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/%s is out of date: go test ./scenario -update", name)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML as a program without our types would.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(text, &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestSchemaTakesWhatParseTakes(t *testing.T) {
	schema := compiled(t)
	for _, name := range scenarios.Names() {
		text, _ := scenarios.Get(name)
		if err := schema.Validate(asJSON(t, text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		resolved, err := builtin(t, name).Resolved()
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(asJSON(t, resolved)); err != nil {
			t.Errorf("%s resolved: %v", name, err)
		}
	}
	if err := schema.Validate(asJSON(t, Example())); err != nil {
		t.Errorf("example: %v", err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	schema := compiled(t)
	if err := schema.Validate(asJSON(t, []byte(least))); err != nil {
		t.Fatal(err)
	}
	for old, with := range map[string]string{
		"version: 1":            "version: 2",
		"name: least":           "namme: least",
		"bundled: {}":           "bundled: {}, color: red",
		"for: 10s":              "for: 10",
		"starts: 5/s":           "starts: 5",
		"starts: 5/s}":          "starts: {from: 5/s}}",
		"availability: 99%":     "availability: 0.99",
		"{availability: 99%}":   "{latency: {p98: 1s}}",
		"say: 你好":               "say: 3",
		"{availability: 99%}\n": "{rate_limited: good}\n",
		"target:":               "load2: {}\ntarget:",
	} {
		text := strings.Replace(least, old, with, 1)
		if text == least {
			t.Fatalf("least has no %q", old)
		}
		if err := schema.Validate(asJSON(t, []byte(text))); err == nil {
			t.Errorf("takes %q", with)
		}
		if _, err := Parse("x", []byte(text), Options{}); err == nil {
			t.Errorf("Parse takes %q", with)
		}
	}
}

func TestSchemaIsUpToDate(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "scenario.schema.json", text)
}

// Every field is described, and nothing else is.
func TestFieldNotes(t *testing.T) {
	notes := fieldNotes()
	for _, typ := range types() {
		for _, name := range fieldsOf(typ).names {
			key := typ.Name() + "." + name
			if notes[key].text == "" {
				t.Errorf("%s is not described", key)
			}
			delete(notes, key)
		}
	}
	for key := range notes {
		t.Errorf("%s is described and does not exist", key)
	}
}

// The reference page is made of the types and their notes.
func TestReferenceIsUpToDate(t *testing.T) {
	var b strings.Builder
	intro, err := os.ReadFile(filepath.Join("testdata", "reference.md"))
	if err != nil {
		t.Fatal(err)
	}
	// The Chinese page leaves out what stands between <!-- NAME --> and <!-- end -->.
	b.WriteString(strings.Replace(string(intro), "{{variables}}\n", "<!-- variables -->\n"+variableTable()+"<!-- end -->\n\n", 1))
	b.WriteString("\n<!-- fields -->\n")
	notes := fieldNotes()
	for _, typ := range types() {
		b.WriteString("\n### " + typ.Name() + "\n\n| field | type | what | default |\n|---|---|---|---|\n")
		set := fieldsOf(typ)
		for _, name := range set.names {
			f := set.byName[name]
			note := notes[typ.Name()+"."+name]
			initial := note.initial
			if f.required {
				initial = "**required**"
			}
			kind := typeName(typ.Field(f.index).Type)
			if words := wordsOf(typ.Field(f.index).Type); words != nil {
				kind = "`" + strings.Join(words, "` `") + "`"
			}
			b.WriteString("| `" + name + "` | " + kind + " | " + strings.ReplaceAll(note.text, "|", `\|`) + " | " + initial + " |\n")
		}
	}
	b.WriteString("<!-- end -->\n")
	golden(t, "scenario.md", []byte(b.String()))
}

// variableTable is the table of the reference page.
func variableTable() string {
	var b strings.Builder
	b.WriteString("| variable | is | may stand in |\n|---|---|---|\n")
	for _, v := range Variables() {
		b.WriteString("| `${" + v.Name + "}` | " + v.Means + " | " + v.In.String() + " |\n")
	}
	return b.String()
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[unit.Duration]():
		return "duration"
	case reflect.TypeFor[unit.Rate]():
		return "rate"
	case reflect.TypeFor[unit.Share]():
		return "share"
	case reflect.TypeFor[unit.Size]():
		return "size"
	case reflect.TypeFor[unit.Count]():
		return "count"
	case reflect.TypeFor[json.RawMessage]():
		return "any JSON"
	case reflect.TypeFor[Literal]():
		return "text, number or truth value"
	case reflect.TypeFor[Conditions]():
		return "place, [Condition](#condition) or a list of them"
	case reflect.TypeFor[RateRamp]():
		return "rate or [RateRamp](#rateramp)"
	case reflect.TypeFor[CountRamp]():
		return "count or [CountRamp](#countramp)"
	case reflect.TypeFor[RateLimited]():
		return "`bad` `exclude` or [RateLimited](#ratelimited)"
	case reflect.TypeFor[Think](), reflect.TypeFor[Latency](), reflect.TypeFor[Dist]():
		return "duration or [" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeName(t.Elem())
	case reflect.Slice:
		return "list of " + typeName(t.Elem())
	case reflect.Map:
		return "name → " + typeName(t.Elem())
	case reflect.Struct:
		return "[" + t.Name() + "](#" + strings.ToLower(t.Name()) + ")"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	}
	return "number"
}
