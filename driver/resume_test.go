package driver

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// A user's next connection resumes the TLS session of the one before, also in
// another conversation, and never another user's; shared connections have a session
// together. Both kinds of handshake are counted.
func TestSessionsAreResumed(t *testing.T) {
	_, _, cert := pair(t, "127.0.0.1", time.Now().Add(time.Hour))
	off := false
	for _, c := range []struct {
		policy        scenario.Connections
		tickets       bool
		resume        *bool
		full, resumed int64
	}{
		{scenario.PerUser, true, nil, 2, 6},
		{scenario.PerConversation, true, nil, 2, 6},
		{scenario.PerTurn, true, nil, 2, 6},
		{scenario.Shared, true, nil, 1, 7}, // everybody's, as the connections are
		{scenario.Shared, true, &off, 8, 0},
		{scenario.PerUser, true, &off, 8, 0},
		{scenario.PerUser, false, nil, 8, 0},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s/tickets %t/off %t/%s", c.policy, c.tickets, c.resume != nil, tls.VersionName(version)), func(t *testing.T) {
				config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version, SessionTicketsDisabled: !c.tickets}
				closed := make(chan struct{}, 1)
				url := keptServer(t, config, func(net.Conn) bool { return false }, closed)
				target := &scenario.Target{URL: url, TLS: &scenario.TLS{Insecure: true, Resume: c.resume}, Connections: c.policy, Pool: 1}
				d := open(t, target, Options{Base: time.Now()})
				for u := range 2 {
					user := &User{ID: fmt.Sprint(u)}
					for range 4 {
						line := d.Open(user)
						{
							var r Reply
							line.Do(&Turn{Text: []byte("hi")}, &r)
							if r.Reason != Complete || r.Connect == 0 {
								t.Errorf("reason %d %q, connected for %s", r.Reason, r.Message, r.Connect)
							}
							whole := r.Reason == Complete
							line.Free(&r)
							if whole {
								<-closed
							}
						}
						line.Close()
					}
				}
				if n := d.Traffic(); n.FullHandshakes != c.full || n.ResumedHandshakes != c.resumed {
					t.Errorf("%d full and %d resumed handshakes, want %d and %d", n.FullHandshakes, n.ResumedHandshakes, c.full, c.resumed)
				}
			})
		}
	}
}

// Without TLS there is nothing to count.
func TestNoHandshakeInTheClear(t *testing.T) {
	srv := newChatServer(t, false)
	d := open(t, &scenario.Target{URL: srv.URL}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	line.Free(&r)
	line.Close()
	if n := d.Traffic(); r.Reason != Complete || n.FullHandshakes+n.ResumedHandshakes+n.Resent != 0 {
		t.Errorf("%+v", n)
	}
}

// Over HTTP/2 it is the same, whether a connection is a turn's or ends because the
// server says so.
func TestSessionsAreResumedOverHTTP2(t *testing.T) {
	_, _, cert := pair(t, "127.0.0.1", time.Now().Add(time.Hour))
	off := false
	for _, c := range []struct {
		policy        scenario.Connections
		tickets       bool
		resume        *bool
		full, resumed int64
	}{
		{scenario.PerTurn, true, nil, 2, 6},
		{scenario.PerConversation, true, nil, 2, 6},
		{scenario.PerUser, true, nil, 2, 6},
		{scenario.Shared, true, nil, 1, 7},
		{scenario.Shared, true, &off, 8, 0},
		{scenario.PerTurn, false, nil, 8, 0},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			t.Run(fmt.Sprintf("%s/tickets %t/off %t/%s", c.policy, c.tickets, c.resume != nil, tls.VersionName(version)), func(t *testing.T) {
				resumed := make(chan bool, 8)
				srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
					if q.ProtoMajor != 2 {
						t.Errorf("asked over %s", q.Proto)
					}
					resumed <- q.TLS.DidResume
					w.Header().Set("Connection", "close") // net/http says GOAWAY then
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(okBody)) // a client that left is the test's failure elsewhere
				}))
				srv.EnableHTTP2 = true
				srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version, SessionTicketsDisabled: !c.tickets}
				srv.StartTLS()
				t.Cleanup(srv.Close)
				target := &scenario.Target{URL: srv.URL, HTTP: "2", TLS: &scenario.TLS{Insecure: true, Resume: c.resume}, Connections: c.policy, Pool: 1}
				d := open(t, target, Options{Base: time.Now()})
				seen := int64(0)
				for u := range 2 {
					user := &User{ID: fmt.Sprint(u)}
					for range 4 {
						line := d.Open(user)
						var r Reply
						line.Do(&Turn{Text: []byte("hi")}, &r)
						if r.Reason != Complete || string(r.Answer) != "ok" {
							t.Fatalf("reason %d %q, answer %q", r.Reason, r.Message, r.Answer)
						}
						if <-resumed {
							seen++
						}
						line.Free(&r)
						line.Close()
					}
				}
				n := d.Traffic()
				if want := (AddressTurns{srv.Listener.Addr().String(), 8, 0}); len(n.Addresses) != 1 || n.Addresses[0] != want {
					t.Errorf("turns at %+v, want %+v", n.Addresses, want)
				}
				if n.FullHandshakes != c.full || n.ResumedHandshakes != c.resumed || seen != c.resumed {
					t.Errorf("%d full and %d resumed handshakes, the server saw %d resumed; want %d and %d", n.FullHandshakes, n.ResumedHandshakes, seen, c.full, c.resumed)
				}
			})
		}
	}
}
