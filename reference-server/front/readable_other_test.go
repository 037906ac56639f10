//go:build !unix

package front

import "syscall"

// readable cannot be known elsewhere.
func readable(syscall.RawConn) {}
