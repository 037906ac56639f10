package refserver

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
)

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
