package output

import (
	"context"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/result"
)

// Relay tells another process of the turns of this one, over the same bounded queues:
// each selection by itself, so that what is dropped of each is known.
type Relay struct {
	set   *Set
	kinds []measure.Selection
}

// NewRelay passes turns on to send, in the form of measure.DecodeTurns; with no
// selection it passes nothing.
func NewRelay(kinds []measure.Selection, send func(which measure.Selection, turns []byte) error) *Relay {
	r := &Relay{kinds: kinds}
	var feeds []Feed
	for _, which := range kinds {
		feeds = append(feeds, Feed{Turns: which, Sink: &wire{which: which, send: send}})
	}
	r.set = Open(&About{Plan: &measure.Plan{}}, feeds)
	return r
}

// Lane is Set.Lane.
func (r *Relay) Lane(inner load.Lane) load.Lane { return r.set.Lane(inner) }

// End passes on what still waits, and gives how many of each selection were dropped.
func (r *Relay) End() map[measure.Selection]int64 {
	lost := map[measure.Selection]int64{}
	for i, told := range r.set.Flush() {
		if told.TurnsDropped > 0 {
			lost[r.kinds[i]] = told.TurnsDropped
		}
	}
	return lost
}

// wire is the sink of one selection.
type wire struct {
	which measure.Selection
	send  func(measure.Selection, []byte) error
	bytes []byte
}

// gatherFor is how long turns are waited for before they are passed on together: a
// message for each would cost more than they do.
const gatherFor = 5 * time.Millisecond

// Turns passes turns on, and lets others come together.
func (w *wire) Turns(ctx context.Context, turns []Turn) error {
	w.bytes = w.bytes[:0]
	for i := range turns {
		w.bytes = measure.AppendTurn(w.bytes, &turns[i].Turn)
	}
	if err := w.send(w.which, w.bytes); err != nil {
		return err
	}
	pause := time.NewTimer(gatherFor)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-ctx.Done():
	}
	return nil
}

// Take tells of no second.
func (w *wire) Take(context.Context, *Second) error { return nil }

// End has nothing to tell.
func (w *wire) End(context.Context, *result.Document) error { return nil }
