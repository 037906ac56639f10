//go:build !unix

package model

import (
	"syscall"
	"time"
)

// maxUnseen is how long a connection may be idle that cannot be looked at: less
// than any server is known to keep one.
const maxUnseen = time.Second

type look struct{}

func (l *look) init(syscall.Conn) error { return nil }

// gone tells whether the connection should not be used again.
func (l *look) gone(idle time.Duration) bool { return idle > maxUnseen }
