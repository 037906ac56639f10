//go:build unix

package front

import (
	"errors"
	"syscall"
)

// readable waits until there is something to read, and leaves it there.
func readable(raw syscall.RawConn) {
	_ = raw.Read(func(fd uintptr) bool {
		var p [1]byte
		_, _, err := syscall.Recvfrom(int(fd), p[:], syscall.MSG_PEEK)
		return !errors.Is(err, syscall.EAGAIN)
	})
}
