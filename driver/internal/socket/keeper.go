package socket

import (
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// Keeper reads what comes over sockets while nobody has a turn on them, answers
// pings, and sends those of the scenario. One goroutine does, for all. It is safe for
// concurrent use.
type Keeper struct {
	Config

	target *wire.Target
	poll   poller
	room   []byte // what is read lies in, one socket after the other
	mu     sync.Mutex
	all    map[uint64]*Socket
	last   uint64
	begun  bool
	over   chan struct{}
	wg     sync.WaitGroup
}

// Config is what sockets have in common.
type Config struct {
	SocketIO  bool
	Namespace string        // of socket.io
	Limit     int           // of a message, in bytes
	Every     time.Duration // from what was sent last to the next ping; 0: none
	Verbatim  bool          // frames are noted, for a person to see
	Pongs     bool          // owners answer pings of the application
}

// NewKeeper gives the keeper of t's sockets. It does nothing before there is one.
func NewKeeper(t *wire.Target, c Config) *Keeper {
	return &Keeper{Config: c, target: t, all: map[uint64]*Socket{}, over: make(chan struct{})}
}

// Close ends the watching, behind which nothing reads idle sockets any more.
func (k *Keeper) Close() {
	k.mu.Lock()
	begun := k.begun
	k.begun = true
	select {
	case <-k.over:
	default:
		close(k.over)
		if begun {
			k.poll.close()
		}
	}
	k.mu.Unlock()
	k.wg.Wait()
}

// add makes s known, and begins the watching with the first.
func (k *Keeper) add(s *Socket) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.last++
	s.id = k.last
	k.all[s.id] = s
	if k.begun {
		return
	}
	k.begun = true
	k.room = make([]byte, 64<<10)
	k.poll.open()
	k.wg.Go(func() { k.poll.run(k) })
	if k.Every > 0 {
		k.wg.Go(k.pingAll)
	}
}

func (k *Keeper) drop(s *Socket) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.all, s.id)
}

func (k *Keeper) watch(s *Socket) {
	if k.poll.watch(s, s.watched) == nil {
		s.watched = true
	}
}

func (k *Keeper) unwatch(s *Socket) {
	if s.watched {
		k.poll.unwatch(s)
	}
}

// ready reads a socket over which something came.
func (k *Keeper) ready(id uint64) {
	k.mu.Lock()
	s := k.all[id]
	k.mu.Unlock()
	if s == nil || !s.mine() {
		return
	}
	s.drainInto(k.room)
	s.giveBack()
}

// giveBack is rest for who is not the owner, who is told where the socket is closed.
func (s *Socket) giveBack() {
	dead := s.dead
	if s.rest(); dead {
		s.owner.Dropped()
	}
}

// mine takes the socket for the keeper, unless somebody has it, who will then let it be
// watched anew.
func (s *Socket) mine() bool {
	if s.mu.TryLock() {
		return true
	}
	s.missed.Store(true)
	return s.mu.TryLock() // who had it may have looked at missed before
}

// rounds bounds how often one socket is read before the others are.
const rounds = 16

func (s *Socket) drainInto(room []byte) {
	for range rounds {
		if s.dead {
			return
		}
		n, err := s.conn.Take(room)
		if n > 0 {
			s.heard = s.keeper.target.Now()
			s.soothe(s.heard)
			s.feed(room[:n])
			if n < len(room) && !s.conn.Buffers() {
				return // what comes now is reported anew
			}
			continue
		}
		if err == nil {
			err = io.ErrNoProgress
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			s.die()
		}
		return
	}
}

// feed takes what came between two turns.
func (s *Socket) feed(in []byte) {
	for at := 0; at < len(in) && !s.dead; {
		used, m, whole, err := s.reader.Next(in[at:])
		at += used
		if err != nil {
			s.broke(err)
			return
		}
		if !whole {
			break
		}
		if e, some, f := s.take(m); some && !f.Bad() {
			s.owner.Stray(&e)
		}
	}
	if !s.dead {
		s.reply(0)
	}
}

// pingAll pings, on sockets that nobody has a turn on.
func (k *Keeper) pingAll() {
	tick := time.NewTicker(min(max(k.Every/8, 10*time.Millisecond), time.Second))
	defer tick.Stop()
	var due []*Socket
	for {
		select {
		case <-k.over:
			return
		case <-tick.C:
		}
		due = due[:0]
		k.mu.Lock()
		for _, s := range k.all {
			due = append(due, s)
		}
		k.mu.Unlock()
		for i, s := range due {
			due[i] = nil
			if !s.mu.TryLock() {
				continue
			}
			if !s.dead && k.target.Now()-s.sent >= k.Every {
				s.ping()
				s.giveBack()
				continue
			}
			s.rest()
		}
	}
}
