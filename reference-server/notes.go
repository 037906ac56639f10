package refserver

import (
	"context"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

// note is what a person replied to a ticket: an element of its own in the list
// of the dialog, said after the turn before it.
type note struct {
	ticket string
	agent  string
	text   string // masked
}

func (n note) appendJSON(b []byte) []byte {
	return wire.JSON(b).Object("").String("n", n.ticket).String("a", n.agent).String("m", n.text).EndObject()
}

// parseNote reads a list element; ok is false for anything that is no note.
func parseNote(s string) (n note, ok bool) {
	if len(s) > maxRecord || !gjson.Valid(s) {
		return n, false
	}
	doc := gjson.Parse(s)
	n = note{ticket: doc.Get("n").Str, agent: doc.Get("a").Str, text: doc.Get("m").Str}
	return n, doc.IsObject() && wellFormedID(n.ticket) && n.text != ""
}

// attach adds a note to the latest turn. A note without a turn before it was
// left by a trim that took its turn; the second of one ticket was appended
// again after its answer got lost. Neither has an effect.
func (f *fold) attach(n note) {
	if len(f.turns) == 0 {
		return
	}
	for i := range f.turns {
		for _, known := range f.turns[i].notes {
			if known.ticket == n.ticket {
				return
			}
		}
	}
	last := &f.turns[len(f.turns)-1]
	last.notes = append(last.notes, n)
}

const (
	notePause = 20 * time.Millisecond
	noteWait  = 2 * time.Second // for the ticket's own turn to be committed
)

// addNote appends a reply to its dialog, behind the turn that asked, for which
// it waits if that was begun only a moment ago. A dialog that is gone stays
// gone.
func (s *store) addNote(ctx context.Context, dialogID string, n note, asked time.Time) error {
	item := string(n.appendJSON(nil))
	for {
		turns, err := s.history(ctx, dialogID)
		if err == nil && (asksFor(turns, n.ticket) || s.now().Sub(asked) > noteWait) {
			if err = s.rdb.RPushX(ctx, listKey(dialogID), item).Err(); err == nil {
				return nil
			}
			err = fmt.Errorf("%w: %w", errState, err)
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("%w: the turn of ticket %s was not committed", errState, n.ticket)
			}
			return err
		case <-time.After(notePause):
		}
	}
}

// asksFor says whether one of the turns opened this ticket.
func asksFor(turns []record, ticket string) bool {
	for i := range turns {
		if gjson.GetBytes(turns[i].response, "ticket.id").Str == ticket {
			return true
		}
	}
	return false
}
