package dialog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/wire"
)

// Note is what was said to a question later, and not in its turn: what a person
// replied to a ticket, or the better answer that the model gave when it was well
// again. It is an element of its own in the list of the dialog, said after the turn
// before it.
type Note struct {
	Ticket string // that a person replied to; empty: the model answered
	Agent  string
	Turn   string // turn_id of the question that the model answered; empty: a person did
	Text   string // masked
}

// ID is the ticket or the turn that the note is about.
func (n Note) ID() string { return cmp.Or(n.Ticket, n.Turn) }

// Said is the note as prompts carry it.
func (n Note) Said() string { return withoutMarks(n.Text) }

func (n Note) appendJSON(b []byte) []byte {
	return wire.JSON(b).Object("").String("n", n.Ticket).String("a", n.Agent).StringIf("q", n.Turn).String("m", n.Text).EndObject()
}

// parseNote reads a list element; ok is false for anything that is no note.
func parseNote(s string) (n Note, ok bool) {
	if len(s) > MaxRecord || !gjson.Valid(s) {
		return n, false
	}
	doc := gjson.Parse(s)
	n = Note{Ticket: doc.Get("n").Str, Agent: doc.Get("a").Str, Turn: doc.Get("q").Str, Text: doc.Get("m").Str}
	return n, doc.IsObject() && (IsID(n.Ticket) && n.Turn == "" || n.Ticket == "" && IsTurnID(n.Turn)) && n.Text != ""
}

// attach adds a note to the latest turn. A note without a turn before it was
// left by a trim that took its turn; the second about one ticket or turn was
// appended again after its answer got lost. Neither has an effect.
func (f *fold) attach(n Note) {
	if len(f.turns) == 0 || f.noted(n.ID()) {
		return
	}
	last := &f.turns[len(f.turns)-1]
	last.Notes = append(last.Notes, n)
}

// noted says whether there is a note about this ticket or turn.
func (f *fold) noted(id string) bool {
	for i := range f.turns {
		for _, known := range f.turns[i].Notes {
			if known.ID() == id {
				return true
			}
		}
	}
	return false
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
		turns, err := s.turns(ctx, dialogID)
		if errors.Is(err, ErrErased) {
			return nil
		}
		if err == nil && (asksFor(turns, n.Ticket) || s.now().Sub(asked) > noteWait) {
			if err = s.redis.RPushX(ctx, ListKey(dialogID), item).Err(); err == nil || wrongType(err) {
				return nil // no list: it was erased a moment ago
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

const answerTries = 5 // at a list that changes meanwhile

// AddAnswer appends a note about a turn, once, to its dialog; added is false where
// that is gone. wanted is asked whether the note is still to be added: whoever erases
// makes it say no before the dialog goes, so that nothing is added to the next life of
// it.
func (s *Store) AddAnswer(ctx context.Context, dialogID string, n Note, wanted func(context.Context) (bool, error)) (added bool, err error) {
	key, item := ListKey(dialogID), string(n.appendJSON(nil))
	known, _ := s.tails.get(dialogID)
	for range answerTries {
		err = s.redis.Watch(ctx, func(tx *redis.Tx) error {
			added = false
			list, err := tx.LRange(ctx, key, 0, -1).Result()
			if wrongType(err) {
				return nil // it was erased
			}
			if err != nil {
				return err
			}
			f := foldRecords(list)
			known.whole(&f)
			if added = !f.lost && len(f.turns) > 0; !added || f.noted(n.ID()) {
				return nil
			}
			if added, err = wanted(ctx); err != nil || !added {
				return err
			}
			_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.RPush(ctx, key, item).Err() })
			return err
		}, key)
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	if err != nil {
		return false, stateError(err)
	}
	return added, nil
}
