package mockllm

import (
	"fmt"

	"github.com/tidwall/gjson"
)

const maxTools = 128

// wanted is the form in which a request wants its answer. It may point into the body.
type wanted struct {
	tools    gjson.Result // the array of tools; absent when there are none
	choice   string       // "", "none", "auto" or "required"
	tool     string       // the tool that must be called
	object   bool         // JSON, any object
	schema   gjson.Result // JSON, valid against this
	answered bool         // the last message is a tool's result
}

func (w *wanted) json() bool { return w.object || w.schema.Exists() }

// form takes the members that say which form the answer is to have, and refuses
// those that this server would have to ignore.
func (w *wanted) form(name string, v gjson.Result) *apiError {
	if v.Type == gjson.Null {
		return nil
	}
	switch name {
	case "tools":
		return w.readTools(v)
	case "tool_choice":
		return w.readChoice(v)
	case "response_format":
		return w.readFormat(v)
	case "functions", "function_call", "audio", "web_search_options", "prediction":
		return badRequest(name, "unsupported_parameter", "'%s' is not supported by this server", name)
	case "logprobs":
		if v.Type != gjson.False {
			return badRequest(name, "unsupported_parameter", "'logprobs' is not supported by this server")
		}
	case "modalities":
		for _, m := range v.Array() {
			if m.Str != "text" {
				return badRequest(name, "unsupported_parameter", "'modalities' must be [\"text\"] for this server")
			}
		}
	}
	return nil
}

func (w *wanted) readTools(v gjson.Result) *apiError {
	if !v.IsArray() {
		return badRequest("tools", "", "'tools' must be an array")
	}
	for i, tool := range v.Array() {
		at := fmt.Sprintf("tools[%d]", i)
		function := member(tool, "function")
		name := member(function, "name")
		switch {
		case i == maxTools:
			return badRequest("tools", "", "'tools' has more than %d items", maxTools)
		case member(tool, "type").Str != "function" || !function.IsObject():
			return badRequest(at, "", "'%s' must be {\"type\": \"function\", \"function\": {…}}: this server knows no other tools", at)
		case name.Type != gjson.String || name.Str == "" || len(name.Str) > 64:
			return badRequest(at+".function.name", "", "'%s.function.name' must be a string of 1 to 64 bytes", at)
		}
		w.tools = v
	}
	return nil
}

func (w *wanted) readChoice(v gjson.Result) *apiError {
	if v.Type == gjson.String && (v.Str == "none" || v.Str == "auto" || v.Str == "required") {
		w.choice = v.Str
		return nil
	}
	name := member(member(v, "function"), "name")
	if !v.IsObject() || member(v, "type").Str != "function" || name.Type != gjson.String || name.Str == "" {
		return badRequest("tool_choice", "", "'tool_choice' must be none, auto, required or {\"type\": \"function\", \"function\": {\"name\": …}}")
	}
	w.tool = name.Str
	return nil
}

func (w *wanted) readFormat(v gjson.Result) *apiError {
	switch member(v, "type").Str {
	case "text":
	case "json_object":
		w.object = true
	case "json_schema":
		given := member(v, "json_schema")
		if member(given, "name").Type != gjson.String {
			return badRequest("response_format.json_schema.name", "", "'response_format.json_schema.name' must be a string")
		}
		if w.schema = member(given, "schema"); !w.schema.IsObject() {
			return badRequest("response_format.json_schema.schema", "", "'response_format.json_schema.schema' must be an object")
		}
	default:
		return badRequest("response_format", "", "'response_format.type' must be text, json_object or json_schema")
	}
	return nil
}

// offers is the tool of that name, or the first when name is empty.
func (w *wanted) offers(name string) gjson.Result {
	for _, tool := range w.tools.Array() {
		if function := member(tool, "function"); name == "" || member(function, "name").Str == name {
			return function
		}
	}
	return gjson.Result{}
}

// check refuses a choice of what is not offered.
func (w *wanted) check() *apiError {
	if (w.tool != "" || w.choice == "required") && !w.offers(w.tool).Exists() {
		return badRequest("tool_choice", "", "'tool_choice' asks for a tool that is not among 'tools'")
	}
	return nil
}

// form gives the answer the form that the request wants: a tool call, or JSON.
func (c *call) form(scripted stock) *apiError {
	w := &c.req.wanted
	tool, arguments, finish := gjson.Result{}, "", "tool_calls"
	switch {
	case w.tool != "":
		tool, finish = w.offers(w.tool), "stop" // as the vendor says of a forced function
	case w.choice == "required":
		tool = w.offers("")
	}
	if scripted.tool != "" && w.choice != "none" && (w.tool == "" || w.tool == scripted.tool) && !w.answered {
		if offered := w.offers(scripted.tool); offered.Exists() {
			tool, arguments = offered, scripted.arguments
		}
	}
	var err error
	switch {
	case tool.Exists():
		c.frame.tool = member(tool, "name").String()
		c.finish = finish
		if arguments == "" {
			arguments, err = argumentsOf(tool, c.req.question)
		}
		if err != nil {
			return badRequest("tools", "unsupported_schema", "the parameters of tool %s cannot be answered by this server: %v", c.frame.tool, err)
		}
		c.text, c.echo = arguments, c.echo[:0]
	case w.json():
		said := c.text + string(c.echo)
		out := appendString([]byte(`{"answer":`), said)
		if out = append(out, '}'); w.schema.Exists() {
			if out, err = instance(nil, w.schema, said); err != nil {
				return badRequest("response_format", "unsupported_schema", "the schema cannot be answered by this server: %v", err)
			}
		}
		c.text, c.echo = string(out), c.echo[:0]
	}
	return nil
}

// argumentsOf makes arguments that are valid against a function's parameters.
func argumentsOf(function gjson.Result, say string) (string, error) {
	parameters := member(function, "parameters")
	if !parameters.Exists() || parameters.Type == gjson.Null {
		return "{}", nil
	}
	out, err := instance(nil, parameters, say)
	return string(out), err
}
