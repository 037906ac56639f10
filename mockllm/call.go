package mockllm

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/admission"
	"github.com/cstest/cstest/mockllm/internal/canary"
	"github.com/cstest/cstest/mockllm/internal/draw"
	"github.com/cstest/cstest/mockllm/internal/fault"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/token"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
	"github.com/cstest/cstest/unit"
)

// inbound is a completion request as the wires hand it over. The byte slices
// are only valid until the call waits.
type inbound struct {
	api         prompt.API
	model       []byte // what the path names
	body        []byte
	traceparent []byte
	purpose     []byte
	fault       []byte // X-Mock-Fault
	delay       []byte // X-Mock-Delay
}

// call is one attempt being served. It is reused by its wire.
type call struct {
	srv      *Server
	set      *setup
	led      *journal.Ledger // nil when the call came before the epoch
	w        transport.Wire
	req      prompt.Request
	frame    openai.Frame // writes chat and text completions; what all forms share
	body     plainForm
	events   streamForm // nil for an API that does not stream
	vectors  *openai.Embeddings
	verdicts *openai.Moderations
	extra    []transport.Field // more headers
	reasoned int               // tokens thought before the answer, a choice
	key      draw.Key
	entry    journal.Entry
	listed   journal.Open
	fault    *fault.Fault
	fixed    time.Duration // X-Mock-Delay
	delayed  bool
	placed   bool // holds a place of the capacity model
	start    time.Time
	due      time.Time     // when what was said so far was to be said
	said     time.Duration // when the last content chunk was written, from start
	text     string        // what the model says, without the echo
	echo     []byte        // the echo and what faults plant
	finish   string
	settled  bool
	length   int // tokens of the answer
	buf      []byte
}

// serve answers one completion request over w.
func (s *Server) serve(c *call, w transport.Wire, in *inbound) {
	c.begin(s, w, in)
	if err := c.prepare(in); err != nil {
		e := prompt.ErrorOf(err)
		c.buf = appendError(c.buf[:0], in.api, e)
		_ = c.respond(journal.OutcomeInvalid, transport.Head{Status: e.Status, ContentType: typeJSON}, c.buf)
		c.end(journal.OutcomeInvalid)
		return
	}
	if c.set.quotas != nil && c.ration() {
		c.end(journal.Outcome(429))
		return
	}
	if c.fault != nil && c.led != nil {
		c.led.Strike(c.start)
	}
	c.end(c.answer())
}

// begin identifies the call and counts it.
func (c *call) begin(s *Server, w transport.Wire, in *inbound) {
	now := time.Now()
	*c = call{srv: s, set: s.setup.Load(), w: w, req: prompt.Request{Canaries: c.req.Canaries[:0]}, echo: c.echo[:0], buf: c.buf[:0], start: now, due: now}
	k, traced := draw.ParseTraceparent(in.traceparent)
	body := xxhash.Sum64(in.body)
	if !traced {
		k = draw.HashKey(body)
	}
	c.key = k
	p := journal.PurposeTurn
	switch string(in.purpose) {
	case "probe":
		p = journal.PurposeProbe
	case "backflow":
		p = journal.PurposeBackflow
	}
	led := s.ledger.Load()
	c.entry = journal.Entry{T: now.Sub(led.Origin), Trace: k, Traced: traced, Attempt: s.attempts.Next(k), Purpose: p, API: in.api, Body: body}
	s.totals.By[p].Add(1)
	s.inFlight.Add(1)
	s.open.Add(1)
	if led.Arrive(p, now) {
		c.led = led
	}
	c.listed = journal.Open{T: c.entry.T, Trace: k, Traced: traced && p == journal.PurposeTurn, Attempt: c.entry.Attempt, Body: body}
	s.journal.Open.Add(&c.listed)
}

// prepare decodes the request and decides what it will get. Afterwards nothing
// points into the inbound request.
func (c *call) prepare(in *inbound) error {
	if err := c.decode(in); err != nil {
		return err
	}
	c.req.Model = strings.Clone(c.req.Model)
	c.entry.Stream = c.req.Stream
	c.entry.Canaries = uint32(len(c.req.Canaries))
	if n := len(c.req.Canaries); n > 0 {
		c.entry.Conversation, c.entry.Turn = c.req.Canaries[n-1].Dialog, c.req.Canaries[n-1].Turn
	}
	if err := c.overrides(in); err != nil {
		return err
	}
	ordinal := c.entry.Attempt
	if c.fault == nil {
		for _, f := range *c.srv.schedule.Active.Load() {
			if f.Strikes(c.set.cfg.Seed, c.key, ordinal, c.start) {
				c.fault = f
				break
			}
		}
	}
	c.entry.Fault = c.fault
	c.head()
	err := c.compose()
	c.req.Question, c.req.Wanted, c.req.Stops = "", prompt.Wanted{}, nil
	if err != nil {
		return err
	}
	c.writer()
	return nil
}

// overrides reads X-Mock-Fault and X-Mock-Delay.
func (c *call) overrides(in *inbound) error {
	if len(in.fault) > 0 {
		given, err := config.ParseOverride(string(in.fault))
		if err != nil {
			return prompt.BadRequest("X-Mock-Fault", "", "X-Mock-Fault: %v", err)
		}
		f := fault.Compile(given)
		if f.Effect != config.KindFailFirst || c.entry.Attempt <= uint32(f.Attempts) {
			c.fault = f
		}
	}
	if len(in.delay) > 0 {
		d, err := unit.ParseDuration(string(in.delay))
		if err != nil || d > config.MaxDelay {
			return prompt.BadRequest("X-Mock-Delay", "", "X-Mock-Delay: write a duration up to %s, such as 250ms", unit.Duration(config.MaxDelay))
		}
		c.fixed, c.delayed = d, true
	}
	return nil
}

// compose chooses the words.
func (c *call) compose() error {
	c.finish = "stop"
	if !c.req.API.Speaks() {
		c.srv.strangers.Remember(c.req.Canaries)
		return nil
	}
	if c.req.API != prompt.Completions {
		c.reasoned = c.req.Reasoning(int(c.set.cfg.ReasoningTokens))
	}
	answer := c.set.answers.To(c.req.Question)
	c.text, c.length = answer.Say, answer.Tokens
	formed := c.req.Wanted.JSON() || c.req.Wanted.Tools.Exists()
	if !formed {
		c.cutText()
	}
	seen := c.req.Canaries
	if c.fault != nil {
		seen = c.plant(seen)
	}
	if c.set.cfg.EchoContext {
		c.echo = canary.AppendSeen(c.echo, seen)
	}
	c.srv.strangers.Remember(c.req.Canaries)
	if formed {
		if err := c.shape(answer); err != nil {
			return err
		}
		c.length = token.Count(c.text)
		c.cutText()
	}
	c.length += token.Count(string(c.echo))
	return nil
}

// cutText ends the answer before the first stop text, a tool's arguments apart,
// and at max_tokens.
func (c *call) cutText() {
	for _, stop := range c.req.Stops {
		if i := strings.Index(c.text, stop); i >= 0 && c.frame.Tool == "" {
			c.text = c.text[:i]
			c.length = token.Count(c.text)
			c.frame.Stopped = strings.Clone(stop)
		}
	}
	if most := c.req.MaxTokens; most > 0 {
		c.reasoned = min(c.reasoned, most) // thinking counts too: it may leave nothing for the answer
		if n := most - c.reasoned; n < c.length {
			c.text, c.length, c.finish = token.First(c.text, n), n, "length"
		}
	}
}

// reasoningToken numbers the tokens of reasoning apart from those of the answer.
const reasoningToken = 1 << 24

// hold waits for the latency of the answer's beginning, and for capacity.
// It reports how the call ended when it did not get to the answer.
func (c *call) hold() (journal.Outcome, bool) {
	seed, ordinal := c.set.cfg.Seed, c.entry.Attempt
	drawn := c.set.pace.Begin(seed, c.key, ordinal)
	for i := range c.reasoned {
		drawn += c.set.pace.Gap(seed, c.key, ordinal, reasoningToken+i)
	}
	if !c.req.Stream && c.set.pace.Tokens {
		for i := 1; i < c.length; i++ {
			drawn += c.set.pace.Gap(seed, c.key, ordinal, i)
		}
	}
	if c.delayed {
		drawn = c.fixed
	}
	factor := c.slow()
	if gate := c.set.gate; gate != nil {
		place, ok := gate.Enter(c.w)
		c.entry.Queued = time.Since(c.start)
		if !ok {
			return c.refused(place), false
		}
		c.placed = true
		factor *= gate.Factor()
	}
	c.entry.Drawn = drawn
	if factor != 1 {
		drawn = time.Duration(min(float64(drawn)*factor, float64(config.MaxDelay)))
	}
	from := c.start
	if c.entry.Queued > 0 {
		from = time.Now()
	}
	c.due = from.Add(drawn)
	c.entry.Due = c.due.Sub(c.start)
	if drawn <= 0 {
		return 0, true
	}
	return journal.OutcomeGone, c.until(c.due)
}

// until waits for t; false when the client is gone.
func (c *call) until(t time.Time) bool {
	for {
		switch c.w.Wait(t) {
		case transport.WaitOver:
			return true
		case transport.WaitGone:
			return false
		case transport.WaitWoken:
		}
	}
}

// slow is the factor that a slow fault puts on latencies.
func (c *call) slow() float64 {
	if c.fault != nil && c.fault.Effect == config.KindSlow {
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
	if c.req.Stream {
		for i := max(int(c.entry.Chunks), 1); i < c.length; i++ {
			due = due.Add(c.set.pace.Gap(c.set.cfg.Seed, c.key, c.entry.Attempt, i))
		}
	}
	c.srv.pause(due)
}

// refused answers a call the capacity model has no place for.
func (c *call) refused(p admission.Place) journal.Outcome {
	if p == admission.PlaceGone {
		return journal.OutcomeGone
	}
	err := &prompt.Error{Status: 503, Message: "the engine is currently overloaded, please try again later", Kind: "server_error", Code: "overloaded"}
	h := transport.Head{Status: 503, ContentType: typeJSON}
	if d := c.set.cfg.Capacity.RetryAfter.D(); d > 0 {
		h.RetryAfter = c.askToWait(d)
	}
	c.buf = appendError(c.buf[:0], c.req.API, err)
	_ = c.respond(journal.OutcomeOverloaded, h, c.buf)
	return journal.OutcomeOverloaded
}

// askToWait journals a Retry-After and returns it as the header has it: in whole
// seconds, rounded up.
func (c *call) askToWait(d time.Duration) string {
	s := int64(math.Ceil(d.Seconds()))
	c.entry.RetryAfter = time.Duration(s) * time.Second
	return strconv.FormatInt(s, 10)
}

func (c *call) requestID() uint64 {
	return draw.Hash(c.set.cfg.Seed, c.key, c.entry.Attempt, 0) | 1
}

// respond settles the call and sends a complete response.
func (c *call) respond(o journal.Outcome, h transport.Head, body []byte) error {
	h.ID, h.Extra = c.requestID(), c.extra
	c.entry.Status = uint16(h.Status)
	c.entry.Injected = time.Since(c.start)
	c.settle(o)
	return c.w.Respond(h, body)
}

// open begins a response of status 200.
func (c *call) open(contentType string, length int64) {
	c.entry.Status = 200
	c.w.Begin(transport.Head{Status: 200, ContentType: contentType, ID: c.requestID(), Extra: c.extra}, length)
}

// settle counts and journals the call. It comes before the last bytes are sent, so
// that a client which has its answer finds it in the journal too.
func (c *call) settle(o journal.Outcome) {
	if c.settled {
		return
	}
	c.settled = true
	e := &c.entry
	e.Outcome = o
	if e.Injected == 0 {
		e.Injected = time.Since(c.start)
	}
	e.LastDue = c.due.Sub(c.start)
	if c.led != nil {
		c.led.End(o, e.Injected)
		if o == journal.OutcomeOK && e.Chunks > 0 {
			c.led.First.Add(e.First)
		}
	}
	s := c.srv
	s.totals.End(o, e.Injected)
	s.chunks.Add(uint64(e.Chunks))
	s.open.Add(-1)
	s.journal.Open.Remove(&c.listed)
	s.journal.Add(e)
}

// end settles the call if that is still to be done, or corrects what was said
// when the last bytes found nobody to take them.
func (c *call) end(o journal.Outcome) {
	if c.settled && o == journal.OutcomeGone && c.entry.Outcome != o {
		if c.led != nil {
			c.led.Amend(c.entry.Outcome, o, c.entry.Injected)
			if c.entry.Outcome == journal.OutcomeOK && c.entry.Chunks > 0 {
				c.led.First.Remove(c.entry.First)
			}
		}
		c.srv.totals.Amend(c.entry.Outcome, o, c.entry.Injected)
		c.srv.journal.Amend(c.entry.Seq, o, 0)
	} else if c.settled && o != journal.OutcomeGone && c.entry.Status != 0 {
		c.srv.journal.Amend(c.entry.Seq, o, max(time.Since(c.start), 1))
	}
	c.settle(o)
	c.srv.inFlight.Add(-1)
	c.body, c.events, c.vectors, c.verdicts, c.extra = nil, nil, nil, nil, nil
	c.set, c.led, c.fault, c.entry.Fault = nil, nil, nil, nil // an idle connection keeps none of them
}
