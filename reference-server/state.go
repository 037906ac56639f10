package refserver

import (
	"context"
	"errors"
	"time"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	twinPoll    = 20 * time.Millisecond
	twinLongest = time.Second // for a twin, without a deadline

	maxOvertaken = 5 // times a turn is put behind others
)

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
		return nil //nolint:nilerr // the answer says so, and goes on without the dialog
	case replay != nil:
		t.replay = replay
		return nil
	}
	t.hold = h
	if n := h.Skipped(); n > 0 {
		t.srv.metrics.corrupt.Add(float64(n))
	}
	if t.newDialog {
		h.Start()
	}
	t.ans.contextStatus = "ok"
	switch {
	case h.Fresh():
		t.ans.contextStatus = "new"
	case h.Lost():
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
	for try := 0; errors.Is(err, dialog.ErrConflict) && !t.hold.Leased() && try < maxOvertaken; try++ {
		// Turns at once are allowed: this one was overtaken and comes next.
		h, _, again := t.srv.store.Begin(ctx, t.hold.ID(), t.req.turnID, t.hash, false, t.set.historyHard.D())
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
	if errors.Is(err, dialog.ErrConflict) && t.hold.Leased() {
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
	t.ans.dialogID, t.ans.seq, t.ans.epoch, t.ans.persisted = t.hold.ID(), t.hold.Seq(), t.hold.Epoch(), true
	t.ans.costMS = t.cost()
	return t.hold.Record(t.req.turnID, t.hash, t.text, t.ans.degraded, t.ans.appendJSON(make([]byte, 0, 512+len(t.ans.text))))
}

func (t *turn) kept() dialog.Kept {
	return dialog.Kept{Messages: int(t.set.historyMessages), Bytes: int(t.set.historyBytes), TTL: t.set.historyTTL.D(), Hard: t.set.historyHard.D()}
}
