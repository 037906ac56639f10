package http2

import (
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// mux is one HTTP/2 connection that many turns share. One goroutine reads;
// whoever has something to say writes, and takes along what others queued
// meanwhile.
type mux struct {
	net.Conn
	h    *Client
	peer *wire.Peer

	mu       sync.Mutex
	streams  map[uint32]*stream
	oldest   *stream // by deadline
	newest   *stream
	nextID   uint32
	table    table
	shrunk   bool  // the peer must be told that its table is empty
	window   int64 // what may be sent on the connection
	initial  int64 // what may be sent on a new stream
	maxFrame int
	out      []byte
	spare    []byte
	empty    int       // frames since one brought a turn further, or one began
	batch    []*stream // whose requests are in out
	flushing bool
	blocked  []*stream     // whose bodies wait for a window
	armed    time.Duration // the read deadline; 0: none
	writeBy  time.Duration // the write deadline
	gone     wire.Fault    // why no more streams can be opened
	closed   bool
	settled  bool          // the peer's settings came
	ready    chan struct{} // closed then, or when it is clear that they won't
	allowed  int           // streams at once, as limit, which is under another lock
	room     chan struct{} // a hint that allowed or gone changed
	unbegun  bool          // the server went away before a stream was opened

	// Of the reading goroutine alone.
	in          []byte
	reader      blockReader
	block       []byte // of a header block that is not whole yet
	blockOf     uint32
	blockEnds   bool // it ends the stream
	pieces      int
	received    int64
	discardable int64 // bytes of streams given up that may still come

	// Under http2.mu.
	limit int // streams at once
	open  int
}

// start sends the request of s and has the answer come. It never waits for the
// answer.
func (m *mux) start(s *stream) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gone.Bad() || m.nextID > lastStream {
		s.fault = m.gone
		if !m.gone.Bad() {
			s.fault = wire.NewFault(wire.Broken, "the connection is used up")
		}
		s.unprocessed = true
		s.wake <- struct{}{}
		return
	}
	if len(m.streams) >= m.allowed {
		s.full = true // since it was chosen the peer allowed fewer
		s.wake <- struct{}{}
		return
	}
	s.id, s.window, s.pending = m.nextID, m.initial, s.Out
	m.nextID += 2
	m.empty = 0
	m.streams[s.id] = s
	m.enqueue(s)
	m.headers(s)
	m.send(s)
	m.batch = append(m.batch, s)
	m.rearm(m.h.target.Now())
	m.flush()
}

// headers queues the header block of s.
func (m *mux) headers(s *stream) {
	flags := byte(flagEndHeaders)
	if len(s.pending) == 0 {
		flags |= flagEndStream
	}
	t := m.table
	if !s.form.kept {
		t = tableOff
	}
	at := len(m.out)
	m.out = append(m.out, make([]byte, frameHead)...)
	if m.shrunk {
		m.out = append(m.out, 0x20)
		m.shrunk = false
	}
	m.out = s.form.append(m.out, &s.Values, t)
	if t == tableEmpty {
		m.table = tableFilled
	}
	n := len(m.out) - at - frameHead
	if n <= m.maxFrame {
		putHead(m.out[at:], n, frameHeaders, flags, s.id)
		return
	}
	// Longer than a frame: what is beyond goes into CONTINUATION frames.
	block := slices.Clone(m.out[at+frameHead:])
	m.out = m.out[:at]
	kind, first := byte(frameHeaders), flags&^flagEndHeaders
	for len(block) > 0 {
		n = min(len(block), m.maxFrame)
		if n == len(block) {
			first |= flagEndHeaders
		}
		m.frame(kind, first, s.id, block[:n])
		block, kind, first = block[n:], frameContinuation, 0
	}
}

// send queues as much of s's body as the windows allow.
func (m *mux) send(s *stream) {
	for len(s.pending) > 0 {
		n := int(min(int64(len(s.pending)), int64(m.maxFrame), s.window, m.window))
		if n <= 0 {
			if !slices.Contains(m.blocked, s) {
				m.blocked = append(m.blocked, s)
			}
			return
		}
		flags := byte(0)
		if n == len(s.pending) {
			flags = flagEndStream
		}
		m.frame(frameData, flags, s.id, s.pending[:n])
		s.pending = s.pending[n:]
		s.window -= int64(n)
		m.window -= int64(n)
	}
}

// unblock sends what a larger window allows.
func (m *mux) unblock() {
	waiting := m.blocked
	m.blocked = nil
	for _, s := range waiting {
		m.send(s)
	}
}

func putHead(b []byte, n int, kind, flags byte, id uint32) {
	b[0], b[1], b[2], b[3], b[4] = byte(n>>16), byte(n>>8), byte(n), kind, flags
	binary.BigEndian.PutUint32(b[5:], id)
}

func (m *mux) frame(kind, flags byte, id uint32, payload []byte) {
	var head [frameHead]byte
	putHead(head[:], len(payload), kind, flags, id)
	m.out = append(append(m.out, head[:]...), payload...)
}

// reset gives a stream up. What the peer has sent of it already may still come.
func (m *mux) reset(id uint32, code uint32) {
	m.discardable += int64(m.h.target.Limits.Body) + 1
	m.frame(frameReset, 0, id, binary.BigEndian.AppendUint32(nil, code))
}

// flush writes what is queued, unless somebody does already. It gives m.mu up
// while it writes.
func (m *mux) flush() {
	if m.flushing {
		return
	}
	m.flushing = true
	for len(m.out) > 0 && !m.closed {
		buf := m.out
		m.out = m.spare[:0]
		now := m.h.target.Now()
		for _, s := range m.batch {
			if s == nil {
				continue
			}
			s.written = true
			if s.Sent == 0 {
				s.Sent = now
			}
		}
		clear(m.batch)
		m.batch = m.batch[:0]
		m.extendWriteDeadline(now)
		m.mu.Unlock()
		_, err := m.Write(buf)
		m.mu.Lock()
		m.spare = buf[:0]
		if cap(buf) > wire.KeepBuffer {
			m.spare = nil
		}
		if err != nil {
			m.lost(wire.IOFault(err))
		}
	}
	m.flushing = false
}

// flushAside has another goroutine write what the reading one queued: a peer that
// does not read must not keep us from reading. It is rare: settings, pings,
// resets and windows.
func (m *mux) flushAside() {
	if len(m.out) == 0 || m.flushing || m.closed {
		return
	}
	m.h.readers.Go(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.flush()
	})
}

// finish ends s and wakes who waits for it.
func (m *mux) finish(s *stream, f wire.Fault) {
	delete(m.streams, s.id)
	if s.prev == nil {
		m.oldest = s.next
	} else {
		s.prev.next = s.next
	}
	if s.next == nil {
		m.newest = s.prev
	} else {
		s.next.prev = s.prev
	}
	s.prev, s.next = nil, nil
	if len(m.batch) > 0 {
		if i := slices.Index(m.batch, s); i >= 0 {
			m.batch[i] = nil
		}
	}
	if s.pending != nil {
		if i := slices.Index(m.blocked, s); i >= 0 {
			m.blocked = slices.Delete(m.blocked, i, i+1)
		}
		s.pending = nil
	}
	s.fault = f
	s.wake <- struct{}{}
}

// lost ends the connection that broke under the answers: streams of events are
// cut short, as they are over HTTP/1.1.
func (m *mux) lost(f wire.Fault) {
	if f.Reason == wire.Broken && !m.closed && !m.h.halted.Load() {
		now := m.h.target.Now()
		for s := m.oldest; s != nil; {
			following := s.next
			if s.Streamed {
				s.Done = now
				m.finish(s, s.End(false))
			}
			s = following
		}
	}
	m.fail(f)
}

// fail ends the connection and everything on it.
func (m *mux) fail(f wire.Fault) {
	if m.closed {
		return
	}
	m.closed = true
	if m.h.halted.Load() {
		f = wire.Interruption()
	}
	if !m.gone.Bad() {
		m.gone = f
	}
	now := m.h.target.Now()
	for m.oldest != nil {
		s := m.oldest
		s.Done, s.unprocessed = now, f.Reason == wire.Broken && !s.written
		m.finish(s, f)
	}
	if !m.settled {
		close(m.ready)
	}
	m.roomy()
	m.Close()
}
