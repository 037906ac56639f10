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
	d := &Dialer{address: "chat.example:80", first: []netip.AddrPort{refused, good}}
	c, err := d.Dial(context.Background(), time.Now().Add(time.Minute), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.RemoteAddr().String(); got != good.String() {
		t.Errorf("connected to %s", got)
	}
	c.Close()
	d.first = []netip.AddrPort{refused, refused}
	if _, err := d.Dial(context.Background(), time.Now().Add(time.Minute), nil); wire.DialFault(err).Message != "connection refused" {
		t.Errorf("error %v", err)
	}
}

// Connections go to the addresses of a name by turns, each family in its place;
// a pinned name keeps its first.
func TestOrder(t *testing.T) {
	at := func(list ...string) (out []netip.AddrPort) {
		for _, a := range list {
			out = append(out, netip.AddrPortFrom(netip.MustParseAddr(a), 80))
		}
		return out
	}
	for _, tt := range []struct {
		name          string
		first, second []netip.AddrPort
		pin           bool
		want          []string // the addresses in the order tried, of one connection after the other
	}{
		{"three", at("10.0.0.1", "10.0.0.2", "10.0.0.3"), nil, false, []string{"123", "231", "312", "123"}},
		{"pinned", at("10.0.0.1", "10.0.0.2", "10.0.0.3"), nil, true, []string{"123", "123"}},
		{"two families", at("::1", "::2"), at("10.0.0.3", "10.0.0.4", "10.0.0.5"), false, []string{"13245", "24153"}},
		{"one", at("10.0.0.1"), nil, false, []string{"1", "1"}},
	} {
		d := &Dialer{first: tt.first, second: tt.second, spread: Spread{Pin: tt.pin}}
		for i, want := range tt.want {
			got := ""
			for _, a := range d.order() {
				text := a.Addr().String()
				got += text[len(text)-1:]
			}
			if got != want {
				t.Errorf("%s: connection %d tries %s, want %s", tt.name, i+1, got, want)
			}
		}
	}
}
