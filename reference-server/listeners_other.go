//go:build !linux

package refserver

import (
	"errors"
	"syscall"
)

// socketOptions are those of the public listener. Shared refuses: elsewhere one process
// would get all connections.
func socketOptions(shared bool) func(network, address string, socket syscall.RawConn) error {
	return func(_, _ string, _ syscall.RawConn) error {
		if shared {
			return errors.New("several processes on one port need Linux")
		}
		return nil
	}
}
