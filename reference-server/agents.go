package refserver

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
)

// agents is the people's side of this server: the sockets that are open here,
// and the bus to the other servers. A ticket goes to every agent of its tenant
// who subscribed to its queue. Safe for concurrent use.
type agents struct {
	srv *Server
	bus *bus

	mu       sync.RWMutex
	sockets  map[string]map[*agentSocket]struct{} // by tenant
	draining bool
	open     atomic.Int64
	running  sync.WaitGroup
}

func newAgents(s *Server) *agents {
	a := &agents{srv: s, sockets: map[string]map[*agentSocket]struct{}{}}
	a.bus = newBus(s.store, s.embedded == nil, a)
	return a
}

// announce tells of a new ticket: the agents here at once, those of other
// servers over Redis, once it is stored there.
func (a *agents) announce(t ticket, stored bool) {
	a.deliver(t, false)
	if stored {
		a.bus.send(t, false)
	}
}

// moved tells of a ticket that went from the journal to Redis: agents of other
// servers hear of it for the first time, and what was replied to it meanwhile
// goes into its dialog.
func (a *agents) moved(t ticket) {
	switch t.State {
	case ticketOpen:
		a.bus.send(t, false)
	case ticketClosed:
		ctx, cancel := context.WithTimeout(context.Background(), deskTimeout)
		defer cancel()
		a.append(ctx, t.DialogID, dialog.Note{Ticket: t.ID, Agent: t.Agent, Text: t.Reply}, time.Time{})
	}
}

// append puts a reply into its dialog. The ticket shows the reply whatever
// becomes of that.
func (a *agents) append(ctx context.Context, dialogID string, n dialog.Note, asked time.Time) {
	if dialogID == "" {
		return
	}
	if err := a.srv.store.AddNote(ctx, dialogID, n, asked); err != nil {
		a.srv.log.Warn("a reply is missing in its dialog", "ticket", n.Ticket, "err", err)
	}
}

// deliver pushes a ticket to the agents here; again also to those who had it
// before. It never waits: who cannot keep up is closed.
func (a *agents) deliver(t ticket, again bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var message []byte
	for s := range a.sockets[t.Tenant] {
		if !s.wants(t.Queue) || !s.first(t.ID, again) {
			continue
		}
		if message == nil {
			message = ticketMessage(t)
		}
		s.offer(message)
	}
	if message != nil {
		a.srv.metrics.wsPushDelay.Observe(time.Since(t.asked()).Seconds())
	}
}

// join counts a socket in; false means that the server is going down.
func (a *agents) join(s *agentSocket) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.draining {
		return false
	}
	tenant := s.who.Tenant
	if a.sockets[tenant] == nil {
		a.sockets[tenant] = map[*agentSocket]struct{}{}
	}
	a.sockets[tenant][s] = struct{}{}
	return true
}

// reserve makes room for one more socket. After nil, running must be told when
// it is done.
func (a *agents) reserve(limit int64) *problem {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.draining:
		return problemDraining
	case a.open.Load() >= limit:
		return problemSockets
	}
	a.open.Add(1)
	a.running.Add(1)
	return nil
}

// giveBack is for room that was not used.
func (a *agents) giveBack() {
	a.open.Add(-1)
	a.running.Done()
}

func (a *agents) leave(s *agentSocket) {
	a.mu.Lock()
	defer a.mu.Unlock()
	tenant := s.who.Tenant
	delete(a.sockets[tenant], s)
	if len(a.sockets[tenant]) == 0 {
		delete(a.sockets, tenant)
	}
}

func (a *agents) all() []*agentSocket {
	a.mu.RLock()
	defer a.mu.RUnlock()
	var list []*agentSocket
	for _, of := range a.sockets {
		for s := range of {
			list = append(list, s)
		}
	}
	return list
}

// drain closes every socket with 1001 and waits for them until ctx ends; then
// the rest is cut off.
func (a *agents) drain(ctx context.Context) {
	a.mu.Lock()
	a.draining = true
	a.mu.Unlock()
	for _, s := range a.all() {
		s.end(closeGoingAway, "the server is going down")
	}
	ended := make(chan struct{})
	go func() {
		a.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, s := range a.all() {
		s.cut()
	}
	<-ended
}

// resync pushes what waits to every socket here that has not had it: messages
// between servers are lost while Redis is away. Agents of one tenant with the
// same queues cost one look.
func (a *agents) resync(ctx context.Context) {
	looked := map[string][]ticket{}
	for _, s := range a.all() {
		queues := s.subscribed()
		key := s.who.Tenant + "\x00" + strings.Join(queues, ",")
		list, ok := looked[key]
		if !ok {
			ctx, cancel := context.WithTimeout(ctx, deskTimeout)
			list = a.srv.tickets.waitingIn(ctx, s.who.Tenant, queues)
			cancel()
			looked[key] = list
		}
		for _, t := range list {
			if s.wants(t.Queue) && s.first(t.ID, false) {
				s.offer(ticketMessage(t))
			}
		}
	}
}

// sweepEvery is how often claims that ran out are looked for, at least.
const sweepEvery = 5 * time.Second

// sweep gives tickets back to their queues whose agents claimed and did not
// reply, until ctx ends: within a quarter of the time they had.
func (a *agents) sweep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(max(a.srv.set.Load().agentHold.D()/4, 10*time.Millisecond), sweepEvery)):
		}
		for _, t := range a.srv.tickets.release(ctx) {
			a.srv.metrics.wsReleased.Inc()
			a.deliver(t, true)
			a.bus.send(t, true)
		}
	}
}

// queuesOf resolves what a client may name as queues; ok is false for a name
// that is none.
func queuesOf(names []string) (queues []string, ok bool) {
	if slices.Contains(names, "*") {
		return queueNames(), true
	}
	for _, n := range names {
		if !slices.Contains(queueNames(), n) {
			return nil, false
		}
		if !slices.Contains(queues, n) {
			queues = append(queues, n)
		}
	}
	return queues, true
}
