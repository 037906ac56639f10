package anthropic

import (
	"strconv"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// Message writes an answer in the form of the Messages API. Usage is told at
// the beginning of a stream already: Prompt is what is known by then.
type Message struct {
	prompt.Reply
	Prompt int // tokens
}

// reason is why the answer ended, in this API's words.
func (m *Message) reason(finish string) string {
	switch {
	case finish == "length":
		return "max_tokens"
	case m.Tool != "":
		return "tool_use"
	case m.Stopped != "":
		return "stop_sequence"
	}
	return "end_turn"
}

// head appends the members before "content".
func (m *Message) head(dst []byte) []byte {
	dst = append(append(append(dst, `{"id":"msg_`...), m.ID[:]...), `","type":"message","role":"assistant","model":`...)
	return append(jsontext.AppendString(dst, m.Model), `,"content":`...)
}

// ending appends the reason and the stop text.
func (m *Message) ending(dst []byte, finish string) []byte {
	dst = append(append(append(dst, `"stop_reason":"`...), m.reason(finish)...), `","stop_sequence":`...)
	if m.Stopped == "" {
		return append(dst, "null"...)
	}
	return jsontext.AppendString(dst, m.Stopped)
}

func usage(dst []byte, in, out int) []byte {
	dst = strconv.AppendInt(append(dst, `"usage":{"input_tokens":`...), int64(in), 10)
	dst = strconv.AppendInt(append(dst, `,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":`...), int64(out), 10)
	return append(dst, '}')
}

// toolUse appends the members of a call up to its input.
func (m *Message) toolUse(dst []byte) []byte {
	dst = append(append(append(dst, `{"type":"tool_use","id":"toolu_`...), m.ID[:]...), `","name":`...)
	return append(jsontext.AppendString(dst, m.Tool), `,"input":`...)
}

// Whole appends the body of a plain answer.
func (m *Message) Whole(dst []byte, text, finish string, u prompt.Usage) []byte {
	dst = append(m.head(dst), '[')
	if m.Tool != "" {
		if finish == "length" {
			text = "{}" // arguments that were cut are no JSON
		}
		dst = append(m.toolUse(dst), text...)
	} else {
		dst = jsontext.AppendString(append(dst, `{"type":"text","text":`...), text)
	}
	dst = m.ending(append(dst, "}],"...), finish)
	return append(usage(append(dst, ','), u.Prompt, u.Completion), '}')
}

// Hollow appends a plain answer without content.
func (m *Message) Hollow(dst []byte, u prompt.Usage) []byte {
	dst = m.ending(append(m.head(dst), "[],"...), "stop")
	return append(usage(append(dst, ','), u.Prompt, u.Completion), '}')
}

func event(dst []byte, kind string) []byte {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: {\"type\":\""...)
	return append(append(dst, kind...), '"')
}

const endOfEvent = "}\n\n"

func (m *Message) start(dst []byte) []byte {
	dst = m.head(append(event(dst, "message_start"), `,"message":`...))
	dst = usage(append(dst, `[],"stop_reason":null,"stop_sequence":null,`...), m.Prompt, 1)
	return append(dst, "}"+endOfEvent...)
}

// Opening appends the events before the first token.
func (m *Message) Opening(dst []byte) []byte {
	dst = append(event(m.start(dst), "content_block_start"), `,"index":0,"content_block":`...)
	if m.Tool != "" {
		dst = append(m.toolUse(dst), "{}}"...)
	} else {
		dst = append(dst, `{"type":"text","text":""}`...)
	}
	dst = append(dst, endOfEvent...)
	return append(event(dst, "ping"), endOfEvent...)
}

// Content appends the event with one token.
func (m *Message) Content(dst []byte, token string) []byte {
	dst = append(event(dst, "content_block_delta"), `,"index":0,"delta":`...)
	if m.Tool != "" {
		dst = append(dst, `{"type":"input_json_delta","partial_json":`...)
	} else {
		dst = append(dst, `{"type":"text_delta","text":`...)
	}
	return append(jsontext.AppendString(dst, token), "}"+endOfEvent...)
}

// Closing appends the end of the content, the reason and the usage.
func (m *Message) Closing(dst []byte, finish string, u prompt.Usage) []byte {
	dst = append(event(dst, "content_block_stop"), `,"index":0`+endOfEvent...)
	return m.delta(dst, finish, u)
}

func (m *Message) delta(dst []byte, finish string, u prompt.Usage) []byte {
	dst = m.ending(append(event(dst, "message_delta"), `,"delta":{`...), finish)
	return append(usage(append(dst, "},"...), u.Prompt, u.Completion), endOfEvent...)
}

// End appends what ends a stream.
func (m *Message) End(dst []byte) []byte { return append(event(dst, "message_stop"), endOfEvent...) }

// HollowEvents appends a stream without content.
func (m *Message) HollowEvents(dst []byte, u prompt.Usage) []byte {
	return m.delta(m.start(dst), "stop", u)
}

// ErrorEvent appends an error in the stream.
func (m *Message) ErrorEvent(dst []byte, e *prompt.Error) []byte {
	return append(AppendError(append(dst, "event: error\ndata: "...), e), "\n\n"...)
}

// AppendError appends the error in this API's shape.
func AppendError(dst []byte, e *prompt.Error) []byte {
	kind := "api_error"
	switch {
	case e.Status == 401:
		kind = "authentication_error"
	case e.Status == 403:
		kind = "permission_error"
	case e.Status == 404:
		kind = "not_found_error"
	case e.Status == 413:
		kind = "request_too_large"
	case e.Status == 429:
		kind = "rate_limit_error"
	case e.Status == 503 || e.Status == 529:
		kind = "overloaded_error"
	case e.Status < 500:
		kind = "invalid_request_error"
	}
	dst = append(append(append(dst, `{"type":"error","error":{"type":"`...), kind...), `","message":`...)
	return append(jsontext.AppendString(dst, e.Message), `}}`...)
}
