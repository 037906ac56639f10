package desk

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/ws"
)

// Why an agent's socket is not opened.
var (
	ErrDraining = errors.New("the server is going down")
	ErrFull     = errors.New("too many agents are connected here")
)

// Options are what a desk works with.
type Options struct {
	Redis   redis.UniversalClient
	Dialogs *dialog.Store
	IDs     *dialog.Minter
	Shared  bool // other servers may use the same Redis
	Metrics *Metrics
	Log     *slog.Logger
	Live    func() Live                                    // may change while the server runs
	Clean   func(traceID, text string) string              // takes out of a reply what may not leave
	Observe func(op string, took time.Duration, err error) // hears of every operation on Redis; nil: nobody
}

// Live are settings that may change while the server runs. An open socket keeps
// those it began with.
type Live struct {
	Hold  time.Duration // of a claim without a reply
	Ping  time.Duration // between two pings to an agent
	Pong  time.Duration // to answer one
	Queue int           // messages that wait for one agent before it is closed as too slow
	Log   bool          // a line for each socket that ended

	PerHour int           // tickets that the people of a tenant close
	MaxWait time.Duration // above it the desk is full; 0: never
}

// Desk is the people's side of this server: the tickets, the sockets that are
// open here, and the bus to the other servers. A ticket goes to every agent of
// its tenant who subscribed to its queue. Safe for concurrent use.
type Desk struct {
	tickets *tickets
	dialogs *dialog.Store
	bus     *bus
	metrics *Metrics
	log     *slog.Logger
	live    func() Live
	clean   func(traceID, text string) string

	mu       sync.RWMutex
	sockets  map[string]map[*socket]struct{} // by tenant
	draining bool
	open     atomic.Int64
	running  sync.WaitGroup
}

// New makes a desk; nothing is told to other servers before Run.
func New(o Options) *Desk {
	d := &Desk{dialogs: o.Dialogs, metrics: o.Metrics, log: o.Log, live: o.Live, clean: o.Clean, sockets: map[string]map[*socket]struct{}{}}
	d.tickets = newTickets(o.Redis, o.IDs, o.Live, o.Observe)
	d.tickets.moved = d.moved
	if o.Dialogs != nil {
		d.tickets.catchUp = o.Dialogs.CatchUp
	}
	d.bus = newBus(o.Redis, o.Shared, d)
	return d
}

// Run tells other servers of tickets, hears of theirs and takes claims back,
// until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { d.bus.publish(ctx) })
	all.Go(func() { d.bus.listen(ctx) })
	all.Go(func() { d.sweep(ctx) })
	all.Go(func() { d.guard(ctx) })
	all.Wait()
}

// Question is what a ticket is opened for.
type Question struct {
	Owner    dialog.Owner
	Queue    string
	DialogID string
	Text     string // masked
	TraceID  string
	Turn     string // that asked: sent again, it finds its ticket; empty: it cannot be
}

// Open makes a ticket and says whether Redis has it. Without Redis the ticket waits in
// the journal, with local as well, where Redis is not even asked. Its one error is
// dialog.ErrErased: so was the dialog while the question was on its way, and there is no
// ticket.
func (d *Desk) Open(ctx context.Context, q Question, local bool) (t Ticket, stored bool, err error) {
	if d.dialogs.Gone(q.DialogID) {
		return Ticket{}, false, dialog.ErrErased
	}
	t, stored, err = d.tickets.open(ctx, q, local)
	if err == nil && d.dialogs.Gone(q.DialogID) { // and Forget may have come too early
		d.tickets.withdraw(ctx, t)
		return Ticket{}, false, dialog.ErrErased
	}
	return t, stored, err
}

// Withdraw takes back a ticket of which nobody was told: the dialog was erased before
// its turn was committed.
func (d *Desk) Withdraw(ctx context.Context, t Ticket) { d.tickets.withdraw(ctx, t) }

// fullTimeout is short because a turn that has lost its time already asks; without
// an answer the desk is not full.
const fullTimeout = 20 * time.Millisecond

// Full says whether people of this tenant have so much to do that another
// question would wait for longer than is any use; with local only the journal is
// looked at. Those who ask at the same moment may all be let pass.
func (d *Desk) Full(ctx context.Context, tenant string, local bool) bool {
	live := d.live()
	if live.MaxWait <= 0 {
		return false
	}
	var waiting int
	if local {
		waiting = len(d.tickets.journal.open(tenant, queueNames()))
	} else {
		ctx, cancel := context.WithTimeout(ctx, fullTimeout)
		defer cancel()
		waiting = d.tickets.count(ctx, tenant, queueNames())
	}
	if live.wait(waiting) <= live.MaxWait {
		return false
	}
	d.metrics.full.Inc()
	return true
}

// Ticket reads a ticket; ok is false when there is none. The error wraps
// dialog.ErrState.
func (d *Desk) Ticket(ctx context.Context, id string) (t Ticket, ok bool, err error) {
	return d.tickets.get(ctx, id)
}

// Erase removes the tickets that were opened for a dialog, whoever works on them: those
// hear of it from Forget. The error wraps dialog.ErrState: some may be left.
func (d *Desk) Erase(ctx context.Context, dialogID string) error {
	return d.tickets.erase(ctx, dialogID)
}

// Forget drops what this server holds of dialogs that were erased, here or elsewhere,
// and tells the agents here that the tickets are gone.
func (d *Desk) Forget(list dialog.Erasures) {
	d.tickets.forget(func(t Ticket) bool { return list.Cover(t.DialogID, t.asked()) })
	for _, s := range d.all() {
		s.retract(func(t told) bool { return list.Cover(t.dialog, t.asked) })
	}
}

// Flush moves the journal to Redis, oldest first, until it is empty or Redis
// fails.
func (d *Desk) Flush(ctx context.Context) { d.tickets.flush(ctx) }

// Journaled is how many tickets wait here for Redis.
func (d *Desk) Journaled() int { return d.tickets.journal.length() }

// Close gives the journal a last chance: what stays in it is lost.
func (d *Desk) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	d.Flush(ctx)
	if n := d.Journaled(); n > 0 {
		d.log.Error("tickets lost with the journal: Redis cannot be reached", "count", n)
	}
}

// Announce tells of a new ticket: the agents here at once, those of other
// servers over Redis, once it is stored there.
func (d *Desk) Announce(t Ticket, stored bool) {
	d.deliver(t, false)
	if stored {
		d.bus.send(t, false)
	}
}

// moved tells of a ticket that went from the journal to Redis: agents of other
// servers hear of it for the first time, and what was replied to it meanwhile
// goes into its dialog.
func (d *Desk) moved(t Ticket) {
	switch t.State {
	case stateOpen:
		d.bus.send(t, false)
	case stateClosed:
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		d.append(ctx, t.DialogID, dialog.Note{Ticket: t.ID, Agent: t.Agent, Text: t.Reply}, time.Time{})
	case stateClaimed:
	}
}

// append puts a reply into its dialog. The ticket shows the reply whatever
// becomes of that.
func (d *Desk) append(ctx context.Context, dialogID string, n dialog.Note, asked time.Time) {
	if dialogID == "" {
		return
	}
	if err := d.dialogs.AddNote(ctx, dialogID, n, asked); err != nil {
		d.log.Warn("a reply is missing in its dialog", "ticket", n.Ticket, "err", err)
	}
}

// deliver pushes a ticket to the agents here; again also to those who had it
// before. It never waits: who cannot keep up is closed.
func (d *Desk) deliver(t Ticket, again bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.dialogs.Gone(t.DialogID) {
		return
	}
	var message []byte
	for s := range d.sockets[t.Tenant] {
		if t.State == stateClaimed && s.id != t.Socket || !s.wants(t.Queue) || !s.markTold(t, again) {
			continue
		}
		if message == nil {
			message = ticketMessage(t)
		}
		s.offer("ticket", message)
		s.checkGone(t)
	}
	if message != nil && !again {
		d.metrics.pushDelay.Observe(time.Since(t.asked()).Seconds())
	}
}

// join counts a socket in; false means that the server is going down.
func (d *Desk) join(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return false
	}
	tenant := s.who.Tenant
	if d.sockets[tenant] == nil {
		d.sockets[tenant] = map[*socket]struct{}{}
	}
	d.sockets[tenant][s] = struct{}{}
	return true
}

// reserve makes room for one more socket. After nil, running must be told when
// it is done.
func (d *Desk) reserve(limit int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.draining:
		return ErrDraining
	case d.open.Load() >= limit:
		return ErrFull
	}
	d.open.Add(1)
	d.running.Add(1)
	return nil
}

// unreserve is for room that was not used.
func (d *Desk) unreserve() {
	d.open.Add(-1)
	d.running.Done()
}

// Sockets is how many agents' sockets are open.
func (d *Desk) Sockets() int64 { return d.open.Load() }

// OnDuty counts, by queue, the sockets that its tickets go to.
func (d *Desk) OnDuty() map[string]int {
	n := map[string]int{}
	for _, s := range d.all() {
		if s.ended() {
			continue
		}
		for _, q := range s.subscribed() {
			n[q]++
		}
	}
	return n
}

func (d *Desk) leave(s *socket) {
	d.mu.Lock()
	defer d.mu.Unlock()
	tenant := s.who.Tenant
	delete(d.sockets[tenant], s)
	if len(d.sockets[tenant]) == 0 {
		delete(d.sockets, tenant)
	}
}

func (d *Desk) all() []*socket {
	d.mu.RLock()
	defer d.mu.RUnlock()
	var list []*socket
	for _, of := range d.sockets {
		for s := range of {
			list = append(list, s)
		}
	}
	return list
}

// Drain closes every socket with 1001 and waits for them until ctx ends; then
// the rest is cut off.
func (d *Desk) Drain(ctx context.Context) {
	d.mu.Lock()
	d.draining = true
	d.mu.Unlock()
	for _, s := range d.all() {
		s.end(ws.GoingAway, "the server is going down")
	}
	ended := make(chan struct{})
	go func() {
		d.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	for _, s := range d.all() {
		s.closeNow()
	}
	<-ended
}

// resync pushes what waits to every socket here that has not had it: messages
// between servers are lost while Redis is away. Agents of one tenant with the
// same queues cost one look.
func (d *Desk) resync(ctx context.Context) {
	looked := map[string][]Ticket{}
	for _, s := range d.all() {
		queues := s.subscribed()
		key := s.who.Tenant + "\x00" + strings.Join(queues, ",")
		list, ok := looked[key]
		if !ok {
			ctx, cancel := context.WithTimeout(ctx, timeout)
			list = d.tickets.waitingIn(ctx, s.who.Tenant, queues)
			cancel()
			looked[key] = list
		}
		for _, t := range list {
			if s.wants(t.Queue) && s.markTold(t, false) {
				s.offer("ticket", ticketMessage(t))
				s.checkGone(t)
			}
		}
	}
}

// sweepEvery is how often claims that ran out are looked for, at least.
const sweepEvery = 5 * time.Second

// sweep gives tickets back to their queues whose agents claimed and did not
// reply, until ctx ends: within a quarter of the time they had.
func (d *Desk) sweep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(min(max(d.live().Hold/4, 10*time.Millisecond), sweepEvery)):
		}
		for _, t := range d.tickets.release(ctx) {
			d.metrics.released.Inc()
			d.deliver(t, true)
			d.bus.send(t, true)
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
