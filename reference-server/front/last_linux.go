package front

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// last sends the last bytes of a connection and closes it. Both go into one segment: the
// kernel waits for more, which is the end.
func last(conn net.Conn, text []byte) {
	defer conn.Close()
	c, ok := conn.(syscall.Conn)
	if !ok {
		_, _ = conn.Write(text)
		return
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Write(func(fd uintptr) bool {
		_ = unix.Send(int(fd), text, unix.MSG_MORE|unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT) // there is room for it: nothing else was sent
		return true
	})
}
