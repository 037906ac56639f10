//go:build !linux

package driver

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

// gone cannot be told here: the turn will find out.
func gone(syscall.RawConn) bool { return false }
