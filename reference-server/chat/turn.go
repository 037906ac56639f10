package chat

import (
	"context"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/trace"
)

// Message is what a user says.
type Message struct {
	Who      dialog.Owner
	Caller   uint64 // tells callers apart who are turned away
	DialogID string // empty: a new dialog
	TurnID   string // empty: nobody can repeat it
	Text     string
	Start    time.Time // when the request came
	Trace    trace.Context
}

// Turn is one message on its way to an answer. It is used by one goroutine.
type Turn struct {
	chat      *Chat
	set       *knobs.Settings
	start     time.Time
	tr        trace.Context
	who       dialog.Owner
	from      uint64 // the caller
	dialogID  string // empty: a new dialog
	turnID    string
	raw       dialog.Words // as they came
	words     dialog.Words // masked: the model sees and the dialog keeps their marks, all else what was said
	hash      string       // of the text as it came
	ownTurnID bool         // drawn here: nobody can repeat it
	newDialog bool         // the id was made for this turn, before it began
	derived   bool         // of the turn_id, so that the same turn sent again finds it
	hold      *dialog.Hold // nil: the dialog's state cannot be reached
	dropped   *dialog.Hold // its lease goes with the turn
	replay    []byte       // response of an earlier turn with the same turn_id
	ans       response

	entered              time.Time // let in
	stateFailed          bool      // Redis did not answer: how long the turn took says nothing
	attempts             int
	redisTime, modelTime time.Duration
	asking               time.Time     // since when the model has streamed
	twinTime             time.Duration // waiting for the same turn, sent twice
	tokens               int           // that it has cost, about
	waited               time.Duration // for the backflow to have the question
	fault                model.Fault
	intent               answer.Intent
	idle                 bool // it says nothing

	pieces  func(string) error // takes a stream's text; nil: the answer goes out whole
	waiting func() error       // keeps a stream alive

	announce func() // tells people of the turn's ticket; nil: there is none
	withdraw func() // takes the ticket back; nil: there is none
	alone    func() // lets the same turn, sent again, go on; nil: it does not wait
}

// Open makes a turn of a message. The error is ErrNotFound: the dialog is not
// the caller's, whether there is one or not.
func (c *Chat) Open(m Message) (*Turn, error) {
	t := &Turn{chat: c, start: m.Start, tr: m.Trace, who: m.Who, from: m.Caller, dialogID: m.DialogID, turnID: m.TurnID, raw: dialog.ReadWords(m.Text)}
	t.ans.group, t.set = c.Gray.Of(t.who.UID)
	if t.dialogID != "" && !c.IDs.Owns(t.dialogID, dialog.IDDialog, t.who) {
		return nil, ErrNotFound
	}
	switch {
	case t.turnID == "":
		t.turnID, t.ownTurnID = dialog.RandomHex(8), true
	case t.dialogID == "" && t.set.ChatConcurrentTurns == concurrentRefuse:
		t.dialogID, t.newDialog, t.derived = c.IDs.Derive(dialog.IDDialog, t.who, t.turnID), true, true
	}
	return t, nil
}

// StreamTo has the model's text sent piece by piece. waiting is called now and
// then while there is none.
func (t *Turn) StreamTo(pieces func(string) error, waiting func() error) {
	t.pieces, t.waiting = pieces, waiting
}

// read is what a turn does with its text first, once it has been let in.
func (t *Turn) read() {
	t.hash = dialog.TextHash(t.raw.Marked)
	masked, found := t.chat.Screen.Question(t.tr.ID, t.raw.Marked)
	t.words, t.ans.piiIn = dialog.ReadWords(masked), found
}

// Run takes the turn from begin to the rendered response. Errors that are not of
// type Error are bugs.
func (t *Turn) Run(ctx context.Context) ([]byte, error) {
	committed := false
	t.tokens, t.idle = 0, false
	t.hold, t.dropped, t.announce, t.withdraw, t.alone = nil, nil, nil, nil, nil // of a run before, where a job is patient
	defer func() {
		if !committed {
			t.chat.Dialogs.Release(t.hold)
		}
		if t.tokens > 0 {
			t.chat.Spent(t.who, t.tokens)
		}
		t.chat.Dialogs.Release(t.dropped)
		if t.alone != nil {
			t.alone()
		}
		if t.announce != nil {
			t.announce()
		}
	}()
	if err := t.begin(ctx); err != nil || t.replay != nil {
		return t.replay, err
	}
	if err := t.decide(ctx); err != nil {
		t.judgeGroup(err)
		return nil, err
	}
	body, err := t.commit(ctx)
	committed = err == nil
	if committed {
		if !t.ownTurnID {
			t.chat.Dialogs.Remember(t.ans.dialogID, t.turnID, t.hash, body)
		}
		t.chat.count(t)
		t.judgeGroup(nil)
		t.keepForLater(ctx)
	}
	return body, err
}

// cost is a whole number, as the article has it; Timing is finer.
func (t *Turn) cost() int64 { return time.Since(t.start).Round(time.Millisecond).Milliseconds() }

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// concurrentRefuse is the value of chat.concurrent_turns with which turns of a
// dialog exclude each other.
const concurrentRefuse = "refuse"

// DialogID is that of the turn's dialog; a new one may have none before it has begun.
func (t *Turn) DialogID() string {
	if t.hold != nil {
		return t.hold.ID()
	}
	return t.dialogID
}

// TurnID is the caller's, or one drawn for it.
func (t *Turn) TurnID() string { return t.turnID }

// Replayed says that the answer is that of an earlier turn with the same id.
func (t *Turn) Replayed() bool { return t.replay != nil }

// Outcome is what is told of a turn besides its answer.
type Outcome struct {
	Tier     degrade.Tier
	Source   string
	Degraded bool
	Reason   string // why it was degraded
	Intent   answer.Intent
	Group    string
	Redis    time.Duration
	Model    time.Duration
	Attempts int // at the model
}

// Outcome tells how the turn went.
func (t *Turn) Outcome() Outcome {
	return Outcome{t.ans.tier, t.ans.source, t.ans.degraded, t.ans.degradeReason, t.intent, t.ans.group.String(), t.redisTime, t.modelTime, t.attempts}
}

// Timing is the value of a Server-Timing header, in milliseconds; while the model
// streams, how long it has taken so far.
func (t *Turn) Timing() string {
	total, modelTime := time.Since(t.start), t.modelTime
	if modelTime == 0 && !t.asking.IsZero() {
		modelTime = time.Since(t.asking)
	}
	b := make([]byte, 0, 80)
	for _, part := range [...]struct {
		name string
		d    time.Duration
	}{{"pre", max(0, total-t.redisTime-modelTime)}, {"redis", t.redisTime}, {"llm", modelTime}, {"total", total}} {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, part.name...)
		b = append(b, ";dur="...)
		b = strconv.AppendFloat(b, millis(part.d), 'f', 3, 64)
	}
	return string(b)
}
