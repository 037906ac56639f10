package dialog

import (
	"context"
	"fmt"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

// Note is what a person replied to a ticket: an element of its own in the list
// of the dialog, said after the turn before it.
type Note struct {
	Ticket string
	Agent  string
	Text   string // masked
}

func (n Note) appendJSON(b []byte) []byte {
	return wire.JSON(b).Object("").String("n", n.Ticket).String("a", n.Agent).String("m", n.Text).EndObject()
}

// parseNote reads a list element; ok is false for anything that is no note.
func parseNote(s string) (n Note, ok bool) {
	if len(s) > MaxRecord || !gjson.Valid(s) {
		return n, false
	}
	doc := gjson.Parse(s)
	n = Note{Ticket: doc.Get("n").Str, Agent: doc.Get("a").Str, Text: doc.Get("m").Str}
	return n, doc.IsObject() && IsID(n.Ticket) && n.Text != ""
}

// attach adds a note to the latest turn. A note without a turn before it was
// left by a trim that took its turn; the second of one ticket was appended
// again after its answer got lost. Neither has an effect.
func (f *fold) attach(n Note) {
	if len(f.turns) == 0 {
		return
	}
	for i := range f.turns {
		for _, known := range f.turns[i].Notes {
			if known.Ticket == n.Ticket {
				return
			}
		}
	}
	last := &f.turns[len(f.turns)-1]
	last.Notes = append(last.Notes, n)
}

const (
	notePause = 20 * time.Millisecond
	noteWait  = 2 * time.Second // for the ticket's own turn to be committed
)

// AddNote appends a reply to its dialog, behind the turn that asked, for which
// it waits if that was begun only a moment ago. A dialog that is gone stays
// gone.
func (s *Store) AddNote(ctx context.Context, dialogID string, n Note, asked time.Time) error {
	item := string(n.appendJSON(nil))
	for {
		turns, err := s.History(ctx, dialogID)
		if err == nil && (asksFor(turns, n.Ticket) || s.now().Sub(asked) > noteWait) {
			if err = s.redis.RPushX(ctx, ListKey(dialogID), item).Err(); err == nil {
				return nil
			}
			err = fmt.Errorf("%w: %w", ErrState, err)
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("%w: the turn of ticket %s was not committed", ErrState, n.Ticket)
			}
			return err
		case <-time.After(notePause):
		}
	}
}

// asksFor says whether one of the turns opened this ticket.
func asksFor(turns []Record, ticket string) bool {
	for i := range turns {
		if gjson.GetBytes(turns[i].Response, "ticket.id").Str == ticket {
			return true
		}
	}
	return false
}
