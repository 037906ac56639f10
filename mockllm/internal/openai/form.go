package openai

import (
	"fmt"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

const maxTools = 128

// readForm takes the members that say which form the answer is to have, and refuses
// those that this server would have to ignore.
func readForm(w *prompt.Wanted, name string, v gjson.Result) error {
	if v.Type == gjson.Null {
		return nil
	}
	switch name {
	case "tools":
		return readTools(w, v)
	case "tool_choice":
		return readChoice(w, v)
	case "response_format":
		return readFormat(w, v)
	case "functions", "function_call", "audio", "web_search_options", "prediction":
		return prompt.BadRequest(name, "unsupported_parameter", "'%s' is not supported by this server", name)
	case "logprobs":
		if v.Type != gjson.False {
			return prompt.BadRequest(name, "unsupported_parameter", "'logprobs' is not supported by this server")
		}
	case "modalities":
		for _, m := range v.Array() {
			if m.Str != "text" {
				return prompt.BadRequest(name, "unsupported_parameter", "'modalities' must be [\"text\"] for this server")
			}
		}
	}
	return nil
}

func readTools(w *prompt.Wanted, v gjson.Result) error {
	if !v.IsArray() {
		return prompt.BadRequest("tools", "", "'tools' must be an array")
	}
	for i, tool := range v.Array() {
		at := fmt.Sprintf("tools[%d]", i)
		function := jsontext.Member(tool, "function")
		name := jsontext.Member(function, "name")
		switch {
		case i == maxTools:
			return prompt.BadRequest("tools", "", "'tools' has more than %d items", maxTools)
		case jsontext.Member(tool, "type").Str != "function" || !function.IsObject():
			return prompt.BadRequest(at, "", "'%s' must be {\"type\": \"function\", \"function\": {…}}: this server knows no other tools", at)
		case name.Type != gjson.String || name.Str == "" || len(name.Str) > 64:
			return prompt.BadRequest(at+".function.name", "", "'%s.function.name' must be a string of 1 to 64 bytes", at)
		}
		w.Tools = v
	}
	return nil
}

func readChoice(w *prompt.Wanted, v gjson.Result) error {
	if v.Type == gjson.String && (v.Str == "none" || v.Str == "auto" || v.Str == "required") {
		w.Choice = v.Str
		return nil
	}
	name := jsontext.Member(jsontext.Member(v, "function"), "name")
	if !v.IsObject() || jsontext.Member(v, "type").Str != "function" || name.Type != gjson.String || name.Str == "" {
		return prompt.BadRequest("tool_choice", "", "'tool_choice' must be none, auto, required or {\"type\": \"function\", \"function\": {\"name\": …}}")
	}
	w.Tool = name.Str
	return nil
}

func readFormat(w *prompt.Wanted, v gjson.Result) error {
	switch jsontext.Member(v, "type").Str {
	case "text":
	case "json_object":
		w.Object = true
	case "json_schema":
		given := jsontext.Member(v, "json_schema")
		if jsontext.Member(given, "name").Type != gjson.String {
			return prompt.BadRequest("response_format.json_schema.name", "", "'response_format.json_schema.name' must be a string")
		}
		if w.Schema = jsontext.Member(given, "schema"); !w.Schema.IsObject() {
			return prompt.BadRequest("response_format.json_schema.schema", "", "'response_format.json_schema.schema' must be an object")
		}
	default:
		return prompt.BadRequest("response_format", "", "'response_format.type' must be text, json_object or json_schema")
	}
	return nil
}
