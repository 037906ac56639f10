package mockllm

import (
	"strings"
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
)

// strike does to the call what its fault says.
func (c *call) strike() journal.Outcome {
	did := journal.OutcomeKind + journal.Outcome(c.fault.Effect)
	switch c.fault.Effect {
	case config.KindStatus, config.KindFailFirst:
		return c.fail()
	case config.KindHang:
		c.hang()
	case config.KindReset:
		c.saidSoFar()
		c.breakOff()
		c.settle(did)
		c.w.Reset()
	case config.KindTruncate:
		c.truncate(did)
	case config.KindGarbage:
		c.garbage(did)
	case config.KindHTML:
		c.html(did)
	case config.KindWrongContentType:
		c.mislabel(did)
	case config.KindEmpty:
		c.empty(did)
	case config.KindOversized:
		c.oversized(did)
	case config.KindDrip:
		c.drip(did)
	case config.KindErrorInStream:
		c.errorInStream(did)
	default: // slow, leak and escape are in the latency and the words
		return c.say(did)
	}
	return did
}

// saidSoFar notes what a stream that breaks off after so many chunks will have said.
func (c *call) saidSoFar() {
	if !c.req.Stream || c.fault.Chunks <= 0 {
		return
	}
	n, length := 0, 0
	for token := range c.tokens {
		if n == c.fault.Chunks {
			break
		}
		n, length = n+1, length+len(token)
	}
	text := c.text + string(c.echo)
	c.entry.Said = journal.SaidOf(text[:length])
}

// last settles the call and ends the body.
func (c *call) last(did journal.Outcome) {
	c.settle(did)
	_ = c.w.Finish()
}

func (c *call) fail() journal.Outcome {
	f := c.fault
	e := prompt.ErrorOfStatus(f.Status)
	h := transport.Head{Status: f.Status, ContentType: typeJSON, RetryAfter: f.RetryAfterText}
	if d := f.RetryAfter.D(); d > 0 {
		h.RetryAfter = c.askToWait(d)
	}
	c.buf = appendError(c.buf[:0], c.req.API, e)
	_ = c.respond(journal.Outcome(f.Status), h, c.buf)
	return journal.Outcome(f.Status)
}

// maxHang ends a hang when no client does.
const maxHang = 10 * time.Minute

// hang answers nothing until the client leaves; a stream with a heartbeat gets
// headers and comments.
func (c *call) hang() {
	end := c.start.Add(maxHang)
	if every := c.fault.Heartbeat.D(); every > 0 && c.req.Stream {
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
	if c.fault.Effect == config.KindReset && c.fault.Chunks == 0 {
		return
	}
	if c.req.Stream {
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
	c.buf = c.body.Whole(c.buf[:0], c.text+string(c.echo), c.finish, c.usage())
	return c.buf
}

// truncate ends a stream in good order without reason and [DONE], a plain body
// with the connection closed before its end.
func (c *call) truncate(did journal.Outcome) {
	if !c.req.Stream {
		c.breakOff()
		c.settle(did)
		c.w.Cut()
		return
	}
	c.saidSoFar()
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	if c.fault.Chunks >= c.length {
		c.buf = c.events.Closing(c.buf[:0], c.finish, c.usage())
		c.w.Write(c.buf)
	}
	c.last(did)
}

// garbage sends what claims to be JSON and is not.
func (c *call) garbage(did journal.Outcome) {
	const junk = `{"id":"chatcmpl-x","choices":[{"index":0,"message":{"content":"` + "\x00\xff\xfe" + `NaN,}]`
	if !c.req.Stream {
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, []byte(junk))
		return
	}
	c.saidSoFar()
	if c.stream(typeEvents, c.fault.Chunks) == nil {
		c.w.Write([]byte("data: " + junk + "\n\n" + string(c.events.End(nil))))
		c.last(did)
	}
}

func (c *call) html(did journal.Outcome) {
	text := c.fault.Value
	if text == "" {
		text = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\n"
	}
	c.entry.Said = journal.SaidOf(text)
	_ = c.respond(did, transport.Head{Status: c.fault.Status, ContentType: typeHTML}, []byte(text))
}

// mislabel sends the right answer as text/plain.
func (c *call) mislabel(did journal.Outcome) {
	if !c.req.Stream {
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeText}, c.plain())
		return
	}
	if c.stream(typeText, -1) == nil {
		_ = c.conclude(did)
	}
}

// empty sends 200 and nothing, no choices, or no content.
func (c *call) empty(did journal.Outcome) {
	u := prompt.Usage{Prompt: c.req.PromptTokens}
	if !c.req.Stream {
		c.buf = c.buf[:0]
		switch c.fault.Value {
		case "choices":
			c.buf = c.body.Hollow(c.buf, u)
		case "content":
			c.buf = c.body.Whole(c.buf, "", "stop", u)
		}
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, c.buf)
		return
	}
	c.open(typeEvents, -1)
	switch c.fault.Value {
	case "choices":
		c.buf = c.events.HollowEvents(c.buf[:0], u)
		c.w.Write(c.events.End(c.buf))
	case "content":
		c.buf = c.events.Closing(c.events.Opening(c.buf[:0]), "stop", u)
		c.w.Write(c.events.End(c.buf))
	}
	c.last(did)
}

// oversized sends a valid answer of about Size bytes without holding it.
func (c *call) oversized(did journal.Outcome) {
	filler, mark := "x", "@"
	if c.frame.Tool != "" {
		mark = `{"@":"@"}`
	}
	if c.req.Stream {
		c.buf = c.events.Content(c.events.Opening(c.buf[:0]), mark)
		c.buf = c.events.End(c.events.Closing(c.buf, c.finish, c.usage()))
	} else {
		c.buf = c.body.Whole(c.buf[:0], mark, c.finish, c.usage())
	}
	whole := string(c.buf)
	before, after, found := strings.Cut(whole, "@")
	if !found { // no text: white space after the value
		filler = " "
	}
	fill := max(int64(c.fault.Size)-int64(len(before)+len(after)), 1)
	if c.req.Stream {
		c.open(typeEvents, -1)
	} else {
		c.open(typeJSON, int64(len(before)+len(after))+fill)
	}
	c.w.Write([]byte(before))
	block := []byte(strings.Repeat(filler, 32<<10))
	for ; fill > 0; fill -= int64(len(block)) {
		c.w.Write(block[:min(fill, int64(len(block)))])
		if c.w.Flush() != nil {
			return
		}
	}
	c.w.Write([]byte(after))
	c.last(did)
}

// drip sends the answer at BytesPerS, at most twenty pieces a second.
func (c *call) drip(did journal.Outcome) {
	rate := int(c.fault.BytesPerS)
	piece := max(rate/20, 1)
	gap := time.Duration(float64(piece) / float64(rate) * float64(time.Second))
	body := c.plain()
	if c.req.Stream {
		body = c.streamed()
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

// streamed is a whole stream as bytes.
func (c *call) streamed() []byte {
	var b []byte
	b = c.events.Opening(b)
	for token := range c.tokens {
		b = c.events.Content(b, token)
	}
	return c.events.End(c.events.Closing(b, c.finish, c.usage()))
}

// errorInStream sends some chunks and then an error where a chunk belongs; a
// plain call gets the error under a 200.
func (c *call) errorInStream(did journal.Outcome) {
	e := prompt.ErrorOfStatus(c.fault.Status)
	if !c.req.Stream {
		c.buf = appendError(c.buf[:0], c.req.API, e)
		_ = c.respond(did, transport.Head{Status: 200, ContentType: typeJSON}, c.buf)
		return
	}
	c.saidSoFar()
	if c.stream(typeEvents, c.fault.Chunks) != nil {
		return
	}
	c.buf = c.events.ErrorEvent(c.buf[:0], e)
	c.w.Write(c.buf)
	c.last(did)
}
