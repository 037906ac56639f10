package mockllm

import (
	"github.com/cstest/cstest/mockllm/internal/transport"
	"strings"
	"time"
)

// atOnce tells the faults of what stands before the model (gateway, key check,
// network) and so take no latency and no capacity.
func (f *fault) atOnce() bool {
	switch f.kind {
	case kindStatus, kindFailFirst, kindHang:
		return true
	case kindReset:
		return f.Chunks == 0
	}
	return false
}

// strike does to the call what its fault says.
func (c *call) strike() outcome {
	did := outcomeKind + outcome(c.fault.kind)
	switch c.fault.kind {
	case kindStatus, kindFailFirst:
		return c.fail()
	case kindHang:
		c.hang()
	case kindReset:
		c.breakOff()
		c.settle(did)
		c.w.Reset()
	case kindTruncate:
		c.truncate(did)
	case kindGarbage:
		c.garbage(did)
	case kindHTML:
		c.html(did)
	case kindWrongContentType:
		c.mislabel(did)
	case kindEmpty:
		c.empty(did)
	case kindOversized:
		c.oversized(did)
	case kindDrip:
		c.drip(did)
	case kindErrorInStream:
		c.errorInStream(did)
	default: // slow, leak and escape are in the latency and the words
		return c.say(did)
	}
	return did
}

// last settles the call and ends the body.
func (c *call) last(did outcome) {
	c.settle(did)
	_ = c.w.Finish()
}

// statusError is the error OpenAI sends with a status.
func statusError(status int) *apiError {
	e := &apiError{status: status, kind: "server_error", message: "the server had an error while processing your request"}
	switch status {
	case 400:
		*e = apiError{status: status, kind: "invalid_request_error", message: "invalid request"}
	case 401:
		*e = apiError{status: status, kind: "invalid_request_error", code: "invalid_api_key", message: "incorrect API key provided"}
	case 403:
		*e = apiError{status: status, kind: "invalid_request_error", code: "forbidden", message: "you are not allowed to use this model"}
	case 404:
		*e = apiError{status: status, kind: "invalid_request_error", code: "model_not_found", message: "the model does not exist"}
	case 429:
		*e = apiError{status: status, kind: "requests", code: "rate_limit_exceeded", message: "rate limit reached, please try again later"}
	case 503:
		e.code, e.message = "service_unavailable", "the engine is currently overloaded, please try again later"
	}
	return e
}

func (c *call) fail() outcome {
	f := c.fault
	e := statusError(f.Status)
	h := transport.Head{Status: f.Status, ContentType: typeJSON, RetryAfter: f.RetryAfterText}
	if d := f.RetryAfter.D(); d > 0 {
		h.RetryAfter = c.askToWait(d)
	}
	c.buf = e.body(c.buf[:0])
	_ = c.respond(outcome(f.Status), h, c.buf)
	return outcome(f.Status)
}

// maxHang ends a hang when no client does.
const maxHang = 10 * time.Minute

// hang answers nothing until the client leaves; a stream with a heartbeat gets
// headers and comments.
func (c *call) hang() {
	end := c.start.Add(maxHang)
	if every := c.fault.Heartbeat.D(); every > 0 && c.req.stream {
		c.open(typeEvents, -1)
		for next := time.Now(); next.Before(end); next = next.Add(every) {
			c.w.Write([]byte(": keep-alive\n\n"))
			if c.w.Flush() != nil || !c.until(next.Add(every)) {
				break
			}
		}
	} else {
		c.until(end)
	}
	c.w.Cut()
}

// breakOff sends headers and the first chunks of an answer; for a plain answer
// about half of the body, for a reset before headers nothing.
func (c *call) breakOff() {
	if c.fault.kind == kindReset && c.fault.Chunks == 0 {
		return
	}
	if c.req.stream {
		if c.stream(typeEvents, c.fault.Chunks) == nil {
			_ = c.w.Flush()
		}
		return
	}
	body := c.plain()
	c.open(typeJSON, int64(len(body)))
	c.w.Write(body[:len(body)/2])
	_ = c.w.Flush()
}

// plain is the body of the plain answer.
func (c *call) plain() []byte {
	c.buf = c.frame.whole(c.buf[:0], c.text+string(c.echo), c.finish, c.usage())
	return c.buf
}

// truncate ends a stream in good order without reason and [DONE], a plain body
// with the connection closed before its end.
func (c *call) truncate(did outcome) {
	if !c.req.stream {
		c.breakOff()
		c.settle(did)
		c.w.Cut()
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	if c.fault.Chunks >= c.length {
		c.buf = c.frame.finish(c.buf[:0], c.finish, c.req.includeUsage)
		c.w.Write(c.buf)
	}
	c.last(did)
}

// garbage sends what claims to be JSON and is not.
func (c *call) garbage(did outcome) {
	const junk = `{"id":"chatcmpl-x","choices":[{"index":0,"message":{"content":"` + "\x00\xff\xfe" + `NaN,}]`
	if !c.req.stream {
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, []byte(junk))
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) == nil {
		c.w.Write([]byte("data: " + junk + "\n\n" + doneEvent))
		c.last(did)
	}
}

func (c *call) html(did outcome) {
	text := c.fault.Value
	if text == "" {
		text = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\n"
	}
	_ = c.respond(did, transport.Head{Status: c.fault.Status, ContentType: typeHTML}, []byte(text))
}

// mislabel sends the right answer as text/plain.
func (c *call) mislabel(did outcome) {
	if !c.req.stream {
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeText}, c.plain())
		return
	}
	if c.stream(typeText, -1) == nil {
		_ = c.conclude(did)
	}
}

// empty sends 200 and nothing, no choices, or no content.
func (c *call) empty(did outcome) {
	switch c.fault.Value {
	case "choices":
		c.buf = append(c.frame.head(c.buf[:0], false), `"choices":[],`...)
		c.buf = append(usage{prompt: c.req.promptTokens}.append(c.buf), '}')
	case "content":
		c.buf = c.frame.whole(c.buf[:0], "", "stop", usage{prompt: c.req.promptTokens})
	default:
		c.buf = c.buf[:0]
	}
	if !c.req.stream {
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, c.buf)
		return
	}
	c.open(typeEvents, -1)
	switch c.fault.Value {
	case "choices":
		c.buf = c.frame.total(c.buf[:0], usage{prompt: c.req.promptTokens})
		c.w.Write(append(c.buf, doneEvent...))
	case "content":
		c.buf = c.frame.finish(c.buf[:0], "stop", false)
		c.w.Write(append(c.buf, doneEvent...))
	}
	c.last(did)
}

// oversized sends a valid answer of about Size bytes without holding it.
func (c *call) oversized(did outcome) {
	c.buf = c.frame.whole(c.buf[:0], "@", c.finish, c.usage())
	whole := string(c.buf)
	before, after, _ := strings.Cut(whole, `"@"`)
	fill := max(int64(c.fault.Size)-int64(len(whole))+1, 1)
	if c.req.stream {
		c.open(typeEvents, -1)
		before, after = "data: "+before, after+"\n\n"+doneEvent
	} else {
		c.open(typeJSON, int64(len(before)+len(after)+2)+fill)
	}
	c.w.Write([]byte(before + `"`))
	block := []byte(strings.Repeat("x", 32<<10))
	for ; fill > 0; fill -= int64(len(block)) {
		c.w.Write(block[:min(fill, int64(len(block)))])
		if c.w.Flush() != nil {
			return
		}
	}
	c.w.Write([]byte(`"` + after))
	c.last(did)
}

// drip sends the answer at BytesPerS, at most twenty pieces a second.
func (c *call) drip(did outcome) {
	rate := int(c.fault.BytesPerS)
	piece := max(rate/20, 1)
	gap := time.Duration(float64(piece) / float64(rate) * float64(time.Second))
	body := c.plain()
	if c.req.stream {
		body = c.events()
		c.open(typeEvents, -1)
	} else {
		c.open(typeJSON, int64(len(body)))
	}
	for next := time.Now(); len(body) > piece; body = body[piece:] {
		c.w.Write(body[:piece])
		next = next.Add(gap)
		if c.w.Flush() != nil || !c.until(next) {
			return
		}
	}
	c.w.Write(body)
	c.last(did)
}

// events is a whole stream as bytes.
func (c *call) events() []byte {
	var b []byte
	if c.req.chat {
		b = c.frame.role(b, c.req.includeUsage)
	}
	for token := range c.tokens {
		b = c.frame.content(b, token, c.req.includeUsage)
	}
	b = c.frame.finish(b, c.finish, c.req.includeUsage)
	if c.req.includeUsage {
		b = c.frame.total(b, c.usage())
	}
	return append(b, doneEvent...)
}

// errorInStream sends some chunks and then an error where a chunk belongs; a
// plain call gets the error under a 200.
func (c *call) errorInStream(did outcome) {
	e := statusError(c.fault.Status)
	if !c.req.stream {
		c.buf = e.body(c.buf[:0])
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, c.buf)
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	c.buf = e.body(append(c.buf[:0], "data: "...))
	c.w.Write(append(c.buf, "\n\n"...))
	c.last(did)
}
