package chat

import (
	"context"
	"errors"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	twinPoll    = 20 * time.Millisecond
	twinLongest = time.Second // for a twin, without a deadline

	maxOvertaken = 5 // times a turn is put behind others
)

// begin finds or makes the dialog. Errors are of type Error; a Redis that does not
// answer is none where tiers are on: the turn goes on without state.
func (t *Turn) begin(ctx context.Context) error {
	if err := t.enter(ctx); err != nil || t.replay != nil {
		return err
	}
	if t.chat.Dialogs.Gone(t.dialogID) {
		return ErrNotFound
	}
	if t.dialogID != "" && t.set.Tiers && t.at().Shown() == degrade.Static {
		t.ans.contextStatus = "unavailable"
		return nil
	}
	if t.dialogID == "" {
		t.hold = t.chat.Dialogs.Fresh(t.chat.IDs.Mint(dialog.IDDialog, t.who))
		t.ans.contextStatus = "new"
		return nil
	}
	start := time.Now()
	exclusive := t.set.ChatConcurrentTurns == concurrentRefuse
	h, replay, err := t.chat.Dialogs.Begin(ctx, t.dialogID, t.turnID, t.hash, exclusive, t.set.HistoryHard.D())
	if errors.Is(err, dialog.ErrBusy) && !t.ownTurnID {
		from := time.Now()
		h, replay, err = t.awaitTwin(ctx, exclusive)
		t.twinTime += time.Since(from)
	}
	t.redisTime += time.Since(start)
	switch {
	case errors.Is(err, dialog.ErrBusy):
		return ErrBusy
	case errors.Is(err, dialog.ErrReused):
		return ErrReused
	case errors.Is(err, dialog.ErrErased):
		return ErrNotFound
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		t.stateFailed = true
		return ErrGone
	case errors.Is(err, dialog.ErrCrowded):
		return ErrShed
	case err != nil && !t.set.Tiers:
		t.stateFailed = true
		return ErrState
	case err != nil:
		t.stateFailed = true
		t.ans.contextStatus = "unavailable"
		return nil //nolint:nilerr // the answer says so, and goes on without the dialog
	case replay != nil:
		t.replay = replay
		return nil
	}
	t.hold = h
	return t.opened()
}

// opened says what was found of the dialog.
func (t *Turn) opened() error {
	h := t.hold
	if n := h.Skipped(); n > 0 {
		t.chat.metrics.corrupt.Add(float64(n))
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
	case t.derived:
		return ErrReused // of a turn so long ago that its answer is not kept
	}
	return nil
}

// enter waits until the same turn, sent before, is through here, and looks for the
// answer that it was given. In Redis the lease and the list tell the same; this also
// holds without.
func (t *Turn) enter(ctx context.Context) (err error) {
	if t.ownTurnID || t.dialogID == "" {
		return nil
	}
	start := time.Now()
	t.alone, err = t.chat.twins.enter(ctx, t.dialogID+t.turnID, t.twinWait())
	t.twinTime = time.Since(start)
	switch {
	case errors.Is(err, errTwin):
		return ErrBusy
	case err != nil:
		return ErrGone
	}
	t.replay, err = t.chat.Dialogs.Recall(t.dialogID, t.turnID, t.hash)
	if errors.Is(err, dialog.ErrReused) {
		return ErrReused
	}
	if t.replay != nil && !t.at().Away {
		// Another server may have erased the dialog since; without Redis the answer stands.
		start := time.Now()
		erased, err := t.chat.Dialogs.Erased(ctx, t.dialogID)
		t.redisTime += time.Since(start)
		if err == nil && erased {
			t.replay = nil
			return ErrNotFound
		}
	}
	return nil
}

// awaitTwin waits while the turn in progress is this very one, sent twice.
func (t *Turn) awaitTwin(ctx context.Context, exclusive bool) (*dialog.Hold, []byte, error) {
	until := time.NewTimer(t.twinWait())
	defer until.Stop()
	for {
		if id, err := t.chat.Dialogs.Holder(ctx, t.dialogID); err != nil || id != "" && id != t.turnID {
			return nil, nil, dialog.ErrBusy
		}
		select {
		case <-until.C:
			return nil, nil, dialog.ErrBusy
		case <-ctx.Done():
			return nil, nil, dialog.ErrBusy
		case <-time.After(twinPoll):
		}
		h, replay, err := t.chat.Dialogs.Begin(ctx, t.dialogID, t.turnID, t.hash, exclusive, t.set.HistoryHard.D())
		if !errors.Is(err, dialog.ErrBusy) {
			return h, replay, err
		}
	}
}

// twinWait is how long a turn waits for its twin: as long as it may take itself.
func (t *Turn) twinWait() time.Duration {
	if t.set.ChatDeadline > 0 {
		return time.Until(t.start.Add(t.set.ChatDeadline.D()))
	}
	return twinLongest
}

// commit stores the turn and renders the response.
func (t *Turn) commit(ctx context.Context) ([]byte, error) {
	t.ans.turnID, t.ans.traceID = t.turnID, t.tr.ID
	t.ans.text, t.ans.piiOut = t.chat.Screen.Answer(t.tr.ID, t.ans.text)
	if t.hold == nil {
		t.ans.dialogID = t.dialogID
		t.ans.costMS = t.cost()
		return t.ans.appendJSON(nil), nil
	}
	start := time.Now()
	ctx = context.WithoutCancel(ctx)
	r := t.record()
	err := t.chat.Dialogs.Commit(ctx, t.hold, r, t.kept())
	for try := 0; errors.Is(err, dialog.ErrConflict) && !t.hold.Leased() && try < maxOvertaken; try++ {
		// Turns at once are allowed: this one was overtaken and comes next.
		h, _, again := t.chat.Dialogs.Begin(ctx, t.hold.ID(), t.turnID, t.hash, false, t.set.HistoryHard.D())
		if errors.Is(again, dialog.ErrErased) {
			err = again
		}
		if again != nil || h == nil {
			break
		}
		t.hold = h
		r = t.record()
		err = t.chat.Dialogs.Commit(ctx, t.hold, r, t.kept())
	}
	body := r.Response
	if errors.Is(err, dialog.ErrState) && t.set.Tiers && time.Since(t.start)+t.set.RedisTimeout.D() < t.set.ChatDeadline.D() {
		// Made twice, a commit appends once.
		err = t.chat.Dialogs.Commit(ctx, t.hold, r, t.kept())
	}
	t.redisTime += time.Since(start)
	t.stateFailed = t.stateFailed || errors.Is(err, dialog.ErrState)
	if errors.Is(err, dialog.ErrConflict) && t.hold.Leased() {
		return nil, ErrBusy
	}
	if errors.Is(err, dialog.ErrErased) {
		if t.withdraw != nil {
			t.withdraw()
			t.announce = nil
		}
		return nil, ErrNotFound
	}
	if err != nil {
		t.ans.persisted = false
		if errors.Is(err, dialog.ErrState) && t.ans.contextStatus == "new" {
			t.ans.contextStatus = "unavailable" // nothing says that this dialog has begun
		}
		body = t.ans.appendJSON(make([]byte, 0, len(body)+1))
		if errors.Is(err, dialog.ErrState) {
			r.Response = body // what is stored is what was sent
			t.chat.Dialogs.Finish(t.hold, r, t.kept())
		} else {
			t.chat.Dialogs.Release(t.hold)
		}
	}
	return body, nil
}

// record renders the answer and is what commit stores of the turn.
func (t *Turn) record() *dialog.Record {
	t.ans.dialogID, t.ans.seq, t.ans.epoch, t.ans.persisted = t.hold.ID(), t.hold.Seq(), t.hold.Epoch(), true
	t.ans.costMS, t.ans.notes = t.cost(), untold(t.hold.Turns())
	return t.hold.Record(t.turnID, t.hash, t.words.Marked, t.ans.degraded, t.ans.appendJSON(make([]byte, 0, 512+len(t.ans.text))))
}

func (t *Turn) kept() dialog.Kept {
	return dialog.Kept{Messages: int(t.set.HistoryMessages), Bytes: int(t.set.HistoryBytes), TTL: t.set.HistoryTTL.D(), Hard: t.set.HistoryHard.D()}
}

// untold are the notes of a dialog that no answer has told of: one that came while a
// turn was under way is told with the next.
func untold(turns []dialog.Record) []dialog.Note {
	var list []dialog.Note
	for i := range turns {
		for _, n := range turns[i].Notes {
			if !told(turns[i+1:], n.ID()) {
				list = append(list, n)
			}
		}
	}
	return list
}

func told(turns []dialog.Record, id string) bool {
	for i := range turns {
		for _, n := range gjson.GetBytes(turns[i].Response, "notes").Array() {
			if n.Get("turn_id").Str == id || n.Get("ticket_id").Str == id {
				return true
			}
		}
	}
	return false
}
