package driver

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// keptServer answers every request and then does something to the connection,
// of which it tells when it is done. config nil: without TLS.
func keptServer(t *testing.T, config *tls.Config, then func(net.Conn) (goOn bool), done chan<- struct{}) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url = "http://" + l.Addr().String()
	if config != nil {
		l, url = tls.NewListener(l, config), "https://"+l.Addr().String()
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					if _, err := io.Copy(io.Discard, r.Body); err != nil {
						return
					}
					write(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"+okBody)
					goOn := then(c)
					if !goOn {
						c.Close()
					}
					done <- struct{}{}
					if !goOn {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		serving.Wait()
	})
	return url
}

// A kept connection is looked at before it is used again, a few milliseconds after its last answer too:
// one that the server closed costs no turn, one that stands is kept, whatever TLS
// itself has sent meanwhile.
func TestKeptConnectionIsLookedAt(t *testing.T) {
	_, _, cert := pair(t, "127.0.0.1", time.Now().Add(time.Hour))
	config := func(version uint16, tickets bool) *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: version, MaxVersion: version, SessionTicketsDisabled: !tickets}
	}
	wires := map[string]*tls.Config{
		"plain": nil, "TLS 1.2": config(tls.VersionTLS12, true),
		"TLS 1.3": config(tls.VersionTLS13, false), "TLS 1.3 with tickets": config(tls.VersionTLS13, true),
	}
	afters := map[string]struct {
		then func(net.Conn) bool
		kept bool
	}{
		"kept":   {func(net.Conn) bool { return true }, true},
		"closed": {func(net.Conn) bool { return false }, false},
		"half closed": {func(c net.Conn) bool {
			c.(interface{ CloseWrite() error }).CloseWrite() //nolint:errcheck // the test shows
			return true
		}, false},
		"reset": {func(c net.Conn) bool {
			under := c
			if secure, ok := c.(*tls.Conn); ok {
				under = secure.NetConn()
			}
			under.(*net.TCPConn).SetLinger(0) //nolint:errcheck // the test shows
			under.Close()
			return false
		}, false},
		"something unasked": {func(c net.Conn) bool { write(c, "HTTP/1.1 408 Request Timeout\r\n\r\n"); return true }, false},
	}
	for wire, config := range wires {
		for after, what := range afters {
			for _, policy := range []scenario.Connections{scenario.PerUser, scenario.Shared} {
				t.Run(wire+"/"+after+"/"+string(policy), func(t *testing.T) {
					if runtime.GOOS == "windows" {
						t.Skip("a socket cannot be looked at here")
					}
					const turns = 5
					done := make(chan struct{}, turns)
					url := keptServer(t, config, what.then, done)
					d := open(t, &scenario.Target{URL: url, Connections: policy, Pool: 1, TLS: &scenario.TLS{Insecure: true}}, Options{Base: time.Now()})
					line := d.Open(&User{ID: "u"})
					defer line.Close()
					for n := range turns {
						var r Reply
						line.Do(&Turn{Text: []byte("a")}, &r)
						if kept := r.Connect == 0; r.Reason != Complete || n > 0 && kept != what.kept {
							t.Fatalf("turn %d: reason %d %q, connect %v", n+1, r.Reason, r.Message, r.Connect)
						}
						line.Free(&r)
						<-done                             // over loopback, what was done has arrived
						<-time.After(2 * time.Millisecond) // what is asked for is a connection that was idle
					}
				})
			}
		}
	}
}
