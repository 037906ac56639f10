package refserver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/pii"
	"github.com/cstest/cstest/reference-server/wire"
)

const (
	streamTotal = 30 * time.Second // of one answer
	streamWrite = 5 * time.Second  // for one event to reach the client
)

// problemCut ends a stream whose model broke off: what was said stands.
var problemCut = &problem{status: http.StatusBadGateway, code: "model-interrupted", detail: "the model broke off; ask again"}

// stream answers one turn as server-sent events: one meta, deltas numbered
// without gaps, perhaps tier, and exactly one done or error. The turn is
// committed before done is sent.
func (s *Server) stream(x *exchange) error {
	t, err := s.open(x)
	if err != nil {
		return err
	}
	x.turn = t
	if err := t.enter(x.r.Context()); err != nil {
		return err
	}
	defer t.leave()
	e := &eventWriter{x: x, control: http.NewResponseController(x.w)}
	t.pieces = func(text string) error { return e.delta(text) }
	t.waiting = e.comment
	body, err := t.run(x.r.Context())
	if err != nil {
		if x.status == 0 {
			return err
		}
		return e.fail(err, t)
	}
	if t.replay == nil {
		s.count(t)
	}
	if e.next == 0 {
		// Cache, FAQ, people, replays: the answer is there as a whole.
		if t.ans.degraded {
			if err := e.event("tier", wire.JSON(nil).Object("").String("tier", t.ans.tier.String()).String("reason", t.ans.degradeReason).EndObject()); err != nil {
				return nil
			}
		}
		if err := e.delta(gjson.GetBytes(body, "answer").Str); err != nil {
			return nil
		}
	}
	_ = e.event("done", body)
	return nil
}

// eventWriter writes events; the first one is preceded by meta.
type eventWriter struct {
	x       *exchange
	control *http.ResponseController
	next    int // number of the next delta
	buf     []byte
}

func (e *eventWriter) begin() error {
	if e.x.status != 0 {
		return nil
	}
	h := e.x.w.Header()
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	h["X-Accel-Buffering"] = []string{"no"}
	e.x.status = http.StatusOK
	e.x.w.WriteHeader(http.StatusOK)
	t := e.x.turn
	id := t.req.dialogID
	if t.hold != nil {
		id = t.hold.ID()
	}
	return e.event("meta", wire.JSON(nil).Object("").String("dialog_id", id).String("turn_id", t.req.turnID).String("trace_id", t.tr.ID).EndObject())
}

func (e *eventWriter) event(name string, data []byte) error {
	if err := e.begin(); err != nil {
		return err
	}
	e.buf = append(e.buf[:0], "event: "...)
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, "\ndata: "...)
	e.buf = append(e.buf, data...)
	e.buf = append(e.buf, "\n\n"...)
	return e.flush()
}

func (e *eventWriter) comment() error {
	if err := e.begin(); err != nil {
		return err
	}
	e.buf = append(e.buf[:0], ": waiting\n\n"...)
	return e.flush()
}

func (e *eventWriter) flush() error {
	_ = e.control.SetWriteDeadline(time.Now().Add(streamWrite))
	if _, err := e.x.w.Write(e.buf); err != nil {
		return err
	}
	return e.control.Flush()
}

func (e *eventWriter) delta(text string) error {
	if err := e.event("delta", wire.JSON(nil).Object("").Int("i", int64(e.next)).String("text", text).EndObject()); err != nil {
		return err
	}
	e.next++
	return nil
}

// fail ends a stream that has begun.
func (e *eventWriter) fail(err error, t *turn) error {
	var p *problem
	if !errors.As(err, &p) {
		e.x.srv.log.Error("internal", "trace_id", t.tr.ID, "err", err.Error())
		p = problemInternal
	}
	_ = e.event("error", wire.JSON(nil).Object("").Int("status", int64(p.status)).String("code", p.code).
		String("detail", p.detail).String("trace_id", t.tr.ID).EndObject())
	return nil
}

// streamFromModel asks the model for a stream and passes it on as it comes,
// masked. An error before the first piece is the model's; after it, *problem.
func (t *turn) streamFromModel(ctx context.Context) error {
	p := t.prompt()
	users := p.Users()
	if t.forget() {
		p.Turns = nil
	}
	ctx, cancel := context.WithTimeout(ctx, streamTotal)
	defer cancel()
	start := time.Now()
	first := t.set.llmTimeout.D()
	if until, ok := t.modelUntil(); ok {
		first = min(first, time.Until(until))
	}
	out := t.newSaid()
	attempts, err := t.srv.caller.Stream(ctx, t.srv.model.StreamBody(p), t.tr, first, t.waiting, out.add)
	t.modelTime, t.attempts = time.Since(start), attempts
	if err == nil {
		err = out.end()
	}
	if err != nil {
		t.fault = model.FaultOf(err)
		switch {
		case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled), errors.Is(err, model.ErrClient):
			t.fault = model.FaultCancelled
			return problemGone
		case out.sent:
			return problemCut
		}
		return err
	}
	t.ans.text, t.ans.source, t.ans.tier, t.ans.contextTurns = out.text.String(), "llm", degrade.LLM, users
	return nil
}

// said is what the model says, on its way to the caller: kept as it came, sent
// checked and masked, which gives what commit makes of the whole.
type said struct {
	t     *turn
	check *answer.CheckStream
	mask  *pii.Stream // nil: not masked
	text  strings.Builder
	sent  bool
}

func (t *turn) newSaid() *said {
	s := &said{t: t, check: t.srv.check.Stream()}
	if t.set.piiMask {
		s.mask = t.srv.masker.Stream()
	}
	return s
}

func (s *said) add(piece string) error {
	if s.text.Len()+len(piece) > model.MaxText {
		return model.Garbage("answer is too long")
	}
	s.text.WriteString(piece)
	return s.emit(s.masked(s.check.Add(piece)))
}

func (s *said) end() error {
	if strings.TrimSpace(s.text.String()) == "" {
		return model.Garbage("answer has no text")
	}
	rest := s.masked(s.check.End())
	if s.mask != nil {
		rest += s.mask.End()
	}
	return s.emit(rest)
}

func (s *said) masked(piece string) string {
	if s.mask == nil {
		return piece
	}
	return s.mask.Add(piece)
}

func (s *said) emit(text string) error {
	if text == "" {
		return nil
	}
	s.sent = true
	if err := s.t.pieces(text); err != nil {
		return model.ErrClient
	}
	return nil
}
