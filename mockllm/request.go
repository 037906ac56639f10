package mockllm

import (
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

const (
	maxDepth    = 64  // nesting of a request body
	maxModelLen = 128 // bytes of a model name
	maxMessages = 4096
	anyModel    = "mock-chat" // the answer's model when the request names none
)

// request is what matters of a completion request.
type request struct {
	chat         bool
	stream       bool
	includeUsage bool
	model        string
	maxTokens    int // 0 when unlimited
	promptTokens int
	question     string // the last user text; it may point into the body
	canaries     []canary

	wanted wanted
	stops  []string // what ends the answer; they may point into the body

	asked bool // a prompt or messages were there
}

// apiError is an error answer in OpenAI's shape.
type apiError struct {
	status            int
	message           string
	kind, param, code string
}

func (e *apiError) Error() string { return e.message }

func badRequest(param, code, format string, args ...any) *apiError {
	return &apiError{status: 400, message: fmt.Sprintf(format, args...), kind: "invalid_request_error", param: param, code: code}
}

func noModel(name string) *apiError {
	return &apiError{status: 404, message: fmt.Sprintf("the model %q does not exist", name), kind: "invalid_request_error", param: "model", code: "model_not_found"}
}

func tooLarge(limit int64) *apiError {
	return &apiError{status: 413, message: fmt.Sprintf("the request body is longer than %d bytes", limit), kind: "invalid_request_error", code: "request_too_large"}
}

// decode reads a request body into r, reusing r's memory. Whatever the body is,
// the work is bounded by its length and the result is r or an error, never a panic.
func (r *request) decode(body []byte, chat bool, limits *limits) *apiError {
	*r = request{chat: chat, canaries: r.canaries[:0]}
	if len(body) == 0 {
		return badRequest("", "", "the request body is empty: send a JSON object")
	}
	if !utf8.Valid(body) {
		return badRequest("", "", "the request body is not valid UTF-8")
	}
	text := unsafe.String(&body[0], len(body)) // no copy: the caller keeps body until it let go of r
	if !shallow(text) {
		return badRequest("", "", "the request body is nested deeper than %d", maxDepth)
	}
	if !gjson.Valid(text) {
		return badRequest("", "", "could not parse the JSON body of your request")
	}
	c := cursor{s: text}
	if c.space() != '{' {
		return badRequest("", "", "the request body must be a JSON object")
	}
	err := c.members(func(key string) *apiError {
		if key == "messages" && chat {
			return r.messages(&c)
		}
		return r.field(key, c.value())
	})
	if err != nil {
		return err
	}
	return r.check(limits)
}

// limits are the configured bounds of a request.
type limits struct {
	models        map[string]struct{}
	contextTokens int
}

func (r *request) check(l *limits) *apiError {
	switch {
	case !r.asked && r.chat:
		return badRequest("messages", "", "missing required parameter: 'messages'")
	case !r.asked:
		return badRequest("prompt", "", "missing required parameter: 'prompt'")
	case r.model == "" && len(l.models) > 0:
		return badRequest("model", "", "you must provide a model parameter")
	case r.promptTokens > l.contextTokens:
		return badRequest("messages", "context_length_exceeded", "this model's maximum context length is %d tokens; your prompt has about %d: shorten it", l.contextTokens, r.promptTokens)
	}
	if len(l.models) > 0 {
		if _, ok := l.models[r.model]; !ok {
			return noModel(r.model)
		}
	}
	if r.model == "" {
		r.model = anyModel
	}
	return r.wanted.check()
}

// field takes one member of the request object; unknown ones are ignored, as
// the real API has more than a mock needs.
func (r *request) field(name string, v gjson.Result) *apiError {
	switch name {
	case "model":
		if v.Type != gjson.String || len(v.Str) > maxModelLen {
			return badRequest("model", "", "'model' must be a string of at most %d bytes", maxModelLen)
		}
		r.model = v.Str
	case "stream":
		return flag(v, name, &r.stream)
	case "stream_options":
		if v.Type == gjson.Null {
			return nil
		}
		if !v.IsObject() {
			return badRequest(name, "", "'stream_options' must be an object")
		}
		return flag(v.Get("include_usage"), "stream_options.include_usage", &r.includeUsage)
	case "max_tokens", "max_completion_tokens":
		return r.limit(name, v)
	case "temperature", "top_p":
		return between(v, name, 0, 2)
	case "n":
		if v.Type != gjson.Null && v.Raw != "1" {
			return badRequest(name, "", "'n' must be 1: this server gives one choice")
		}
	case "stop":
		return r.readStops(v)
	case "prompt":
		if !r.chat {
			return r.prompt(v)
		}
	default:
		if r.chat {
			return r.wanted.form(name, v)
		}
		return unsupported(name, v)
	}
	return nil
}

// unsupported refuses what a text completion would have to ignore.
func unsupported(name string, v gjson.Result) *apiError {
	switch name {
	case "echo", "suffix", "best_of", "logprobs":
		if v.Type == gjson.Null || v.Type == gjson.False || name == "best_of" && v.Raw == "1" {
			return nil
		}
		return badRequest(name, "unsupported_parameter", "'%s' is not supported by this server", name)
	}
	return nil
}

const maxStops = 4 // as the vendor has it

func (r *request) readStops(v gjson.Result) *apiError {
	if v.Type == gjson.Null {
		return nil
	}
	all := []gjson.Result{v}
	if v.IsArray() {
		all = v.Array()
	}
	for i, stop := range all {
		if stop.Type != gjson.String || stop.Str == "" || i == maxStops {
			return badRequest("stop", "", "'stop' must be a string that is not empty, or an array of at most %d", maxStops)
		}
		r.stops = append(r.stops, stop.Str)
	}
	return nil
}

func flag(v gjson.Result, name string, to *bool) *apiError {
	switch v.Type {
	case gjson.True, gjson.False:
		*to = v.Type == gjson.True
	case gjson.Null: // also when absent
	default:
		return badRequest(name, "", "'%s' must be a boolean", name)
	}
	return nil
}

func between(v gjson.Result, name string, low, high float64) *apiError {
	if v.Type == gjson.Null {
		return nil
	}
	if v.Type != gjson.Number || !(v.Num >= low && v.Num <= high) {
		return badRequest(name, "", "'%s' must be a number from %g to %g", name, low, high)
	}
	return nil
}

func (r *request) limit(name string, v gjson.Result) *apiError {
	if v.Type == gjson.Null {
		return nil
	}
	if v.Type != gjson.Number || !(v.Num >= 1 && v.Num <= math.MaxInt32) || v.Num != math.Trunc(v.Num) {
		return badRequest(name, "", "'%s' must be a whole number of at least 1", name)
	}
	r.maxTokens = int(v.Num)
	return nil
}

func (r *request) prompt(v gjson.Result) *apiError {
	r.asked = true
	switch {
	case v.Type == gjson.String:
		r.text(v.Str)
		r.question = v.Str
		return nil
	case v.IsArray():
		n := 0
		var err *apiError
		v.ForEach(func(_, item gjson.Result) bool {
			n++
			if item.Type != gjson.String || n > 1 {
				err = badRequest("prompt", "", "'prompt' must be a string or an array of one string")
				return false
			}
			r.text(item.Str)
			r.question = item.Str
			return true
		})
		if err == nil && n == 0 {
			err = badRequest("prompt", "", "'prompt' must not be empty")
		}
		return err
	}
	return badRequest("prompt", "", "'prompt' must be a string or an array of one string")
}

func (r *request) messages(c *cursor) *apiError {
	if c.space() != '[' {
		return badRequest("messages", "", "'messages' must be an array")
	}
	r.asked = true
	n := 0
	err := c.items(func(first byte) *apiError {
		if n == maxMessages {
			return badRequest("messages", "", "'messages' has more than %d items", maxMessages)
		}
		if first != '{' {
			return badRequest(fmt.Sprintf("messages[%d]", n), "", "'messages[%d]' must be an object", n)
		}
		n++
		return r.message(n-1, c)
	})
	if err == nil && n == 0 {
		err = badRequest("messages", "", "'messages' must have at least one item")
	}
	return err
}

func (r *request) message(i int, c *cursor) *apiError {
	var role, content gjson.Result
	err := c.members(func(key string) *apiError {
		v := c.value()
		switch key {
		case "role":
			role = v
		case "content":
			content = v
		}
		return nil
	})
	if err != nil {
		return err
	}
	if role.Type != gjson.String {
		return badRequest(fmt.Sprintf("messages[%d].role", i), "", "'messages[%d].role' must be a string", i)
	}
	switch role.Str {
	case "system", "developer", "user", "assistant", "tool", "function":
	default:
		return badRequest(fmt.Sprintf("messages[%d].role", i), "", "'messages[%d].role' must be one of system, developer, user, assistant, tool, function", i)
	}
	r.wanted.answered = role.Str == "tool"
	switch {
	case content.Type == gjson.String:
		r.said(role.Str, content.Str)
		return nil
	case content.Type == gjson.Null && role.Str != "user" && role.Str != "system":
		return nil // an assistant's tool call
	case content.IsArray():
		return r.parts(i, role.Str, content)
	}
	return badRequest(fmt.Sprintf("messages[%d].content", i), "", "'messages[%d].content' must be a string or an array of parts", i)
}

// parts reads multi-part content; only text parts are looked at.
func (r *request) parts(i int, role string, content gjson.Result) *apiError {
	var err *apiError
	content.ForEach(func(_, part gjson.Result) bool {
		if !part.IsObject() || part.Get("type").Type != gjson.String {
			err = badRequest(fmt.Sprintf("messages[%d].content", i), "", "every part of 'messages[%d].content' must be an object with a type", i)
			return false
		}
		if t := part.Get("text"); t.Type == gjson.String {
			r.said(role, t.Str)
		}
		return true
	})
	return err
}

func (r *request) said(role, text string) {
	r.text(text)
	if role == "user" {
		r.question = text
	}
}

// text accounts one piece of the prompt.
func (r *request) text(s string) {
	r.promptTokens += tokensOf(s)
	r.canaries = scanCanaries(r.canaries, s)
}

// tokensOf estimates a text's tokens: one per wide character, one per four
// bytes of ASCII, at least one.
func tokensOf(s string) int {
	ascii, wide := 0, 0
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			ascii++
		} else if s[i] >= 0xC0 {
			wide++
		}
	}
	return max(wide+(ascii+3)/4, 1)
}
