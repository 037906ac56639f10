package driver

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	h2 "golang.org/x/net/http2"
)

// answerAs gives one request the answer that a mode asks for.
func (p *peer) answerAs(mode scenario.Mode, id uint32, fields map[string]string) {
	switch {
	case mode == scenario.ModeStream:
		p.head(id, false, ":status", "200", "content-type", "text/event-stream")
		p.do(p.WriteData(id, true, []byte("event: delta\ndata: {\"text\":\"ok\"}\n\nevent: done\ndata: {}\n\n")))
	case mode == scenario.ModeAsync && fields[":method"] == "POST":
		p.head(id, true, ":status", "202", "location", "/v1/jobs/1", "retry-after", "0")
	default:
		p.ok(id)
	}
}

// Whatever the policy, the mode and what is below HTTP/2: what the server says it
// has not begun with goes over another stream or connection, is answered once, and
// is counted.
func TestNotBegun(t *testing.T) {
	t.Parallel()
	const turns = 12
	for _, c := range []struct {
		name string
		// refuse does not begin with request n of all, and tells whether the connection ends.
		refuse func(p *peer, n int64, id uint32) (refused, gone bool)
		resent map[scenario.Mode]int64
	}{
		{"every third stream", func(p *peer, n int64, id uint32) (bool, bool) {
			if n%3 != 0 {
				return false, false
			}
			p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream))
			return true, false
		}, map[scenario.Mode]int64{scenario.ModeSync: 5, scenario.ModeStream: 5, scenario.ModeAsync: 11}},
		{"closing in good order", func(p *peer, n int64, id uint32) (bool, bool) {
			if n%4 != 0 {
				return false, false
			}
			p.do(p.WriteGoAway(1<<31-1, h2.ErrCodeNo, nil))
			p.do(p.WriteGoAway(max(id, 2)-2, h2.ErrCodeNo, nil))
			return true, true
		}, map[scenario.Mode]int64{scenario.ModeSync: 3, scenario.ModeStream: 3, scenario.ModeAsync: 7}},
		{"closing on an error of its own", func(p *peer, n int64, id uint32) (bool, bool) {
			if n%4 != 0 {
				return false, false
			}
			p.do(p.WriteGoAway(max(id, 2)-2, h2.ErrCodeInternal, nil))
			return true, true
		}, map[scenario.Mode]int64{scenario.ModeSync: 3, scenario.ModeStream: 3, scenario.ModeAsync: 7}},
		{"several times in a row", func(p *peer, n int64, id uint32) (bool, bool) {
			if n > 4 {
				return false, false
			}
			p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream))
			return true, false
		}, map[scenario.Mode]int64{scenario.ModeSync: 4, scenario.ModeStream: 4, scenario.ModeAsync: 4}},
	} {
		for _, secure := range []bool{false, true} {
			for _, policy := range []scenario.Connections{scenario.PerUser, scenario.PerTurn, scenario.Shared} {
				for _, mode := range []scenario.Mode{scenario.ModeSync, scenario.ModeStream, scenario.ModeAsync} {
					t.Run(fmt.Sprintf("%s/tls %t/%s/%s", c.name, secure, policy, mode), func(t *testing.T) {
						t.Parallel()
						var asked, answered atomic.Int64
						serve := func(p *peer) {
							for {
								id, fields, _, ok := p.request()
								if !ok {
									return
								}
								refused, gone := c.refuse(p, asked.Add(1), id)
								if gone {
									return
								}
								if !refused {
									answered.Add(1)
									p.answerAs(mode, id, fields)
								}
							}
						}
						target := &scenario.Target{HTTP: "h2c", Mode: mode, Connections: policy, Pool: 1, Timeout: unit.Duration(20 * time.Second)}
						greeting := []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 100}}
						if secure {
							target.URL, target.HTTP, target.TLS = securePeerServer(t, greeting, serve), "2", &scenario.TLS{Insecure: true}
						} else {
							target.URL = peerServer(t, greeting, serve)
						}
						d := open(t, target, Options{Base: time.Now()})
						line := d.Open(&User{ID: "u"})
						for i := range turns {
							var r Reply
							line.Do(&Turn{Text: []byte("hi")}, &r)
							if r.Reason != Complete || string(r.Answer) != "ok" {
								t.Errorf("turn %d: reason %d %q, answer %q", i, r.Reason, r.Message, r.Answer)
							}
							line.Free(&r)
						}
						line.Close()
						requests := int64(turns)
						if mode == scenario.ModeAsync {
							requests *= 2
						}
						if n := answered.Load(); n != requests {
							t.Errorf("%d requests answered, want %d", n, requests)
						}
						if n := d.Traffic().Resent; n != c.resent[mode] || n != asked.Load()-requests {
							t.Errorf("%d counted as sent again, want %d; the server saw %d", n, c.resent[mode], asked.Load()-requests)
						}
					})
				}
			}
		}
	}
}

// A server that never begins with a turn has it nine times, or as often as the
// turn's timeout lets it, and what it has begun with once.
func TestNotBegunBounds(t *testing.T) {
	for _, c := range []struct {
		name    string
		answer  func(p *peer, id uint32)
		timeout time.Duration
		status  int
		most    int64
		message string
	}{
		{"refused", func(p *peer, id uint32) { p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream)) }, 20 * time.Second, 0, 9, "stream refused by the server"},
		{"refused, short timeout", func(p *peer, id uint32) { p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream)) }, 60 * time.Millisecond, 0, 5, "stream refused by the server"},
		{"refused once begun with", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200")
			p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream))
		}, 20 * time.Second, 200, 1, "stream refused by the server"},
		{"begun with, then gone", func(p *peer, id uint32) {
			p.do(p.WriteGoAway(id, h2.ErrCodeNo, nil))
			p.conn.Close()
		}, 20 * time.Second, 0, 1, "connection closed by the server before the answer was whole"},
		{"too many requests", func(p *peer, id uint32) { p.do(p.WriteRSTStream(id, h2.ErrCodeEnhanceYourCalm)) }, 20 * time.Second, 0, 1, "stream reset by the server"},
	} {
		var asked atomic.Int64
		url := peerServer(t, []h2.Setting{}, answerAll(func(p *peer, id uint32) {
			asked.Add(1)
			c.answer(p, id)
		}))
		r := once(t, &scenario.Target{URL: url, HTTP: "h2c", Timeout: unit.Duration(c.timeout)})
		if r.Reason != Broken || r.Status != c.status || r.Message != c.message {
			t.Errorf("%s: status %d reason %d %q", c.name, r.Status, r.Reason, r.Message)
		}
		if n := asked.Load(); n > c.most || n < min(c.most, 3) {
			t.Errorf("%s: asked %d times, want %d", c.name, n, c.most)
		}
	}
}

// A connection on which the server goes away before anything was sent is replaced.
func TestGoneBeforeUse(t *testing.T) {
	for _, policy := range []scenario.Connections{scenario.PerUser, scenario.Shared} {
		var conns atomic.Int64
		url := peerServer(t, []h2.Setting{}, func(p *peer) {
			if conns.Add(1) < 4 {
				p.do(p.WriteGoAway(0, h2.ErrCodeNo, nil))
				return
			}
			answerAll((*peer).ok)(p)
		})
		r := once(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: policy, Pool: 1})
		if r.Reason != Complete || conns.Load() != 4 {
			t.Errorf("%s: reason %d %q after %d connections", policy, r.Reason, r.Message, conns.Load())
		}
	}
}

// While a server allows no stream, from the first settings on or later, none is
// opened, and turns wait for one within their timeout.
func TestNoStreamAllowed(t *testing.T) {
	none, some := h2.Setting{ID: h2.SettingMaxConcurrentStreams, Val: 0}, h2.Setting{ID: h2.SettingMaxConcurrentStreams, Val: 2}
	for _, policy := range []scenario.Connections{scenario.PerUser, scenario.PerTurn, scenario.Shared} {
		for _, lines := range []int{1, 5} {
			t.Run(fmt.Sprintf("%s/%d", policy, lines), func(t *testing.T) {
				// quiet sees to it that no request comes for a while, and then allows some.
				quiet := func(p *peer) {
					p.conn.SetReadDeadline(time.Now().Add(30 * time.Millisecond)) //nolint:errcheck // the read fails then
					for {
						f, err := p.ReadFrame()
						if err != nil {
							break
						}
						switch f := f.(type) {
						case *h2.HeadersFrame, *h2.DataFrame:
							t.Errorf("%v while no stream is allowed", f)
						case *h2.SettingsFrame:
							if !f.IsAck() {
								p.do(p.WriteSettingsAck())
							}
						}
					}
					p.conn.SetReadDeadline(time.Time{}) //nolint:errcheck // as above
					p.Framer = h2.NewFramer(p.conn, p.conn)
					p.do(p.WriteSettings(some))
				}
				url := peerServer(t, []h2.Setting{none}, func(p *peer) {
					quiet(p)
					for n := 0; ; n++ {
						id, _, _, ok := p.request()
						if !ok {
							return
						}
						if n == 0 {
							p.do(p.WriteSettings(none))
						}
						p.ok(id)
						if n == 0 && lines == 1 && policy != scenario.PerTurn {
							quiet(p)
						} else if n == 0 {
							p.do(p.WriteSettings(some))
						}
					}
				})
				d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: policy, Pool: 1, Timeout: unit.Duration(20 * time.Second)}, Options{Base: time.Now()})
				var wg sync.WaitGroup
				for i := range lines {
					wg.Go(func() {
						line := d.Open(&User{ID: fmt.Sprint(i)})
						defer line.Close()
						for range 3 {
							var r Reply
							line.Do(&Turn{Text: []byte("hi")}, &r)
							if r.Reason != Complete {
								t.Errorf("reason %d %q", r.Reason, r.Message)
							}
							line.Free(&r)
						}
					})
				}
				wg.Wait()
			})
		}
	}
}

// No longer than its timeout, though, and nothing is sent.
func TestNoStreamEverAllowed(t *testing.T) {
	for policy, message := range map[scenario.Connections]string{
		scenario.PerUser: "the server allowed no stream within the timeout",
		scenario.PerTurn: "the server allowed no stream within the timeout",
		scenario.Shared:  "no shared connection became free within the timeout",
	} {
		var asked atomic.Int64
		url := peerServer(t, []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 0}}, answerAll(func(*peer, uint32) { asked.Add(1) }))
		d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: policy, Pool: 2, Timeout: unit.Duration(50 * time.Millisecond)}, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		for range 2 {
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if took := r.Done - r.Begun; r.Reason != TimedOut || r.Message != message || r.Sent != 0 || took < 50*time.Millisecond {
				t.Errorf("%s: reason %d %q after %s, sent %s", policy, r.Reason, r.Message, took, r.Sent)
			}
			line.Free(&r)
		}
		line.Close()
		if asked.Load() > 0 {
			t.Errorf("%s: %d requests", policy, asked.Load())
		}
	}
}
