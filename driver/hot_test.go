package driver

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// echoServer answers every request that ends with a JSON object at once, with as
// little work as can be.
func echoServer(t testing.TB) string {
	t.Helper()
	return answering(t, `"}`, `{"dialog_id":"0123456789abcdef0123456789abcdef","answer":"this is the answer to your question, customer","cost_ms":1.00}`)
}

// answering answers every request that ends so.
func answering(t testing.TB, end, body string) string {
	t.Helper()
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Sun, 22 Nov 2026 20:00:00 GMT\r\nContent-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%s", len(body), body)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer c.Close()
				in := make([]byte, 4096)
				for {
					n, err := c.Read(in)
					if err != nil {
						return
					}
					if bytes.HasSuffix(in[:n], []byte(end)) {
						if _, err := c.Write(answer); err != nil {
							return
						}
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return "http://" + l.Addr().String()
}

func hotTarget(url string) *scenario.Target {
	return &scenario.Target{
		URL: url, Auth: &scenario.Auth{JWT: &scenario.JWT{Secret: "0123456789abcdef0123456789abcdef", Kid: "k1"}},
		Headers: map[string]string{"x-user": "${user.id}", "x-test": "1"}, Timeout: unit.Duration(5 * time.Second),
	}
}

func hotTurn() *Turn {
	return &Turn{
		Text: []byte("优惠券还能用吗? \"A\"\n⟦c:K7F3Q2ZA.1⟧"), DialogID: []byte("0123456789abcdef0123456789abcdef"),
		TurnID: []byte("0123456789abcdef0123456789abcdef"), TraceID: [16]byte{1}, SpanID: [8]byte{2},
	}
}

// A turn on a kept connection allocates nothing.
func TestTurnAllocatesNothing(t *testing.T) {
	for _, c := range []struct{ version, url string }{{"1.1", echoServer(t)}, {"h2c", newChatServer(t, false).URL}} {
		target := hotTarget(c.url)
		target.HTTP = scenario.HTTPVersion(c.version)
		d := open(t, target, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u1"})
		turn := hotTurn()
		var r Reply
		do := func() {
			line.Do(turn, &r)
			if r.Reason != Complete || len(r.Answer) == 0 {
				t.Fatalf("reason %d %q", r.Reason, r.Message)
			}
			line.Free(&r)
		}
		do()
		if c.version == "h2c" {
			// The server is net/http in this process: only that the driver works is seen here.
			line.Close()
			continue
		}
		// Under the race detector sync.Pool forgets on purpose.
		if n := testing.AllocsPerRun(500, do); n > 0 && !raced {
			t.Errorf("%s: %.0f allocations per turn", c.version, n)
		}
		line.Close()
	}
}

// Nor does one of api openai that calls no functions, its tokens counted.
func TestModelTurnAllocatesNothing(t *testing.T) {
	url := answering(t, `]}`, `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"it comes","refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":20,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":3}}}`)
	d := open(t, &scenario.Target{URL: url, API: scenario.APIOpenAI, Model: "m"}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u1"})
	defer line.Close()
	turn := hotTurn()
	turn.History = []Message{{Text: []byte("a")}, {Assistant: true, Text: []byte("b")}}
	var r Reply
	do := func() {
		line.Do(turn, &r)
		if r.Reason != Complete || r.Usage.Input != 20 || r.Usage.Cached != 3 {
			t.Fatalf("reason %d %q, %+v", r.Reason, r.Message, r.Usage)
		}
		line.Free(&r)
	}
	do()
	if n := testing.AllocsPerRun(500, do); n > 0 && !raced {
		t.Errorf("%.0f allocations per turn", n)
	}
}

func BenchmarkDo(b *testing.B) {
	d := open(b, hotTarget(echoServer(b)), Options{Base: time.Now()})
	turn := hotTurn()
	b.ReportAllocs()
	var users atomic.Int64
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		line := d.Open(&User{ID: fmt.Sprint(users.Add(1))})
		defer line.Close()
		var r Reply
		for pb.Next() {
			line.Do(turn, &r)
			if r.Reason != Complete {
				b.Fatalf("%d %s", r.Reason, r.Message)
			}
			line.Free(&r)
		}
	})
}

// BenchmarkRequest is the driver's own work on a request: what is not the kernel's.
func BenchmarkRequest(b *testing.B) {
	p, err := compile(given(hotTarget("http://127.0.0.1:1")), Options{Base: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	v := filled(values{user: &User{ID: "u1"}, turn: hotTurn()})
	form := http1.NewForm(&p.turn, &p.Target)
	if err := p.jwt.sign(of(v).user, time.Now()); err != nil {
		b.Fatal(err)
	}
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out = form.Append(out[:0], v)
	}
}

// BenchmarkExtract takes an answer of the reference server apart.
func BenchmarkExtract(b *testing.B) {
	p, err := compile(given(hotTarget("http://127.0.0.1:1")), Options{Base: time.Now()})
	if err != nil {
		b.Fatal(err)
	}
	body := []byte(`{"dialog_id":"0123456789abcdef0123456789abcdef","answer":"满减优惠券可以在结算页选择使用,每单限用一张。","cost_ms":112.345,"turn_id":"abc","seq":2,"epoch":1,"tier":"llm","degraded":false,"source":"llm","suggestions":["退货","发票"],"context":{"status":"ok","turns":2},"persisted":true,"pii":{"in":0,"out":0},"group":"base","trace_id":"0af7651916cd43dd8448eb211c80319c"}`)
	e := exchanges{plan: p}
	x := e.get()
	var r Reply
	b.ReportAllocs()
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		x.text = x.text[:0]
		if f := p.read.take(x, &r, 200, body); f.Bad() {
			b.Fatal(f.Message)
		}
	}
}

// A connection in think time holds no buffer: what is kept of it is small.
func TestIdleMemory(t *testing.T) {
	const n = 400
	d := open(t, hotTarget(echoServer(t)), Options{Base: time.Now()})
	var before, after runtime.MemStats
	lines := make([]Channel, n)
	users := make([]User, n)
	turn := hotTurn()
	var r Reply
	one := func(i int) {
		lines[i] = d.Open(&users[i])
		lines[i].Do(turn, &r)
		lines[i].Free(&r)
	}
	one(0)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 1; i < n; i++ {
		one(i)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	// The in-process server's goroutine and its 4 KiB buffer are in it.
	perLine := (int64(after.HeapInuse+after.StackInuse) - int64(before.HeapInuse+before.StackInuse)) / (n - 1)
	if perLine > 4096+2048+2048+2048 {
		t.Errorf("%d bytes a line, server's side and all", perLine)
	}
	for _, l := range lines {
		l.Close()
	}
}

// A deadline that was set for an earlier turn and passes in this one changes
// nothing, with TLS as without.
func TestDeadlineOfAnEarlierTurn(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, version := range []scenario.HTTPVersion{scenario.HTTP1, scenario.HTTP2} {
			if version == scenario.HTTP2 && !secure {
				version = scenario.H2C
			}
			t.Run(fmt.Sprintf("%s secure %t", version, secure), func(t *testing.T) {
				var passes atomic.Pointer[func()]
				s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					if pass := passes.Load(); pass != nil {
						(*pass)()
					}
					io.WriteString(w, okBody) //nolint:errcheck // the client sees it
				}))
				s.Config.Protocols = new(http.Protocols)
				s.Config.Protocols.SetHTTP1(version == scenario.HTTP1)
				s.Config.Protocols.SetHTTP2(version == scenario.HTTP2)
				s.Config.Protocols.SetUnencryptedHTTP2(version == scenario.H2C)
				if s.EnableHTTP2 = version == scenario.HTTP2; secure {
					s.StartTLS()
				} else {
					s.Start()
				}
				defer s.Close()
				d := open(t, &scenario.Target{URL: s.URL, HTTP: version, TLS: &scenario.TLS{Insecure: true}}, Options{Base: time.Now()})
				line := d.Open(&User{ID: "u"}).(*channel)
				defer line.Close()
				turn := func(what string, kept bool) {
					t.Helper()
					var r Reply
					line.Do(&Turn{Text: []byte("a")}, &r)
					if r.Reason != Complete || kept != (r.Connect == 0) {
						t.Errorf("%s: reason %d %q, connect %d", what, r.Reason, r.Message, r.Connect)
					}
					line.Free(&r)
				}
				turn("first", false)
				c := line.link.Held.(net.Conn)
				pass := func() { c.SetReadDeadline(time.Unix(1, 0)) } //nolint:errcheck // the turn shows
				passes.Store(&pass)
				turn("while it waits", true)
				passes.Store(nil)
				turn("behind that", true)
			})
		}
	}
}

// A connection that dies as a turn is sent costs that turn: nothing is sent twice.
func TestNeverSentTwice(t *testing.T) {
	var seen atomic.Int64
	url := rawServer(t, func(c net.Conn, n int) bool {
		seen.Add(1)
		if n%3 == 2 {
			return false // read, and not answered
		}
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"+okBody)
		return true
	})
	d := open(t, &scenario.Target{URL: url, Headers: map[string]string{"idempotency-key": "${turn.id}"}}, Options{Base: time.Now()})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var reasons [Exhausted + 1]int
	for i := range 30 {
		var r Reply
		line.Do(&Turn{Text: []byte("a"), TurnID: fmt.Append(nil, i)}, &r)
		reasons[r.Reason]++
		if r.Reason == Broken && r.Message != "kept connection closed by the server" {
			t.Errorf("message %q", r.Message)
		}
		line.Free(&r)
	}
	if seen.Load() != 30 || reasons[Complete] != 20 || reasons[Broken] != 10 {
		t.Errorf("the server saw %d of 30 turns, %d complete, %d broken", seen.Load(), reasons[Complete], reasons[Broken])
	}
}

// Capture shows the turn as sent and as answered.
func TestCapture(t *testing.T) {
	var sent, got string
	url := rawServer(t, func(c net.Conn, _ int) bool {
		write(c, "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n"+okBody)
		return true
	})
	d := open(t, &scenario.Target{URL: url}, Options{Base: time.Now(), Capture: func(a, b []byte) { sent, got = string(a), string(b) }})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte("hi")}, &r)
	if string(r.Body) != okBody {
		t.Errorf("body %q", r.Body)
	}
	line.Free(&r)
	if want := "POST /v1/chat HTTP/1.1\r\nHost: " + url[len("http://"):] + "\r\n"; len(sent) < len(want) || sent[:len(want)] != want {
		t.Errorf("sent %q", sent)
	}
	if want := "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n" + okBody; got != want {
		t.Errorf("got %q", got)
	}
	for _, mode := range []string{"sync", "stream", "async"} {
		var asked []string // the turn, and each poll of a job
		d := open(t, &scenario.Target{URL: newChatServer(t, false).URL, HTTP: "h2c", Mode: scenario.Mode(mode)}, Options{Base: time.Now(), Capture: func(a, b []byte) { asked, got = append(asked, string(a)), string(b) }})
		line := d.Open(&User{ID: "u"})
		line.Do(&Turn{Text: []byte("hi")}, &r)
		line.Free(&r)
		line.Close()
		sent = asked[0]
		if polled := len(asked) > 1; polled != (mode == "async") || polled && !strings.HasPrefix(asked[len(asked)-1], "GET /v1/jobs/") {
			t.Errorf("%s: asked %q", mode, asked)
		}
		if !strings.HasPrefix(sent, "POST /v1/chat") || !strings.HasSuffix(sent, `"text":"hi"}`) || !strings.HasPrefix(got, "HTTP/2 200\r\n\r\n") || !strings.Contains(got, "turns") {
			t.Errorf("%s: sent %q, got %q", mode, sent, got)
		}
	}
}
