package driver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/template"
)

// mostCalls is how many functions an answer may call at a time.
const mostCalls = 128

// toolCall is a function that the model wants called.
type toolCall struct{ id, name, arguments []byte }

// converse answers the functions that the model calls, and asks it again, until it
// answers the user. That answer is left in x, and the request of it given back, for
// who looks; request is the turn's.
func (ch *channel) converse(x *exchange, reply *Reply, request []byte) ([]byte, wire.Fault) {
	p := ch.client.plan
	for n := 1; ; n++ {
		f := x.called(p, reply)
		switch {
		case f.Bad() || len(x.model.calls) == 0:
			return request, f
		case n == p.model.calls:
			return request, wire.NewFault(Malformed, fmt.Sprintf("the model still calls tools in answer %d of the turn (target.openai.max_calls)", n))
		}
		if f = x.respond(p.model, reply, &p.Limits); f.Bad() {
			return request, f
		}
		x.spend(&reply.Usage)
		ch.show(x, request)
		reply.Finish, reply.Answer = nil, nil
		x.answer, x.last = x.answer[:0], 0
		x.model.begin()
		f = ch.carry(x, &p.turn)
		request = ch.asked(x, &p.turn)
		if f.Bad() {
			return request, f
		}
	}
}

// called finds out which functions the answer in x calls: none where it is one to the
// user, or was cut off.
func (x *exchange) called(p *plan, reply *Reply) wire.Fault {
	a := &x.model
	if x.Head.Status >= 300 {
		a.calls = a.calls[:0]
		return wire.Fault{}
	}
	if !x.Streamed {
		a.calls = a.calls[:0]
		if !p.read.find(x, x.Body) {
			return wire.Fault{} // take says so
		}
		v := x.scanner.Values
		x.transient = true
		x.keep(&reply.Finish, &v[slotFinish])
		a.tell(v)
		x.transient = false
		if !p.model.responses {
			if f := a.callsIn(&v[slotCalls]); f.Bad() {
				return f
			}
		}
	}
	switch {
	case string(reply.Finish) == "length", string(reply.Finish) == "content_filter":
		a.calls = a.calls[:0]
	case len(a.calls) == 0 && callsTools(reply.Finish):
		return wire.NewFault(Malformed, "finish_reason is "+wire.Visible(reply.Finish)+", and no function is called")
	}
	return wire.Fault{}
}

// functionCall is one as chat completions write it, in pieces where they are streamed.
type functionCall struct {
	Index    *int
	ID       string
	Function struct{ Name, Arguments string }
}

const strangeCall = "a tool call that is not as chat completions have it"

// callsIn takes the functions that an answer calls.
func (a *answered) callsIn(v *jsonscan.Value) wire.Fault {
	if v.Kind == jsonscan.Nothing || v.Kind == jsonscan.Null {
		return wire.Fault{}
	}
	var list []functionCall
	if json.Unmarshal(v.Raw, &list) != nil || len(list) > mostCalls || v.Kind == jsonscan.Text {
		return wire.NewFault(Malformed, strangeCall)
	}
	for i := range list {
		c := &list[i]
		a.calls = append(a.calls, toolCall{[]byte(c.ID), []byte(c.Function.Name), []byte(c.Function.Arguments)})
	}
	return wire.Fault{}
}

// callPieces takes the pieces of calls that an event of a stream has.
func (a *answered) callPieces(v *jsonscan.Value, limit int) wire.Fault {
	var list []functionCall
	if v.Kind == jsonscan.Text || json.Unmarshal(v.Raw, &list) != nil {
		return wire.NewFault(Malformed, strangeCall)
	}
	for i := range list {
		c := &list[i]
		at := len(a.calls) - 1
		switch {
		case c.Index != nil:
			at = *c.Index
		case c.ID != "" || at < 0: // some servers number none
			at = len(a.calls)
		}
		if at < 0 || at > len(a.calls) || at >= mostCalls {
			return wire.NewFault(Malformed, strangeCall)
		}
		if at == len(a.calls) {
			a.calls = append(a.calls, toolCall{})
		}
		to := &a.calls[at]
		if c.ID != "" { // some servers tell it with each piece, and the name
			to.id = append(to.id[:0], c.ID...)
		}
		if string(to.name) != c.Function.Name {
			to.name = append(to.name, c.Function.Name...)
		}
		to.arguments = append(to.arguments, c.Function.Arguments...)
		if len(to.arguments) > limit {
			return wire.NewFault(Oversized, wire.TooLarge)
		}
	}
	return wire.Fault{}
}

// respond appends what the model called, and what the tools answer, to what the next
// request says behind the turn.
func (x *exchange) respond(r *modelRules, reply *Reply, limits *wire.Limits) wire.Fault {
	for i := range x.model.calls {
		if f := r.mayAnswer(&x.model.calls[i]); f.Bad() {
			return f
		}
	}
	b := x.values.calls
	if len(b) > 0 && !r.chained {
		b = append(b, ',')
	}
	switch {
	case r.chained:
		// The server has its own answer, by whose id it is asked.
		b, x.values.follows = b[:0], true
		if x.values.previous = bytes.Clone(x.model.id); len(x.model.id) == 0 {
			return wire.NewFault(Malformed, noID)
		}
	case r.responses:
		b = append(append(b, x.model.items...), ',')
	default:
		b = append(x.appendAsking(b), ',')
	}
	for i := range x.model.calls {
		c := &x.model.calls[i]
		if i > 0 {
			b = append(b, ',')
		}
		begin, between := `{"role":"tool","tool_call_id":"`, `","content":"`
		if r.responses {
			begin, between = `{"type":"function_call_output","call_id":"`, `","output":"`
		}
		b = append(template.AppendJSON(append(b, begin...), c.id), between...)
		x.values.arguments = c.arguments
		result := r.toolOf(c.name).result.Append(nil, &x.Values)
		b = append(template.AppendJSON(b, result), `"}`...)
		reply.Usage.Calls++
	}
	x.values.arguments = nil
	if x.values.calls = b; len(b) > limits.Body {
		return wire.NewFault(Oversized, "what the model called within the turn is larger than the limit")
	}
	return wire.Fault{}
}

const noID = "the answer has no id, by which the next request would follow it"

// appendAsking is the message of the model that calls functions.
func (x *exchange) appendAsking(b []byte) []byte {
	text := x.answer
	if v := &x.scanner.Values[slotAnswer]; !x.Streamed {
		text = x.string(v)
	}
	if b = append(b, `{"role":"assistant","content":`...); len(text) > 0 {
		b = append(template.AppendJSON(append(b, '"'), text), '"')
	} else {
		b = append(b, "null"...)
	}
	b = append(b, `,"tool_calls":[`...)
	for i := range x.model.calls {
		c := &x.model.calls[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = append(template.AppendJSON(append(b, `{"id":"`...), c.id), `","type":"function","function":{"name":"`...)
		b = append(template.AppendJSON(b, c.name), `","arguments":"`...)
		b = append(template.AppendJSON(b, c.arguments), `"}}`...)
	}
	return append(b, `]}`...)
}

func (r *modelRules) toolOf(name []byte) *tool {
	i := slices.IndexFunc(r.tools, func(t tool) bool { return t.name == string(name) })
	if i < 0 {
		return nil
	}
	return &r.tools[i]
}

// mayAnswer refuses a call that no script answers, or no program could.
func (r *modelRules) mayAnswer(c *toolCall) wire.Fault {
	var arguments map[string]json.RawMessage
	switch {
	case r.toolOf(c.name) == nil:
		return wire.NewFault(Malformed, "the model called "+wire.Visible(c.name)+", for which target.openai.tools has no result")
	case len(c.id) == 0:
		return wire.NewFault(Malformed, "the model called "+wire.Visible(c.name)+" without an id to answer to")
	case len(c.arguments) > 0 && json.Unmarshal(c.arguments, &arguments) != nil:
		return wire.NewFault(Malformed, "the model called "+wire.Visible(c.name)+" with arguments that are no JSON object")
	}
	return wire.Fault{}
}
