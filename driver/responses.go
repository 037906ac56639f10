package driver

import (
	"encoding/json"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// responsePaths are those of an answer of the Responses API; below is what leads to
// it in an event of a stream.
func responsePaths(below string) map[int]string {
	return map[int]string{
		slotID: below + "id", slotFinish: below + "status", slotWhy: below + "incomplete_details.reason",
		slotError: below + "error", slotErrorText: below + "error.message", slotCode: below + "error.code", slotCodeType: below + "error.type",
		slotInput: below + "usage.input_tokens", slotCached: below + "usage.input_tokens_details.cached_tokens",
		slotOutput: below + "usage.output_tokens", slotThought: below + "usage.output_tokens_details.reasoning_tokens",
	}
}

// outputItem is one of what the model has to say.
type outputItem struct {
	Type      string
	CallID    string `json:"call_id"`
	Name      string
	Arguments string
	Content   []struct{ Type, Text string }
}

// unfold makes the texts of the model's output the answer, and says why it ended as
// chat completions do. What cannot be read so has no answer.
func (x *exchange) unfold() {
	v, a := x.scanner.Values, &x.model
	a.calls, a.items = a.calls[:0], a.items[:0]
	var list []json.RawMessage
	if v[slotItems].Kind != '[' || json.Unmarshal(v[slotItems].Raw, &list) != nil {
		return
	}
	from := len(x.text)
	for _, raw := range list {
		var one outputItem
		if json.Unmarshal(raw, &one) != nil {
			return
		}
		for _, c := range one.Content {
			if one.Type == "message" && c.Type == "output_text" {
				x.text = append(x.text, c.Text...)
			}
		}
		a.take(&one, raw)
	}
	text := x.text[from:len(x.text):len(x.text)]
	v[slotAnswer] = jsonscan.Value{Raw: text, Kind: jsonscan.Text}
	a.id = append(a.id[:0], x.string(&v[slotID])...)
	v[slotFinish] = x.ending()
}

// take keeps an item of the output.
func (a *answered) take(one *outputItem, raw []byte) {
	if len(a.items) > 0 {
		a.items = append(a.items, ',')
	}
	a.items = append(a.items, raw...)
	if one.Type == "function_call" && len(a.calls) <= mostCalls {
		a.calls = append(a.calls, toolCall{[]byte(one.CallID), []byte(one.Name), []byte(one.Arguments)})
	}
}

// ending is why the answer ended, in the words of chat completions.
func (x *exchange) ending() jsonscan.Value {
	v := x.scanner.Values
	word := string(x.string(&v[slotFinish]))
	switch word {
	case "completed":
		if word = "stop"; len(x.model.calls) > 0 {
			word = "tool_calls"
		}
	case "incomplete":
		if why := string(x.string(&v[slotWhy])); why != "" {
			word = why
		}
		if word == "max_output_tokens" {
			word = "length"
		}
	case "failed":
		word = "error"
	case "":
		return jsonscan.Value{}
	}
	return jsonscan.Value{Raw: []byte(word), Kind: jsonscan.Text}
}

// response takes an event of the Responses API.
func (e *events) response(name string, data []byte) wire.Fault {
	x, p := e.x, e.plan
	switch {
	case string(data) == "[DONE]":
		return wire.NewFault(Truncated, "[DONE] came before response.completed")
	case idle(name, data):
		return wire.Fault{}
	case !p.dialect.lookup.Find(&x.scanner, data):
		return wire.NewFault(Malformed, "an event of the stream is not valid JSON")
	}
	v := x.scanner.Values
	kind := string(v[slotKind].Raw)
	if kind == "error" || name == errorEvent {
		return e.failedBy(data, true)
	}
	x.transient = true
	defer func() { x.transient = false }()
	if terminal := kind == "response.completed" || kind == "response.incomplete" || kind == "response.failed"; !terminal {
		v[slotFinish] = jsonscan.Value{}
	} else {
		v[slotFinish] = x.ending()
		e.ended = true
	}
	p.read.fill(x, x.reply)
	if f := failed(x, "error event"); f.Bad() {
		return f
	}
	if id := x.string(&v[slotID]); len(id) > 0 {
		x.model.id = append(x.model.id[:0], id...)
	}
	switch kind {
	case "response.output_text.delta":
		e.content(x, &v[slotDelta])
	case "response.reasoning_text.delta", "response.reasoning_summary_text.delta":
		v[slotReasoning] = v[slotDelta]
		e.reasoning(x)
	case "response.function_call_arguments.delta":
		x.model.piece(x.Done)
	case "response.output_item.done":
		var one outputItem
		if v[slotItems].Kind != jsonscan.Object || json.Unmarshal(v[slotItems].Raw, &one) != nil {
			return wire.NewFault(Malformed, "an item of the output that is not as the Responses API has it")
		}
		x.model.take(&one, v[slotItems].Raw)
		if len(x.model.items) > p.Limits.Body || len(x.model.calls) > mostCalls {
			return wire.NewFault(Oversized, wire.TooLarge)
		}
	}
	return wire.Fault{}
}
