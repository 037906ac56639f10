// Package anthropic reads requests and writes answers in the form of the
// Anthropic Messages API.
package anthropic

import (
	"fmt"
	"math"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// Bounds of a request.
const (
	maxMessages = 4096
	maxTools    = 128
)

// DecodeMessages reads a request of the Messages API into r.
func DecodeMessages(r *prompt.Request, body []byte, limits *prompt.Limits) error {
	c, err := prompt.Open(body)
	if err != nil {
		return err
	}
	if err := c.Members(func(key string) error { return readField(r, key, c.Value()) }); err != nil {
		return err
	}
	switch {
	case r.Model == "":
		return prompt.BadRequest("model", "", "model: field required")
	case r.MaxTokens == 0:
		return prompt.BadRequest("max_tokens", "", "max_tokens: field required")
	}
	return r.Check(limits)
}

func readField(r *prompt.Request, name string, v gjson.Result) error {
	switch name {
	case "model":
		return prompt.ReadModel(r, v)
	case "messages":
		return readMessages(r, v)
	case "max_tokens":
		return prompt.ReadLimit(r, name, v)
	case "stream":
		return prompt.Flag(v, name, &r.Stream)
	case "temperature", "top_p":
		return prompt.Between(v, name, 0, 1)
	case "system":
		return readContent(r, "system", "system", v)
	case "stop_sequences":
		return readStops(r, v)
	case "thinking":
		return readThinking(r, v)
	case "tools":
		return readTools(&r.Wanted, v)
	case "tool_choice":
		return readChoice(&r.Wanted, v)
	case "mcp_servers", "container", "output_format", "output_config":
		if v.Type != gjson.Null {
			return prompt.BadRequest(name, "", "%s: not supported by this server", name)
		}
	}
	return nil
}

func readMessages(r *prompt.Request, v gjson.Result) error {
	r.Asked = true
	list := v.Array()
	if !v.IsArray() || len(list) == 0 || len(list) > maxMessages {
		return prompt.BadRequest("messages", "", "messages: must be an array of 1 to %d items", maxMessages)
	}
	for i, m := range list {
		at := fmt.Sprintf("messages.%d", i)
		role := jsontext.Member(m, "role").Str
		if role != "user" && role != "assistant" {
			return prompt.BadRequest(at+".role", "", "%s.role: must be user or assistant", at)
		}
		r.Wanted.Answered = false
		if err := readContent(r, at+".content", role, jsontext.Member(m, "content")); err != nil {
			return err
		}
	}
	return nil
}

// readContent takes a text or an array of blocks.
func readContent(r *prompt.Request, at, role string, v gjson.Result) error {
	if v.Type == gjson.String {
		r.Said(role, v.Str)
		return nil
	}
	if !v.IsArray() {
		return prompt.BadRequest(at, "", "%s: must be a string or an array of blocks", at)
	}
	for i, block := range v.Array() {
		kind := jsontext.Member(block, "type")
		if !block.IsObject() || kind.Type != gjson.String {
			return prompt.BadRequest(at, "", "%s.%d: must be an object with a type", at, i)
		}
		switch kind.Str {
		case "text":
			text := jsontext.Member(block, "text")
			if text.Type != gjson.String {
				return prompt.BadRequest(at, "", "%s.%d.text: must be a string", at, i)
			}
			r.Said(role, text.Str)
		case "tool_result":
			r.Wanted.Answered = true
			if result := jsontext.Member(block, "content"); result.Exists() {
				if err := readContent(r, fmt.Sprintf("%s.%d.content", at, i), "tool", result); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func readStops(r *prompt.Request, v gjson.Result) error {
	for i, stop := range v.Array() {
		if !v.IsArray() || stop.Type != gjson.String || stop.Str == "" || i == 64 {
			return prompt.BadRequest("stop_sequences", "", "stop_sequences: must be an array of at most 64 strings that are not empty")
		}
		r.Stops = append(r.Stops, stop.Str)
	}
	return nil
}

// readThinking takes how many tokens the model may think with; the mock thinks
// without telling.
func readThinking(r *prompt.Request, v gjson.Result) error {
	switch jsontext.Member(v, "type").Str {
	case "disabled":
		r.Effort = "none"
	case "adaptive":
	case "enabled":
		if n := jsontext.Member(v, "budget_tokens"); n.Type != gjson.Number || n.Num < 1024 || n.Num != math.Trunc(n.Num) {
			return prompt.BadRequest("thinking.budget_tokens", "", "thinking.budget_tokens: must be a whole number of at least 1024")
		}
	default:
		return prompt.BadRequest("thinking.type", "", "thinking.type: must be enabled, adaptive or disabled")
	}
	return nil
}

func readTools(w *prompt.Wanted, v gjson.Result) error {
	if !v.IsArray() || len(v.Array()) > maxTools {
		return prompt.BadRequest("tools", "", "tools: must be an array of at most %d", maxTools)
	}
	for i, tool := range v.Array() {
		name, kind := jsontext.Member(tool, "name"), jsontext.Member(tool, "type")
		switch {
		case kind.Exists() && kind.Str != "custom":
			return prompt.BadRequest("tools", "", "tools.%d.type: this server knows only tools of the client", i)
		case name.Type != gjson.String || name.Str == "" || len(name.Str) > 128:
			return prompt.BadRequest("tools", "", "tools.%d.name: must be a string of 1 to 128 bytes", i)
		case !jsontext.Member(tool, "input_schema").IsObject():
			return prompt.BadRequest("tools", "", "tools.%d.input_schema: must be an object", i)
		}
		w.Tools = v
	}
	return nil
}

func readChoice(w *prompt.Wanted, v gjson.Result) error {
	switch jsontext.Member(v, "type").Str {
	case "auto":
		w.Choice = "auto"
	case "none":
		w.Choice = "none"
	case "any":
		w.Choice = "required"
	case "tool":
		if w.Tool = jsontext.Member(v, "name").Str; w.Tool == "" {
			return prompt.BadRequest("tool_choice", "", "tool_choice.name: field required")
		}
	default:
		return prompt.BadRequest("tool_choice", "", "tool_choice.type: must be auto, any, tool or none")
	}
	return nil
}
