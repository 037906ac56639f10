package agents

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// upgrade makes the one request that becomes an agent's socket, and lays guard
// on it.
type upgrade struct {
	http.Transport
	guard *guard
}

// RoundTrip is that of http.RoundTripper.
func (u *upgrade) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := u.Transport.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		return resp, err
	}
	if stream, ok := resp.Body.(io.ReadWriteCloser); ok {
		u.guard.ReadWriteCloser = stream
		resp.Body = u.guard
	}
	return resp, nil
}

// guard is the stream of frames from and to a server. It sees what the library
// does not look at, notes when bytes came, and bounds how long a write takes.
type guard struct {
	io.ReadWriteCloser
	conn    net.Conn
	base    time.Time
	timeout time.Duration // of a write
	idle    time.Duration // longest silence; 0: any

	read  time.Duration // when the last bytes came, offset from base
	head  [10]byte      // of the frame, as far as it came
	have  int
	left  uint64 // of the frame's payload
	parts int    // frames of the message so far
	wrong error
}

var (
	errMasked    = errors.New("a masked frame from the server")
	errFragments = errors.New("a message of too many frames")
)

// maxFragments bounds the frames of a message: empty ones cost a limit on its
// bytes nothing.
const maxFragments = 4096

// Read is used by one goroutine at a time, as read is.
func (g *guard) Read(b []byte) (int, error) {
	if g.idle > 0 {
		g.conn.SetReadDeadline(time.Now().Add(g.idle)) //nolint:errcheck // as in arm
	}
	n, err := g.ReadWriteCloser.Read(b)
	g.read = time.Since(g.base)
	if g.wrong == nil {
		g.wrong = g.check(b[:n])
	}
	if g.wrong != nil {
		return 0, g.wrong
	}
	return n, err
}

// Write gives up on a server that does not read.
func (g *guard) Write(b []byte) (int, error) {
	g.conn.SetWriteDeadline(time.Now().Add(g.timeout)) //nolint:errcheck // as in arm
	return g.ReadWriteCloser.Write(b)
}

// check follows the heads of frames through b (RFC 6455, 5.2). Everything that
// is not here the library refuses itself: reserved bits, control frames that are
// long or in pieces, lengths beyond 63 bits.
func (g *guard) check(b []byte) error {
	for len(b) > 0 {
		if g.left > 0 {
			n := min(uint64(len(b)), g.left)
			g.left -= n
			b = b[n:]
			continue
		}
		g.head[g.have] = b[0]
		g.have++
		b = b[1:]
		if g.have < 2 {
			continue
		}
		if g.head[1]&0x80 != 0 {
			return errMasked
		}
		size := 2
		switch g.head[1] {
		case 126:
			size = 4
		case 127:
			size = 10
		}
		if g.have < size {
			continue
		}
		switch size {
		case 2:
			g.left = uint64(g.head[1])
		case 4:
			g.left = uint64(binary.BigEndian.Uint16(g.head[2:]))
		default:
			g.left = binary.BigEndian.Uint64(g.head[2:])
		}
		g.have = 0
		switch opcode := g.head[0] & 0x0f; {
		case opcode == 0:
			g.parts++
		case opcode < 8:
			g.parts = 1
		}
		if g.parts > maxFragments {
			return errFragments
		}
	}
	return nil
}
