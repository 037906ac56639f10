package wire

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Peer is one address of the target. Its counters are safe for concurrent use.
type Peer struct {
	Address netip.AddrPort
	// Turns is how many were asked of it last, Failed how many of them got no whole
	// answer of a good status.
	Turns, Failed atomic.Int64
}

// peers are the addresses met so far.
type peers struct {
	mu  sync.Mutex
	all map[netip.AddrPort]*Peer
}

// of gives the peer at the other end of a connection.
func (p *peers) of(c net.Conn) *Peer {
	var at netip.AddrPort
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		at = a.AddrPort()
	}
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[netip.AddrPort]*Peer{}
	}
	if p.all[at] == nil {
		p.all[at] = &Peer{Address: at}
	}
	return p.all[at]
}

// Peers gives the addresses that the target has been met at, in their order.
func (t *Target) Peers() []*Peer {
	t.peers.mu.Lock()
	defer t.peers.mu.Unlock()
	list := make([]*Peer, 0, len(t.peers.all))
	for _, p := range t.peers.all {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *Peer) int { return a.Address.Compare(b.Address) })
	return list
}
