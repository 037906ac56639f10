package front

import (
	"net"
	"sync"
	"time"
)

// mostHeld is how many answers are held back at once; with more, the next are not.
const mostHeld = 4096

// held are answers that are held back, all for about as long: each is a connection and
// some bytes, and one goroutine sends them all.
type held struct {
	mu     sync.Mutex
	ended  bool
	queue  chan answer
	ending chan struct{}
}

type answer struct {
	conn net.Conn
	text []byte
	due  time.Time
}

func newHeld() *held {
	h := &held{queue: make(chan answer, mostHeld), ending: make(chan struct{})}
	go h.run()
	return h
}

// send sends an answer after hold, and closes its connection.
func (h *held) send(conn net.Conn, text []byte, hold time.Duration) {
	if hold == 0 || !h.keep(answer{conn, text, time.Now().Add(hold)}) {
		last(conn, text)
	}
}

// keep says whether there is room and time for an answer.
func (h *held) keep(a answer) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return false
	}
	select {
	case h.queue <- a:
		return true
	default:
		return false
	}
}

func (h *held) run() {
	for {
		select {
		case a := <-h.queue:
			select {
			case <-time.After(time.Until(a.due)):
			case <-h.ending:
			}
			last(a.conn, a.text)
		case <-h.ending:
			for len(h.queue) > 0 {
				a := <-h.queue
				last(a.conn, a.text)
			}
			return
		}
	}
}

// close sends all at once. What comes behind it is not held back.
func (h *held) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.ending)
	}
}
