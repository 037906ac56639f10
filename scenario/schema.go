package scenario

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/cstest/cstest/unit"
	"github.com/invopop/jsonschema"
)

const schemaID = "https://raw.githubusercontent.com/cstest/cstest/main/docs/scenario.schema.json"

// What the quantities look like; Parse says more where it refuses them.
const (
	durationPattern = `^0$|^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`
	ratePattern     = `^[0-9]+(\.[0-9]+)?[kM]? */ *(s|m|min|h)$`
	sharePattern    = `^[0-9]+(\.[0-9]+)? *%$`
	sizePattern     = `^[0-9]+(\.[0-9]+)? *(KiB|MiB|GiB|kB|MB|GB|B)$`
	countPattern    = `^[0-9]+(\.[0-9]+)?[kM]?$`
)

// Schema is the JSON Schema (draft 2020-12) of scenario files, for editors.
func Schema() ([]byte, error) {
	notes := fieldNotes()
	r := jsonschema.Reflector{
		Anonymous:      true,
		ExpandedStruct: true,
		Mapper:         quantitySchema,
		LookupComment: func(t reflect.Type, goField string) string {
			if t.Kind() != reflect.Struct {
				return ""
			}
			f, ok := t.FieldByName(goField)
			if !ok {
				return ""
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			note := notes[t.Name()+"."+name]
			if note.initial != "" {
				return note.text + " (default: " + note.initial + ")"
			}
			return note.text
		},
	}
	s := r.ReflectFromType(reflect.TypeFor[Scenario]())
	s.ID = schemaID
	s.Title = "cstest scenario"
	for _, t := range types() {
		def := s.Definitions[t.Name()]
		if t == reflect.TypeFor[Scenario]() {
			def = s
		}
		if def == nil {
			return nil, fmt.Errorf("schema: no definition of %s", t.Name())
		}
		closeSets(t, def)
		if pattern := shortPattern(t); pattern != nil {
			s.Definitions[t.Name()] = &jsonschema.Schema{OneOf: []*jsonschema.Schema{pattern, def}}
		}
	}
	if list := s.Definitions["Conditions"]; list != nil {
		one := &jsonschema.Schema{Ref: list.Items.Ref}
		s.Definitions["Conditions"] = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, one, list}}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return out.Bytes(), nil
}

// closeSets puts in what the types do not say: closed sets, and map keys.
func closeSets(t reflect.Type, def *jsonschema.Schema) {
	fields := fieldsOf(t)
	for pair := def.Properties.Oldest(); pair != nil; pair = pair.Next() {
		for _, word := range wordsOf(t.Field(fields.byName[pair.Key].index).Type) {
			pair.Value.Enum = append(pair.Value.Enum, word)
		}
		switch {
		case t == reflect.TypeFor[Scenario]() && pair.Key == "version":
			pair.Value.Const = 1
		case t == reflect.TypeFor[SLA]() && pair.Key == "latency":
			keys := &jsonschema.Schema{}
			for _, p := range Percentiles() {
				keys.Enum = append(keys.Enum, p)
			}
			pair.Value.PropertyNames = keys
		case t == reflect.TypeFor[Bundled]() && pair.Key == "knobs":
			pair.Value.AdditionalProperties = &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
		}
	}
}

// shortPattern is the form of a single value of types that have one.
func shortPattern(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[RateRamp]():
		return textSchema(ratePattern, "the same all along, for example 500/s")
	case reflect.TypeFor[CountRamp]():
		return countSchema()
	case reflect.TypeFor[Think](), reflect.TypeFor[Latency](), reflect.TypeFor[Dist]():
		return textSchema(durationPattern, "a constant, for example 200ms")
	case reflect.TypeFor[RateLimited]():
		return &jsonschema.Schema{Enum: []any{PolicyBad, PolicyExclude}}
	}
	return nil
}

func textSchema(pattern, description string) *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: pattern, Description: description}
}

func countSchema() *jsonschema.Schema {
	return &jsonschema.Schema{OneOf: []*jsonschema.Schema{
		{Type: "integer", Minimum: json.Number("0")},
		{Type: "string", Pattern: countPattern},
	}}
}

// quantitySchema gives the schema of types that read themselves from text.
func quantitySchema(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[unit.Duration]():
		return textSchema(durationPattern, "")
	case reflect.TypeFor[unit.Rate]():
		return textSchema(ratePattern, "")
	case reflect.TypeFor[unit.Share]():
		return textSchema(sharePattern, "")
	case reflect.TypeFor[unit.Size]():
		return textSchema(sizePattern, "")
	case reflect.TypeFor[unit.Count]():
		return countSchema()
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{}
	case reflect.TypeFor[Literal]():
		return &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}}}
	}
	return nil
}
