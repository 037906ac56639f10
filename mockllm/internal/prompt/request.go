// Package prompt is what a client asked and why it is refused, whatever API it
// speaks. Nothing in it may outlive the request body but what is cloned.
package prompt

import (
	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/token"
)

// AnyModel is the answer's model when the request names none.
const AnyModel = "mock-chat"

// Request is what matters of a completion request.
type Request struct {
	API          API
	Stream       bool
	IncludeUsage bool
	Model        string
	Deployed     bool   // the path named the model, and the body cannot
	MaxTokens    int    // 0 when unlimited
	Choices      int    // 0 means 1
	Effort       string // of reasoning, as the request names it
	PromptTokens int
	Question     string // the last user text; it may point into the body
	Canaries     []canary.Mark

	Wanted Wanted
	Stops  []string // what ends the answer; they may point into the body

	Asked bool // a prompt or messages were there
}

// Limits are the configured bounds of a request.
type Limits struct {
	Models        map[string]struct{}
	ContextTokens int
}

// Check refuses what the limits do not allow, once all was read.
func (r *Request) Check(l *Limits) error {
	switch {
	case !r.Asked:
		name := [...]string{"messages", "prompt", "input", "messages", "input", "input"}[r.API]
		return BadRequest(name, "", "missing required parameter: '%s'", name)
	case r.Model == "" && len(l.Models) > 0:
		return BadRequest("model", "", "you must provide a model parameter")
	case r.PromptTokens > l.ContextTokens:
		return BadRequest("messages", "context_length_exceeded", "this model's maximum context length is %d tokens; your prompt has about %d: shorten it", l.ContextTokens, r.PromptTokens)
	}
	if len(l.Models) > 0 {
		if _, ok := l.Models[r.Model]; !ok {
			return NoModel(r.Model)
		}
	}
	if r.Model == "" {
		r.Model = AnyModel
	}
	return r.Wanted.check()
}

// Said takes the text of one message.
func (r *Request) Said(role, text string) {
	r.Text(text)
	if role == "user" {
		r.Question = text
	}
}

// Text accounts one piece of the prompt.
func (r *Request) Text(s string) {
	r.PromptTokens += token.Estimate(s)
	r.Canaries = canary.Scan(r.Canaries, s)
}
