package surface

import (
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

// streamWrite is how long one event may take to reach the client.
const streamWrite = 5 * time.Second

// stream answers one turn as server-sent events: one meta, deltas numbered
// without gaps, perhaps tier, and exactly one done or error. The turn is
// committed before done is sent.
func (s *Surface) stream(x *exchange) error {
	if err := s.open(x); err != nil {
		return err
	}
	t := x.turn
	if err := t.Enter(x.r.Context()); err != nil {
		return err
	}
	defer t.Leave()
	e := &eventWriter{x: x, control: http.NewResponseController(x.w)}
	t.StreamTo(e.delta, e.comment)
	body, err := t.Run(x.r.Context())
	if err != nil {
		if x.status == 0 {
			return err
		}
		e.fail(s.problem(x, err))
		return nil
	}
	if e.next == 0 {
		// Cache, FAQ, people, replays: the answer is there as a whole.
		e.tier = gjson.GetBytes(body, "tier").Str
		if o := t.Outcome(); o.Degraded {
			if err := e.event("tier", wire.JSON(nil).Object("").String("tier", o.Tier.String()).String("reason", o.Reason).EndObject()); err != nil {
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
	next    int    // number of the next delta
	tier    string // as far as the first event knows: empty while the model is waited for
	buf     []byte
}

func (e *eventWriter) begin() error {
	if e.x.status != 0 {
		return nil
	}
	t := e.x.turn
	e.x.header("Content-Type", "text/event-stream; charset=utf-8")
	e.x.header("X-Accel-Buffering", "no")
	e.x.header("Server-Timing", t.Timing())
	e.x.header("X-Release-Group", t.Outcome().Group)
	if e.tier != "" {
		e.x.header("X-Degrade-Tier", e.tier)
	}
	e.x.status = http.StatusOK
	e.x.w.WriteHeader(http.StatusOK)
	return e.event("meta", wire.JSON(nil).Object("").String("dialog_id", t.DialogID()).String("turn_id", t.TurnID()).String("trace_id", e.x.tr.ID).EndObject())
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
	if e.tier == "" {
		e.tier = e.x.turn.Outcome().Tier.String()
	}
	if err := e.event("delta", wire.JSON(nil).Object("").Int("i", int64(e.next)).String("text", text).EndObject()); err != nil {
		return err
	}
	e.next++
	return nil
}

// fail ends a stream that has begun.
func (e *eventWriter) fail(p *problem.Problem) {
	_ = e.event("error", wire.JSON(nil).Object("").Int("status", int64(p.Status)).String("code", p.Code).
		String("detail", p.Detail).String("trace_id", e.x.tr.ID).EndObject())
}
