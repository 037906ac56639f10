package openai

import (
	"strconv"

	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// Frame writes an answer as a chat completion or a text completion.
type Frame struct {
	prompt.Reply
	Chat bool
}

// head appends the members before "choices".
func (f *Frame) head(dst []byte, chunk bool) []byte {
	switch {
	case f.Chat && chunk:
		dst = append(append(append(dst, `{"id":"chatcmpl-`...), f.ID[:]...), `","object":"chat.completion.chunk","created":`...)
	case f.Chat:
		dst = append(append(append(dst, `{"id":"chatcmpl-`...), f.ID[:]...), `","object":"chat.completion","created":`...)
	default:
		dst = append(append(append(dst, `{"id":"cmpl-`...), f.ID[:]...), `","object":"text_completion","created":`...)
	}
	dst = strconv.AppendInt(dst, f.Created, 10)
	dst = append(dst, `,"model":`...)
	dst = jsontext.AppendString(dst, f.Model)
	return append(dst, `,"system_fingerprint":"fp_mock",`...)
}

// Whole appends the body of a plain answer.
func (f *Frame) Whole(dst []byte, text, finish string, u prompt.Usage) []byte {
	dst = append(f.head(dst, false), `"choices":[`...)
	for i := range f.N {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = f.choice(dst, i, text, finish)
	}
	return append(appendUsage(append(dst, `],`...), u), '}')
}

func (f *Frame) choice(dst []byte, index int, text, finish string) []byte {
	dst = strconv.AppendInt(append(dst, `{"index":`...), int64(index), 10)
	switch {
	case f.Tool != "":
		dst = append(dst, `,"message":{"role":"assistant","content":null,"tool_calls":[{`...)
		dst = jsontext.AppendString(append(f.toolCall(dst), `,"arguments":`...), text)
		dst = append(dst, `}}],"refusal":null},"logprobs":null,"finish_reason":"`...)
	case f.Chat:
		dst = append(dst, `,"message":{"role":"assistant","content":`...)
		dst = jsontext.AppendString(dst, text)
		dst = append(dst, `,"refusal":null},"logprobs":null,"finish_reason":"`...)
	default:
		dst = append(dst, `,"text":`...)
		dst = jsontext.AppendString(dst, text)
		dst = append(dst, `,"logprobs":null,"finish_reason":"`...)
	}
	return append(append(dst, finish...), `"}`...)
}

// toolCall appends the members of a tool call up to its arguments.
func (f *Frame) toolCall(dst []byte) []byte {
	dst = append(append(dst, `"id":"call_`...), f.ID[:]...)
	return jsontext.AppendString(append(dst, `","type":"function","function":{"name":`...), f.Tool)
}

// appendUsage appends the member usage.
func appendUsage(dst []byte, u prompt.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `"usage":{"prompt_tokens":`...), int64(u.Prompt), 10)
	dst = strconv.AppendInt(append(dst, `,"completion_tokens":`...), int64(u.Completion), 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), int64(u.Prompt+u.Completion), 10)
	if u.Reasoning > 0 {
		dst = strconv.AppendInt(append(dst, `,"completion_tokens_details":{"reasoning_tokens":`...), int64(u.Reasoning), 10)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// Opening appends the events before the first token.
func (f *Frame) Opening(dst []byte) []byte {
	if !f.Chat {
		return dst
	}
	for i := range f.N {
		dst = strconv.AppendInt(append(f.event(dst), `"choices":[{"index":`...), int64(i), 10)
		if f.Tool != "" {
			dst = f.toolCall(append(dst, `,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,`...))
			dst = append(dst, `,"arguments":""}}],"refusal":null},"logprobs":null,"finish_reason":null}]`...)
		} else {
			dst = append(dst, `,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]`...)
		}
		dst = f.endEvent(dst)
	}
	return dst
}

// Content appends the events with one token, one for each choice.
func (f *Frame) Content(dst []byte, token string) []byte {
	for i := range f.N {
		dst = strconv.AppendInt(append(f.event(dst), `"choices":[{"index":`...), int64(i), 10)
		switch {
		case f.Tool != "":
			dst = append(dst, `,"delta":{"tool_calls":[{"index":0,"function":{"arguments":`...)
			dst = jsontext.AppendString(dst, token)
			dst = append(dst, `}}]},"logprobs":null,"finish_reason":null}]`...)
		case f.Chat:
			dst = append(dst, `,"delta":{"content":`...)
			dst = jsontext.AppendString(dst, token)
			dst = append(dst, `},"logprobs":null,"finish_reason":null}]`...)
		default:
			dst = append(dst, `,"text":`...)
			dst = jsontext.AppendString(dst, token)
			dst = append(dst, `,"logprobs":null,"finish_reason":null}]`...)
		}
		dst = f.endEvent(dst)
	}
	return dst
}

// Closing appends the events that carry the finish reason and, when it was
// asked for, the usage.
func (f *Frame) Closing(dst []byte, finish string, u prompt.Usage) []byte {
	for i := range f.N {
		dst = strconv.AppendInt(append(f.event(dst), `"choices":[{"index":`...), int64(i), 10)
		if f.Chat {
			dst = append(dst, `,"delta":{},"logprobs":null,"finish_reason":"`...)
		} else {
			dst = append(dst, `,"text":"","logprobs":null,"finish_reason":"`...)
		}
		dst = f.endEvent(append(append(dst, finish...), `"}]`...))
	}
	if f.IncludeUsage {
		dst = append(appendUsage(append(f.event(dst), `"choices":[],`...), u), "}\n\n"...)
	}
	return dst
}

// End appends what ends a stream.
func (f *Frame) End(dst []byte) []byte { return append(dst, "data: [DONE]\n\n"...) }

// Hollow appends a plain answer without choices.
func (f *Frame) Hollow(dst []byte, u prompt.Usage) []byte {
	return append(appendUsage(append(f.head(dst, false), `"choices":[],`...), u), '}')
}

// HollowEvents appends a stream without choices.
func (f *Frame) HollowEvents(dst []byte, u prompt.Usage) []byte {
	return append(appendUsage(append(f.event(dst), `"choices":[],`...), u), "}\n\n"...)
}

// ErrorEvent appends an error where a chunk belongs.
func (f *Frame) ErrorEvent(dst []byte, e *prompt.Error) []byte {
	return append(AppendError(append(dst, "data: "...), e), "\n\n"...)
}

func (f *Frame) event(dst []byte) []byte { return f.head(append(dst, "data: "...), true) }

// endEvent closes an event. With include_usage the real API says usage null in
// every event but the last.
func (f *Frame) endEvent(dst []byte) []byte {
	if f.IncludeUsage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}
