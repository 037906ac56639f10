package driver

import (
	"encoding/binary"
	"errors"
	"os"
	"time"
)

const (
	readBuffer = 4 << 10
	// maxPieces bounds the frames of one header block.
	maxPieces = 64
	// refill is how much of the connection's window is used before it is renewed.
	refill = 1 << 30
)

// read takes frames off the connection until it ends.
func (m *mux) read() {
	defer m.h.readers.Done()
	m.in = make([]byte, 0, readBuffer)
	for {
		if len(m.in) == cap(m.in) {
			grown := make([]byte, len(m.in), frameHead+maxFrame)
			copy(grown, m.in)
			m.in = grown
		}
		n, err := m.Read(m.in[len(m.in):cap(m.in)])
		now := m.h.now()
		m.in = m.in[:len(m.in)+n]
		m.mu.Lock()
		if n > 0 {
			m.frames(now)
			m.stalling(now)
		}
		if err != nil && !m.closed {
			if errors.Is(err, os.ErrDeadlineExceeded) && !m.h.halted.Load() {
				m.overdue(now)
			} else {
				m.lost(ioFault(err))
			}
		}
		m.flushAside()
		over := m.closed
		m.mu.Unlock()
		if over {
			m.h.lost(m)
			return
		}
	}
}

// stalling arms for the silence that would be too long.
func (m *mux) stalling(now time.Duration) {
	stall := m.h.plan.limits.stall
	if stall > 0 && m.oldest != nil && (m.armed == 0 || m.armed > now+stall) {
		m.arm(now + stall)
	}
}

// frames handles every whole frame in m.in.
func (m *mux) frames(now time.Duration) {
	used := 0
	for len(m.in)-used >= frameHead && !m.closed {
		h := m.in[used:]
		n := int(h[0])<<16 | int(h[1])<<8 | int(h[2])
		if n > maxFrame {
			m.fail(fault{Broken, "protocol error: a frame is larger than allowed"})
			return
		}
		if len(h) < frameHead+n {
			break
		}
		id := binary.BigEndian.Uint32(h[5:]) & maxWindow
		if f := m.handle(h[3], h[4], id, h[frameHead:frameHead+n], now); f.bad() {
			m.fail(f)
			return
		}
		used += frameHead + n
	}
	m.in = append(m.in[:0], m.in[used:]...)
	if len(m.in) == 0 && cap(m.in) > readBuffer && len(m.streams) == 0 {
		m.in = make([]byte, 0, readBuffer)
	}
}

func protocol(what string) fault { return fault{Broken, "protocol error: " + what} }

func (m *mux) handle(kind, flags byte, id uint32, p []byte, now time.Duration) fault {
	if m.blockOf != 0 && (kind != frameContinuation || id != m.blockOf) {
		return protocol("a header block is interrupted")
	}
	if !m.settled && kind != frameSettings {
		return protocol("the first frame is not SETTINGS")
	}
	if m.empty++; m.empty > maxEmpty {
		return protocol("a flood of frames that bring nothing")
	}
	switch kind {
	case frameData:
		return m.data(flags, id, p, now)
	case frameHeaders:
		p, ok := unpad(flags, p)
		if ok && flags&flagPriority != 0 {
			if ok = len(p) >= 5; ok {
				p = p[5:]
			}
		}
		if !ok || id == 0 || id&1 == 0 || id >= m.nextID {
			return protocol("malformed HEADERS")
		}
		m.blockOf, m.blockEnds, m.block, m.pieces = id, flags&flagEndStream != 0, m.block[:0], 0
		return m.headerBlock(flags, p, now)
	case frameContinuation:
		if m.blockOf == 0 {
			return protocol("CONTINUATION without HEADERS")
		}
		return m.headerBlock(flags, p, now)
	case frameReset:
		if len(p) != 4 || id == 0 {
			return protocol("malformed RST_STREAM")
		}
		m.resetBy(id, binary.BigEndian.Uint32(p), now)
	case frameSettings:
		return m.settings(flags, id, p)
	case framePush:
		return protocol("a push, which was forbidden")
	case framePing:
		if len(p) != 8 || id != 0 {
			return protocol("malformed PING")
		}
		if flags&flagAck == 0 {
			return m.reply(framePing, p)
		}
	case frameGoAway:
		if len(p) < 8 || id != 0 {
			return protocol("malformed GOAWAY")
		}
		m.goAway(binary.BigEndian.Uint32(p)&maxWindow, binary.BigEndian.Uint32(p[4:]) == 0, now)
	case frameWindow:
		return m.windowUpdate(id, p)
	}
	return fault{}
}

// reply queues the acknowledgement of a frame. A peer that asks faster than it
// takes answers is cut off.
func (m *mux) reply(kind byte, p []byte) fault {
	if len(m.out) > maxQueued {
		return protocol("a flood of frames that want an answer")
	}
	m.frame(kind, flagAck, 0, p)
	return fault{}
}

func unpad(flags byte, p []byte) ([]byte, bool) {
	if flags&flagPadded == 0 {
		return p, true
	}
	if len(p) == 0 || int(p[0]) >= len(p) {
		return nil, false
	}
	return p[1 : len(p)-int(p[0])], true
}

// headerBlock adds a piece of a block and reads it when it is whole.
func (m *mux) headerBlock(flags byte, p []byte, now time.Duration) fault {
	if m.pieces++; m.pieces > maxPieces || len(m.block)+len(p) > m.h.plan.limits.head {
		return fault{Oversized, "the headers are longer than the limit"}
	}
	whole := flags&flagEndHeaders != 0
	if !whole || len(m.block) > 0 {
		m.block = append(m.block, p...)
		p = m.block
	}
	if !whole {
		return fault{}
	}
	id := m.blockOf
	m.blockOf = 0
	x := m.streams[id]
	if x == nil {
		// A stream that is over here; the block kept no table, so nothing is lost.
		return fault{}
	}
	m.headerOf(x, p, now)
	return fault{}
}

// headerOf reads a whole block of x's answer.
func (m *mux) headerOf(x *exchange, block []byte, now time.Duration) {
	s := &x.stream
	m.empty = 0
	x.done = now
	if x.first == 0 {
		x.first = now
	}
	bad := fault{}
	trailers := s.answered
	if !trailers {
		x.head.reset()
	}
	switch ok := m.reader.read(block, &x.head, trailers); {
	case !ok, !trailers && x.head.status == 0:
		bad = protocol("malformed header block")
	case trailers && !m.blockEnds:
		bad = protocol("trailers that do not end the stream")
	case !trailers && x.head.status < 200:
		s.interim++
		if m.blockEnds || s.interim > maxInterim || x.head.status == 101 {
			bad = protocol("too many interim answers")
		}
	case !trailers:
		s.answered = true
		bad = m.h.began(x)
	}
	switch {
	case bad.bad():
		if !s.answered {
			x.head.reset()
		}
		m.reset(s.id, codeProtocol)
		m.finish(x, bad)
	case m.blockEnds:
		m.whole(x)
	}
}

// data takes a piece of a body.
func (m *mux) data(flags byte, id uint32, p []byte, now time.Duration) fault {
	if id == 0 || id&1 == 0 || id >= m.nextID {
		return protocol("malformed DATA")
	}
	if m.received += int64(len(p)); m.received > refill {
		m.window32(0, uint32(m.received))
		m.received = 0
	}
	p, ok := unpad(flags, p)
	if !ok {
		return protocol("malformed DATA")
	}
	x := m.streams[id]
	if x == nil {
		if m.excused -= int64(len(p)); m.excused < 0 {
			return protocol("a flood of data nobody wants")
		}
		return fault{}
	}
	x.done = now
	if len(p) > 0 {
		m.empty = 0
	}
	bad := fault{}
	if !x.stream.answered {
		bad = protocol("a body before its headers")
	} else {
		bad = m.h.body(x, p)
	}
	switch {
	case bad.bad():
		m.reset(id, codeCancel)
		m.finish(x, bad)
	case x.streamed && x.events.ended:
		if flags&flagEndStream == 0 {
			m.reset(id, codeCancel)
		}
		m.finish(x, fault{})
	case flags&flagEndStream != 0:
		m.whole(x)
	}
	return fault{}
}

// window32 gives the peer more to send.
func (m *mux) window32(id, n uint32) {
	m.frame(frameWindow, 0, id, binary.BigEndian.AppendUint32(nil, n))
}

// whole ends a stream whose answer is whole.
func (m *mux) whole(x *exchange) {
	s := &x.stream
	f := fault{}
	switch {
	case x.streamed:
		f = x.events.end()
	case x.head.length >= 0 && x.head.length != int64(s.total) && x.head.status != 304 && s.total > 0:
		f = protocol("the body is not as long as its content-length")
	}
	if len(s.pending) > 0 {
		m.reset(s.id, codeCancel) // it answered before it had read all
	}
	m.finish(x, f)
}

func (m *mux) resetBy(id, code uint32, now time.Duration) {
	x := m.streams[id]
	if x == nil {
		return
	}
	x.done = now
	f := fault{Broken, "stream reset by the server"}
	switch {
	case x.streamed:
		f = x.events.end()
	case code == codeRefused:
		f.message = "stream refused by the server"
	}
	m.finish(x, f)
}

// goAway ends the streams the server has not begun with. Where it only closes,
// and is not complaining, they may go over another connection: nothing of them
// happened.
func (m *mux) goAway(last uint32, graceful bool, now time.Duration) {
	if !m.gone.bad() {
		m.gone = fault{Broken, "connection closing: the server sent GOAWAY"}
	}
	for x := m.oldest; x != nil; {
		following := x.stream.next
		if x.stream.id > last {
			x.done, x.stream.untaken = now, graceful
			m.finish(x, m.gone)
		}
		x = following
	}
	if len(m.streams) == 0 {
		m.fail(m.gone)
	}
}

// windowUpdate lets more be sent.
func (m *mux) windowUpdate(id uint32, p []byte) fault {
	if len(p) != 4 {
		return protocol("malformed WINDOW_UPDATE")
	}
	n := int64(binary.BigEndian.Uint32(p) & maxWindow)
	if n == 0 {
		return protocol("malformed WINDOW_UPDATE")
	}
	to := &m.window
	if id != 0 {
		x := m.streams[id]
		if x == nil {
			return fault{}
		}
		to = &x.stream.window
	}
	if *to += n; *to > maxWindow {
		return protocol("a window larger than allowed")
	}
	m.unblock()
	return fault{}
}

// settings takes the peer's settings and says so.
func (m *mux) settings(flags byte, id uint32, p []byte) fault {
	if id != 0 || len(p)%6 != 0 {
		return protocol("malformed SETTINGS")
	}
	if len(p) > 6*maxSettings {
		return protocol("too many settings")
	}
	if flags&flagAck != 0 {
		if len(p) > 0 || !m.settled {
			return protocol("malformed SETTINGS")
		}
		return fault{}
	}
	for ; len(p) > 0; p = p[6:] {
		if f := m.setting(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])); f.bad() {
			return f
		}
	}
	if !m.settled {
		m.settled = true
		close(m.ready)
	}
	return m.reply(frameSettings, nil)
}

func (m *mux) setting(name uint16, n uint32) fault {
	switch name {
	case settingTableSize:
		if n < tableSize && m.table != tableOff {
			m.shrunk, m.table = true, tableOff
		}
	case settingMaxStreams:
		m.h.limit(m, int(min(n, manyStreams)))
	case settingInitialWindow:
		if n > maxWindow {
			return protocol("a window larger than allowed")
		}
		for _, x := range m.streams {
			x.stream.window += int64(n) - m.initial
		}
		m.initial = int64(n)
		m.unblock()
	case settingMaxFrame:
		if n < maxFrame || n > 1<<24-1 {
			return protocol("a frame size out of range")
		}
		m.maxFrame = int(min(n, 1<<20))
	}
	return fault{}
}
