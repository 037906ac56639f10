package dial

import (
	"context"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
)

// An address that does not answer delays the next one, it does not stop it.
func TestEyeballs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	good := l.Addr().(*net.TCPAddr).AddrPort()
	refused := netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), 1)
	d := &Dialer{address: "chat.example:80", addrs: []netip.AddrPort{refused, good}}
	c, err := d.Dial(context.Background(), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if got := c.RemoteAddr().String(); got != good.String() {
		t.Errorf("connected to %s", got)
	}
	c.Close()
	d.addrs = []netip.AddrPort{refused, refused}
	if _, err := d.Dial(context.Background(), time.Now().Add(time.Minute)); wire.DialFault(err).Message != "connection refused" {
		t.Errorf("error %v", err)
	}
}
