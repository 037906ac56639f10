package main

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

const timespec = 16 // bytes

// stamped reads from c as Read does, and says when that reached the kernel.
func stamped(c net.Conn) func([]byte) (int, time.Time, error) {
	plain := func(b []byte) (int, time.Time, error) {
		n, err := c.Read(b)
		return n, time.Now(), err
	}
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return plain
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return plain
	}
	var refused error
	if err := raw.Control(func(fd uintptr) { refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1) }); err != nil || refused != nil {
		return plain
	}
	return func(b []byte) (n int, at time.Time, err error) {
		var failed error
		var beside [64]byte
		noted := 0
		err = raw.Read(func(fd uintptr) bool {
			n, noted, _, _, failed = unix.Recvmsg(int(fd), b, beside[:], 0)
			return !errors.Is(failed, unix.EAGAIN)
		})
		switch {
		case err != nil:
			return 0, at, err
		case failed != nil:
			return 0, at, failed
		case n == 0 && len(b) > 0:
			return 0, at, io.EOF
		}
		return n, stampOf(beside[:noted]), nil
	}
}

// stampOf is the time in what the kernel gave beside the data, now where there is none.
func stampOf(beside []byte) time.Time {
	messages, _ := unix.ParseSocketControlMessage(beside) // none of what is not to be read
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= timespec {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return time.Now()
}
