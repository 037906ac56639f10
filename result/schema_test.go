package result

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cstest/cstest/reason"
)

var update = flag.Bool("update", false, "rewrite the golden files and the schema")

const schemaPath = "../docs/result.schema.json"

type object = map[string]any

// schemaOf derives the JSON Schema from the Document's types, closed everywhere,
// and adds what types cannot say.
func schemaOf(t reflect.Type, path string) object {
	if t.Kind() == reflect.Pointer {
		s := schemaOf(t.Elem(), path)
		if s["type"] == "object" {
			return s
		}
		s["type"] = []string{s["type"].(string), "null"}
		return s
	}
	s := object{}
	if t == reflect.TypeFor[reason.Reason]() {
		return object{"$ref": "#/$defs/reason"}
	}
	switch t.Kind() {
	case reflect.String:
		s["type"] = "string"
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Float64:
		s["type"] = "number"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		s["type"] = "integer"
	case reflect.Slice:
		s["type"], s["items"] = "array", schemaOf(t.Elem(), path+"[]")
	case reflect.Array:
		s["type"], s["items"], s["minItems"], s["maxItems"] = "array", schemaOf(t.Elem(), path+"[]"), t.Len(), t.Len()
	case reflect.Map:
		s["type"], s["additionalProperties"] = "object", schemaOf(t.Elem(), path+"{}")
	case reflect.Struct:
		properties, required := object{}, []string{}
		for field := range t.Fields() {
			name, omit, _ := strings.Cut(field.Tag.Get("json"), ",")
			properties[name] = schemaOf(field.Type, strings.TrimPrefix(path+"."+name, "."))
			if omit == "" {
				required = append(required, name)
			}
		}
		s["type"], s["properties"], s["required"], s["additionalProperties"] = "object", properties, required, false
	}
	name := path[strings.LastIndexByte(path, '.')+1:]
	if k := t.Kind(); (k == reflect.Int || k == reflect.Int64 || k == reflect.Uint64) && path != "exit_code" {
		s["minimum"] = 0
	}
	switch name {
	case "share", "finite_share", "answers", "q", "confidence":
		if t.Kind() == reflect.Float64 { // a count may have the name too
			s["minimum"], s["maximum"] = 0, 1
		}
	}
	maps.Copy(s, schemaRules()[path])
	return s
}

func schemaRules() map[string]object {
	tiers := []string{"", "llm", "faq", "handoff", "static", "unknown"}
	outcomes := []string{"ok", "degraded", "unexpected", "context_lost", "rate_limited", "shed", "client_error", "server_error", "truncated", "timeout", "transport_error", "integrity", "censored", "dropped_target", "dropped_generator"}
	sum := object{"pattern": "^[0-9a-f]{64}$"}
	return map[string]object{
		"schema_version":             {"const": SchemaVersion},
		"scenario.sha256":            {"pattern": "^([0-9a-f]{64})?$"},
		"scenario.scale":             {"exclusiveMinimum": 0},
		"started_at":                 {"format": "date-time"},
		"duration_s":                 {"minimum": 0},
		"target.kind":                {"enum": []string{"bundled", "external"}},
		"verdict":                    {"enum": []string{"pass", "fail", "inconclusive", "invalid", "incomplete"}},
		"exit_code":                  {"enum": []int{0, 10, 11, 12, 129, 130, 143}},
		"objectives[].unit":          {"enum": []string{"share", "ns", "s", "count"}},
		"objectives[].verdict":       {"enum": []string{"pass", "fail", "inconclusive", "not_verified"}},
		"objectives[].name":          {"minLength": 1},
		"turns[].index":              {"minimum": 1},
		"breakdowns[].by":            {"enum": []string{"stage", "storm", "turn", "conversation", "tier", "group"}},
		"errors":                     {"maxItems": maxErrors},
		"errors[].outcome":           {"enum": outcomes},
		"errors[].count":             {"minimum": 1},
		"series[].tier":              {"enum": tiers},
		"files{}":                    sum,
		"judging.gate":               {"enum": []string{"", "inference", "measured"}},
		"judging.on_inconclusive":    {"enum": []string{"", "fail", "pass"}},
		"judging.rate_limited":       {"enum": []string{"", "bad", "exclude", "contract"}},
		"judging.load":               {"enum": []string{"", "open", "closed"}},
		"objectives[].census.states": {"pattern": "^[gbdu-]*$"},
		"latency.response.max_ns":    {"description": "exact, not a bucket's edge"},
		"distribution.response[]":    {"description": "the share q of the turns took at most ns"},
		"availability.seconds":       {"description": "a census of the judged seconds"},
		"counts.conversations":       {"description": "conversations_planned - dropped_target - dropped_generator"},
		"counts.turns":               {"description": "the sum from ok to censored"},
		"objectives[].measured":      {"description": "in the objective's unit; null when unknown"},
		"latency.response":           {"description": "answered turns, from their intended start"},
		"latency.service":            {"description": "answered turns, from their first byte sent"},
		"storms[].end_s":             {"description": "null while the storm was still open when the run ended"},
		"generator.tainted_s":        {"description": "seconds in which the generator itself was late"},
		"littles_law":                {"description": "turns in flight against rate x mean response time"},
		"series[].starts_planned":    {"description": "what the plan starts in this second on average; null in a closed load"},
		"burn[].allowed":             {"description": "bad turns that the objective allows over the whole run"},
		"environment.shared_host":    {"description": "the target ran on the generator's machine"},
		"latency.failed_as_infinite": {"description": "every valid turn, failures infinitely slow: a quantile above finite_share is infinite, and null"},
	}
}

// schemaOfReasons has a form for each code: its arguments, all of them.
func schemaOfReasons() object {
	kinds := map[string]object{
		"text": {"type": "string"}, "quoted": {"type": "string"}, "word": {"type": "string"},
		"duration": {"type": "integer"}, "shift": {"type": "integer"}, "count": {"type": "integer"}, "size": {"type": "integer"},
		"share": {"type": "number"}, "quantile": {"type": "number"}, "figure": {"type": "number"}, "rate": {"type": "number"},
		"reasons": {"type": "array", "items": object{"$ref": "#/$defs/reason"}},
	}
	var forms []object
	for _, row := range reason.Table() {
		form := object{
			"type": "object", "additionalProperties": false, "description": row.English,
			"properties": object{"code": object{"const": row.Code}}, "required": []string{"code"},
		}
		if len(row.Args) > 0 {
			args, required := object{}, []string{}
			for _, a := range row.Args {
				args[a.Key] = kinds[a.Kind]
				required = append(required, a.Key)
			}
			form["properties"].(object)["args"] = object{"type": "object", "properties": args, "required": required, "additionalProperties": false}
			form["required"] = []string{"code", "args"}
		}
		forms = append(forms, form)
	}
	return object{"oneOf": forms}
}

func TestSchemaIsCurrent(t *testing.T) {
	s := schemaOf(reflect.TypeFor[Document](), "")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "cstest result.json, schema version 1"
	s["$defs"] = object{"reason": schemaOfReasons()}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(s); err != nil {
		t.Fatal(err)
	}
	golden(t, schemaPath, b.Bytes())
}

// golden compares with a file, or rewrites it under -update.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); run with -update when the change is meant\n%s", path, diff)
	}
}

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	f, err := os.Open(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("result.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, d *Document, change func(object)) error {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text(t, d)))
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(v.(object))
	}
	return s.Validate(v)
}

func TestDocumentsSatisfyTheSchema(t *testing.T) {
	s := compiled(t)
	for name, d := range map[string]*Document{
		"sale": saleDocument(t, 1, 1), "empty": Build(nil, nil, Recording{}), "slow": saleDocument(t, 2, 3),
	} {
		if err := validate(t, s, d, nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := d.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSchemaIsStrict(t *testing.T) {
	s, d := compiled(t), saleDocument(t, 1, 1)
	for name, change := range map[string]func(object){
		"unknown key":        func(o object) { o["extra"] = 1 },
		"unknown inner key":  func(o object) { o["counts"].(object)["extra"] = 1 },
		"missing key":        func(o object) { delete(o, "reasons") },
		"unknown verdict":    func(o object) { o["verdict"] = "passed" },
		"other version":      func(o object) { o["schema_version"] = 2 },
		"negative count":     func(o object) { o["counts"].(object)["ok"] = json.Number("-1") },
		"fraction of a turn": func(o object) { o["counts"].(object)["ok"] = json.Number("1.5") },
		"text for a number":  func(o object) { o["duration_s"] = "110" },
		"share above one":    func(o object) { o["availability"].(object)["answers"] = json.Number("99.9") },
		"no time":            func(o object) { o["started_at"] = "yesterday" },
		"no digest":          func(o object) { o["files"] = object{"a": "b"} },
	} {
		if validate(t, s, d, change) == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
