package http2

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/template"
	"go.uber.org/goleak"
	h2 "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reel is a connection that plays frames, step bytes a read, once a request was
// written.
type reel struct {
	net.Conn
	left  []byte
	step  int
	asked chan struct{}
	once  sync.Once
}

func (c *reel) Write(p []byte) (int, error) {
	c.once.Do(func() { close(c.asked) })
	return len(p), nil
}

func (c *reel) Read(p []byte) (int, error) {
	<-c.asked
	if len(c.left) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), c.step)], c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *reel) Close() error                     { return nil }
func (c *reel) SetDeadline(time.Time) error      { return nil }
func (c *reel) SetReadDeadline(time.Time) error  { return nil }
func (c *reel) SetWriteDeadline(time.Time) error { return nil }

// unreel has one turn answered by frames.
func unreel(t testing.TB, target *wire.Target, frames []byte, step int) string {
	t.Helper()
	h := New(target)
	m := h.newMux(&reel{left: bytes.Clone(frames), step: step, asked: make(chan struct{})})
	if !h.add(m) {
		t.Fatal("closed")
	}
	go m.read()
	q := &wire.Request{Method: "POST", Path: template.Raw[wire.Values]("/"), Usual: true}
	h.Compile(q)
	x := &wire.Exchange{Deadline: time.Minute}
	f := h.RoundTrip(&wire.Link{Held: m}, x, q)
	got := fmt.Sprintf("%d %d %q %q", x.Head.Status, f.Reason, f.Message, x.Body)
	if x.Head.Status != 0 && (x.Head.Status < 100 || x.Head.Status > 999) {
		t.Errorf("an answer that is none: %s", got)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	return got
}

// headerBlock encodes a header block without a table.
func headerBlock(pairs ...string) []byte {
	var b bytes.Buffer
	e := hpack.NewEncoder(&b)
	e.SetMaxDynamicTableSize(0)
	for i := 0; i < len(pairs); i += 2 {
		e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}) //nolint:errcheck // memory
	}
	return b.Bytes()
}

// frames gives the frames that write writes, behind the server's settings.
func frames(t testing.TB, write func(p *h2.Framer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	p := h2.NewFramer(&out, nil)
	p.AllowIllegalWrites = true
	if err := errors.Join(p.WriteSettings(), write(p)); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func writeHead(p *h2.Framer, end bool, pairs ...string) error {
	return p.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: headerBlock(pairs...), EndHeaders: true, EndStream: end})
}

// Whatever frames a server sends: no panic, no turn without an end, and the same
// however they are cut.
func FuzzHTTP2(f *testing.F) {
	const body = `{"answer":"ok"}`
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(body)); err != nil || z.Close() != nil {
		f.Fatal(err)
	}
	for _, seed := range []func(p *h2.Framer) error{
		func(*h2.Framer) error { return nil },
		func(p *h2.Framer) error {
			return errors.Join(writeHead(p, false, ":status", "200", "content-length", "15"), p.WriteData(1, true, []byte(body)))
		},
		func(p *h2.Framer) error {
			b := headerBlock(":status", "200", "content-encoding", "gzip", "location", "/x")
			return errors.Join(
				p.WriteHeaders(h2.HeadersFrameParam{StreamID: 1, BlockFragment: b[:3], PadLength: 7, Priority: h2.PriorityParam{StreamDep: 3, Weight: 9}}),
				p.WriteContinuation(1, true, b[3:]),
				p.WriteDataPadded(1, false, zipped.Bytes(), make([]byte, 5)),
				writeHead(p, true, "x-sum", "1"))
		},
		func(p *h2.Framer) error {
			return errors.Join(
				writeHead(p, false, ":status", "103"),
				p.WritePing(false, [8]byte{1}),
				p.WriteWindowUpdate(0, 7),
				p.WriteSettings(h2.Setting{ID: h2.SettingHeaderTableSize}, h2.Setting{ID: h2.SettingMaxFrameSize, Val: 1 << 20}),
				writeHead(p, true, ":status", "503"))
		},
		func(p *h2.Framer) error { return p.WriteWindowUpdate(1, 1<<31-1) },
		func(p *h2.Framer) error { return p.WriteRSTStream(1, h2.ErrCodeRefusedStream) },
		func(p *h2.Framer) error { return p.WriteGoAway(1, h2.ErrCodeNo, []byte("bye")) },
		func(p *h2.Framer) error { return p.WriteGoAway(0, h2.ErrCodeNo, nil) },
		func(p *h2.Framer) error { return p.WriteGoAway(0, h2.ErrCodeInternal, nil) },
		func(p *h2.Framer) error { return p.WriteRawFrame(0xbe, 0xff, 0x80000001, []byte("x")) },
	} {
		f.Add(frames(f, seed), 3)
	}
	target := &wire.Target{Host: "127.0.0.1:1", Base: time.Now(), Timeout: time.Minute, Limits: wire.Limits{Body: 4096, Head: 1024, Line: 512, Ratio: 100}}
	target.Dial = func(context.Context, time.Time, tls.ClientSessionCache) (net.Conn, error) {
		return nil, syscall.ECONNREFUSED
	}
	f.Fuzz(func(t *testing.T, frames []byte, step int) {
		whole := unreel(t, target, frames, len(frames)+1)
		if cut := unreel(t, target, frames, 1+(step&0x3f)); cut != whole {
			t.Errorf("whole %s\ncut into %d %s", whole, 1+(step&0x3f), cut)
		}
	})
}
