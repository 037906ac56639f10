package front

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// desk answers what has "no" in its body.
type desk struct {
	crowded  atomic.Bool
	hold     time.Duration
	address  atomic.Value // of who asked last
	seen     atomic.Int64
	passed   atomic.Int64 // to the server
	expected atomic.Int64 // of them not there yet
}

func (d *desk) Crowded() bool { return d.crowded.Load() }

func (d *desk) Answer(w http.ResponseWriter, r *http.Request) (time.Duration, bool) {
	d.address.Store(r.RemoteAddr)
	d.seen.Add(1)
	body, _ := io.ReadAll(r.Body)
	if !strings.Contains(string(body), "no") {
		return 0, false
	}
	w.Header().Set("Content-Length", "4")
	w.WriteHeader(http.StatusServiceUnavailable)
	fmt.Fprint(w, "busy")
	return d.hold, true
}

func (d *desk) Expect() func() {
	d.expected.Add(1)
	d.passed.Add(1)
	return func() { d.expected.Add(-1) }
}

// serve is a server behind ln that says what it was asked.
func serve(t *testing.T, wrap func(net.Listener) net.Listener) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	s := &http.Server{ConnState: State, Protocols: &p, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %q %v", r.Proto, r.Method, r.URL.Path, body, err)
	})}
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.Serve(wrap(ln)) })
	t.Cleanup(func() { s.Close(); ended.Wait() })
	return ln.Addr().String()
}

// talk is a connection that sends and reads answers.
type talk struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *talk {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	return &talk{c, bufio.NewReader(c)}
}

func (c *talk) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// answer is the next one: its status and body, and whether the connection ends with it.
func (c *talk) answer(t *testing.T) string {
	t.Helper()
	r, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s %v", r.StatusCode, body, r.Close)
}

// refused asks until the desk answers, which is at once but where the server saw the
// request begin while it was busy with the one before.
func (c *talk) refused(t *testing.T) string {
	t.Helper()
	for range 100 {
		c.send(t, post("no"))
		if got := c.answer(t); !strings.HasPrefix(got, "200") {
			return got
		}
	}
	return "never"
}

func post(body string) string {
	return fmt.Sprintf("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// wire lets a connection's first bytes be there when it is accepted, as they are where the
// kernel waits for them, and counts what is read behind those.
type wire struct {
	net.Listener
	read atomic.Int64
}

type wired struct {
	*net.TCPConn
	read *atomic.Int64
}

func (w *wire) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	readable(raw)
	return &wired{c.(*net.TCPConn), &w.read}, nil
}

func (c *wired) Read(p []byte) (int, error) {
	n, err := c.TCPConn.Read(p)
	c.read.Add(int64(n))
	return n, err
}

// start is a server that such a desk stands before.
func (d *desk) start(t *testing.T) (address string, w *wire) {
	d.crowded.Store(true)
	w = &wire{}
	return serve(t, func(ln net.Listener) net.Listener {
		w.Listener = ln
		return Keep(Greet(w, d), d)
	}), w
}

func TestCrowdedConnectionsAreAnsweredBeforeTheServer(t *testing.T) {
	var d desk
	address, _ := d.start(t)
	c := dial(t, address)
	c.send(t, post("no"))
	if got := c.answer(t); got != "503 busy true" {
		t.Errorf("the first request: %s", got)
	}
	if _, err := c.in.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("behind it %v, want the end", err)
	}
	c = dial(t, address)
	for i := range 3 {
		c.send(t, post("yes"))
		if got := c.answer(t); got != `200 HTTP/1.1 POST /x "yes" <nil> false` {
			t.Errorf("round %d: %s", i, got)
		}
		if got := c.refused(t); got != "503 busy false" {
			t.Errorf("round %d: %s, want a refusal that leaves the connection", i, got)
		}
		c.send(t, post("no"))
		if got := c.answer(t); got != "503 busy false" {
			t.Errorf("round %d, behind a refusal: %s", i, got)
		}
	}
	if n := d.expected.Load(); n != 0 {
		t.Errorf("%d are still expected", n)
	}
	d.crowded.Store(false)
	c.send(t, post("no"))
	if got := c.answer(t); got != `200 HTTP/1.1 POST /x "no" <nil> false` {
		t.Errorf("not crowded: %s", got)
	}
	before := d.seen.Load()
	c = dial(t, address)
	c.send(t, post("no"))
	if got := c.answer(t); got != `200 HTTP/1.1 POST /x "no" <nil> false` || d.seen.Load() != before {
		t.Errorf("not crowded: %s, %d looks", got, d.seen.Load()-before)
	}
}

// What is not one whole request of HTTP/1.1 that may be followed by others gets what the
// server says to it.
func TestWhatIsUnclearIsForTheServer(t *testing.T) {
	const plain = `200 HTTP/1.1 POST /x "no" <nil> false`
	for name, c := range map[string]struct {
		parts []string
		want  []string
	}{
		"two at once":     {[]string{post("no") + post("no")}, []string{plain, plain}},
		"body behind":     {[]string{strings.TrimSuffix(post("no"), "no"), "no"}, []string{plain}},
		"a letter behind": {[]string{strings.TrimSuffix(post("no"), "o"), "o"}, []string{plain}},
		"a chunk behind":  {[]string{"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n", "0\r\n\r\n"}, []string{plain}},
		"HTTP/1.0":        {[]string{"POST /x HTTP/1.0\r\nHost: h\r\nContent-Length: 2\r\n\r\nno"}, []string{`200 HTTP/1.0 POST /x "no" <nil> true`}},
		"the last":        {[]string{"POST /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno"}, []string{`200 HTTP/1.1 POST /x "no" <nil> true`}},
		"no host":         {[]string{"POST /x HTTP/1.1\r\nContent-Length: 2\r\n\r\nno"}, []string{"400 400 Bad Request: missing required Host header true"}},
		"no HTTP":         {[]string{"no request, but longer than a preface of HTTP/2\r\n\r\n"}, []string{"400 400 Bad Request true"}},
		"too long to see": {[]string{post("no" + strings.Repeat(" ", most))}, []string{fmt.Sprintf(`200 HTTP/1.1 POST /x "no%s" <nil> false`, strings.Repeat(" ", most))}},
	} {
		for _, behind := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, behind another %v", name, behind), func(t *testing.T) {
				var d desk
				address, w := d.start(t)
				k := dial(t, address)
				if behind {
					k.send(t, post("yes"))
					k.answer(t)
				}
				looks, read, passed := d.seen.Load(), w.read.Load(), d.passed.Load()
				for i, part := range c.parts {
					if i > 0 {
						for w.read.Load() == read && d.passed.Load() == passed {
							runtime.Gosched()
						}
					}
					k.send(t, part)
				}
				for _, want := range c.want {
					if got := k.answer(t); got != want {
						t.Errorf("%.200s, want %.200s", got, want)
					}
				}
				if d.seen.Load() != looks {
					t.Error("the desk was asked")
				}
			})
		}
	}
}

// A request is whole with its last byte, and alone without another.
func TestRequestsAreWhole(t *testing.T) {
	for _, whole := range []string{post("no"), "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n"} {
		for n := range len(whole) {
			if request([]byte(whole[:n])) != nil {
				t.Errorf("%q is taken for whole", whole[:n])
			}
		}
		if request([]byte(whole)) == nil || request([]byte(whole+"P")) != nil {
			t.Errorf("%q is not taken for one whole request", whole)
		}
	}
}

// HTTP/2 is left alone, whatever the bytes in its frames look like.
func TestFramesAreNoRequests(t *testing.T) {
	var d desk
	address, _ := d.start(t)
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	c := &http.Client{Transport: &http.Transport{Protocols: &p}}
	defer c.CloseIdleConnections()
	for range 3 {
		r, err := c.Post("http://"+address+"/x", "text/plain", strings.NewReader(post("no")))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r.Body)
		r.Body.Close()
		if want := fmt.Sprintf(`HTTP/2.0 POST /x %q <nil>`, post("no")); string(body) != want {
			t.Errorf("%s, want %s", body, want)
		}
	}
	raw := dial(t, address)
	raw.send(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
	var frame [9]byte
	for frame[3] != 4 || frame[4] != 1 { // settings, acknowledged: it waits for a request
		if _, err := io.ReadFull(raw.in, frame[:]); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.in.Discard(int(frame[1])<<8 | int(frame[2])); err != nil {
			t.Fatal(err)
		}
	}
	raw.send(t, post("no"))
	if rest, _ := io.ReadAll(raw.in); strings.Contains(string(rest), "busy") {
		t.Errorf("a request in place of a frame: %q", rest)
	}
	if d.seen.Load() != 0 {
		t.Error("the desk was asked")
	}
}

// Answers that are held back come in time, and at once when the server ends.
func TestAnswersAreHeldBack(t *testing.T) {
	d := desk{hold: 50 * time.Millisecond}
	address, _ := d.start(t)
	kept := dial(t, address)
	kept.send(t, post("yes"))
	kept.answer(t)
	kept.refused(t)
	for name, c := range map[string]*talk{"new": dial(t, address), "kept": kept} {
		start := time.Now()
		c.send(t, post("no"))
		if got := c.answer(t); !strings.HasPrefix(got, "503 busy") || time.Since(start) < d.hold {
			t.Errorf("%s: %s after %v, want it held back for %v", name, got, time.Since(start), d.hold)
		}
	}
	end := desk{hold: time.Hour}
	end.crowded.Store(true)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := Greet(&wire{Listener: ln}, &end)
	var ended sync.WaitGroup
	ended.Go(func() {
		if c, err := g.Accept(); err == nil {
			t.Errorf("%v is for the server", c)
		}
	})
	c := dial(t, ln.Addr().String())
	c.send(t, post("no"))
	for end.seen.Load() == 0 {
		runtime.Gosched()
	}
	g.Close()
	ended.Wait()
	if got := c.answer(t); got != "503 busy true" {
		t.Errorf("at the end: %s", got)
	}
}

// A connection that ends before its request was read is expected no more.
func TestConnectionsThatEndAreNotExpected(t *testing.T) {
	var d desk
	d.crowded.Store(true)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := Greet(&wire{Listener: ln}, &d)
	defer g.Close()
	dial(t, ln.Addr().String()).send(t, post("yes"))
	c, err := g.Accept()
	if err != nil || d.expected.Load() != 1 {
		t.Fatalf("%v, %d are expected", err, d.expected.Load())
	}
	c.Close()
	c.Close()
	if n := d.expected.Load(); n != 0 {
		t.Errorf("%d are still expected", n)
	}
}
