package wire

import (
	"crypto/tls"
	"net"
	"sync"
)

// Sessions keeps what one client needs to resume its last TLS session with the
// target. Another client's is none of its own: a server would find it easier than
// with people. It is safe for concurrent use.
type Sessions struct {
	mu   sync.Mutex
	last *tls.ClientSessionState
}

// Get is that of tls.ClientSessionCache.
func (s *Sessions) Get(string) (*tls.ClientSessionState, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.last != nil
}

// Put is that of tls.ClientSessionCache.
func (s *Sessions) Put(_ string, state *tls.ClientSessionState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = state
}

// SessionsOf gives the sessions that a connection for l may resume: the user's,
// or everybody's where connections are everybody's; nil for none.
func (t *Target) SessionsOf(l *Link) tls.ClientSessionCache {
	switch {
	case !t.Secure || !t.Resume:
		return nil
	case l.Sessions == nil:
		l.Sessions = &Sessions{}
	}
	return l.Sessions
}

// Opened counts the handshake of a new connection, if it had one, and gives whom it
// leads to.
func (t *Target) Opened(c net.Conn) *Peer {
	secure, ok := c.(*tls.Conn)
	switch {
	case !ok:
	case secure.ConnectionState().DidResume:
		t.Counts.Resumed.Add(1)
	default:
		t.Counts.Full.Add(1)
	}
	return t.peers.of(c)
}
