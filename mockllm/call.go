package mockllm

import (
	"github.com/cstest/cstest/mockllm/internal/transport"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/unit"
)

// inbound is a completion request as the wires hand it over. The byte slices
// are only valid until the call waits.
type inbound struct {
	chat        bool
	body        []byte
	traceparent []byte
	purpose     []byte
	fault       []byte // X-Mock-Fault
	delay       []byte // X-Mock-Delay
}

// call is one attempt being served. It is reused by its wire.
type call struct {
	srv     *Server
	set     *setup
	led     *ledger // nil when the call came before the epoch
	w       transport.Wire
	req     request
	frame   frame
	key     key
	entry   entry
	fault   *fault
	fixed   time.Duration // X-Mock-Delay
	delayed bool
	placed  bool // holds a place of the capacity model
	start   time.Time
	due     time.Time     // when what was said so far was to be said
	said    time.Duration // when the last content chunk was written, from start
	text    string        // what the model says, without the echo
	echo    []byte        // the echo and what faults plant
	finish  string
	settled bool
	length  int // tokens of the answer
	buf     []byte
}

// serve answers one completion request over w.
func (s *Server) serve(c *call, w transport.Wire, in *inbound) {
	c.begin(s, w, in)
	if err := c.prepare(in); err != nil {
		c.buf = err.body(c.buf[:0])
		_ = c.respond(outcomeInvalid, transport.Head{Status: err.status, ContentType: typeJSON}, c.buf)
		c.end(outcomeInvalid)
		return
	}
	c.end(c.answer())
}

// begin identifies the call and counts it.
func (c *call) begin(s *Server, w transport.Wire, in *inbound) {
	now := time.Now()
	*c = call{srv: s, set: s.setup.Load(), w: w, req: request{canaries: c.req.canaries}, echo: c.echo[:0], buf: c.buf[:0], start: now, due: now}
	k, traced := parseTraceparent(in.traceparent)
	if !traced {
		k = bodyKey(in.body)
	}
	c.key = k
	p := purposeTurn
	switch string(in.purpose) {
	case "probe":
		p = purposeProbe
	case "backflow":
		p = purposeBackflow
	}
	led := s.ledger.Load()
	c.entry = entry{t: now.Sub(led.origin), trace: k, traced: traced, attempt: s.attempts.next(k), purpose: p, chat: in.chat}
	s.totals.by[p].Add(1)
	s.inFlight.Add(1)
	if led.arrive(p, now) {
		c.led = led
	}
}

// prepare decodes the request and decides what it will get. Afterwards nothing
// points into the inbound request.
func (c *call) prepare(in *inbound) *apiError {
	if err := c.req.decode(in.body, in.chat, &c.set.limits); err != nil {
		return err
	}
	c.req.model = strings.Clone(c.req.model)
	c.entry.stream = c.req.stream
	c.entry.canaries = uint32(len(c.req.canaries))
	if n := len(c.req.canaries); n > 0 {
		c.entry.conversation, c.entry.turn = c.req.canaries[n-1].dialog, c.req.canaries[n-1].turn
	}
	if err := c.overrides(in); err != nil {
		return err
	}
	ordinal := c.entry.attempt
	if c.fault == nil {
		for _, f := range *c.srv.schedule.active.Load() {
			if f.strikes(c.set.cfg.Seed, c.key, ordinal, c.start) {
				c.fault = f
				break
			}
		}
	}
	c.entry.fault = c.fault
	c.frame = newFrame(c.req.chat, c.key, ordinal, c.set.cfg.Seed, c.req.model, c.start)
	err := c.compose()
	c.req.question, c.req.wanted, c.req.stops = "", wanted{}, nil
	if err != nil {
		return err
	}
	if c.fault != nil && c.led != nil {
		c.led.strike(c.start)
	}
	return nil
}

// overrides reads X-Mock-Fault and X-Mock-Delay.
func (c *call) overrides(in *inbound) *apiError {
	if len(in.fault) > 0 {
		f, err := parseOverride(string(in.fault))
		if err != nil {
			return badRequest("X-Mock-Fault", "", "X-Mock-Fault: %v", err)
		}
		if f.kind != kindFailFirst || c.entry.attempt <= uint32(f.Attempts) {
			c.fault = f
		}
	}
	if len(in.delay) > 0 {
		d, err := unit.ParseDuration(string(in.delay))
		if err != nil || d > maxDelay {
			return badRequest("X-Mock-Delay", "", "X-Mock-Delay: write a duration up to %s, such as 250ms", unit.Duration(maxDelay))
		}
		c.fixed, c.delayed = d, true
	}
	return nil
}

// compose chooses the words.
func (c *call) compose() *apiError {
	answer := c.set.answerTo(c.req.question)
	c.text, c.length, c.finish = answer.say, answer.tokens, "stop"
	formed := c.req.wanted.json() || c.req.wanted.tools.Exists()
	if !formed {
		c.cutText()
	}
	seen := c.req.canaries
	if c.fault != nil {
		seen = c.plant(seen)
	}
	if c.set.cfg.EchoContext {
		c.echo = appendSeen(c.echo, seen)
	}
	c.srv.strangers.remember(c.req.canaries)
	if formed {
		if err := c.form(answer); err != nil {
			return err
		}
		c.length = countTokens(c.text)
		c.cutText()
	}
	c.length += countTokens(string(c.echo))
	return nil
}

// cutText ends the answer before the first stop text, a tool's arguments apart,
// and at max_tokens.
func (c *call) cutText() {
	for _, stop := range c.req.stops {
		if i := strings.Index(c.text, stop); i >= 0 && c.frame.tool == "" {
			c.text = c.text[:i]
			c.length = countTokens(c.text)
		}
	}
	if n := c.req.maxTokens; n > 0 && n < c.length {
		c.text, c.length, c.finish = firstTokens(c.text, n), n, "length"
	}
}

// hold waits for the latency of the answer's beginning, and for capacity.
// It reports how the call ended when it did not get to the answer.
func (c *call) hold() (outcome, bool) {
	seed, ordinal := c.set.cfg.Seed, c.entry.attempt
	drawn := c.set.pace.begin(seed, c.key, ordinal)
	if !c.req.stream && c.set.pace.tokens {
		for i := 1; i < c.length; i++ {
			drawn += c.set.pace.gap(seed, c.key, ordinal, i)
		}
	}
	if c.delayed {
		drawn = c.fixed
	}
	factor := c.slow()
	if gate := c.set.gate; gate != nil {
		place, ok := gate.enter(c.w)
		c.entry.queued = time.Since(c.start)
		if !ok {
			return c.refused(place), false
		}
		c.placed = true
		factor *= gate.factor()
	}
	c.entry.drawn = drawn
	if factor != 1 {
		drawn = time.Duration(min(float64(drawn)*factor, float64(maxDelay)))
	}
	from := c.start
	if c.entry.queued > 0 {
		from = time.Now()
	}
	c.due = from.Add(drawn)
	c.entry.due = c.due.Sub(c.start)
	if drawn <= 0 {
		return 0, true
	}
	return outcomeGone, c.until(c.due)
}

// until waits for t; false when the client is gone.
func (c *call) until(t time.Time) bool {
	for {
		switch c.w.Wait(t) {
		case transport.WaitOver:
			return true
		case transport.WaitGone:
			return false
		}
	}
}

// slow is the factor that a slow fault puts on latencies.
func (c *call) slow() float64 {
	if c.fault != nil && c.fault.kind == kindSlow {
		return c.fault.Factor
	}
	return 1
}

// abandon keeps the place of a call whose client has left until the work that
// was begun would have been over, if the capacity model says so.
func (c *call) abandon() {
	if !c.placed || !c.set.cfg.Capacity.FinishAbandoned {
		return
	}
	due := c.due
	if c.req.stream {
		for i := max(int(c.entry.chunks), 1); i < c.length; i++ {
			due = due.Add(c.set.pace.gap(c.set.cfg.Seed, c.key, c.entry.attempt, i))
		}
	}
	c.srv.pause(due)
}

// refused answers a call the capacity model has no place for.
func (c *call) refused(p place) outcome {
	if p == placeGone {
		return outcomeGone
	}
	err := &apiError{status: 503, message: "the engine is currently overloaded, please try again later", kind: "server_error", code: "overloaded"}
	h := transport.Head{Status: 503, ContentType: typeJSON}
	if d := c.set.cfg.Capacity.RetryAfter.D(); d > 0 {
		h.RetryAfter = c.askToWait(d)
	}
	c.buf = err.body(c.buf[:0])
	_ = c.respond(outcomeOverloaded, h, c.buf)
	return outcomeOverloaded
}

// askToWait journals a Retry-After and returns it as the header has it: in whole
// seconds, rounded up.
func (c *call) askToWait(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds()))
	c.entry.retryAfter = time.Duration(s) * time.Second
	return strconv.FormatInt(s, 10)
}

func (c *call) requestID() uint64 {
	return draw(c.set.cfg.Seed, c.key, c.entry.attempt, 0) | 1
}

// respond settles the call and sends a complete response.
func (c *call) respond(o outcome, h transport.Head, body []byte) error {
	h.ID = c.requestID()
	c.entry.status = uint16(h.Status)
	c.entry.injected = time.Since(c.start)
	c.settle(o)
	return c.w.Respond(h, body)
}

// open begins a response of status 200.
func (c *call) open(contentType string, length int64) {
	c.entry.status = 200
	c.w.Begin(transport.Head{Status: 200, ContentType: contentType, ID: c.requestID()}, length)
}

// settle counts and journals the call. It comes before the last bytes are sent, so
// that a client which has its answer finds it in the journal too.
func (c *call) settle(o outcome) {
	if c.settled {
		return
	}
	c.settled = true
	e := &c.entry
	e.outcome = o
	if e.injected == 0 {
		e.injected = time.Since(c.start)
	}
	e.lastDue = c.due.Sub(c.start)
	if c.led != nil {
		c.led.end(o, e.injected)
		if o == outcomeOK && e.chunks > 0 {
			c.led.first.add(e.first)
		}
	}
	s := c.srv
	s.totals.end(o, e.injected)
	s.chunks.Add(uint64(e.chunks))
	s.journal.add(e)
}

// end settles the call if that is still to be done, or corrects what was said
// when the last bytes found nobody to take them.
func (c *call) end(o outcome) {
	if c.settled && o == outcomeGone && c.entry.outcome != o {
		if c.led != nil {
			c.led.amend(c.entry.outcome, o, c.entry.injected)
			if c.entry.outcome == outcomeOK && c.entry.chunks > 0 {
				c.led.first.remove(c.entry.first)
			}
		}
		c.srv.totals.amend(c.entry.outcome, o, c.entry.injected)
		c.srv.journal.amend(c.entry.seq, o, 0)
	} else if c.settled && o != outcomeGone && c.entry.status != 0 {
		c.srv.journal.amend(c.entry.seq, o, max(time.Since(c.start), 1))
	}
	c.settle(o)
	c.srv.inFlight.Add(-1)
	c.set, c.led, c.fault, c.entry.fault = nil, nil, nil, nil // an idle connection keeps none of them
}
