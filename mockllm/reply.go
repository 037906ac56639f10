package mockllm

import (
	"time"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/token"
	"github.com/cstest/cstest/mockllm/internal/transport"
	"github.com/cstest/cstest/mockllm/journal"
)

// answer waits as the latency model says and sends what the call is to get: the
// model's answer, or the fault that struck.
func (c *call) answer() journal.Outcome {
	if c.fault != nil && c.fault.AtOnce() {
		if c.delayed {
			c.entry.Drawn, c.entry.Due = c.fixed, c.fixed
			c.due = c.start.Add(c.fixed)
			if !c.until(c.due) {
				return journal.OutcomeGone
			}
		}
		return c.strike()
	}
	o, ok := c.hold()
	if c.placed {
		defer c.set.gate.Leave()
	}
	switch {
	case ok && c.fault != nil:
		o = c.strike()
	case ok:
		o = c.say(journal.OutcomeOK)
	}
	if o == journal.OutcomeGone {
		c.settle(o) // it has ended, whatever is still worked at
		c.abandon()
	}
	return o
}

// say sends the model's answer; o is the outcome when it was sent completely.
func (c *call) say(o journal.Outcome) journal.Outcome {
	if c.req.Stream {
		if c.stream(typeEvents, -1) != nil || c.conclude(o) != nil {
			return journal.OutcomeGone
		}
		return o
	}
	text := c.text
	if len(c.echo) > 0 {
		text += string(c.echo)
	}
	c.buf = c.body.Whole(c.buf[:0], text, c.finish, c.usage())
	if c.respond(o, transport.Head{Status: 200, ContentType: typeJSON}, c.buf) != nil {
		return journal.OutcomeGone
	}
	return o
}

func (c *call) usage() prompt.Usage {
	n := c.frame.N
	return prompt.Usage{Prompt: c.req.PromptTokens, Completion: (c.length + c.reasoned) * n, Reasoning: c.reasoned * n}
}

// stream begins an event stream and sends content chunks at their times: limit
// of them, or all when limit is negative. Chunks that are due together leave in
// one write.
func (c *call) stream(contentType string, limit int) error {
	c.open(contentType, -1)
	if c.buf = c.events.Opening(c.buf[:0]); len(c.buf) > 0 {
		c.w.Write(c.buf)
	}
	n := 0
	for token := range c.tokens {
		if n == limit {
			break
		}
		if n > 0 {
			if err := c.untilNext(n); err != nil {
				return err
			}
		}
		c.buf = c.events.Content(c.buf[:0], token)
		c.w.Write(c.buf)
		c.spoke(n)
		n++
		c.entry.Chunks++
	}
	c.entry.Injected = time.Since(c.start)
	return nil
}

// spoke notes when content chunk n was written; it leaves with the next flush,
// which follows at once unless the next chunk is due already.
func (c *call) spoke(n int) {
	at := time.Since(c.start)
	if n == 0 {
		c.entry.First = at
	} else if c.led != nil && c.fault == nil {
		c.led.Gaps.Add(at - c.said)
	}
	c.said = at
}

// tokens yields the answer token by token.
func (c *call) tokens(yield func(string) bool) {
	for _, text := range [2]string{c.text, string(c.echo)} {
		for len(text) > 0 {
			n := token.Next(text)
			if !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// shortGap is the longest time between chunks that is slept through: a client
// that leaves is noticed by the next writes, and no system call watches it meanwhile.
const shortGap = 50 * time.Millisecond

// untilNext waits for the time of chunk n; what was written goes out before.
func (c *call) untilNext(n int) error {
	gap := c.set.pace.Gap(c.set.cfg.Seed, c.key, c.entry.Attempt, n)
	if gap <= 0 {
		return nil
	}
	if f := c.slow(); f != 1 {
		gap = time.Duration(min(float64(gap)*f, float64(config.MaxDelay)))
	}
	c.due = c.due.Add(gap)
	if time.Until(c.due) <= 0 {
		return nil // late already: catch up
	}
	if err := c.w.Flush(); err != nil {
		return err
	}
	if gap <= shortGap {
		time.Sleep(time.Until(c.due))
	} else if !c.until(c.due) {
		return transport.ErrGone
	}
	return nil
}

// conclude sends the end of a stream: reason, usage if asked for, [DONE].
func (c *call) conclude(o journal.Outcome) error {
	c.buf = c.events.Closing(c.buf[:0], c.finish, c.usage())
	c.buf = c.events.End(c.buf)
	c.w.Write(c.buf)
	c.settle(o)
	return c.w.Finish()
}
