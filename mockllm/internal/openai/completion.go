// Package openai reads requests and writes answers in the forms of OpenAI's API.
package openai

import (
	"fmt"
	"math"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

const maxMessages = 4096

// DecodeCompletion reads a chat or text completion, as r.API says, into r. Whatever the body is,
// the work is bounded by its length and the result is r or an error, never a panic.
func DecodeCompletion(r *prompt.Request, body []byte, limits *prompt.Limits) error {
	c, err := prompt.Open(body)
	if err != nil {
		return err
	}
	err = c.Members(func(key string) error {
		if key == "messages" && r.API == prompt.Chat {
			return readMessages(r, &c)
		}
		return readField(r, key, c.Value())
	})
	if err != nil {
		return err
	}
	return r.Check(limits)
}

// readField takes one member of the request object; unknown ones are ignored, as
// the real API has more than a mock needs.
func readField(r *prompt.Request, name string, v gjson.Result) error {
	switch name {
	case "model":
		return prompt.ReadModel(r, v)
	case "stream":
		return prompt.Flag(v, name, &r.Stream)
	case "stream_options":
		if v.Type == gjson.Null {
			return nil
		}
		if !v.IsObject() {
			return prompt.BadRequest(name, "", "'stream_options' must be an object")
		}
		return prompt.Flag(v.Get("include_usage"), "stream_options.include_usage", &r.IncludeUsage)
	case "max_tokens", "max_completion_tokens":
		return prompt.ReadLimit(r, name, v)
	case "temperature", "top_p":
		return prompt.Between(v, name, 0, 2)
	case "n":
		return readChoices(r, v)
	case "reasoning_effort":
		return prompt.ReadEffort(r, name, v)
	case "stop":
		return prompt.ReadStops(r, v)
	case "prompt":
		if r.API != prompt.Chat {
			return readPrompt(r, v)
		}
	default:
		if r.API == prompt.Chat {
			return readForm(&r.Wanted, name, v)
		}
		return unsupported(name, v)
	}
	return nil
}

// unsupported refuses what a text completion would have to ignore.
func unsupported(name string, v gjson.Result) error {
	switch name {
	case "echo", "suffix", "best_of", "logprobs":
		if v.Type == gjson.Null || v.Type == gjson.False || name == "best_of" && v.Raw == "1" {
			return nil
		}
		return prompt.BadRequest(name, "unsupported_parameter", "'%s' is not supported by this server", name)
	}
	return nil
}

func readPrompt(r *prompt.Request, v gjson.Result) error {
	r.Asked = true
	switch {
	case v.Type == gjson.String:
		r.Text(v.Str)
		r.Question = v.Str
		return nil
	case v.IsArray():
		n := 0
		var err error
		v.ForEach(func(_, item gjson.Result) bool {
			n++
			if item.Type != gjson.String || n > 1 {
				err = prompt.BadRequest("prompt", "", "'prompt' must be a string or an array of one string")
				return false
			}
			r.Text(item.Str)
			r.Question = item.Str
			return true
		})
		if err == nil && n == 0 {
			err = prompt.BadRequest("prompt", "", "'prompt' must not be empty")
		}
		return err
	}
	return prompt.BadRequest("prompt", "", "'prompt' must be a string or an array of one string")
}

func readMessages(r *prompt.Request, c *jsontext.Cursor) error {
	if c.Space() != '[' {
		return prompt.BadRequest("messages", "", "'messages' must be an array")
	}
	r.Asked = true
	n := 0
	err := c.Items(func(first byte) error {
		if n == maxMessages {
			return prompt.BadRequest("messages", "", "'messages' has more than %d items", maxMessages)
		}
		if first != '{' {
			return prompt.BadRequest(fmt.Sprintf("messages[%d]", n), "", "'messages[%d]' must be an object", n)
		}
		n++
		return readMessage(r, n-1, c)
	})
	if err == nil && n == 0 {
		err = prompt.BadRequest("messages", "", "'messages' must have at least one item")
	}
	return err
}

func readMessage(r *prompt.Request, i int, c *jsontext.Cursor) error {
	var role, content gjson.Result
	err := c.Members(func(key string) error {
		v := c.Value()
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
		return prompt.BadRequest(fmt.Sprintf("messages[%d].role", i), "", "'messages[%d].role' must be a string", i)
	}
	switch role.Str {
	case "system", "developer", "user", "assistant", "tool", "function":
	default:
		return prompt.BadRequest(fmt.Sprintf("messages[%d].role", i), "", "'messages[%d].role' must be one of system, developer, user, assistant, tool, function", i)
	}
	r.Wanted.Answered = role.Str == "tool"
	switch {
	case content.Type == gjson.String:
		r.Said(role.Str, content.Str)
		return nil
	case content.Type == gjson.Null && role.Str != "user" && role.Str != "system":
		return nil // an assistant's tool call
	case content.IsArray():
		return readParts(r, "messages", i, role.Str, content)
	}
	return prompt.BadRequest(fmt.Sprintf("messages[%d].content", i), "", "'messages[%d].content' must be a string or an array of parts", i)
}

// readParts reads multi-part content; only text parts are looked at.
func readParts(r *prompt.Request, list string, i int, role string, content gjson.Result) error {
	var err error
	content.ForEach(func(_, part gjson.Result) bool {
		if !part.IsObject() || part.Get("type").Type != gjson.String {
			err = prompt.BadRequest(fmt.Sprintf("%s[%d].content", list, i), "", "every part of '%s[%d].content' must be an object with a type", list, i)
			return false
		}
		if t := part.Get("text"); t.Type == gjson.String {
			r.Said(role, t.Str)
		}
		return true
	})
	return err
}

const maxChoices = 128 // as the vendor has it

func readChoices(r *prompt.Request, v gjson.Result) error {
	if v.Type == gjson.Null {
		return nil
	}
	if v.Type != gjson.Number || v.Num != math.Trunc(v.Num) || !(v.Num >= 1 && v.Num <= maxChoices) {
		return prompt.BadRequest("n", "", "'n' must be a whole number from 1 to %d", maxChoices)
	}
	r.Choices = int(v.Num)
	return nil
}
