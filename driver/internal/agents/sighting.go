package agents

import "time"

const (
	// earlyFor is how long a push that no turn waits for is kept: it may come
	// before the answer that names its ticket. Most are for other processes' turns.
	earlyFor  = 10 * time.Second
	earlyMost = 8192
)

// sighting is who was shown a ticket, and when the first was.
type sighting struct {
	id    string
	at    time.Duration
	by    [2]*session
	shown int
	notes []byte // for one who watches
}

// add notes that s was shown the ticket.
func (g *sighting) add(s *session, at time.Duration) {
	if g.shown == 0 || at < g.at {
		g.at = at
	}
	if g.shown == len(g.by) || g.shown == 1 && g.by[0] == s {
		return
	}
	g.by[g.shown] = s
	g.shown++
}

// early are the sightings of tickets that no turn waits for, oldest first.
type early struct {
	byID  map[string]*sighting
	queue []*sighting
}

func (e *early) add(id string, at time.Duration) *sighting {
	for len(e.queue) > 0 && (e.queue[0].at < at-earlyFor || len(e.queue) >= earlyMost) {
		if old := e.queue[0]; e.byID[old.id] == old {
			delete(e.byID, old.id)
		}
		e.queue[0] = nil
		e.queue = e.queue[1:]
	}
	s := &sighting{id: id, at: at}
	e.byID[id] = s
	e.queue = append(e.queue, s)
	return s
}
