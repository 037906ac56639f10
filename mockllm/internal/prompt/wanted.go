package prompt

import (
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
)

// Wanted is the form in which a request wants its answer. It may point into the body.
type Wanted struct {
	Tools    gjson.Result // the array of tools; absent when there are none
	Choice   string       // "", "none", "auto" or "required"
	Tool     string       // the tool that must be called
	Object   bool         // JSON, any object
	Schema   gjson.Result // JSON, valid against this
	Answered bool         // the last message is a tool's result
}

// JSON reports whether the answer is to be JSON.
func (w *Wanted) JSON() bool { return w.Object || w.Schema.Exists() }

// Offers is the tool of that name, or the first when name is empty.
func (w *Wanted) Offers(name string) gjson.Result {
	for _, tool := range w.Tools.Array() {
		function := jsontext.Member(tool, "function")
		if !function.Exists() {
			function = tool // the other APIs have one level less
		}
		if name == "" || jsontext.Member(function, "name").Str == name {
			return function
		}
	}
	return gjson.Result{}
}

// check refuses a choice of what is not offered.
func (w *Wanted) check() error {
	if (w.Tool != "" || w.Choice == "required") && !w.Offers(w.Tool).Exists() {
		return BadRequest("tool_choice", "", "'tool_choice' asks for a tool that is not among 'tools'")
	}
	return nil
}
