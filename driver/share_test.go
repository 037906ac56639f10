package driver

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	h2 "golang.org/x/net/http2"
)

// A server that says it is going away is left after what it still answers, and
// the next turn goes over a new connection.
func TestGoAway(t *testing.T) {
	for _, policy := range []string{"shared", "per-user"} {
		var conns atomic.Int64
		url := peerServer(t, []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 100}}, func(p *peer) {
			conns.Add(1)
			for n := 1; ; n++ {
				id, _, _, ok := p.request()
				if !ok {
					return
				}
				if n == 5 {
					p.do(p.WriteGoAway(id, h2.ErrCodeNo, nil))
				}
				p.ok(id)
			}
		})
		d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: scenario.Connections(policy), Pool: 1}, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		for i := range 20 {
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if r.Reason != Complete || (r.Connect > 0) != (i%5 == 0) {
				t.Errorf("%s turn %d: reason %d %q connect %d", policy, i, r.Reason, r.Message, r.Connect)
			}
			line.Free(&r)
		}
		line.Close()
		if conns.Load() != 4 {
			t.Errorf("%s: %d connections", policy, conns.Load())
		}
	}
}

// Turns that a closing server has not begun with go over another connection; each
// happens once. A server that complains of their number is not asked again.
func TestGoAwayInFlight(t *testing.T) {
	for _, c := range []struct {
		code   h2.ErrCode
		broken int64
	}{{h2.ErrCodeNo, 0}, {h2.ErrCodeInternal, 0}, {h2.ErrCodeEnhanceYourCalm, 7}} {
		var conns, taken, broken atomic.Int64
		url := peerServer(t, []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 8}}, func(p *peer) {
			first := conns.Add(1) == 1
			var ids []uint32
			for {
				id, _, _, ok := p.request()
				if !ok {
					return
				}
				if !first {
					taken.Add(1)
					p.ok(id)
					continue
				}
				if ids = append(ids, id); len(ids) == 8 {
					taken.Add(1)
					p.do(p.WriteGoAway(ids[0], c.code, nil))
					p.ok(ids[0])
				}
			}
		})
		d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: "shared", Pool: 1}, Options{Base: time.Now()})
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				line := d.Open(&User{ID: fmt.Sprint(i)})
				defer line.Close()
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if r.Reason == Broken {
					broken.Add(1)
				} else if r.Reason != Complete || r.Sent > r.FirstByte {
					t.Errorf("reason %d %q", r.Reason, r.Message)
				}
				line.Free(&r)
			})
		}
		wg.Wait()
		if broken.Load() != c.broken || taken.Load() != 8-c.broken {
			t.Errorf("%v: %d broken, %d taken on %d connections", c.code, broken.Load(), taken.Load(), conns.Load())
		}
	}
}

// A target that dies and comes back costs the turns in between and no others, on
// every policy; waiting lines are not forgotten.
func TestTargetReturns(t *testing.T) {
	for _, version := range []string{"1.1", "h2c"} {
		for _, policy := range []string{"per-user", "shared"} {
			srv := newChatServer(t, false)
			front, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := front.Addr().String()
			front.Close()
			proxy := newProxy(t, address, srv.Listener.Addr().String())
			d := open(t, &scenario.Target{URL: "http://" + address, HTTP: scenario.HTTPVersion(version), Connections: scenario.Connections(policy), Pool: 2, Timeout: unit.Duration(10 * time.Second)}, Options{Base: time.Now()})
			round := func(want Reason) {
				t.Helper()
				var wg sync.WaitGroup
				for i := range 8 {
					wg.Go(func() {
						line := d.Open(&User{ID: fmt.Sprint(i)})
						defer line.Close()
						var r Reply
						line.Do(&Turn{Text: []byte("hi")}, &r)
						if r.Reason != want {
							t.Errorf("%s %s: reason %d %q, want %d", version, policy, r.Reason, r.Message, want)
						}
						line.Free(&r)
					})
				}
				wg.Wait()
			}
			round(Complete)
			proxy.stop()
			for d.Connections() > 0 && version == "h2c" {
				time.Sleep(time.Millisecond) // the reading goroutines see the end on a real socket
			}
			if version == "1.1" && policy == "shared" {
				// Idle connections are found dead by the turns that use them.
				first := d.Open(&User{})
				for range 2 {
					var r Reply
					first.Do(&Turn{Text: []byte("hi")}, &r)
					first.Free(&r)
				}
				first.Close()
			}
			round(Unreachable)
			proxy.start(t)
			round(Complete)
			proxy.stop()
		}
	}
}

// proxy passes connections through while it is up.
type proxy struct {
	address, target string
	mu              sync.Mutex
	listener        net.Listener
	conns           []net.Conn
	wg              sync.WaitGroup
}

func newProxy(t *testing.T, address, target string) *proxy {
	t.Helper()
	p := &proxy{address: address, target: target}
	p.start(t)
	return p
}

func (p *proxy) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	p.listener = l
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			up, err := net.Dial("tcp", p.target)
			if err != nil {
				c.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, c, up)
			p.mu.Unlock()
			for _, pair := range [][2]net.Conn{{c, up}, {up, c}} {
				p.wg.Go(func() {
					buf := make([]byte, 4096)
					for {
						n, err := pair[0].Read(buf)
						if err == nil {
							_, err = pair[1].Write(buf[:n])
						}
						if err != nil {
							pair[1].Close()
							return
						}
					}
				})
			}
		}
	})
}

func (p *proxy) stop() {
	p.listener.Close()
	p.mu.Lock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
	p.mu.Unlock()
	p.wg.Wait()
}
