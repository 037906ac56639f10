package dial

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// peek leaves in the socket what is received.
const peek = unix.MSG_PEEK

// receive receives without waiting. It stands in for unix.Recvfrom, which
// allocates the address of a peer that is known.
func receive(fd uintptr, b []byte, flags int) (int, error) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, fd, uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags|unix.MSG_DONTWAIT), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
