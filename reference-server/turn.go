package refserver

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/answer"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
	"github.com/cstest/cstest/reference-server/trace"
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

func (t *turn) cost() float64 { return float64(time.Since(t.start).Microseconds()) / 1000 }
