package refserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/pii"
)

const (
	streamIdle  = 2 * time.Second  // between two pieces from the model
	streamTotal = 30 * time.Second // of one answer
	streamWrite = 5 * time.Second  // for one event to reach the client
	heartbeat   = 10 * time.Second
	maxEvent    = 64 << 10 // bytes of one line from the model
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
			if err := e.event("tier", []byte(`{"tier":"`+t.ans.tier.String()+`","reason":"`+t.ans.degradeReason+`"}`)); err != nil {
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
		id = t.hold.id
	}
	return e.event("meta", []byte(`{"dialog_id":"`+id+`","turn_id":"`+t.req.turnID+`","trace_id":"`+t.tr.id+`"}`))
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
	b := append([]byte(`{"i":`), strconv.Itoa(e.next)...)
	b = append(b, `,"text":`...)
	b = appendString(b, text)
	if err := e.event("delta", append(b, '}')); err != nil {
		return err
	}
	e.next++
	return nil
}

// fail ends a stream that has begun.
func (e *eventWriter) fail(err error, t *turn) error {
	var p *problem
	if !errors.As(err, &p) {
		e.x.srv.log.Error("internal", "trace_id", t.tr.id, "err", err.Error())
		p = problemInternal
	}
	b := append([]byte(`{"status":`), strconv.Itoa(p.status)...)
	b = append(b, `,"code":`...)
	b = appendString(b, p.code)
	b = append(b, `,"detail":`...)
	b = appendString(b, p.detail)
	b = append(b, `,"trace_id":"`+t.tr.id+`"}`...)
	_ = e.event("error", b)
	return nil
}

// streamFromModel asks the model for a stream and passes it on as it comes,
// masked. An error before the first piece is the model's; after it, *problem.
func (t *turn) streamFromModel(ctx context.Context) error {
	p := t.prompt()
	users := p.users()
	if t.forget() {
		p.turns = nil
	}
	ctx, cancel := context.WithTimeout(ctx, streamTotal)
	defer cancel()
	start := time.Now()
	first := t.set.llmTimeout.D()
	if t.set.chatDegradeAt > 0 {
		first = min(first, time.Until(t.start.Add(t.set.chatDegradeAt.D())))
	}
	out := t.newSaid()
	attempts, err := t.srv.caller.stream(ctx, p.appendChat(make([]byte, 0, 1024), maxTokens, true), t.tr, first, t.waiting, out.add)
	t.modelTime, t.attempts = time.Since(start), attempts
	if err == nil {
		err = out.end()
	}
	if err != nil {
		t.fault = faultOf(err)
		switch {
		case ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled), errors.Is(err, errClient):
			t.fault = faultCancelled
			return problemGone
		case out.sent:
			return problemCut
		}
		return err
	}
	t.ans.text, t.ans.source, t.ans.tier, t.ans.contextTurns = out.text.String(), "llm", TierLLM, users
	return nil
}

// errClient means that an event could not be written: the caller is gone.
var errClient = errors.New("client does not take events")

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
	if s.text.Len()+len(piece) > maxModelText {
		return &llmError{fault: faultGarbage, err: errors.New("answer is too long")}
	}
	s.text.WriteString(piece)
	return s.emit(s.masked(s.check.Add(piece)))
}

func (s *said) end() error {
	if strings.TrimSpace(s.text.String()) == "" {
		return &llmError{fault: faultGarbage, err: errors.New("answer has no text")}
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
		return errClient
	}
	return nil
}

// stream makes one attempt, streamed. first bounds the wait for the first
// piece. Errors are *llmError, or what add returned.
func (c *caller) stream(ctx context.Context, body []byte, tr trace, first time.Duration, waiting func() error, add func(string) error) (int, error) {
	if c.bulkhead != nil {
		if !c.bulkhead.TryAcquirePermit() {
			return 0, &llmError{fault: faultFull}
		}
		defer c.bulkhead.ReleasePermit()
	}
	if !c.breaker.allow() {
		return 0, &llmError{fault: faultRefused}
	}
	c.attempts.Add(1)
	start := time.Now()
	took, err := c.pump(ctx, body, tr, first, waiting, add)
	f := faultOf(err)
	if errors.Is(err, errClient) {
		f = faultCancelled
	}
	slow := took > c.set().llmSlow.D()
	c.breaker.record(f, slow)
	c.seen(f, time.Since(start), slow)
	return 1, err
}

// pump moves pieces from the model to add and beats the heart meanwhile. took
// is the time to the first piece.
func (c *caller) pump(ctx context.Context, body []byte, tr trace, first time.Duration, waiting func() error, add func(string) error) (took time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	pieces, done := make(chan string, 16), make(chan error, 1)
	go func() {
		done <- c.model.stream(ctx, body, tr, func(s string) error {
			select {
			case pieces <- s:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(pieces)
	}()
	defer func() {
		cancel()
		for range pieces { // the reader ends before its turn does
		}
	}()
	start := time.Now()
	idle := time.NewTimer(max(first, 0))
	defer idle.Stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case s, ok := <-pieces:
			if !ok {
				return took, <-done
			}
			if took == 0 {
				took = time.Since(start)
			}
			if err := add(s); err != nil {
				return took, err
			}
			idle.Reset(streamIdle)
		case <-idle.C:
			return max(took, time.Since(start)), &llmError{fault: faultTimeout, err: context.DeadlineExceeded}
		case <-beat.C:
			if waiting() != nil {
				return took, errClient
			}
		}
	}
}

// stream makes one streamed attempt and hands each piece of text to add.
func (m *model) stream(ctx context.Context, body []byte, tr trace, add func(string) error) error {
	resp, err := m.send(ctx, body, tr, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(http.MaxBytesReader(nil, resp.Body, maxModelBody))
	lines.Buffer(make([]byte, 0, 4096), maxEvent)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:"))
		if !ok {
			continue
		}
		data = bytes.TrimSpace(data)
		if string(data) == "[DONE]" {
			return nil
		}
		if !gjson.ValidBytes(data) || gjson.GetBytes(data, "error").Exists() {
			return &llmError{fault: faultGarbage, err: errors.New("event is an error or not JSON")}
		}
		if s := gjson.GetBytes(data, "choices.0.delta.content"); s.Type == gjson.String && s.Str != "" {
			if err := add(s.Str); err != nil {
				return transportError(ctx, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return transportError(ctx, err)
	}
	return &llmError{fault: faultGarbage, err: errors.New("stream ended without its terminal event")}
}
