package mockllm

import (
	"fmt"
	"strings"
	"sync"
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
	f := c.fault
	did := outcomeKind + outcome(f.kind)
	switch f.kind {
	case kindStatus, kindFailFirst:
		return c.fail(f)
	case kindHang:
		c.hang()
	case kindReset:
		c.breakOff()
		c.w.reset()
	case kindTruncate:
		c.truncate()
	case kindGarbage:
		c.garbage()
	case kindHTML:
		c.html()
	case kindWrongContentType:
		c.mislabel()
	case kindEmpty:
		c.empty()
	case kindOversized:
		c.oversized()
	case kindDrip:
		c.drip()
	case kindErrorInStream:
		c.errorInStream()
	default: // slow, leak and escape are in the latency and the words
		return c.say(did)
	}
	return did
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

func (c *call) fail(f *fault) outcome {
	e := statusError(f.Status)
	h := head{status: f.Status, contentType: typeJSON, retryAfter: f.RetryAfterText, id: c.requestID()}
	if d := f.RetryAfter.D(); d > 0 {
		h.retryAfter = seconds(d)
	}
	c.buf = e.body(c.buf[:0])
	_ = c.respond(h, c.buf)
	return outcome(f.Status)
}

// maxHang ends a hang when no client does.
const maxHang = 10 * time.Minute

// hang answers nothing until the client leaves; a stream with a heartbeat gets
// headers and comments.
func (c *call) hang() {
	end := c.start.Add(maxHang)
	if every := c.fault.Heartbeat.D(); every > 0 && c.req.stream {
		c.entry.status = 200
		c.w.begin(head{status: 200, contentType: typeEvents, id: c.requestID()}, -1)
		for next := time.Now(); next.Before(end); next = next.Add(every) {
			c.w.write([]byte(": keep-alive\n\n"))
			if c.w.flush() != nil || !c.until(next.Add(every)) {
				break
			}
		}
	} else {
		c.until(end)
	}
	c.w.cut()
}

// breakOff sends headers and the first chunks of an answer; for a plain answer
// about half of the body, for a reset before headers nothing.
func (c *call) breakOff() {
	if c.fault.kind == kindReset && c.fault.Chunks == 0 {
		return
	}
	if c.req.stream {
		if c.stream(typeEvents, c.fault.Chunks) == nil {
			_ = c.w.flush()
		}
		return
	}
	body := c.plain()
	c.w.begin(head{status: 200, contentType: typeJSON, id: c.requestID()}, int64(len(body)))
	c.entry.status = 200
	c.w.write(body[:len(body)/2])
	_ = c.w.flush()
}

// plain is the body of the plain answer.
func (c *call) plain() []byte {
	c.buf = c.frame.whole(c.buf[:0], c.text+string(c.echo), c.finish, c.usage())
	return c.buf
}

// truncate ends a stream in good order without reason and [DONE], a plain body
// with the connection closed before its end.
func (c *call) truncate() {
	if !c.req.stream {
		c.breakOff()
		c.w.cut()
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	if c.fault.Chunks >= c.tokens() {
		c.buf = c.frame.finish(c.buf[:0], c.finish, c.req.includeUsage)
		c.w.write(c.buf)
	}
	_ = c.w.finish()
}

// garbage sends what claims to be JSON and is not.
func (c *call) garbage() {
	const junk = `{"id":"chatcmpl-x","choices":[{"index":0,"message":{"content":"` + "\x00\xff\xfe" + `NaN,}]`
	if !c.req.stream {
		_ = c.respond(head{status: 200, contentType: typeJSON, id: c.requestID()}, []byte(junk))
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) == nil {
		c.w.write([]byte("data: " + junk + "\n\n" + doneEvent))
		_ = c.w.finish()
	}
}

func (c *call) html() {
	text := c.fault.Value
	if text == "" {
		text = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\n"
	}
	_ = c.respond(head{status: c.fault.Status, contentType: typeHTML, id: c.requestID()}, []byte(text))
}

// mislabel sends the right answer as text/plain.
func (c *call) mislabel() {
	if !c.req.stream {
		_ = c.respond(head{status: 200, contentType: typeText, id: c.requestID()}, c.plain())
		return
	}
	if c.stream(typeText, -1) == nil {
		_ = c.conclude()
	}
}

// empty sends 200 and nothing, no choices, or no content.
func (c *call) empty() {
	h := head{status: 200, contentType: typeJSON, id: c.requestID()}
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
		_ = c.respond(h, c.buf)
		return
	}
	h.contentType = typeEvents
	c.entry.status = 200
	c.w.begin(h, -1)
	switch c.fault.Value {
	case "choices":
		c.buf = c.frame.total(c.buf[:0], usage{prompt: c.req.promptTokens})
		c.w.write(append(c.buf, doneEvent...))
	case "content":
		c.buf = c.frame.finish(c.buf[:0], "stop", false)
		c.w.write(append(c.buf, doneEvent...))
	}
	_ = c.w.finish()
}

// oversized sends a valid answer of about Size bytes without holding it.
func (c *call) oversized() {
	c.buf = c.frame.whole(c.buf[:0], "@", c.finish, c.usage())
	whole := string(c.buf)
	before, after, _ := strings.Cut(whole, `"@"`)
	fill := max(int64(c.fault.Size)-int64(len(whole)), 1)
	h := head{status: 200, contentType: typeJSON, id: c.requestID()}
	c.entry.status = 200
	length := int64(len(before)+len(after)+2) + fill
	if c.req.stream {
		h.contentType, length = typeEvents, -1
		before, after = "data: "+before, after+"\n\n"+doneEvent
	}
	c.w.begin(h, length)
	c.w.write([]byte(before + `"`))
	block := []byte(strings.Repeat("x", 32<<10))
	for ; fill > 0; fill -= int64(len(block)) {
		c.w.write(block[:min(fill, int64(len(block)))])
		if c.w.flush() != nil {
			return
		}
	}
	c.w.write([]byte(`"` + after))
	_ = c.w.finish()
}

// drip sends the answer at BytesPerS, at most twenty pieces a second.
func (c *call) drip() {
	rate := int(c.fault.BytesPerS)
	piece := max(rate/20, 1)
	gap := time.Duration(float64(piece) / float64(rate) * float64(time.Second))
	body := c.plain()
	h := head{status: 200, contentType: typeJSON, id: c.requestID()}
	length := int64(len(body))
	if c.req.stream {
		h.contentType, length = typeEvents, -1
		body = c.events()
	}
	c.entry.status = 200
	c.w.begin(h, length)
	next := time.Now()
	for len(body) > 0 {
		n := min(piece, len(body))
		c.w.write(body[:n])
		body = body[n:]
		next = next.Add(gap)
		if c.w.flush() != nil || len(body) > 0 && !c.until(next) {
			return
		}
	}
	c.entry.injected = time.Since(c.start)
	_ = c.w.finish()
}

// events is a whole stream as bytes.
func (c *call) events() []byte {
	var b []byte
	if c.req.chat {
		b = c.frame.role(b, c.req.includeUsage)
	}
	for text := c.text + string(c.echo); len(text) > 0; {
		n := nextToken(text)
		b = c.frame.content(b, text[:n], c.req.includeUsage)
		text = text[n:]
	}
	b = c.frame.finish(b, c.finish, c.req.includeUsage)
	if c.req.includeUsage {
		b = c.frame.total(b, c.usage())
	}
	return append(b, doneEvent...)
}

// errorInStream sends some chunks and then an error where a chunk belongs; a
// plain call gets the error under a 200.
func (c *call) errorInStream() {
	e := statusError(c.fault.Status)
	if !c.req.stream {
		c.buf = e.body(c.buf[:0])
		_ = c.respond(head{status: 200, contentType: typeJSON, id: c.requestID()}, c.buf)
		return
	}
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	c.buf = e.body(append(c.buf[:0], "data: "...))
	c.w.write(append(c.buf, "\n\n"...))
	_ = c.w.finish()
}

const (
	plantedPhone  = "13912345678"
	plantedEscape = "\x1b]0;owned\x07\x1b[2J\x1b[31m<script>alert(1)</script><img src=x onerror=alert(1)>\u202e\r\n::error::planted\n=HYPERLINK(\"http://invalid\")\u0085"
)

// plant puts what leak and escape show into the words.
func (c *call) plant(seen []canary) []canary {
	switch c.fault.kind {
	case kindLeak:
		value := c.fault.Value
		if value == "" {
			value = "收货人电话 " + plantedPhone
		}
		c.text += value
		stranger := c.srv.strangers.other(c.req.canaries, draw(c.set.cfg.Seed, c.key, c.entry.attempt, saltLeak))
		if !c.set.cfg.EchoContext {
			c.echo = appendSeen(c.echo, []canary{stranger})
		}
		return append(append([]canary(nil), seen...), stranger)
	case kindEscape:
		value := c.fault.Value
		if value == "" {
			value = plantedEscape
		}
		c.text += value
	}
	return seen
}

// strangers remembers canaries of recent traffic, for leak. Safe for concurrent use.
type strangers struct {
	mu   sync.Mutex
	ring [256]canary
	n    int
}

func (s *strangers) remember(list []canary) {
	if len(list) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ring[s.n%len(s.ring)] = list[len(list)-1]
	s.n++
}

// other is a canary of another dialog: one that was seen, else a made-up one.
func (s *strangers) other(own []canary, h uint64) canary {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := min(s.n, len(s.ring))
	for i := range known {
		c := s.ring[(int(h%uint64(known))+i)%known]
		if len(own) == 0 || c.dialog != own[len(own)-1].dialog {
			return c
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	c := canary{turn: 1}
	for i := range c.dialog {
		c.dialog[i] = alphabet[h>>(5*i)&31]
	}
	return c
}

func (s *strangers) reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n = 0
}

// parseOverride reads X-Mock-Fault: a kind, then options as key=value, all
// separated by semicolons: "status;status=429;retry_after=2s".
func parseOverride(s string) (*fault, error) {
	if len(s) > 1024 {
		return nil, fmt.Errorf("longer than 1024 bytes")
	}
	f, err := overrideFault(s)
	if err != nil {
		return nil, err
	}
	var p problems
	f.validate(&p, "fault")
	if err := p.join(); err != nil {
		return nil, err
	}
	return compileFault(f), nil
}
