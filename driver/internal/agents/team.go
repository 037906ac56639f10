// Package agents are the people behind a chat system of mode agents: their
// sockets, the tickets that are pushed to them, and what they do with those.
package agents

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
)

// Team are the agents of one target: one socket each, open all along, and the tickets that are pushed to them. One goroutine
// reads a socket, one writes it; turns wait for what the readers note.
type Team struct {
	target *wire.Target
	config Config
	places jsonscan.Places // in what the server says
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu      sync.Mutex
	over    bool
	all     []*agent // nil before the first turn
	fresh   int      // whose first attempt is not over
	live    int
	changed chan struct{} // closed at the next change of an agent's state
	tickets map[string]*handoff
	early   early
}

// agent is one of them. session, trying and fault are guarded by Team.mu.
type agent struct {
	Member
	session *session   // nil unless it is open
	trying  bool       // its first attempt is not over, or that after it was open
	fault   wire.Fault // why it is not open
}

const (
	redialFirst = 50 * time.Millisecond
	redialMost  = 2 * time.Second
)

// Config says who the agents are and what they do.
type Config struct {
	Members []Member
	Queues  []string // whose tickets they are shown
	Reply   string   // what the agent who wins a ticket answers
	Notes   bool     // what is said of a ticket is kept, for a person to see
}

// Member is an agent.
type Member struct {
	Name string
	Path string // of the socket, query and all
	// Header gives the fields of the upgrade, credentials and all; one call at a time.
	Header func() (http.Header, error)
}

// New gives agents of t. It opens no socket.
func New(t *wire.Target, config Config) *Team {
	g := &Team{target: t, config: config, places: places(), changed: make(chan struct{}), tickets: map[string]*handoff{}}
	g.early.byID = map[string]*sighting{}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

// State is what agents are busy with.
type State struct {
	Open    int // sockets
	Waiting int // turns that wait for their tickets, or for an agent to deal with them
	Early   int // pushes kept that no turn waits for
}

// State tells how it is now.
func (g *Team) State() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return State{Open: g.live, Waiting: len(g.tickets), Early: len(g.early.queue)}
}

// Interrupt ends every wait, those to come as well, and every socket.
func (g *Team) Interrupt() { g.cancel() }

// Close ends everything, and returns when all sockets are closed.
func (g *Team) Close() {
	g.cancel()
	g.mu.Lock()
	g.over = true
	g.mu.Unlock()
	g.wg.Wait()
}

// start begins to open the sockets unless that was done. g.mu must be held.
func (g *Team) start() {
	if g.all != nil || g.over {
		return
	}
	for _, m := range g.config.Members {
		a := &agent{Member: m, trying: true}
		g.all = append(g.all, a)
		g.fresh++
		g.wg.Go(func() { g.run(a) })
	}
}

// run keeps the agent's socket open, one attempt at a time.
func (g *Team) run(a *agent) {
	wait, failures, first := time.Duration(0), 0, true
	for g.pause(wait) {
		s, f := g.connect(a)
		lived := time.Duration(0)
		g.set(func() {
			if first {
				first = false
				g.fresh--
			}
			if !f.Bad() {
				a.session = s
				g.live++
			} else {
				a.fault = f
			}
			a.trying = false
		})
		if !f.Bad() {
			opened := g.target.Now()
			f = s.serve()
			lived = g.target.Now() - opened
			g.set(func() {
				a.session, a.fault, a.trying = nil, f, true
				g.live--
				g.fail(s, f)
			})
			s.end()
		}
		if failures++; lived > redialMost {
			failures = 0
		}
		most := min(redialFirst<<min(failures, 6), redialMost)
		wait = most/2 + rand.N(most/2) // jitter: agents of all processes lose their sockets at once
	}
}

// set changes an agent's state and tells those who wait for that.
func (g *Team) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
	close(g.changed)
	g.changed = make(chan struct{})
}

// pause gives false when everything is over.
func (g *Team) pause(wait time.Duration) bool {
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-g.ctx.Done():
		}
	}
	return g.ctx.Err() == nil
}

// Ready waits until an agent's socket is open, for the first turns until it is
// known of every one whether it can be.
func (g *Team) Ready(until time.Duration) wire.Fault {
	for {
		if g.ctx.Err() != nil {
			return wire.Interruption()
		}
		g.mu.Lock()
		g.start()
		settled, open, changed := g.fresh == 0, g.live > 0, g.changed
		if settled && !open {
			if _, trying, f := g.sockets(); trying == 0 {
				g.mu.Unlock()
				return f
			}
		}
		g.mu.Unlock()
		if settled && open {
			return wire.Fault{}
		}
		if late := g.wait(changed, until); late.Bad() {
			return late
		}
	}
}

// sockets counts those that are open and those of which it is not known yet
// whether they can be; f is why one is not open. g.mu must be held.
func (g *Team) sockets() (open, trying int, f wire.Fault) {
	for _, a := range g.all {
		switch {
		case a.session != nil:
			open++
			continue
		case a.trying:
			trying++
		}
		if a.fault.Bad() {
			f = a.fault
		}
	}
	return open, trying, f
}

// wait waits for c, the deadline (TimedOut) or the end.
func (g *Team) wait(c <-chan struct{}, until time.Duration) wire.Fault {
	timer := time.NewTimer(until - g.target.Now())
	defer timer.Stop()
	select {
	case <-c:
		return wire.Fault{}
	case <-g.ctx.Done():
		return wire.Interruption()
	case <-timer.C:
		return wire.NewFault(wire.TimedOut, "no agent's socket was open within the timeout")
	}
}

// Prepare opens all sockets.
func (g *Team) Prepare() error {
	for {
		g.mu.Lock()
		g.start()
		open, trying, f := g.sockets()
		settled, changed := g.fresh == 0, g.changed
		g.mu.Unlock()
		if settled || g.ctx.Err() != nil {
			if open+trying < len(g.config.Members) {
				return fmt.Errorf("%d of %d agents: %s", len(g.config.Members)-open, len(g.config.Members), f.Message)
			}
			return nil
		}
		select {
		case <-changed:
		case <-g.ctx.Done():
		}
	}
}
