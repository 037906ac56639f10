package driver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	h2 "golang.org/x/net/http2"
)

// reel is a connection of HTTP/2 that plays frames once a request was written.
type reel struct {
	net.Conn
	tape
	asked chan struct{}
	once  sync.Once
}

func (c *reel) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.asked) })
	return len(p), nil
}

func (c *reel) Read(p []byte) (int, error) {
	<-c.asked
	return c.tape.Read(p)
}

func (c *reel) Close() error                     { return nil }
func (c *reel) SetDeadline(time.Time) error      { return nil }
func (c *reel) SetReadDeadline(time.Time) error  { return nil }
func (c *reel) SetWriteDeadline(time.Time) error { return nil }

// unreel has one turn answered by frames.
func unreel(t testing.TB, target *wire.Target, frames []byte, step int) string {
	t.Helper()
	h := newHTTP2(target)
	m := h.newMux(&reel{tape: tape{left: bytes.Clone(frames), step: step}, asked: make(chan struct{})})
	if !h.add(m) {
		t.Fatal("closed")
	}
	go m.read()
	q := &wire.Request{Method: "POST", Path: raw("/"), Usual: true}
	h.Compile(q)
	x := &wire.Exchange{Deadline: time.Minute}
	f := h.RoundTrip(&wire.Link{Held: m}, x, q)
	got := fmt.Sprintf("%d %d %q %q", x.Head.Status, f.Reason, f.Message, x.Body)
	if x.Head.Status != 0 && (x.Head.Status < 100 || x.Head.Status > 599) {
		t.Errorf("an answer that is none: %s", got)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	return got
}

// Whatever frames a server sends: no panic, no turn without an end, and the same
// however they are cut.
func FuzzHTTP2(f *testing.F) {
	for _, seed := range []func(p *peer){
		func(*peer) {},
		func(p *peer) {
			p.head(1, false, ":status", "200", "content-length", "15")
			p.do(p.WriteData(1, true, []byte(okBody)))
		},
		func(p *peer) {
			b := block(":status", "200", "content-encoding", "gzip", "location", "/x")
			p.do(p.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:3], PadLength: 7, Priority: h2.PriorityParam{StreamDep: 3, Weight: 9}}))
			p.do(p.WriteContinuation(1, true, b[3:]))
			p.do(p.WriteDataPadded(1, false, []byte(gz(okBody)), make([]byte, 5)))
			p.head(1, true, "x-sum", "1")
		},
		func(p *peer) {
			p.head(1, false, ":status", "103")
			p.do(p.WritePing(false, [8]byte{1}))
			p.do(p.WriteWindowUpdate(0, 7))
			p.do(p.WriteSettings(h2.Setting{ID: h2.SettingHeaderTableSize}, h2.Setting{ID: h2.SettingMaxFrameSize, Val: 1 << 20}))
			p.head(1, true, ":status", "503")
		},
		func(p *peer) { p.do(p.WriteWindowUpdate(1, 1<<31-1)) },
		func(p *peer) { p.do(p.WriteRSTStream(1, h2.ErrCodeRefusedStream)) },
		func(p *peer) { p.do(p.WriteGoAway(1, h2.ErrCodeNo, []byte("bye"))) },
		func(p *peer) { p.do(p.WriteGoAway(0, h2.ErrCodeNo, nil)) },
		func(p *peer) { p.do(p.WriteGoAway(0, h2.ErrCodeInternal, nil)) },
		func(p *peer) { p.do(p.WriteRawFrame(0xbe, 0xff, 0x80000001, []byte("x"))) },
	} {
		var out bytes.Buffer
		p := &peer{Framer: h2.NewFramer(&out, nil)}
		p.AllowIllegalWrites = true
		p.do(p.WriteSettings())
		seed(p)
		f.Add(out.Bytes(), 3)
	}
	target := &wire.Target{Host: "127.0.0.1:1", Base: time.Now(), Timeout: time.Minute, Limits: wire.Limits{Body: 4096, Head: 1024, Line: 512, Ratio: 100}}
	target.Dial = func(context.Context, time.Time) (net.Conn, error) { return nil, syscall.ECONNREFUSED }
	f.Fuzz(func(t *testing.T, frames []byte, step int) {
		whole := unreel(t, target, frames, len(frames)+1)
		if cut := unreel(t, target, frames, 1+(step&0x3f)); cut != whole {
			t.Errorf("whole %s\ncut into %d %s", whole, 1+(step&0x3f), cut)
		}
	})
}
