package openai

import (
	"strconv"
	"time"

	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/prompt"
)

// Frame is what all parts of one answer share.
type Frame struct {
	chat    bool
	id      [16]byte // hexadecimal digits
	created int64
	model   string
	Tool    string // the function called; the text is its arguments then
}

// NewFrame begins an answer; its id is drawn as everything else is.
func NewFrame(chat bool, k draw.Key, ordinal uint32, seed uint64, model string, now time.Time) Frame {
	const digits = "0123456789abcdef"
	f := Frame{chat: chat, created: now.Unix(), model: model}
	h := draw.Hash(seed, k, ordinal, 0)
	for i := range f.id {
		f.id[i] = digits[h>>(4*i)&15]
	}
	return f
}

// Head appends the members before "choices".
func (f *Frame) Head(dst []byte, chunk bool) []byte {
	switch {
	case f.chat && chunk:
		dst = append(append(append(dst, `{"id":"chatcmpl-`...), f.id[:]...), `","object":"chat.completion.chunk","created":`...)
	case f.chat:
		dst = append(append(append(dst, `{"id":"chatcmpl-`...), f.id[:]...), `","object":"chat.completion","created":`...)
	default:
		dst = append(append(append(dst, `{"id":"cmpl-`...), f.id[:]...), `","object":"text_completion","created":`...)
	}
	dst = strconv.AppendInt(dst, f.created, 10)
	dst = append(dst, `,"model":`...)
	dst = jsontext.AppendString(dst, f.model)
	return append(dst, `,"system_fingerprint":"fp_mock",`...)
}

// Whole appends the body of a plain answer.
func (f *Frame) Whole(dst []byte, text, finish string, u prompt.Usage) []byte {
	dst = f.Head(dst, false)
	if f.Tool != "" {
		dst = append(dst, `"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{`...)
		dst = jsontext.AppendString(append(f.toolCall(dst), `,"arguments":`...), text)
		dst = append(dst, `}}],"refusal":null},"logprobs":null,"finish_reason":"`...)
	} else if f.chat {
		dst = append(dst, `"choices":[{"index":0,"message":{"role":"assistant","content":`...)
		dst = jsontext.AppendString(dst, text)
		dst = append(dst, `,"refusal":null},"logprobs":null,"finish_reason":"`...)
	} else {
		dst = append(dst, `"choices":[{"text":`...)
		dst = jsontext.AppendString(dst, text)
		dst = append(dst, `,"index":0,"logprobs":null,"finish_reason":"`...)
	}
	dst = append(append(dst, finish...), `"}],`...)
	return append(AppendUsage(dst, u), '}')
}

// toolCall appends the members of a tool call up to its arguments.
func (f *Frame) toolCall(dst []byte) []byte {
	dst = append(append(dst, `"id":"call_`...), f.id[:]...)
	return jsontext.AppendString(append(dst, `","type":"function","function":{"name":`...), f.Tool)
}

// AppendUsage appends the member usage.
func AppendUsage(dst []byte, u prompt.Usage) []byte {
	dst = strconv.AppendInt(append(dst, `"usage":{"prompt_tokens":`...), int64(u.Prompt), 10)
	dst = strconv.AppendInt(append(dst, `,"completion_tokens":`...), int64(u.Completion), 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), int64(u.Prompt+u.Completion), 10)
	return append(dst, '}')
}

// Role appends the first event of a streamed chat.
func (f *Frame) Role(dst []byte, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.Tool != "" {
		dst = f.toolCall(append(dst, `"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,`...))
		dst = append(dst, `,"arguments":""}}],"refusal":null},"logprobs":null,"finish_reason":null}]`...)
		return endEvent(dst, nullUsage)
	}
	dst = append(dst, `"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]`...)
	return endEvent(dst, nullUsage)
}

// Content appends an event with one token.
func (f *Frame) Content(dst []byte, token string, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.Tool != "" {
		dst = append(dst, `"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":`...)
		dst = jsontext.AppendString(dst, token)
		dst = append(dst, `}}]},"logprobs":null,"finish_reason":null}]`...)
	} else if f.chat {
		dst = append(dst, `"choices":[{"index":0,"delta":{"content":`...)
		dst = jsontext.AppendString(dst, token)
		dst = append(dst, `},"logprobs":null,"finish_reason":null}]`...)
	} else {
		dst = append(dst, `"choices":[{"text":`...)
		dst = jsontext.AppendString(dst, token)
		dst = append(dst, `,"index":0,"logprobs":null,"finish_reason":null}]`...)
	}
	return endEvent(dst, nullUsage)
}

// Finish appends the event that carries the finish reason.
func (f *Frame) Finish(dst []byte, reason string, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.chat {
		dst = append(dst, `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"`...)
	} else {
		dst = append(dst, `"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"`...)
	}
	dst = append(append(dst, reason...), `"}]`...)
	return endEvent(dst, nullUsage)
}

// Total appends the event with usage and no choices.
func (f *Frame) Total(dst []byte, u prompt.Usage) []byte {
	dst = append(f.event(dst), `"choices":[],`...)
	return append(AppendUsage(dst, u), "}\n\n"...)
}

func (f *Frame) event(dst []byte) []byte { return f.Head(append(dst, "data: "...), true) }

// endEvent closes an event. With include_usage the real API says usage null in
// every event but the last.
func endEvent(dst []byte, nullUsage bool) []byte {
	if nullUsage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

// DoneEvent ends a stream.
const DoneEvent = "data: [DONE]\n\n"
