package mockllm

import (
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/answer"
	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/schema"
)

// shape gives the answer the form that the request wants: a tool call, or JSON.
func (c *call) shape(scripted answer.Answer) error {
	w := &c.req.Wanted
	tool, arguments, finish := gjson.Result{}, "", "tool_calls"
	switch {
	case w.Tool != "":
		tool, finish = w.Offers(w.Tool), "stop" // as the vendor says of a forced function
	case w.Choice == "required":
		tool = w.Offers("")
	}
	if scripted.Tool != "" && w.Choice != "none" && (w.Tool == "" || w.Tool == scripted.Tool) && !w.Answered {
		if offered := w.Offers(scripted.Tool); offered.Exists() {
			tool, arguments = offered, scripted.Arguments
		}
	}
	var err error
	switch {
	case tool.Exists():
		c.frame.Tool = strings.Clone(jsontext.Member(tool, "name").String()) // the body is let go of before the answer is due
		c.finish = finish
		if arguments == "" {
			arguments, err = argumentsOf(tool, c.req.Question)
		}
		if err != nil {
			return prompt.BadRequest("tools", "unsupported_schema", "the parameters of tool %s cannot be answered by this server: %v", c.frame.Tool, err)
		}
		c.text, c.echo = arguments, c.echo[:0]
	case w.JSON():
		said := c.text + string(c.echo)
		out := jsontext.AppendString([]byte(`{"answer":`), said)
		if out = append(out, '}'); w.Schema.Exists() {
			if out, err = schema.Instance(nil, w.Schema, said); err != nil {
				return prompt.BadRequest("response_format", "unsupported_schema", "the schema cannot be answered by this server: %v", err)
			}
		}
		c.text, c.echo = string(out), c.echo[:0]
	}
	return nil
}

// argumentsOf makes arguments that are valid against a function's parameters.
func argumentsOf(function gjson.Result, say string) (string, error) {
	parameters := jsontext.Member(function, "parameters")
	if !parameters.Exists() {
		parameters = jsontext.Member(function, "input_schema")
	}
	if !parameters.Exists() || parameters.Type == gjson.Null {
		return "{}", nil
	}
	out, err := schema.Instance(nil, parameters, say)
	return string(out), err
}
