package refserver

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// silent is for how many seconds about the kernel keeps a connection that brings nothing.
const silent = 1

// socketOptions are those of the public listener. A connection comes with its first bytes,
// so that they can be looked at without waiting; and with shared several processes may
// listen on one port, over which the kernel spreads new connections.
func socketOptions(shared bool) func(network, address string, socket syscall.RawConn) error {
	return func(_, _ string, socket syscall.RawConn) error {
		var failed error
		err := socket.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, silent) // it only saves work
			if shared {
				failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
			}
		})
		return errors.Join(err, failed)
	}
}
