package dial

import (
	"cmp"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
)

// Look tells of one idle connection whether its peer has closed it. It is used
// by one goroutine at a time, as the connection is.
type Look struct {
	raw    syscall.RawConn
	peek   func(fd uintptr)
	one    [1]byte
	closed bool

	secure    *tls.Conn
	impatient *impatient
}

// Init makes l look at a connection that Dial gave.
func (l *Look) Init(c net.Conn) error {
	if secure, ok := c.(*tls.Conn); ok {
		l.secure = secure
		l.impatient, _ = secure.NetConn().(*impatient)
		return nil
	}
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	l.raw = raw
	l.peek = func(fd uintptr) {
		_, err := receive(fd, l.one[:], peek)
		l.closed = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR) && !errors.Is(err, errors.ErrUnsupported)
	}
	return err
}

// Take receives into b what has arrived. It does not wait: os.ErrDeadlineExceeded
// where nothing has, io.EOF where the peer has closed.
func (l *Look) Take(b []byte) (int, error) {
	switch {
	case l.raw != nil:
		var n int
		var failed error
		err := l.raw.Control(func(fd uintptr) { n, failed = receive(fd, b, 0) })
		return taken(n, len(b), cmp.Or(failed, err))
	case l.impatient != nil:
		l.impatient.now = true
		n, err := l.secure.Read(b)
		l.impatient.now = false
		return n, err
	}
	return 0, os.ErrDeadlineExceeded
}

// taken says what a receive that did not wait has given.
func taken(n, room int, err error) (int, error) {
	switch {
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR), errors.Is(err, errors.ErrUnsupported):
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0 && room > 0:
		return 0, io.EOF
	}
	return n, nil
}

// Closed tells whether the peer has closed the connection, or sent something
// nobody asked for. It does not wait. Nothing is taken but, under TLS, the
// records that are TLS's own: session tickets, key updates, the close.
func (l *Look) Closed() bool {
	switch {
	case l.raw != nil:
		l.closed = true
		// Not raw.Read: the deadline of the turn before has passed by now, and it would say no more than that.
		return l.raw.Control(l.peek) != nil || l.closed
	case l.impatient != nil:
		l.impatient.now = true
		n, err := l.secure.Read(l.one[:])
		l.impatient.now = false
		return n > 0 || !errors.Is(err, os.ErrDeadlineExceeded)
	}
	return false
}

// impatient is the connection under TLS. While now is set, its Read gives what
// has arrived, or os.ErrDeadlineExceeded at once: an error after which
// crypto/tls can read on where it stopped.
type impatient struct {
	net.Conn
	raw  syscall.RawConn
	now  bool
	step func(fd uintptr)
	b    []byte
	n    int
	err  error
}

// underTLS makes a connection one that TLS can go on top of.
func underTLS(c net.Conn) (net.Conn, error) {
	tcp, ok := c.(syscall.Conn)
	if !ok {
		return c, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil, err
	}
	i := &impatient{Conn: c, raw: raw}
	i.step = func(fd uintptr) { i.n, i.err = receive(fd, i.b, 0) }
	return i, nil
}

// Read reads, or takes what is there.
func (i *impatient) Read(b []byte) (int, error) {
	if !i.now {
		return i.Conn.Read(b)
	}
	i.b = b
	err := i.raw.Control(i.step)
	i.b = nil
	return taken(i.n, len(b), cmp.Or(i.err, err))
}

// SyscallConn is that of the connection below.
func (i *impatient) SyscallConn() (syscall.RawConn, error) { return i.raw, nil }
