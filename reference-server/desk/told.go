package desk

import (
	"context"
	"time"
)

const socketSeen = 256 // tickets an agent is not told of twice, and as many that it holds

// told is a ticket that an agent knows of.
type told struct {
	dialog string
	asked  time.Time
}

// toldList are the latest of them, by id.
type toldList struct {
	of    map[string]told
	order []string // ids, oldest first; some may be gone
}

func newToldList() toldList { return toldList{of: map[string]told{}} }

// put adds a ticket that is not there.
func (l *toldList) put(id string, t told) {
	if len(l.order) == socketSeen {
		delete(l.of, l.order[0])
		l.order = append(l.order[:0], l.order[1:]...)
	}
	l.of[id] = t
	l.order = append(l.order, id)
}

// drop takes out a ticket.
func (l *toldList) drop(id string) {
	if _, there := l.of[id]; !there {
		return
	}
	delete(l.of, id)
	for i, known := range l.order {
		if known == id {
			l.order = append(l.order[:i], l.order[i+1:]...)
			return
		}
	}
}

// markTold notes that the agent is told of a ticket, and says whether it was not
// told before; again lets it be told once more.
func (s *socket) markTold(t Ticket, again bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, known := s.seen.of[t.ID]; known {
		return again
	}
	s.seen.put(t.ID, told{t.DialogID, t.asked()})
	return true
}

// hold notes that the agent has claimed a ticket.
func (s *socket) hold(ctx context.Context, id string) {
	s.mu.Lock()
	t, known := s.seen.of[id]
	s.mu.Unlock()
	if !known { // it was told of it long ago, or somewhere else
		stored, ok, err := s.desk.tickets.get(ctx, id)
		if err != nil || !ok {
			return
		}
		t = told{stored.DialogID, stored.asked()}
	}
	s.mu.Lock()
	if _, held := s.held.of[id]; !held {
		s.held.put(id, t)
	}
	s.mu.Unlock()
	s.checkGone(Ticket{ID: id, DialogID: t.dialog})
}

// letGo notes that the agent has a ticket no longer.
func (s *socket) letGo(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held.drop(id)
}

// retract tells the agent of the tickets it knows that are gone.
func (s *socket) retract(gone func(told) bool) {
	var ids []string
	s.mu.Lock()
	for _, l := range []*toldList{&s.held, &s.seen} {
		for id, t := range l.of {
			if gone(t) {
				ids = append(ids, id)
			}
		}
	}
	tell := ids[:0]
	for _, id := range ids {
		_, held := s.held.of[id]
		_, seen := s.seen.of[id]
		if s.held.drop(id); held || seen { // told of once
			s.seen.drop(id)
			tell = append(tell, id)
		}
	}
	s.mu.Unlock()
	for _, id := range tell {
		s.offer("gone", goneMessage(id))
	}
}

// checkGone follows telling an agent of a ticket: its dialog may have been erased in
// between, and gone said too early. Said twice, it means the same.
func (s *socket) checkGone(t Ticket) {
	if !s.desk.dialogs.Gone(t.DialogID) {
		return
	}
	s.mu.Lock()
	s.held.drop(t.ID)
	s.seen.drop(t.ID)
	s.mu.Unlock()
	s.offer("gone", goneMessage(t.ID))
}
