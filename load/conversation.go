package load

import (
	"encoding/binary"
	"strconv"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// conversation is one dialog under way, or in the closed model a user with the
// dialog it is in. While its user thinks it is only this: no goroutine, no
// buffer. It belongs to whoever took it out of the queue.
type conversation struct {
	k        int64
	outline  *outline
	channel  driver.Channel
	user     driver.User
	intended time.Duration // of the turn to come
	released time.Duration // when it came out of the waiting list; 0: it did not wait
	admitted time.Duration // when the turn to come went ahead
	number   int64         // the contract's, of that turn
	started  time.Duration // of the conversation, intended
	turn     int           // to come, from 0
	tries    int           // of this turn
	rows     []int32       // parallel to Script.sources
	id       []byte        // the server's name for the dialog
	kept     []bool        // see Asked.Kept
	history  []driver.Message
	canary   Canary
	tally    measure.Dialog
	patience time.Duration // how long its customer waits for an answer; 0: for ever
	left     bool          // the customer did, before an answer
	limped   bool          // a turn was answered, but not ok
	broken   bool          // a turn was not answered
	cut      bool          // a turn was, by the end of the load
	judged   bool          // a try of the turn to come has been judged
	counted  bool          // the turn to come is counted as in flight
	state    state
	loop     *loop // nil in the open model
}

// state is where a conversation stands.
type state uint8

const (
	issued   state = iota // to be begun
	starting              // turn 1 is not yet over
	talking               // turn 1 was sent
	between               // closed model: the user has no conversation under way
)

// loop is a closed model's user.
type loop struct {
	user    int64
	loops   int64
	windows []Window // still to come, or begun
}

// begin makes c conversation k, with nothing said yet. Slices keep their room.
func (c *conversation) begin(k int64, s *Script) {
	c.k, c.outline = k, s.choose(k)
	c.turn, c.tries, c.released = 0, 0, 0
	c.limped, c.broken, c.cut, c.judged, c.left = false, false, false, false, false
	if s.patience != nil {
		c.patience = max(s.patience.pause(draw(s.seed, k, forPatience)), 1)
	}
	c.id, c.kept, c.history = c.id[:0], c.kept[:0], c.history[:0]
	c.started = c.intended
	c.canary = newCanary(s.seed, k)
	c.tally = measure.Dialog{}
	c.rows = c.rows[:0]
	user := k
	if c.loop != nil {
		user = c.loop.user
	}
	for i := range s.sources {
		c.rows = append(c.rows, int32(s.row(i, k, user)))
	}
	if s.columnsOut {
		c.fillVars(s)
	}
}

// identify makes a user of number n of c.
func (c *conversation) identify(n int64) {
	vars := c.user.Vars
	c.user = driver.User{ID: "u" + strconv.FormatInt(n, 10), Index: n, Vars: vars}
}

func (c *conversation) fillVars(s *Script) {
	if c.user.Vars == nil {
		c.user.Vars = make(map[string]string)
	}
	for i := range s.sources {
		src := &s.sources[i]
		for j, key := range src.keys {
			c.user.Vars[key] = src.table[c.rows[i]][j]
		}
	}
}

// scratch holds what one turn needs while it is under way; a goroutine that
// carries turns owns one and uses it for all of them.
type scratch struct {
	text  []byte
	ids   [32]byte // the turn id's text
	uuid  [36]byte // the conversation's, where it is sent
	turn  driver.Turn
	reply driver.Reply
	asked Asked
}

// ask prepares the turn to come of c: what is sent depends on seed, number and
// turn alone (and on what the server called the dialog).
func (st *scratch) ask(c *conversation, s *Script) {
	l := &c.outline.turns[c.turn]
	st.text = l.say.Append(st.text[:0], c)
	if l.forged != nil {
		st.lengthen(l.forged.size)
	}
	if s.memory {
		st.text = c.canary.append(st.text, c.turn+1)
	}
	trace := TraceID(s.seed, c.k, c.turn)
	id := s.run.turnID(trace)
	appendHex(st.ids[:0], id[:])
	st.turn = driver.Turn{
		Text: st.text, DialogID: c.id, TurnID: st.ids[:], Index: c.turn, Number: c.k,
		History: c.history, TraceID: trace,
	}
	if len(l.parts) > 0 {
		st.turn.Parts = c.appendParts(nil, l.parts)
	}
	if f := l.forged; f != nil {
		st.turn.Forge = &f.Forge
		if f.another {
			st.turn.As = c.another(s)
		}
	}
	if c.patience > 0 {
		st.turn.Leave = c.intended + c.patience
	}
	if s.idsOut {
		st.turn.ConversationID = s.run.appendConversation(st.uuid[:0], c.k)
	}
	span := mix(draw(s.seed, c.k, forSpan) + uint64(c.turn<<8|c.tries)*golden)
	binary.BigEndian.PutUint64(st.turn.SpanID[:], span|1)
	st.asked = Asked{
		Turn: c.turn + 1, DialogID: c.id, TraceID: trace, TurnID: id, Canary: c.canary,
		Memory: s.memory, Kept: c.kept, Expect: l.expect,
	}
}

// TraceID is what a turn, counted from 0, of conversation k is traced by.
func TraceID(seed uint64, k int64, turn int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], runTag(seed))
	binary.BigEndian.PutUint64(id[8:], mix(draw(seed, k, forTrace)+uint64(turn)*golden))
	return id
}

// runTag begins every trace id of a run, so that an answer to another turn of
// ours is told from a server that has ids of its own. Never 0.
func runTag(seed uint64) uint64 { return draw(seed, -2, forTrace) | 1 }

func appendHex(b, raw []byte) []byte {
	const digits = "0123456789abcdef"
	for _, x := range raw {
		b = append(b, digits[x>>4], digits[x&15])
	}
	return b
}

// heard moves c on by what came back. It tells whether the conversation has
// another turn, and after which pause.
func (c *conversation) heard(st *scratch, j *Judgement, s *Script) (more bool, pause time.Duration) {
	answered := measure.Answered.Has(j.Outcome)
	switch {
	case j.Outcome == measure.Censored:
		c.cut = true
	case st.reply.Left:
		c.left = true
		return false, 0
	case j.Outcome == measure.Refused: // as it had to be
	case !answered:
		c.broken = true
	case j.Outcome != measure.OK:
		c.limped = true
	}
	if n := len(st.reply.DialogID); n > 0 && n <= longestID && st.reply.Status < 300 && j.Outcome != measure.Integrity && !measure.ToRefuse.Has(j.Outcome) {
		c.id = append(c.id[:0], st.reply.DialogID...)
	}
	if !answered && j.Outcome != measure.ContextLost && j.Outcome != measure.Integrity && !measure.ToRefuse.Has(j.Outcome) {
		switch {
		case c.outline.onError == scenario.OnErrorAbort:
			return false, 0
		case c.outline.onError == scenario.OnErrorRetry && c.tries < maxRetries:
			c.tries++
			return true, c.pause(c.outline.turns[c.turn].think, s.seed)
		}
	}
	c.kept = append(c.kept, j.Kept)
	if s.history && answered {
		c.remember(st)
	}
	c.turn++
	c.tries, c.judged = 0, false
	c.skip(st, answered, s)
	if c.turn >= len(c.outline.turns) {
		return false, 0
	}
	return true, c.pause(c.outline.turns[c.turn].think, s.seed)
}

// skip leaves out turns that are not said after this answer, and those that could not
// be what they should.
func (c *conversation) skip(st *scratch, answered bool, s *Script) {
	for ; c.turn < len(c.outline.turns); c.turn++ {
		when := c.outline.turns[c.turn].when
		if (when == nil || answered && when.Hold(&st.reply)) && c.possible(s) {
			return
		}
		c.kept = append(c.kept, false)
	}
}

// pause draws the pause before the turn to come.
func (c *conversation) pause(t *think, seed uint64) time.Duration {
	return pauseBefore(t, seed, c.k, c.turn, c.tries)
}

// pauseBefore draws the pause before a try of a turn of conversation k.
func pauseBefore(t *think, seed uint64, k int64, turn, tries int) time.Duration {
	if t == nil {
		return 0
	}
	return t.pause(mix(draw(seed, k, forThink) + uint64(turn<<8|tries)*golden))
}

// longestMessage is how much of an answer is kept for the turns to come.
const longestMessage = 64 << 10

// remember keeps the dialog where the client has to. What a model echoed of the
// canaries is no part of the answer.
func (c *conversation) remember(st *scratch) {
	answer := st.reply.Answer[:min(len(st.reply.Answer), longestMessage)]
	between := st.reply.Between
	if len(between) > longestMessage { // a part of it would be no JSON
		between = nil
	}
	all := make([]byte, 0, len(st.text)+len(between)+len(answer))
	all = append(all, st.text...)
	said := len(all)
	all = append(all, between...)
	asked := len(all)
	all = appendWithoutMarks(all, answer)
	c.history = append(c.history,
		driver.Message{Text: all[:said:said], Parts: st.turn.Parts, Between: all[said:asked:asked]},
		driver.Message{Assistant: true, Text: all[asked:]})
}

// end is how the conversation ended.
func (c *conversation) end(cut bool) measure.ConversationEnd {
	switch {
	case c.left:
		return measure.Left
	case c.broken:
		return measure.Broken
	case cut || c.cut:
		return measure.Abandoned
	case c.limped:
		return measure.CompleteDegraded
	}
	return measure.Complete
}
