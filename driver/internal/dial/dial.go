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
	sources int
	tls     *tls.Config
	next    atomic.Uint32

	mu    sync.Mutex
	addrs []netip.AddrPort
}

// New gives a dialer of address, over TLS where config is not nil. Sources is how many
// loopback addresses connections to a loopback address come from; up to 1 leaves
// that to the system.
func New(address string, config *tls.Config, sources int) *Dialer {
	return &Dialer{address: address, sources: sources, tls: config}
}

// dialed connects in the portable way.
func dialed(ctx context.Context, from netip.Addr, to netip.AddrPort, until time.Time) (net.Conn, error) {
	// Keep-alive probes cost four system calls a connection and tell nothing the
	// turn's own deadline does not.
	d := net.Dialer{Deadline: until, KeepAlive: -1}
	return d.DialTCP(ctx, "tcp", netip.AddrPortFrom(from, 0), to)
}

// resolve gives the addresses, those of the family that came first and the
// others by turns.
func (d *Dialer) resolve(ctx context.Context) ([]netip.AddrPort, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.addrs != nil {
		return d.addrs, nil
	}
	host, port, err := net.SplitHostPort(d.address)
	if err != nil {
		return nil, err
	}
	number, err := net.DefaultResolver.LookupPort(ctx, "tcp", port)
	if err != nil {
		return nil, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	var first, second []netip.AddrPort
	for _, a := range found {
		a = a.Unmap()
		to := netip.AddrPortFrom(a, uint16(number))
		if a.Is4() == found[0].Unmap().Is4() {
			first = append(first, to)
		} else {
			second = append(second, to)
		}
	}
	for len(first)+len(second) > 0 {
		if len(first) > 0 {
			d.addrs, first = append(d.addrs, first[0]), first[1:]
		}
		if len(second) > 0 {
			d.addrs, second = append(d.addrs, second[0]), second[1:]
		}
	}
	return d.addrs, nil
}

// Dial opens one connection, TLS and all.
func (d *Dialer) Dial(ctx context.Context, until time.Time) (net.Conn, error) {
	if to, ok := d.plain(); ok {
		return d.one(ctx, to, until)
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	addrs, err := d.resolve(ctx)
	if err != nil {
		return nil, err
	}
	var c net.Conn
	if len(addrs) == 1 {
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
	secure := tls.Client(under, d.tls)
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
	if d.tls != nil || len(d.addrs) != 1 {
		return netip.AddrPort{}, false
	}
	return d.addrs[0], true
}

// one connects to one address, from the next of the loopback sources when
// there are several.
func (d *Dialer) one(ctx context.Context, to netip.AddrPort, until time.Time) (net.Conn, error) {
	var from netip.Addr
	if d.sources > 1 && to.Addr().IsLoopback() && to.Addr().Is4() {
		// Each process has 2^14 addresses of its own, so that shards do not meet.
		n := d.next.Add(1)%uint32(min(d.sources, 1<<14-2)) + 1 + uint32(os.Getpid()&0x1ff)<<14
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
