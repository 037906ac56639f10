package http1

import (
	"io"
	"syscall"
	"time"
)

// swapWithin is how fresh a connection's last answer must be for swap: what a server
// does to an idle connection shows in a first read, which swap leaves out.
const swapWithin = 10 * time.Millisecond

// swap writes a request and waits for the answer in one go. A read before the
// answer can be there fails nearly always, and costs a system call.
type swap struct {
	step  func(fd uintptr) bool
	out   []byte
	in    []byte
	wrote int // -1: not yet
	n     int
	err   error
}

// swappable tells whether a turn at now may use swap.
func (c *conn) swappable(now time.Duration) bool {
	return c.raw != nil && c.idle > 0 && now-c.idle < swapWithin
}

// exchange writes out and reads once into in. wrote is how much of out went;
// short of all, nothing was read. The readiness of the descriptor is reset
// before the write, so that the answer cannot be missed.
func (c *conn) exchange(out, in []byte) (wrote, n int, err error) {
	s := &c.swap
	if s.step == nil {
		s.step = s.next
	}
	s.out, s.in, s.wrote, s.n, s.err = out, in, -1, 0, nil
	err = c.raw.Read(s.step)
	s.out, s.in = nil, nil
	if s.err != nil {
		err = s.err
	}
	return max(s.wrote, 0), s.n, err
}

// next is called with the descriptor until it gives true, each time it may be
// readable anew.
func (s *swap) next(fd uintptr) bool {
	if s.wrote < 0 {
		n, err := syscall.Write(int(fd), s.out)
		s.wrote = max(n, 0)
		if err != nil && err != syscall.EAGAIN && err != syscall.EINTR {
			s.err = err
		}
		return s.wrote < len(s.out)
	}
	n, err := syscall.Read(int(fd), s.in)
	switch {
	case err == syscall.EAGAIN, err == syscall.EINTR:
		return false
	case err != nil:
		s.err = err
	case n == 0:
		s.err = io.EOF
	}
	s.n = max(n, 0)
	return true
}
