package mockllm

import (
	"strconv"
	"time"
)

// frame is what all parts of one answer share.
type frame struct {
	chat    bool
	id      [16]byte // hexadecimal digits
	created int64
	model   string
	tool    string // the function called; the text is its arguments then
}

func newFrame(chat bool, k key, ordinal uint32, seed uint64, model string, now time.Time) frame {
	const digits = "0123456789abcdef"
	f := frame{chat: chat, created: now.Unix(), model: model}
	h := draw(seed, k, ordinal, 0)
	for i := range f.id {
		f.id[i] = digits[h>>(4*i)&15]
	}
	return f
}

// usage counts tokens as told to the client.
type usage struct{ prompt, completion int }

// head appends the members before "choices".
func (f *frame) head(dst []byte, chunk bool) []byte {
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
	dst = appendString(dst, f.model)
	return append(dst, `,"system_fingerprint":"fp_mock",`...)
}

// whole appends the body of a plain answer.
func (f *frame) whole(dst []byte, text, finish string, u usage) []byte {
	dst = f.head(dst, false)
	if f.tool != "" {
		dst = append(dst, `"choices":[{"index":0,"message":{"role":"assistant","content":null,"tool_calls":[{`...)
		dst = appendString(append(f.toolCall(dst), `,"arguments":`...), text)
		dst = append(dst, `}}],"refusal":null},"logprobs":null,"finish_reason":"`...)
	} else if f.chat {
		dst = append(dst, `"choices":[{"index":0,"message":{"role":"assistant","content":`...)
		dst = appendString(dst, text)
		dst = append(dst, `,"refusal":null},"logprobs":null,"finish_reason":"`...)
	} else {
		dst = append(dst, `"choices":[{"text":`...)
		dst = appendString(dst, text)
		dst = append(dst, `,"index":0,"logprobs":null,"finish_reason":"`...)
	}
	dst = append(append(dst, finish...), `"}],`...)
	return append(u.append(dst), '}')
}

// toolCall appends the members of a tool call up to its arguments.
func (f *frame) toolCall(dst []byte) []byte {
	dst = append(append(dst, `"id":"call_`...), f.id[:]...)
	return appendString(append(dst, `","type":"function","function":{"name":`...), f.tool)
}

func (u usage) append(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `"usage":{"prompt_tokens":`...), int64(u.prompt), 10)
	dst = strconv.AppendInt(append(dst, `,"completion_tokens":`...), int64(u.completion), 10)
	dst = strconv.AppendInt(append(dst, `,"total_tokens":`...), int64(u.prompt+u.completion), 10)
	return append(dst, '}')
}

// role appends the first event of a streamed chat.
func (f *frame) role(dst []byte, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.tool != "" {
		dst = f.toolCall(append(dst, `"choices":[{"index":0,"delta":{"role":"assistant","content":null,"tool_calls":[{"index":0,`...))
		dst = append(dst, `,"arguments":""}}],"refusal":null},"logprobs":null,"finish_reason":null}]`...)
		return endEvent(dst, nullUsage)
	}
	dst = append(dst, `"choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]`...)
	return endEvent(dst, nullUsage)
}

// content appends an event with one token.
func (f *frame) content(dst []byte, token string, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.tool != "" {
		dst = append(dst, `"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":`...)
		dst = appendString(dst, token)
		dst = append(dst, `}}]},"logprobs":null,"finish_reason":null}]`...)
	} else if f.chat {
		dst = append(dst, `"choices":[{"index":0,"delta":{"content":`...)
		dst = appendString(dst, token)
		dst = append(dst, `},"logprobs":null,"finish_reason":null}]`...)
	} else {
		dst = append(dst, `"choices":[{"text":`...)
		dst = appendString(dst, token)
		dst = append(dst, `,"index":0,"logprobs":null,"finish_reason":null}]`...)
	}
	return endEvent(dst, nullUsage)
}

// finish appends the event that carries the finish reason.
func (f *frame) finish(dst []byte, reason string, nullUsage bool) []byte {
	dst = f.event(dst)
	if f.chat {
		dst = append(dst, `"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"`...)
	} else {
		dst = append(dst, `"choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"`...)
	}
	dst = append(append(dst, reason...), `"}]`...)
	return endEvent(dst, nullUsage)
}

// total appends the event with usage and no choices.
func (f *frame) total(dst []byte, u usage) []byte {
	dst = append(f.event(dst), `"choices":[],`...)
	return append(u.append(dst), "}\n\n"...)
}

func (f *frame) event(dst []byte) []byte { return f.head(append(dst, "data: "...), true) }

// endEvent closes an event. With include_usage the real API says usage null in
// every event but the last.
func endEvent(dst []byte, nullUsage bool) []byte {
	if nullUsage {
		dst = append(dst, `,"usage":null`...)
	}
	return append(dst, "}\n\n"...)
}

const doneEvent = "data: [DONE]\n\n"

// body appends the error in OpenAI's shape.
func (e *apiError) body(dst []byte) []byte {
	dst = appendString(append(dst, `{"error":{"message":`...), e.message)
	dst = appendString(append(dst, `,"type":`...), e.kind)
	dst = appendNullable(append(dst, `,"param":`...), e.param)
	dst = appendNullable(append(dst, `,"code":`...), e.code)
	return append(dst, `}}`...)
}

func appendNullable(dst []byte, s string) []byte {
	if s == "" {
		return append(dst, "null"...)
	}
	return appendString(dst, s)
}

// appendString appends valid UTF-8 as a JSON string.
func appendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		dst = append(dst, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		default:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	return append(append(dst, s[start:]...), '"')
}
