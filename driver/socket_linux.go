package driver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// portLater has the port chosen at connect, where it need only differ for the
// same destination, not at bind.
func portLater(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		// An old kernel without the option only has fewer ports.
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
}

// gone tells whether the peer has closed the connection or sent something
// nobody asked for, without taking anything from it.
func gone(raw syscall.RawConn) bool {
	var one [1]byte
	closed := true
	// Not raw.Read: the deadline of the turn before has passed by now, and it would say no more than that.
	err := raw.Control(func(fd uintptr) {
		_, _, err := unix.Recvfrom(int(fd), one[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		closed = err != unix.EAGAIN && err != unix.EINTR
	})
	return err != nil || closed
}
