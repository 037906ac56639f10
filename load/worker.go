package load

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// worker is a goroutine that carries turns, with all the buffers that takes.
type worker struct {
	r       *run
	lane    Lane
	work    chan *conversation
	scratch scratch
	server  []measure.ServerTime
	record  measure.Turn
	failure measure.Failure
}

// hand gives c to a goroutine that has nothing to do, the one that had something
// last, or to a new one. r.mu must be held.
func (r *run) hand(c *conversation) {
	if n := len(r.idle); n > 0 {
		w := r.idle[n-1]
		r.idle = r.idle[:n-1]
		w.work <- c // has room: an idle worker's channel is empty
		return
	}
	w := &worker{r: r, lane: r.o.Lanes[r.workers%len(r.o.Lanes)], work: make(chan *conversation, 1)}
	r.workers++
	r.done.Add(1)
	go w.run(c)
}

func (w *worker) run(c *conversation) {
	defer w.r.done.Done()
	defer w.r.caught()
	for {
		w.carry(c)
		if !w.r.rest(w) {
			return
		}
		var ok bool
		if c, ok = <-w.work; !ok {
			return
		}
	}
}

// rest tells w to wait for work; false when there are enough who do.
func (r *run) rest(w *worker) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended.Load() || len(r.idle) >= mostIdle {
		return false
	}
	r.idle = append(r.idle, w)
	return true
}

// carry takes c through its turn, and through those after it that are due at
// once.
func (w *worker) carry(c *conversation) {
	r := w.r
	for {
		if c.state == issued {
			r.open(c)
		}
		due, again := w.perform(c)
		if !again {
			return
		}
		now := time.Duration(r.last.Load())
		if due > now {
			now = r.now()
		}
		if due > now {
			r.park(due, c)
			return
		}
		if !r.admit(c, now) {
			return
		}
	}
}

// open begins the conversation c was issued for.
func (r *run) open(c *conversation) {
	k := c.k
	if l := c.loop; l != nil {
		k = conversationOf(l.user, l.loops, r.users)
	}
	c.begin(k, r.script)
	c.state = starting
	if c.channel != nil {
		return
	}
	if c.loop == nil {
		c.identify(k)
	}
	c.channel = r.o.Driver.Open(&c.user)
}

// perform has one turn and moves c on. It tells when the next turn of c is due;
// false when c is over, and belongs to nobody any more.
func (w *worker) perform(c *conversation) (due time.Duration, again bool) {
	r, reply := w.r, &w.scratch.reply
	w.scratch.ask(c, r.script)
	entered := time.Duration(-1)
	if r.shared {
		entered = r.now()
	}
	c.channel.Do(&w.scratch.turn, reply)
	if reply.Done == 0 {
		reply.Done = r.now()
	}
	over := max(reply.Done, reply.Over) // while an agent deals with a turn its user waits
	r.release()
	done := reply.Done
	r.live.leave(done)
	c.counted = false
	r.over(done)

	unsent := reply.Sent == 0 && reply.Reason == driver.Interrupted
	exhausted := reply.Reason == driver.Exhausted
	if unsent || exhausted {
		if exhausted {
			_, message := broken(reply)
			w.fail(c, &Judgement{Outcome: measure.DroppedGenerator, Message: message})
		}
		c.channel.Free(reply)
		r.contract.recall(c.number)
		return w.unsent(c, done, exhausted)
	}
	if c.state == starting {
		c.state = talking
		w.lane.Started(c.intended)
	}
	if reply.Reason == driver.Complete && reply.Status == 429 {
		w.scratch.asked.Owed = r.contract.refuse(c.number, c.admitted)
	}
	if n := len(reply.DialogID); n > 0 && n <= longestID && len(c.id) > 0 && !bytes.Equal(reply.DialogID, c.id) {
		w.scratch.asked.Elsewhere = r.sessions.ofAnother(reply.DialogID, c.k)
	}
	j := Classify(reply, &w.scratch.asked, &r.script.rules)
	if j.Outcome != measure.Integrity {
		r.sessions.heard(reply, c.id, c.k)
	}
	if (j.Outcome == measure.OK || j.Outcome == measure.Unexpected) && j.Memory != measure.Verified {
		r.repeats.note(reply.Answer, w.scratch.turn.Text, c.outline.slot+c.turn, c.intended)
	}
	w.note(c, &j, entered)
	more, pause := c.heard(&w.scratch, &j, r.script)
	refused := reply.Reason == driver.Unreachable
	c.channel.Free(reply)
	c.released = 0
	if more && j.Outcome != measure.Censored {
		c.intended = over + pause
		return c.intended, true
	}
	return r.finish(c, w.lane, over, more, refused)
}

// over moves the end of the load on.
func (r *run) over(done time.Duration) {
	for {
		last := r.last.Load()
		if int64(done) <= last || r.last.CompareAndSwap(last, int64(done)) {
			return
		}
	}
}

// note records the turn.
func (w *worker) note(c *conversation, j *Judgement, entered time.Duration) {
	reply := &w.scratch.reply
	t := &w.record
	*t = measure.Turn{
		Slot: c.outline.slot + c.turn, Intended: c.intended,
		Sent: reply.Sent, FirstByte: reply.FirstByte, FirstToken: reply.FirstToken, FirstReasoning: reply.FirstReasoning, Done: reply.Done,
		Login: reply.Login, Connect: reply.Connect, Lag: c.lag(reply.Begun, entered),
		Outcome: j.Outcome, Tier: j.Tier, Group: w.r.script.rules.groupOf(reply.Group), Excluded: j.Excluded, Again: c.judged, Planted: j.Planted, Untold: j.Untold, Memory: j.Memory, Gaps: reply.Gaps,
		Usage: usageOf(&reply.Usage), Spell: reply.Usage.Spell, Spelled: reply.Usage.Spelled,
		Server: serverTimes(w.server[:0], reply.ServerTiming),
		Number: c.k, TraceID: w.scratch.turn.TraceID, SpanID: w.scratch.turn.SpanID, Status: reply.Status, Dialog: &c.tally,
	}
	w.server = t.Server
	c.judged = c.judged || !j.Excluded
	w.lane.Record(t)
	w.r.endings.note(t, reply, c.outline.onError == scenario.OnErrorRetry && c.tries < maxRetries)
	if j.Outcome != measure.OK && j.Outcome != measure.Refused {
		w.fail(c, j)
	}
}

func usageOf(u *driver.Usage) measure.Usage {
	return measure.Usage{
		Answers: int64(u.Answers), Told: int64(u.Told), Calls: int64(u.Calls),
		Input: u.Input, Cached: u.Cached, Output: u.Output, Reasoning: u.Reasoning,
		CachedTold: int64(u.CachedTold), ReasoningTold: int64(u.ReasoningTold),
	}
}

// lag is how late the generator itself was with the turn. Waiting for a place
// among those in flight, or for a shared connection, is the target's doing.
func (c *conversation) lag(begun, entered time.Duration) time.Duration {
	if entered >= 0 {
		begun = entered
	}
	return max(begun-max(c.intended, c.released), 0)
}

// fail describes a turn that was not ok.
func (w *worker) fail(c *conversation, j *Judgement) {
	reply := &w.scratch.reply
	message := j.Message
	switch message {
	case "":
		message = Refusal(reply)
	case lesserTier:
		message = byTier[j.Tier]
	case measure.UnmappedTier:
		message += plainWord(reply.Tier)
	}
	w.failure = measure.Failure{
		Outcome: j.Outcome, Message: message, At: c.intended,
		Conversation: c.outline.name, Turn: c.turn + 1, Status: reply.Status,
		TraceID: hex.EncodeToString(w.scratch.turn.TraceID[:]),
	}
	w.lane.Failed(&w.failure)
	w.sample(c, &w.failure, reply)
}

// Refusal is the message of an answer whose status refuses the turn.
func Refusal(r *driver.Reply) string {
	said := plainWord(r.Code)
	if r.Said != "" {
		said = " " + r.Said
	}
	message := fmt.Sprintf("HTTP %d%s", r.Status, said)
	if r.Step != "" {
		message = r.Step + ": " + message
	}
	return message
}

// plainWord is a space and a server's word; empty where that is not a plain one.
func plainWord(word []byte) string {
	if len(word) == 0 || len(word) > 40 {
		return ""
	}
	for _, b := range word {
		if (b < 'a' || b > 'z') && (b < 'A' || b > 'Z') && (b < '0' || b > '9') && b != '-' && b != '_' && b != '.' {
			return ""
		}
	}
	return " " + string(word)
}

// unsent ends a turn that never reached the target. Turn 1 of a conversation
// that could not be sent through our own fault is a dropped start.
func (w *worker) unsent(c *conversation, done time.Duration, exhausted bool) (time.Duration, bool) {
	r := w.r
	if exhausted && c.state == starting {
		r.live.started.Add(-1)
		w.lane.Dropped(c.intended, len(c.outline.turns), measure.DroppedGenerator)
		return r.leave(c, done, true)
	}
	if c.state == starting {
		w.lane.Started(c.intended)
	}
	c.state = talking
	return r.finish(c, w.lane, done, true, exhausted)
}
