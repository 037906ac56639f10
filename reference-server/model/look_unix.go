//go:build unix

package model

import (
	"errors"
	"syscall"
	"time"
)

// look tells of an idle connection whether its peer has closed it.
type look struct {
	raw   syscall.RawConn
	once  func(fd uintptr)
	one   [1]byte
	quiet bool
}

func (l *look) init(c syscall.Conn) error {
	raw, err := c.SyscallConn()
	l.raw = raw
	l.once = func(fd uintptr) {
		// Sockets of package net never wait here. A byte that nobody asked for is read
		// and lost, and the connection with it.
		_, err := syscall.Read(int(fd), l.one[:])
		l.quiet = errors.Is(err, syscall.EAGAIN)
	}
	return err
}

// gone tells whether the connection cannot be used again. It does not wait.
func (l *look) gone(time.Duration) bool {
	l.quiet = false
	return l.raw.Control(l.once) != nil || !l.quiet
}
