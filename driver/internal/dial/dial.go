// Package dial opens connections to a target: the name looked up once, its
// addresses tried one beside the other, TLS on top where it belongs, and on Linux
// with as few system calls as it takes.
package dial

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// eyeballs is how long one address is waited for before the next is tried
// beside it (RFC 8305).
const eyeballs = 250 * time.Millisecond

// Dialer opens connections. The name is looked up once a run.
type Dialer struct {
	address string
	tls     *tls.Config
	spread  Spread
	opened  atomic.Int64 // from loopback addresses
	turn    atomic.Uint64

	mu     sync.Mutex
	first  []netip.AddrPort // of the family the resolver put first
	second []netip.AddrPort // of the other
}

// Spread says over which addresses, of both ends, connections are spread.
type Spread struct {
	// Sources is how many loopback addresses connections to a loopback address
	// come from, once Own of them have come from the usual one; up to 1 leaves
	// the choice to the system.
	Sources, Own int
	// Pin has every connection go to the first address of a name that answers;
	// otherwise they go to its addresses by turns.
	Pin bool
}

// New gives a dialer of address, over TLS where config is not nil.
func New(address string, config *tls.Config, spread Spread) *Dialer {
	return &Dialer{address: address, tls: config, spread: spread}
}

// dialed connects in the portable way.
func dialed(ctx context.Context, from netip.Addr, to netip.AddrPort, until time.Time) (net.Conn, error) {
	// Keep-alive probes cost four system calls a connection and tell nothing the
	// turn's own deadline does not.
	d := net.Dialer{Deadline: until, KeepAlive: -1}
	return d.DialTCP(ctx, "tcp", netip.AddrPortFrom(from, 0), to)
}

// resolve looks the name up, once.
func (d *Dialer) resolve(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first != nil {
		return nil
	}
	host, port, err := net.SplitHostPort(d.address)
	if err != nil {
		return err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return err
	}
	for _, a := range found {
		a = a.Unmap()
		to := netip.AddrPortFrom(a, uint16(number))
		if a.Is4() == found[0].Unmap().Is4() {
			d.first = append(d.first, to)
		} else {
			d.second = append(d.second, to)
		}
	}
	return nil
}

// order gives the addresses as the next connection tries them: the two families
// by turns (RFC 8305), and within each, unless pinned, every connection begins
// with the next, as clients of a name with several addresses share them among
// themselves.
func (d *Dialer) order() []netip.AddrPort {
	turn := 0
	if !d.spread.Pin {
		turn = int((d.turn.Add(1) - 1) % (1 << 31))
	}
	addrs := make([]netip.AddrPort, 0, len(d.first)+len(d.second))
	for i := range max(len(d.first), len(d.second)) {
		for _, family := range [][]netip.AddrPort{d.first, d.second} {
			if i < len(family) {
				addrs = append(addrs, family[(turn+i)%len(family)])
			}
		}
	}
	return addrs
}

// Dial opens one connection, TLS and all; sessions, if any, may be resumed.
func (d *Dialer) Dial(ctx context.Context, until time.Time, sessions tls.ClientSessionCache) (net.Conn, error) {
	if to, ok := d.plain(); ok {
		return d.one(ctx, to, until)
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	if err := d.resolve(ctx); err != nil {
		return nil, err
	}
	var c net.Conn
	var err error
	if addrs := d.order(); len(addrs) == 1 {
		c, err = d.one(ctx, addrs[0], until)
	} else {
		c, err = d.race(ctx, addrs, until)
	}
	if err != nil || d.tls == nil {
		return c, err
	}
	under, err := underTLS(c)
	if err != nil {
		c.Close()
		return nil, err
	}
	config := d.tls
	if sessions != nil {
		config = config.Clone()
		config.ClientSessionCache = sessions
	}
	secure := tls.Client(under, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return secure, nil
}

// plain gives the only address there is, where nothing but connecting to it is to be done.
func (d *Dialer) plain() (netip.AddrPort, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.tls != nil || len(d.first) != 1 || len(d.second) > 0 {
		return netip.AddrPort{}, false
	}
	return d.first[0], true
}

// one connects to one address: from the usual one of ours, or where a loopback
// address gets more connections than that should bear, from the next of several.
func (d *Dialer) one(ctx context.Context, to netip.AddrPort, until time.Time) (net.Conn, error) {
	var from netip.Addr
	if d.spread.Sources > 1 && to.Addr().IsLoopback() && to.Addr().Is4() && d.opened.Add(1) > int64(d.spread.Own) {
		// Each process has 2^14 addresses of its own, so that shards do not meet.
		n := uint32(d.opened.Load()%int64(min(d.spread.Sources, 1<<14-2))) + 1 + uint32(os.Getpid()&0x1ff)<<14
		from = netip.AddrFrom4([4]byte{127, 1 + byte(n>>16), byte(n >> 8), byte(n)})
	}
	return connect(ctx, from, to, until)
}

// race tries one address after the other, each a little later, and takes the
// first that answers.
func (d *Dialer) race(ctx context.Context, addrs []netip.AddrPort, until time.Time) (net.Conn, error) {
	type result struct {
		c   net.Conn
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan result, len(addrs))
	started, ended := 0, 0
	start := func() {
		to := addrs[started]
		started++
		go func() {
			c, err := d.one(ctx, to, until)
			results <- result{c, err}
		}()
	}
	defer func() {
		cancel()
		for ; ended < started; ended++ {
			if r := <-results; r.c != nil {
				r.c.Close()
			}
		}
	}()
	start()
	var first error
	timer := time.NewTimer(eyeballs)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if started < len(addrs) {
				start()
				timer.Reset(eyeballs)
			}
		case r := <-results:
			ended++
			if r.err == nil {
				return r.c, nil
			}
			if first == nil {
				first = r.err
			}
			if started < len(addrs) {
				start()
				timer.Reset(eyeballs)
			} else if ended == started {
				return nil, first
			}
		}
	}
}
