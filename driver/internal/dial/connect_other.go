//go:build !linux

package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

func connect(ctx context.Context, from netip.Addr, to netip.AddrPort, until time.Time) (net.Conn, error) {
	return dialed(ctx, from, to, until)
}
