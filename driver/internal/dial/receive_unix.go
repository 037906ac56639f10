//go:build unix && !linux

package dial

import "golang.org/x/sys/unix"

// peek leaves in the socket what is received.
const peek = unix.MSG_PEEK

// receive receives without waiting.
func receive(fd uintptr, b []byte, flags int) (int, error) {
	n, _, err := unix.Recvfrom(int(fd), b, flags|unix.MSG_DONTWAIT)
	return n, err
}
