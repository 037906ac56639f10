//go:build unix

package front

import (
	"net"
	"syscall"
)

// arrived reads what a connection has already brought, without waiting, and returns how
// much that is.
func arrived(c net.Conn, p []byte) (n int) {
	socket, ok := c.(syscall.Conn)
	if !ok {
		return 0
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), p)
		return true
	})
	return max(n, 0)
}
