//go:build !linux

package refserver

import (
	"errors"
	"syscall"
)

// reusePort refuses: elsewhere one process would get all connections.
func reusePort(_, _ string, _ syscall.RawConn) error {
	return errors.New("several processes on one port need Linux")
}
