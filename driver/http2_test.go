package driver

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is an HTTP/2 server by hand, on one connection.
type peer struct {
	t    testing.TB
	conn net.Conn
	*h2.Framer
	dec *hpack.Decoder
}

// peerServer greets each connection and then lets serve do what it likes.
func peerServer(t testing.TB, greeting []h2.Setting, serve func(p *peer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	servePeers(t, l, greeting, serve)
	return "http://" + l.Addr().String()
}

// securePeerServer is peerServer over TLS; its certificate is to be trusted unseen.
func securePeerServer(t testing.TB, greeting []h2.Setting, serve func(p *peer)) string {
	t.Helper()
	_, _, certificate := pair(t, "chat.example", time.Now().Add(time.Hour))
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	servePeers(t, l, greeting, serve)
	return "https://" + l.Addr().String()
}

func servePeers(t testing.TB, l net.Listener, greeting []h2.Setting, serve func(p *peer)) {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				magic := make([]byte, len(h2.ClientPreface))
				if _, err := io.ReadFull(c, magic); err != nil || string(magic) != h2.ClientPreface {
					return
				}
				p := &peer{t: t, conn: c, Framer: h2.NewFramer(c, c), dec: hpack.NewDecoder(4096, nil)}
				p.AllowIllegalWrites = true
				if greeting != nil {
					p.do(p.WriteSettings(greeting...))
				}
				serve(p)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
}

// request reads up to the end of the next request.
func (p *peer) request() (id uint32, fields map[string]string, body string, ok bool) {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return 0, nil, "", false
		}
		switch f := f.(type) {
		case *h2.SettingsFrame:
			if !f.IsAck() {
				p.do(p.WriteSettingsAck())
			}
		case *h2.HeadersFrame:
			list, err := p.dec.DecodeFull(f.HeaderBlockFragment())
			if err != nil {
				p.t.Error(err)
			}
			fields = map[string]string{}
			for _, h := range list {
				fields[h.Name] = h.Value
			}
			if id = f.StreamID; f.StreamEnded() {
				return id, fields, body, true
			}
		case *h2.DataFrame:
			body += string(f.Data())
			if f.StreamEnded() {
				return id, fields, body, true
			}
		}
	}
}

// do takes the error of a write, which the client's reads and the test see.
func (p *peer) do(error) {}

// block encodes a header block without a table.
func block(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	e.SetMaxDynamicTableSize(0)
	for i := 0; i < len(pairs); i += 2 {
		e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) //nolint:errcheck // memory
	}
	return b.Bytes()
}

func (p *peer) head(id uint32, end bool, pairs ...string) {
	p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: block(pairs...), EndHeaders: true, EndStream: end}))
}

func (p *peer) ok(id uint32) {
	p.head(id, false, ":status", "200", "content-type", "application/json", "x-"+strings.Repeat("y", 20), "z")
	p.do(p.WriteData(id, true, []byte(okBody)))
}

// answerAll serves requests with answer until the connection ends.
func answerAll(answer func(p *peer, id uint32)) func(*peer) {
	return func(p *peer) {
		for {
			id, _, _, ok := p.request()
			if !ok {
				return
			}
			answer(p, id)
		}
	}
}

func TestHTTP2Answers(t *testing.T) {
	one := func(n int) []byte { return bytes.Repeat([]byte("x"), n) }
	for _, c := range []struct {
		name    string
		answer  func(p *peer, id uint32)
		status  int
		reason  Reason
		message string
	}{
		{"plain", (*peer).ok, 200, Complete, ""},
		{"interim and trailers", func(p *peer, id uint32) {
			p.head(id, false, ":status", "103", "link", "x")
			p.head(id, false, ":status", "200")
			p.do(p.WriteData(id, false, []byte(okBody)))
			p.head(id, true, "x-sum", "1")
		}, 200, Complete, ""},
		{"byte by byte, padded", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "15")
			for i := range okBody {
				p.do(p.WriteDataPadded(id, i == len(okBody)-1, []byte(okBody[i:i+1]), make([]byte, i)))
			}
		}, 200, Complete, ""},
		{"CONTINUATION", func(p *peer, id uint32) {
			b := block(":status", "200", "content-encoding", "identity")
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: b[:1]}))
			p.do(p.WriteContinuation(id, true, b[1:]))
			p.do(p.WriteData(id, true, []byte(okBody)))
		}, 200, Complete, ""},
		{"500", func(p *peer, id uint32) { p.head(id, true, ":status", "500") }, 500, Complete, ""},
		{"gzip", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200", "content-encoding", "gzip")
			p.do(p.WriteData(id, true, []byte(gz(okBody))))
		}, 200, Complete, ""},
		{"pings and settings between", func(p *peer, id uint32) {
			p.do(p.WritePing(false, [8]byte{1}))
			p.do(p.WriteSettings(h2.Setting{ID: h2.SettingHeaderTableSize, Val: 0}))
			p.do(p.WriteRawFrame(0xfe, 0xff, 0, one(30)))
			p.ok(id)
		}, 200, Complete, ""},

		{"reset", func(p *peer, id uint32) { p.do(p.WriteRSTStream(id, h2.ErrCodeInternal)) }, 0, Broken, "stream reset by the server"},
		{"refused", func(p *peer, id uint32) { p.do(p.WriteRSTStream(id, h2.ErrCodeRefusedStream)) }, 0, Broken, "stream refused by the server"},
		{"GOAWAY", func(p *peer, id uint32) { p.do(p.WriteGoAway(0, h2.ErrCodeNo, nil)) }, 0, Broken, "GOAWAY"},
		{"close", func(p *peer, id uint32) { p.conn.Close() }, 0, Broken, wire.ClosedEarly},
		{"no status", func(p *peer, id uint32) { p.head(id, true, "x", "y") }, 0, Broken, "malformed header block"},
		{"two statuses", func(p *peer, id uint32) { p.head(id, true, ":status", "200", ":status", "200") }, 0, Broken, "malformed header block"},
		{"status 999", func(p *peer, id uint32) { p.head(id, true, ":status", "999") }, 999, Complete, ""},
		{"NUL in a header", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "location", "a\x00") }, 0, Broken, "malformed header block"},
		{"upper case", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "X", "a") }, 0, Broken, "malformed header block"},
		{"HPACK garbage", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: one(40), EndHeaders: true, EndStream: true}))
		}, 0, Broken, "malformed header block"},
		{"HPACK table", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: []byte{0x88, 0xbe}, EndHeaders: true, EndStream: true}))
		}, 0, Broken, "malformed header block"},
		{"two lengths", func(p *peer, id uint32) {
			p.head(id, true, ":status", "200", "content-length", "1", "content-length", "1")
		}, 0, Broken, "malformed header block"},
		{"transfer-encoding", func(p *peer, id uint32) { p.head(id, true, ":status", "200", "transfer-encoding", "chunked") }, 0, Broken, "malformed header block"},
		{"wrong length", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200", "content-length", "99")
			p.do(p.WriteData(id, true, []byte(okBody)))
		}, 200, Broken, "not as long as"},
		{"body first", func(p *peer, id uint32) { p.do(p.WriteData(id, true, []byte(okBody))) }, 0, Broken, "before its headers"},
		{"1xx flood", func(p *peer, id uint32) {
			for range 100 {
				p.head(id, false, ":status", "103")
			}
		}, 0, Broken, "interim"},
		{"CONTINUATION flood", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: one(10)}))
			for p.WriteContinuation(id, false, one(100)) == nil {
			}
		}, 0, Oversized, "headers are longer"},
		{"empty CONTINUATION flood", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id}))
			for p.WriteContinuation(id, false, nil) == nil {
			}
		}, 0, Oversized, "headers are longer"},
		{"interrupted block", func(p *peer, id uint32) {
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: id, BlockFragment: one(10)}))
			p.do(p.WritePing(false, [8]byte{}))
		}, 0, Broken, "interrupted"},
		{"huge frame", func(p *peer, id uint32) { p.do(p.WriteRawFrame(h2.FrameData, 0, id, one(1<<14+1))) }, 0, Broken, "larger than allowed"},
		{"huge body", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200")
			for p.WriteData(id, false, one(1<<14)) == nil {
			}
		}, 200, Oversized, "body is larger"},
		{"bad padding", func(p *peer, id uint32) {
			p.head(id, false, ":status", "200")
			p.do(p.WriteRawFrame(h2.FrameData, h2.FlagDataPadded, id, []byte{200, 1}))
		}, 200, Broken, "malformed DATA"},
		{"push", func(p *peer, id uint32) { p.do(p.WriteRawFrame(h2.FramePushPromise, 0x4, id, one(10))) }, 0, Broken, "push"},
		{"window overflow", func(p *peer, id uint32) { p.do(p.WriteWindowUpdate(0, 1<<31-1)) }, 0, Broken, "window"},
		{"ping flood", func(p *peer, id uint32) {
			for p.WritePing(false, [8]byte{}) == nil {
			}
		}, 0, Broken, "flood"},
		{"odd stream", func(p *peer, id uint32) { p.head(id+2, true, ":status", "200") }, 0, Broken, "malformed HEADERS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := peerServer(t, []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 100}}, answerAll(c.answer))
			d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Timeout: unit.Duration(10 * time.Second)}, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for again := range 2 {
				var r Reply
				line.Do(&Turn{Text: []byte("hi")}, &r)
				if again > 0 && c.name == "huge body" {
					break // it still sends the first one
				}
				if r.Status != c.status || r.Reason != c.reason || !strings.Contains(r.Message, c.message) || c.message == "" && r.Message != "" {
					t.Errorf("status %d reason %d %q, want %d %d %q", r.Status, r.Reason, r.Message, c.status, c.reason, c.message)
				}
				if c.status == 200 && c.reason == Complete && string(r.Answer) != "ok" {
					t.Errorf("answer %q", r.Answer)
				}
				line.Free(&r)
			}
		})
	}
}

// A server that is no HTTP/2 server is told at once.
func TestHTTP2Greeting(t *testing.T) {
	for name, serve := range map[string]func(*peer){
		"HTTP/1.1":     func(p *peer) { write(p.conn, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n") },
		"other frame":  func(p *peer) { p.do(p.WritePing(false, [8]byte{})) },
		"closed":       func(*peer) {},
		"bad settings": func(p *peer) { p.do(p.WriteRawFrame(h2.FrameSettings, 0, 0, []byte{1})) },
	} {
		r := once(t, &scenario.Target{URL: peerServer(t, nil, serve), HTTP: "h2c"})
		if r.Reason != Unreachable || r.Message != "the server does not speak HTTP/2" {
			t.Errorf("%s: reason %d %q", name, r.Reason, r.Message)
		}
	}
}

// What is sent is what a server expects, with the peer's table full, empty or off.
func TestHTTP2Request(t *testing.T) {
	for _, size := range []uint32{4096, 0} {
		n := 0
		url := peerServer(t, []h2.Setting{{ID: h2.SettingHeaderTableSize, Val: size}}, func(p *peer) {
			p.dec.SetMaxDynamicTableSize(size)
			for {
				id, fields, body, ok := p.request()
				if !ok {
					return
				}
				n++
				want := map[string]string{
					":method": "POST", ":scheme": "http", ":path": "/v1/chat", "content-type": "application/json", "x-user": "u1", "user-agent": "cstest",
					"traceparent": "00-01000000000000000000000000000000-0200000000000000-01",
				}
				for k, v := range want {
					if fields[k] != v {
						t.Errorf("table %d, turn %d: %s is %q, want %q", size, n, k, fields[k], v)
					}
				}
				if len(fields) != 11 || !strings.HasPrefix(fields["authorization"], "Bearer ey") || !strings.Contains(body, "优惠券") {
					t.Errorf("table %d, turn %d: %v %s", size, n, fields, body)
				}
				p.ok(id)
			}
		})
		target := hotTarget(url)
		target.HTTP = "h2c"
		d := open(t, target, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u1"})
		for range 3 {
			var r Reply
			line.Do(hotTurn(), &r)
			if r.Reason != Complete {
				t.Errorf("table %d: reason %d %q", size, r.Reason, r.Message)
			}
			line.Free(&r)
		}
		line.Close()
	}
}

// Windows are kept to: a body larger than they allow waits for updates.
func TestHTTP2Windows(t *testing.T) {
	const length = 200_000
	url := peerServer(t, []h2.Setting{{ID: h2.SettingInitialWindowSize, Val: 1000}}, func(p *peer) {
		allowed, all, body := 1000, 65535, 0
		for {
			f, err := p.ReadFrame()
			if err != nil {
				return
			}
			d, ok := f.(*h2.DataFrame)
			if !ok {
				continue
			}
			n := len(d.Data())
			body, allowed, all = body+n, allowed-n, all-n
			if allowed < 0 || all < 0 {
				t.Errorf("%d bytes beyond the window", -min(allowed, all))
			}
			if d.StreamEnded() {
				if body < length {
					t.Errorf("body of %d bytes", body)
				}
				p.ok(d.StreamID)
				return
			}
			if allowed == 0 {
				p.do(p.WriteWindowUpdate(d.StreamID, 30_000))
				allowed += 30_000
			}
			if all == 0 {
				p.do(p.WriteWindowUpdate(0, 30_000))
				all += 30_000
			}
		}
	})
	d := open(t, &scenario.Target{URL: url, HTTP: "h2c"}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: bytes.Repeat([]byte("x"), length)}, &r)
	if r.Reason != Complete {
		t.Errorf("reason %d %q", r.Reason, r.Message)
	}
	line.Free(&r)
}

// Never more streams at once than the peer allows, and everybody gets a turn.
func TestHTTP2MaxStreams(t *testing.T) {
	var most, now atomic.Int64
	url := peerServer(t, []h2.Setting{{ID: h2.SettingMaxConcurrentStreams, Val: 2}}, func(p *peer) {
		var mu sync.Mutex
		var wg sync.WaitGroup
		defer wg.Wait()
		for {
			id, _, _, ok := p.request()
			if !ok {
				return
			}
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			wg.Go(func() {
				time.Sleep(time.Millisecond) // so that the other stream is used, too
				mu.Lock()
				defer mu.Unlock()
				now.Add(-1)
				p.ok(id)
			})
		}
	})
	d := open(t, &scenario.Target{URL: url, HTTP: "h2c", Connections: "shared", Pool: 1, Timeout: unit.Duration(20 * time.Second)}, Options{Base: time.Now()})
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			line := d.Open(&User{ID: fmt.Sprint(i)})
			defer line.Close()
			for range 10 {
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
	if most.Load() != 2 || d.Connections() != 1 {
		t.Errorf("at most %d streams at once on %d connections", most.Load(), d.Connections())
	}
}
