package wire

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/scenario"
)

// Target is whom a carrier talks to, how, and within which bounds. It is
// read-only, but for what it counts.
type Target struct {
	Host        string // as in the Host header
	Address     string // host:port, as connected to
	Secure      bool
	Resume      bool      // TLS sessions are resumed
	Dial        DialFunc  // TLS and all
	Base        time.Time // t = 0
	Timeout     time.Duration
	Limits      Limits
	Connections scenario.Connections
	Pool        int  // connections, where they are shared
	Verbatim    bool // a stream is kept in Exchange.In as it came, for a person to see
	Counts      Counts

	peers peers
}

// DialFunc opens a connection; under TLS it may resume one of sessions, where that is not nil.
type DialFunc func(ctx context.Context, until time.Time, sessions tls.ClientSessionCache) (net.Conn, error)

// Counts are of all that went to a target.
type Counts struct {
	// Resent is how often a request went over another stream or connection because
	// the server said that it had not begun with it.
	Resent atomic.Int64
	// Full and Resumed count TLS handshakes.
	Full, Resumed atomic.Int64
	// Opened and Reopened count customers' sockets; the others messages that were not
	// the answer to the turn that was waiting, if one was.
	Opened, Reopened, Late, Repeated, Unsolicited atomic.Int64
	// Redialled are of Reopened those opened between turns; RedialsFailed could not be.
	// RedialTotal and RedialLongest are how long the former took, in nanoseconds.
	Redialled, RedialsFailed, RedialTotal, RedialLongest atomic.Int64
}

// Limits are scenario.Limits in the units of Go.
type Limits struct {
	Head, Line, Body int // bytes
	Ratio            int
	Stall            time.Duration
}

// Now is the time since Base.
func (t *Target) Now() time.Duration { return time.Since(t.Base) }

// Link is what a line holds between two turns: its connection, which only the
// carrier knows, and the TLS session of those before. The zero Link holds none.
type Link struct {
	Held     any
	Sessions *Sessions
}
