//go:build !linux

package dial

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"
)

func connect(ctx context.Context, from netip.Addr, to netip.AddrPort, until time.Time) (net.Conn, error) {
	return dialed(ctx, from, to, until)
}

// Gone cannot be told here: the turn will find out.
func Gone(syscall.RawConn) bool { return false }
