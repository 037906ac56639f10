package http2

import (
	"encoding/binary"
	"errors"
	"os"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
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
		now := m.h.target.Now()
		m.in = m.in[:len(m.in)+n]
		m.mu.Lock()
		if n > 0 {
			m.frames(now)
			m.armStall(now)
		}
		if err != nil && !m.closed {
			if errors.Is(err, os.ErrDeadlineExceeded) && !m.h.halted.Load() {
				m.expire(now)
			} else {
				m.lost(wire.IOFault(err))
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

// armStall arms for the silence that would be too long.
func (m *mux) armStall(now time.Duration) {
	stall := m.h.target.Limits.Stall
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
			m.fail(wire.NewFault(wire.Broken, "protocol error: a frame is larger than allowed"))
			return
		}
		if len(h) < frameHead+n {
			break
		}
		id := binary.BigEndian.Uint32(h[5:]) & maxWindow
		if f := m.handle(h[3], h[4], id, h[frameHead:frameHead+n], now); f.Bad() {
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

func protocol(what string) wire.Fault { return wire.NewFault(wire.Broken, "protocol error: "+what) }

func (m *mux) handle(kind, flags byte, id uint32, p []byte, now time.Duration) wire.Fault { //nolint:cyclop // a case for each kind; in parts it would be read no better
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
		m.goAway(binary.BigEndian.Uint32(p)&maxWindow, binary.BigEndian.Uint32(p[4:]), now)
	case frameWindow:
		return m.windowUpdate(id, p)
	}
	return wire.Fault{}
}

// reply queues the acknowledgement of a frame. A peer that asks faster than it
// takes answers is cut off.
func (m *mux) reply(kind byte, p []byte) wire.Fault {
	if len(m.out) > maxQueued {
		return protocol("a flood of frames that want an answer")
	}
	m.frame(kind, flagAck, 0, p)
	return wire.Fault{}
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
func (m *mux) headerBlock(flags byte, p []byte, now time.Duration) wire.Fault {
	if m.pieces++; m.pieces > maxPieces || len(m.block)+len(p) > m.h.target.Limits.Head {
		return wire.NewFault(wire.Oversized, "the headers are longer than the limit")
	}
	whole := flags&flagEndHeaders != 0
	if !whole || len(m.block) > 0 {
		m.block = append(m.block, p...)
		p = m.block
	}
	if !whole {
		return wire.Fault{}
	}
	id := m.blockOf
	m.blockOf = 0
	s := m.streams[id]
	if s == nil {
		// A stream that is over here; the block kept no table, so nothing is lost.
		return wire.Fault{}
	}
	m.readHead(s, p, now)
	return wire.Fault{}
}

// readHead reads a whole block of s's answer.
func (m *mux) readHead(s *stream, block []byte, now time.Duration) {
	m.empty = 0
	s.Done = now
	if s.First == 0 {
		s.First = now
	}
	bad := wire.Fault{}
	trailers := s.answered
	if !trailers {
		s.Head.Reset()
	}
	switch ok := m.reader.read(block, &s.Head, trailers); {
	case !ok, !trailers && s.Head.Status == 0:
		bad = protocol("malformed header block")
	case trailers && !m.blockEnds:
		bad = protocol("trailers that do not end the stream")
	case !trailers && s.Head.Status < 200:
		s.interim++
		if m.blockEnds || s.interim > wire.MaxInterim || s.Head.Status == 101 {
			bad = protocol("too many interim answers")
		}
	case !trailers:
		s.answered = true
		bad = s.BeginBody(s.request, m.h.target)
	}
	switch {
	case bad.Bad():
		if !s.answered {
			s.Head.Reset()
		}
		m.reset(s.id, codeProtocol)
		m.finish(s, bad)
	case m.blockEnds:
		m.complete(s)
	}
}

// data takes a piece of a body.
func (m *mux) data(flags byte, id uint32, p []byte, now time.Duration) wire.Fault {
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
	s := m.streams[id]
	if s == nil {
		if m.discardable -= int64(len(p)); m.discardable < 0 {
			return protocol("a flood of data nobody wants")
		}
		return wire.Fault{}
	}
	s.Done = now
	if len(p) > 0 {
		m.empty = 0
	}
	var bad wire.Fault
	if !s.answered {
		bad = protocol("a body before its headers")
	} else {
		bad = s.take(p, m.h.target)
	}
	switch {
	case bad.Bad():
		m.reset(id, codeCancel)
		m.finish(s, bad)
	case s.Streamed && s.Events.Ended():
		if flags&flagEndStream == 0 {
			m.reset(id, codeCancel)
		}
		m.finish(s, wire.Fault{})
	case flags&flagEndStream != 0:
		m.complete(s)
	}
	return wire.Fault{}
}

// window32 gives the peer more to send.
func (m *mux) window32(id, n uint32) {
	m.frame(frameWindow, 0, id, binary.BigEndian.AppendUint32(nil, n))
}

// complete ends a stream whose answer is whole.
func (m *mux) complete(s *stream) {
	f := wire.Fault{}
	switch {
	case s.Streamed:
		f = s.End(true)
	case s.Head.Length >= 0 && s.Head.Length != int64(s.total) && s.Head.Status != 304 && s.total > 0:
		f = protocol("the body is not as long as its content-length")
	}
	if len(s.pending) > 0 {
		m.reset(s.id, codeCancel) // it answered before it had read all
	}
	m.finish(s, f)
}

func (m *mux) resetBy(id, code uint32, now time.Duration) {
	s := m.streams[id]
	if s == nil {
		return
	}
	s.Done = now
	f := wire.NewFault(wire.Broken, "stream reset by the server")
	switch {
	case s.Streamed:
		f = s.End(false)
	case code == codeRefused:
		f.Message = "stream refused by the server"
		s.refused = !s.answered // else it contradicts itself
		s.unprocessed = s.refused
	}
	m.finish(s, f)
}

// goAway ends the streams the server has not begun with. They may go over another
// connection, because nothing of them happened, unless the server complains of
// how much it is asked.
func (m *mux) goAway(last, code uint32, now time.Duration) {
	if !m.gone.Bad() {
		m.gone = wire.NewFault(wire.Broken, "connection closing: the server sent GOAWAY")
		m.roomy()
	}
	m.unbegun = m.nextID == 1 && code != codeCalm
	for s := m.oldest; s != nil; {
		following := s.next
		if s.id > last {
			s.Done, s.unprocessed = now, code != codeCalm && !s.answered
			m.finish(s, m.gone)
		}
		s = following
	}
	if len(m.streams) == 0 {
		m.fail(m.gone)
	}
}

// windowUpdate lets more be sent.
func (m *mux) windowUpdate(id uint32, p []byte) wire.Fault {
	if len(p) != 4 {
		return protocol("malformed WINDOW_UPDATE")
	}
	n := int64(binary.BigEndian.Uint32(p) & maxWindow)
	if n == 0 {
		return protocol("malformed WINDOW_UPDATE")
	}
	to := &m.window
	if id != 0 {
		s := m.streams[id]
		if s == nil {
			return wire.Fault{}
		}
		to = &s.window
	}
	if *to += n; *to > maxWindow {
		return protocol("a window larger than allowed")
	}
	m.unblock()
	return wire.Fault{}
}

// settings takes the peer's settings and says so.
func (m *mux) settings(flags byte, id uint32, p []byte) wire.Fault {
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
		return wire.Fault{}
	}
	for ; len(p) > 0; p = p[6:] {
		if f := m.setting(binary.BigEndian.Uint16(p), binary.BigEndian.Uint32(p[2:])); f.Bad() {
			return f
		}
	}
	if !m.settled {
		m.settled = true
		close(m.ready)
	}
	return m.reply(frameSettings, nil)
}

func (m *mux) setting(name uint16, n uint32) wire.Fault {
	switch name {
	case settingTableSize:
		if n < tableSize && m.table != tableOff {
			m.shrunk, m.table = true, tableOff
		}
	case settingMaxStreams:
		m.allowed = int(min(n, manyStreams))
		m.h.limit(m, m.allowed)
		m.roomy()
	case settingInitialWindow:
		if n > maxWindow {
			return protocol("a window larger than allowed")
		}
		for _, s := range m.streams {
			s.window += int64(n) - m.initial
		}
		m.initial = int64(n)
		m.unblock()
	case settingmaxFrame:
		if n < maxFrame || n > 1<<24-1 {
			return protocol("a frame size out of range")
		}
		m.maxFrame = int(min(n, 1<<20))
	}
	return wire.Fault{}
}
