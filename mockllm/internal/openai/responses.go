package openai

import (
	"fmt"
	"strconv"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// DecodeResponse reads a request of the Responses API into r.
func DecodeResponse(r *prompt.Request, body []byte, limits *prompt.Limits) error {
	c, err := prompt.Open(body)
	if err != nil {
		return err
	}
	if err := c.Members(func(key string) error { return readResponse(r, key, c.Value()) }); err != nil {
		return err
	}
	return r.Check(limits)
}

func readResponse(r *prompt.Request, name string, v gjson.Result) error {
	if name == "input" {
		return readInput(r, v)
	}
	if v.Type == gjson.Null {
		return nil
	}
	switch name {
	case "model":
		return prompt.ReadModel(r, v)
	case "stream":
		return prompt.Flag(v, name, &r.Stream)
	case "max_output_tokens":
		return prompt.ReadLimit(r, name, v)
	case "temperature", "top_p":
		return prompt.Between(v, name, 0, 2)
	case "instructions":
		if v.Type != gjson.String {
			return prompt.BadRequest(name, "", "'instructions' must be a string")
		}
		r.Text(v.Str)
	case "reasoning":
		return prompt.ReadEffort(r, "reasoning.effort", jsontext.Member(v, "effort"))
	case "tools":
		return readFlatTools(&r.Wanted, v)
	case "tool_choice":
		return readFlatChoice(&r.Wanted, v)
	case "text":
		return readTextFormat(&r.Wanted, jsontext.Member(v, "format"))
	case "previous_response_id", "conversation", "prompt":
		return prompt.BadRequest(name, "unsupported_parameter", "'%s' is not supported by this server, which keeps no dialogs: send them as 'input'", name)
	case "background":
		if v.Type != gjson.False {
			return prompt.BadRequest(name, "unsupported_parameter", "'background' is not supported by this server")
		}
	}
	return nil
}

// readInput takes a text, or the items of a dialog.
func readInput(r *prompt.Request, v gjson.Result) error {
	r.Asked = true
	if v.Type == gjson.String {
		r.Said("user", v.Str)
		return nil
	}
	items := v.Array()
	if !v.IsArray() || len(items) == 0 || len(items) > maxMessages {
		return prompt.BadRequest("input", "", "'input' must be a string or an array of 1 to %d items", maxMessages)
	}
	for i, item := range items {
		if !item.IsObject() {
			return prompt.BadRequest(fmt.Sprintf("input[%d]", i), "", "'input[%d]' must be an object", i)
		}
		r.Wanted.Answered = false
		switch kind := jsontext.Member(item, "type").Str; kind {
		case "", "message":
			if err := readItem(r, i, item); err != nil {
				return err
			}
		case "function_call":
			r.Text(jsontext.Member(item, "arguments").Str)
		case "function_call_output":
			r.Wanted.Answered = true
			r.Text(jsontext.Member(item, "output").String())
		case "reasoning":
		default:
			return prompt.BadRequest(fmt.Sprintf("input[%d].type", i), "unsupported_parameter", "'input[%d].type' must be message, function_call, function_call_output or reasoning for this server", i)
		}
	}
	return nil
}

func readItem(r *prompt.Request, i int, item gjson.Result) error {
	role, content := jsontext.Member(item, "role"), jsontext.Member(item, "content")
	switch role.Str {
	case "user", "system", "developer", "assistant":
	default:
		return prompt.BadRequest(fmt.Sprintf("input[%d].role", i), "", "'input[%d].role' must be one of user, system, developer, assistant", i)
	}
	if content.Type == gjson.String {
		r.Said(role.Str, content.Str)
		return nil
	}
	if !content.IsArray() {
		return prompt.BadRequest(fmt.Sprintf("input[%d].content", i), "", "'input[%d].content' must be a string or an array of parts", i)
	}
	return readParts(r, "input", i, role.Str, content)
}

func readFlatTools(w *prompt.Wanted, v gjson.Result) error {
	if !v.IsArray() || len(v.Array()) > maxTools {
		return prompt.BadRequest("tools", "", "'tools' must be an array of at most %d", maxTools)
	}
	for i, tool := range v.Array() {
		at := fmt.Sprintf("tools[%d]", i)
		name := jsontext.Member(tool, "name")
		switch {
		case jsontext.Member(tool, "type").Str != "function":
			return prompt.BadRequest(at, "unsupported_parameter", "'%s.type' must be function: this server knows no other tools", at)
		case name.Type != gjson.String || name.Str == "" || len(name.Str) > 64:
			return prompt.BadRequest(at+".name", "", "'%s.name' must be a string of 1 to 64 bytes", at)
		}
		w.Tools = v
	}
	return nil
}

func readFlatChoice(w *prompt.Wanted, v gjson.Result) error {
	if v.Type == gjson.String && (v.Str == "none" || v.Str == "auto" || v.Str == "required") {
		w.Choice = v.Str
		return nil
	}
	name := jsontext.Member(v, "name")
	if jsontext.Member(v, "type").Str != "function" || name.Type != gjson.String || name.Str == "" {
		return prompt.BadRequest("tool_choice", "", "'tool_choice' must be none, auto, required or {\"type\": \"function\", \"name\": …}")
	}
	w.Tool = name.Str
	return nil
}

func readTextFormat(w *prompt.Wanted, v gjson.Result) error {
	switch jsontext.Member(v, "type").Str {
	case "", "text":
	case "json_object":
		w.Object = true
	case "json_schema":
		if jsontext.Member(v, "name").Type != gjson.String {
			return prompt.BadRequest("text.format.name", "", "'text.format.name' must be a string")
		}
		if w.Schema = jsontext.Member(v, "schema"); !w.Schema.IsObject() {
			return prompt.BadRequest("text.format.schema", "", "'text.format.schema' must be an object")
		}
	default:
		return prompt.BadRequest("text.format.type", "", "'text.format.type' must be text, json_object or json_schema")
	}
	return nil
}

// Response writes an answer in the form of the Responses API.
type Response struct {
	prompt.Reply
	events int
	said   []byte // the text streamed so far
}

// head appends the members before "output".
func (a *Response) head(dst []byte, status, incomplete string) []byte {
	dst = append(append(append(dst, `{"id":"resp_`...), a.ID[:]...), `","object":"response","created_at":`...)
	dst = strconv.AppendInt(dst, a.Created, 10)
	dst = append(append(append(dst, `,"status":"`...), status...), `","background":false,"error":null,"incomplete_details":`...)
	if incomplete != "" {
		dst = append(append(append(dst, `{"reason":"`...), incomplete...), `"}`...)
	} else {
		dst = append(dst, "null"...)
	}
	dst = jsontext.AppendString(append(dst, `,"instructions":null,"max_output_tokens":null,"model":`...), a.Model)
	return append(dst, `,"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"store":false,"temperature":1,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],"top_p":1,"truncation":"disabled","metadata":{},"output":`...)
}

func (a *Response) tail(dst []byte, u prompt.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `,"usage":{"input_tokens":`...), int64(u.Prompt), 10)
	dst = strconv.AppendInt(append(dst, `,"input_tokens_details":{"cached_tokens":0},"output_tokens":`...), int64(u.Completion), 10)
	dst = strconv.AppendInt(append(dst, `,"output_tokens_details":{"reasoning_tokens":`...), int64(u.Reasoning), 10)
	dst = strconv.AppendInt(append(dst, `},"total_tokens":`...), int64(u.Prompt+u.Completion), 10)
	return append(dst, "}}"...)
}

// item appends the one item of the output; a text that is nil has not begun.
func (a *Response) item(dst []byte, status string, text *string) []byte {
	if a.Tool != "" {
		dst = append(append(append(dst, `{"type":"function_call","id":"fc_`...), a.ID[:]...), `","call_id":"call_`...)
		dst = jsontext.AppendString(append(append(dst, a.ID[:]...), `","name":`...), a.Tool)
		given := ""
		if text != nil {
			given = *text
		}
		dst = jsontext.AppendString(append(dst, `,"arguments":`...), given)
	} else {
		dst = append(append(append(dst, `{"type":"message","id":"msg_`...), a.ID[:]...), `","role":"assistant","content":[`...)
		if text != nil {
			dst = a.part(dst, *text)
		}
		dst = append(dst, ']')
	}
	return append(append(append(dst, `,"status":"`...), status...), `"}`...)
}

func (a *Response) part(dst []byte, text string) []byte {
	dst = jsontext.AppendString(append(dst, `{"type":"output_text","text":`...), text)
	return append(dst, `,"annotations":[],"logprobs":[]}`...)
}

// ended is the status of an answer and why it is incomplete.
func ended(finish string) (status, incomplete string) {
	if finish == "length" {
		return "incomplete", "max_output_tokens"
	}
	return "completed", ""
}

// Whole appends the body of a plain answer.
func (a *Response) Whole(dst []byte, text, finish string, u prompt.Usage) []byte {
	status, incomplete := ended(finish)
	dst = append(a.head(dst, status, incomplete), '[')
	return a.tail(append(a.item(dst, status, &text), ']'), u)
}

// Hollow appends a plain answer without output.
func (a *Response) Hollow(dst []byte, u prompt.Usage) []byte {
	return a.tail(append(a.head(dst, "completed", ""), "[]"...), u)
}

// event begins an event of that type.
func (a *Response) event(dst []byte, kind string) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	dst = append(append(dst, kind...), `","sequence_number":`...)
	dst = strconv.AppendInt(dst, int64(a.events), 10)
	a.events++
	return dst
}

// of appends which item an event is about, for a text also which part.
func (a *Response) of(dst []byte) []byte {
	if a.Tool != "" {
		return append(append(append(dst, `,"output_index":0,"item_id":"fc_`...), a.ID[:]...), '"')
	}
	return append(append(append(dst, `,"output_index":0,"content_index":0,"item_id":"msg_`...), a.ID[:]...), '"')
}

const endOfEvent = "}\n\n"

// Opening appends the events before the first token.
func (a *Response) Opening(dst []byte) []byte {
	for _, kind := range []string{"response.created", "response.in_progress"} {
		dst = a.head(append(a.event(dst, kind), `,"response":`...), "in_progress", "")
		dst = append(dst, `[],"usage":null}`+endOfEvent...)
	}
	dst = a.item(append(a.event(dst, "response.output_item.added"), `,"output_index":0,"item":`...), "in_progress", nil)
	dst = append(dst, endOfEvent...)
	if a.Tool == "" {
		dst = append(a.of(a.event(dst, "response.content_part.added")), `,"part":`...)
		dst = append(a.part(dst, ""), endOfEvent...)
	}
	return dst
}

// Content appends the event with one token.
func (a *Response) Content(dst []byte, token string) []byte {
	a.said = append(a.said, token...)
	kind, more := "response.output_text.delta", `,"logprobs":[]`
	if a.Tool != "" {
		kind, more = "response.function_call_arguments.delta", ""
	}
	dst = jsontext.AppendString(append(a.of(a.event(dst, kind)), `,"delta":`...), token)
	return append(append(dst, more...), endOfEvent...)
}

// Closing appends the events that end the item and the response.
func (a *Response) Closing(dst []byte, finish string, u prompt.Usage) []byte {
	status, incomplete := ended(finish)
	text := string(a.said)
	if a.Tool != "" {
		dst = jsontext.AppendString(append(a.of(a.event(dst, "response.function_call_arguments.done")), `,"name":`...), a.Tool)
		dst = append(jsontext.AppendString(append(dst, `,"arguments":`...), text), endOfEvent...)
	} else {
		dst = jsontext.AppendString(append(a.of(a.event(dst, "response.output_text.done")), `,"text":`...), text)
		dst = append(dst, `,"logprobs":[]`+endOfEvent...)
		dst = append(a.of(a.event(dst, "response.content_part.done")), `,"part":`...)
		dst = append(a.part(dst, text), endOfEvent...)
	}
	dst = a.item(append(a.event(dst, "response.output_item.done"), `,"output_index":0,"item":`...), status, &text)
	dst = append(dst, endOfEvent...)
	dst = a.head(append(a.event(dst, "response."+status), `,"response":`...), status, incomplete)
	dst = a.tail(append(a.item(append(dst, '['), status, &text), ']'), u)
	return append(dst, endOfEvent...)
}

// End appends nothing: the last event of Closing ends the stream.
func (a *Response) End(dst []byte) []byte { return dst }

// HollowEvents appends a response that ends without output.
func (a *Response) HollowEvents(dst []byte, u prompt.Usage) []byte {
	dst = append(a.event(dst, "response.completed"), `,"response":`...)
	return append(a.Hollow(dst, u), endOfEvent...)
}

// ErrorEvent appends an error in the stream.
func (a *Response) ErrorEvent(dst []byte, e *prompt.Error) []byte {
	dst = appendNullable(append(a.event(dst, "error"), `,"code":`...), e.Code)
	dst = jsontext.AppendString(append(dst, `,"message":`...), e.Message)
	return append(dst, `,"param":null`+endOfEvent...)
}
