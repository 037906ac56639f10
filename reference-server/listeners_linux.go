package refserver

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// reusePort lets several processes listen on one port: the kernel spreads new
// connections over them.
func reusePort(_, _ string, socket syscall.RawConn) error {
	var failed error
	err := socket.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	if err != nil {
		return err
	}
	return failed
}
