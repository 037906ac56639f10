package refserver

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/dialog"

	"github.com/cstest/cstest/reference-server/degrade"

	"github.com/cstest/cstest/reference-server/model"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/pii"
	"github.com/cstest/cstest/reference-server/trace"
)

const (
	cannedLine  = "系统繁忙,请稍后再试"
	twinPoll    = 20 * time.Millisecond
	twinLongest = time.Second // for a twin, without a deadline

	maxOvertaken = 5 // times a turn is put behind others
)

// turn is one message on its way to an answer.
type turn struct {
	srv       *Server
	set       *settings
	start     time.Time
	tr        trace.Context
	who       identity
	req       request
	text      string       // masked, with the caller's ⟦…⟧ marks: what the model sees and the dialog keeps
	clean     string       // masked, without marks: what intent, FAQ and cache see
	hash      string       // of the text as it came
	ownTurnID bool         // drawn here: nobody can repeat it
	newDialog bool         // a job's: the id was minted when it was queued
	hold      *dialog.Hold // nil: the dialog's state cannot be reached
	replay    []byte       // response of an earlier turn with the same turn_id
	ans       response

	entered              time.Time // let in
	stateFailed          bool      // Redis did not answer: how long the turn took says nothing
	attempts             int
	redisTime, modelTime time.Duration
	twinTime             time.Duration // waiting for the same turn, sent twice
	fault                model.Fault
	intent               answer.Intent

	pieces  func(string) error // takes a stream's text; nil: the answer goes out whole
	waiting func() error       // keeps a stream alive

	announce func() // tells people of the turn's ticket; nil: there is none
}

// open reads the request of an authenticated caller. Errors are *problem.
func (s *Server) open(x *exchange) (*turn, error) {
	t := &turn{srv: s, set: x.set, start: x.start, tr: x.tr, who: x.who}
	body, err := s.readBody(x)
	if err != nil {
		return nil, err
	}
	if t.req, err = decodeRequest(body); err != nil {
		if errors.Is(err, errField) {
			return nil, problemFields(strings.TrimPrefix(err.Error(), errField.Error()+": "))
		}
		return nil, problemSyntax
	}
	if t.req.uid != "" && t.req.uid != t.who.UID {
		return nil, problemUID
	}
	if t.req.dialogID != "" && !s.ids.Owns(t.req.dialogID, dialog.IDDialog, t.who.Owner) {
		return nil, problemNotFound
	}
	if t.req.turnID == "" {
		t.req.turnID, t.ownTurnID = dialog.RandomHex(8), true
	}
	t.ans.group = group(t.who.UID, t.set)
	return t, nil
}

// read is what a turn does with its text first, once it has been let in.
func (t *turn) read() {
	t.hash = dialog.TextHash(t.req.text)
	t.text, t.ans.piiIn = t.mask(t.req.text, "in")
	t.clean = dialog.StripMarks(t.text)
}

// enter waits for room among the turns in flight. After nil, leave must follow.
func (t *turn) enter(ctx context.Context) error {
	s := t.srv
	if err := s.limiter.Enter(ctx, t.priority); err != nil {
		if errors.Is(err, admission.ErrShed) {
			s.metrics.rejected["shed"].Inc()
			return shed()
		}
		return problemGone
	}
	s.inFlight.Add(1)
	t.entered = time.Now()
	t.read()
	return nil
}

// leave makes room for another turn.
func (t *turn) leave() {
	own := time.Since(t.entered) - t.modelTime - t.twinTime
	if t.stateFailed || t.fault == model.FaultCancelled {
		own = -1
	}
	t.srv.inFlight.Add(-1)
	t.srv.limiter.Leave(own)
}

// priority is how late the turn is turned away.
func (t *turn) priority() admission.Priority {
	switch {
	case t.srv.intents.Of(dialog.StripMarks(t.req.text)).Human():
		return admission.Person
	case t.req.dialogID != "":
		return admission.UnderWay
	}
	return admission.New
}

// shed is the answer to a turn that is not let in. Those who come back must not
// all do so in the same moment.
func shed() *problem {
	p := *problemShed
	p.retry = time.Duration(1+rand.IntN(3)) * time.Second
	return &p
}

func tokenProblem(err error) error {
	if errors.Is(err, errNoSecret) {
		return problemNoKey
	}
	return problemToken
}

func readRequest(r *http.Request) ([]byte, error) {
	ct := r.Header.Get("Content-Type")
	if kind, _, _ := strings.Cut(ct, ";"); !strings.EqualFold(strings.TrimSpace(kind), "application/json") || r.Header.Get("Content-Encoding") != "" {
		return nil, problemType
	}
	if r.ContentLength > maxBody {
		return nil, problemLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		return nil, problemSyntax
	}
	if len(body) > maxBody {
		return nil, problemLarge
	}
	return body, nil
}

// begin finds or makes the dialog. Errors are *problem; a Redis that does not
// answer is none where tiers are on: the turn goes on without state.
func (t *turn) begin(ctx context.Context) error {
	if t.req.dialogID != "" && t.set.tiers && t.srv.watch.At().Shown() == degrade.Static {
		t.ans.contextStatus = "unavailable"
		return nil
	}
	if t.req.dialogID == "" {
		t.hold = t.srv.store.Fresh(t.srv.ids.Mint(dialog.IDDialog, t.who.Owner))
		t.ans.contextStatus = "new"
		return nil
	}
	start := time.Now()
	exclusive := t.set.chatConcurrentTurns == "refuse"
	h, replay, err := t.srv.store.Begin(ctx, t.req.dialogID, t.req.turnID, t.hash, exclusive, t.set.historyHard.D())
	if errors.Is(err, dialog.ErrBusy) && !t.ownTurnID {
		from := time.Now()
		h, replay, err = t.awaitTwin(ctx, exclusive)
		t.twinTime = time.Since(from)
	}
	t.redisTime += time.Since(start)
	switch {
	case errors.Is(err, dialog.ErrBusy):
		return problemBusy
	case errors.Is(err, dialog.ErrReused):
		return problemReused
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		t.stateFailed = true
		return problemGone
	case errors.Is(err, dialog.ErrCrowded):
		t.srv.metrics.rejected["shed"].Inc()
		return shed()
	case err != nil && !t.set.tiers:
		t.stateFailed = true
		return problemState
	case err != nil:
		t.stateFailed = true
		t.ans.contextStatus = "unavailable"
		return nil
	case replay != nil:
		t.replay = replay
		return nil
	}
	t.hold = h
	if h.Skipped > 0 {
		t.srv.metrics.corrupt.Add(float64(h.Skipped))
	}
	t.ans.contextStatus = "ok"
	switch {
	case h.Lost && t.newDialog && h.Length == 0:
		h.Fresh, t.ans.contextStatus = true, "new"
	case h.Lost:
		t.ans.contextStatus = "expired"
	}
	return nil
}

// awaitTwin waits while the turn in progress is this very one, sent twice.
func (t *turn) awaitTwin(ctx context.Context, exclusive bool) (*dialog.Hold, []byte, error) {
	until := time.NewTimer(t.twinWait())
	defer until.Stop()
	for {
		if id, err := t.srv.store.Holder(ctx, t.req.dialogID); err != nil || id != "" && id != t.req.turnID {
			return nil, nil, dialog.ErrBusy
		}
		select {
		case <-until.C:
			return nil, nil, dialog.ErrBusy
		case <-ctx.Done():
			return nil, nil, dialog.ErrBusy
		case <-time.After(twinPoll):
		}
		h, replay, err := t.srv.store.Begin(ctx, t.req.dialogID, t.req.turnID, t.hash, exclusive, t.set.historyHard.D())
		if !errors.Is(err, dialog.ErrBusy) {
			return h, replay, err
		}
	}
}

// twinWait is how long a turn waits for its twin: as long as it may take itself.
func (t *turn) twinWait() time.Duration {
	if t.set.chatDeadline > 0 {
		return time.Until(t.start.Add(t.set.chatDeadline.D()))
	}
	return twinLongest
}

// modelUntil is when a turn stops waiting for the model: at chat.degrade_at, and
// in time for what must follow, a look into the FAQ and a commit. ok is false
// where neither knob bounds it.
func (t *turn) modelUntil() (at time.Time, ok bool) {
	if t.set.chatDegradeAt > 0 {
		at, ok = t.start.Add(t.set.chatDegradeAt.D()), true
	}
	if d := t.set.chatDeadline.D(); d > 0 {
		last := t.start.Add(d - min(t.set.redisTimeout.D(), d/4))
		if !ok || last.Before(at) {
			at, ok = last, true
		}
	}
	return at, ok
}

// answerByModel asks the model with the dialog so far.
func (t *turn) answerByModel(ctx context.Context) error {
	p := t.prompt()
	if until, ok := t.modelUntil(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, until)
		defer cancel()
	}
	start := time.Now()
	said := p.Users()
	if t.forget() {
		p.Turns = nil
	}
	text, attempts, err := t.srv.caller.Call(ctx, t.srv.model.Body(p), t.tr)
	t.modelTime, t.attempts = time.Since(start), attempts
	if err != nil {
		t.fault = model.FaultOf(err)
		return err
	}
	t.ans.text, t.ans.source, t.ans.tier = text, "llm", degrade.LLM
	t.ans.contextTurns = said
	return nil
}

// prompt puts the stored dialog before the model, newest turns first to fit.
func (t *turn) prompt() model.Prompt {
	p := model.Prompt{Text: t.text}
	if t.hold == nil {
		return p
	}
	bytes, from := len(t.text), len(t.hold.Turns)
	for from > 0 && len(t.hold.Turns)-from+1 < int(t.set.historyMessages)/2 {
		bytes += t.hold.Turns[from-1].Size()
		if bytes > int(t.set.historyBytes) {
			break
		}
		from--
	}
	for i := range t.hold.Turns[from:] {
		p.Turns = append(p.Turns, exchangeOf(&t.hold.Turns[from+i]))
	}
	return p
}

// exchangeOf is a stored turn as the model sees it.
func exchangeOf(r *dialog.Record) model.Exchange {
	e := model.Exchange{User: r.User}
	if !r.Degraded {
		e.Replies = append(e.Replies, r.Reply())
	}
	for _, n := range r.Notes {
		e.Replies = append(e.Replies, dialog.StripMarks(n.Text))
	}
	return e
}

// forget draws whether this turn goes without the stored dialog, and says
// nothing about it: a load test must notice by itself.
func (t *turn) forget() bool {
	return t.set.historyForget > 0 && rand.Float64() < float64(t.set.historyForget)
}

// commit stores the turn and renders the response.
func (t *turn) commit(ctx context.Context) ([]byte, error) {
	t.ans.turnID, t.ans.traceID = t.req.turnID, t.tr.ID
	t.ans.text, t.ans.piiOut = t.mask(t.srv.checked(t.tr.ID, t.ans.text), "out")
	if t.hold == nil {
		t.ans.dialogID = t.req.dialogID
		t.ans.costMS = t.cost()
		return t.ans.appendJSON(nil), nil
	}
	start := time.Now()
	ctx = context.WithoutCancel(ctx)
	r := t.record()
	err := t.srv.store.Commit(ctx, t.hold, r, t.kept())
	for try := 0; errors.Is(err, dialog.ErrConflict) && !t.hold.Leased && try < maxOvertaken; try++ {
		// Turns at once are allowed: this one was overtaken and comes next.
		h, _, again := t.srv.store.Begin(ctx, t.hold.ID, t.req.turnID, t.hash, false, t.set.historyHard.D())
		if again != nil || h == nil {
			break
		}
		t.hold = h
		r = t.record()
		err = t.srv.store.Commit(ctx, t.hold, r, t.kept())
	}
	body := r.Response
	if errors.Is(err, dialog.ErrState) && t.set.tiers && time.Since(t.start)+t.set.redisTimeout.D() < t.set.chatDeadline.D() {
		// Made twice, a commit appends once.
		err = t.srv.store.Commit(ctx, t.hold, r, t.kept())
	}
	t.redisTime += time.Since(start)
	t.stateFailed = t.stateFailed || errors.Is(err, dialog.ErrState)
	if errors.Is(err, dialog.ErrConflict) && t.hold.Leased {
		return nil, problemBusy
	}
	if err != nil {
		t.ans.persisted = false
		if errors.Is(err, dialog.ErrState) && t.ans.contextStatus == "new" {
			t.ans.contextStatus = "unavailable" // nothing says that this dialog has begun
		}
		body = t.ans.appendJSON(make([]byte, 0, len(body)+1))
		if errors.Is(err, dialog.ErrState) {
			r.Response = body // what is stored is what was sent
			t.srv.store.Finish(t.hold, r, t.kept())
		} else {
			t.srv.store.Release(t.hold)
		}
	}
	return body, nil
}

// record renders the answer and is what commit stores of the turn.
func (t *turn) record() *dialog.Record {
	t.ans.dialogID, t.ans.seq, t.ans.epoch, t.ans.persisted = t.hold.ID, t.hold.Seq, t.hold.Epoch, true
	t.ans.costMS = t.cost()
	return &dialog.Record{Epoch: t.hold.Epoch, Seq: t.hold.Seq, Born: t.hold.Born, Token: t.hold.Token, TurnID: t.req.turnID, TextHash: t.hash,
		Degraded: t.ans.degraded, User: t.text, Response: t.ans.appendJSON(make([]byte, 0, 512+len(t.ans.text)))}
}

func (t *turn) mask(text, direction string) (string, int) {
	return t.srv.mask(t.set, t.tr.ID, text, direction)
}

// mask replaces personal data where the knob says so, and leaves an audit line
// with type and count, never the value.
func (s *Server) mask(set *settings, traceID, text, direction string) (string, int) {
	if !set.piiMask {
		return text, 0
	}
	masked, found := s.masker.Mask(text)
	n := found.Total()
	if n > 0 {
		for i, c := range found {
			kind := pii.Kind(i).String()
			if c > 0 {
				s.metrics.pii.WithLabelValues(kind, direction).Add(float64(c))
				s.log.Info("pii", "trace_id", traceID, "type", kind, "direction", direction, "count", c)
			}
		}
	}
	return masked, n
}

// cleanReply takes out of a person's reply what may not leave.
func (s *Server) cleanReply(traceID, text string) string {
	text, _ = s.mask(s.set.Load(), traceID, s.checked(traceID, text), "out")
	return text
}

// checked takes out of an answer what may not leave, and leaves an audit line
// with flaw and count, never the text.
func (s *Server) checked(traceID, text string) string {
	clean, flaws := s.check.Clean(text)
	if flaws.Total() > 0 {
		for i, c := range flaws {
			if c > 0 {
				flaw := answer.Flaw(i).String()
				s.metrics.flaws.WithLabelValues(flaw).Add(float64(c))
				s.log.Warn("answer", "trace_id", traceID, "flaw", flaw, "count", c)
			}
		}
	}
	return clean
}

func (t *turn) cost() float64 { return float64(time.Since(t.start).Microseconds()) / 1000 }

func (t *turn) kept() dialog.Kept {
	return dialog.Kept{Messages: int(t.set.historyMessages), Bytes: int(t.set.historyBytes), TTL: t.set.historyTTL.D(), Hard: t.set.historyHard.D()}
}

// run takes the turn from begin to the rendered response.
func (t *turn) run(ctx context.Context) ([]byte, error) {
	if err := t.begin(ctx); err != nil || t.replay != nil {
		return t.replay, err
	}
	committed := false
	defer func() {
		if !committed {
			t.srv.store.Release(t.hold)
		}
		if t.announce != nil {
			t.announce()
		}
	}()
	if err := t.decide(ctx); err != nil {
		return nil, err
	}
	body, err := t.commit(ctx)
	committed = err == nil
	return body, err
}
