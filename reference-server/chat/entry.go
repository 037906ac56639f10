package chat

import (
	"context"
	"errors"
	"time"

	"github.com/cstest/cstest/reference-server/admission"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/model"
)

// Enter waits for room among the turns in flight. After nil, Leave must follow.
// Errors: ErrShed, ErrGone.
func (t *Turn) Enter(ctx context.Context) error {
	if err := t.chat.Limiter.Enter(ctx, t.from, t.priority); err != nil {
		if errors.Is(err, admission.ErrShed) {
			return ErrShed
		}
		return ErrGone
	}
	t.chat.inFlight.Add(1)
	t.entered = time.Now()
	t.read()
	return nil
}

// Leave makes room for another turn.
func (t *Turn) Leave() {
	own := time.Since(t.entered) - t.modelTime - t.twinTime - t.waited
	if t.stateFailed || t.fault == model.FaultCancelled {
		own = -1
	}
	t.chat.inFlight.Add(-1)
	t.chat.Limiter.Leave(own)
}

// priority is how late the turn is turned away.
func (t *Turn) priority() admission.Priority {
	switch {
	case t.chat.Intents.Human(t.raw.Said):
		return admission.Person
	case t.dialogID != "" && !t.newDialog:
		return admission.UnderWay
	}
	return admission.New
}

// Refuse turns a new dialog away where Enter would do so at once. The error is ErrShed,
// to be told after hold, or nil.
func (c *Chat) Refuse(caller uint64, text string) (hold time.Duration, err error) {
	if c.Intents.Human(dialog.ReadWords(text).Said) {
		return 0, nil
	}
	hold, refused := c.Limiter.Refuse(caller)
	if refused {
		return hold, ErrShed
	}
	return 0, nil
}
