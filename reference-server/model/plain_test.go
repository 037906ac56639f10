package model

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/trace"
)

// Every framing of an answer is read, and its connection kept where it may be.
func TestAnswersAndTheirConnections(t *testing.T) {
	const ok, typed = "HTTP/1.1 200 OK\r\n", "Content-Type: application/json\r\n"
	body := said("好")
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	chunks := fmt.Sprintf("%x\r\n%s\r\n%x\r\n%s\r\n0\r\n", 10, body[:10], len(body)-10, body[10:])
	for _, c := range []struct {
		name, answer string
		kept         bool
		shut         bool // by the server, behind its answer
	}{
		{"length", ok + typed + length + "\r\n" + body, true, false},
		{"small letters", ok + "content-type:application/json\r\ncontent-length:" + fmt.Sprint(len(body)) + "\r\n\r\n" + body, true, false},
		{"with charset", ok + "Content-Type: application/json; charset=utf-8\r\n" + length + "\r\n" + body, true, false},
		{"chunked", ok + typed + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "\r\n", true, false},
		{"chunked with trailer", ok + typed + "Transfer-Encoding: chunked\r\n\r\n" + chunks + "X-Time: 3\r\n\r\n", false, false},
		{"after interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok + typed + length + "\r\n" + body, true, false},
		{"after many interim answers", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 100) + ok + typed + length + "\r\n" + body, true, false},
		{"long head", ok + typed + length + "X-Long: " + strings.Repeat("a", 60<<10) + "\r\n\r\n" + body, true, false},
		{"HTTP/1.0 kept alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + typed + length + "\r\n" + body, true, false},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\n" + typed + length + "\r\n" + body, false, false},
		{"asked to close", ok + typed + length + "Connection: close\r\n\r\n" + body, false, false},
		{"until the close", ok + typed + "\r\n" + body, false, true},
		{"until the close, of an upgrade", ok + typed + "Connection: upgrade\r\nUpgrade: x\r\n\r\n" + body, false, true},
		{"bytes behind it", ok + typed + length + "\r\n" + body + "HTTP/1.1 200 OK\r\n", false, false},
	} {
		for _, step := range []int{1 << 20, 7} {
			t.Run(fmt.Sprint(c.name, step), func(t *testing.T) {
				if step < 100 && len(c.answer) > 10<<10 {
					step = 1000
				}
				p := newPeer(t, func(_ int64, l *line) {
					for l.read() {
						for rest := c.answer; rest != ""; rest = rest[min(step, len(rest)):] {
							l.write(rest[:min(step, len(rest))])
						}
						if c.shut {
							return
						}
					}
				})
				m := newTestClient(t, p.url, usual)
				for range 3 {
					wantSaid(t, m, "好")
				}
				want := int64(3)
				if c.kept {
					want = 1
				}
				if step < 100 && c.name == "bytes behind it" {
					return // they may arrive with the next answer, which is a cut one then
				}
				wantCount(t, "connections", &p.conns, want)
				wantCount(t, "requests", &p.requests, 3)
			})
		}
	}
}

// A hostile or broken server costs one typed error: nothing is sent again, and
// the connection carries nothing more.
func TestHostileServers(t *testing.T) {
	const typed = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	const inChunks = typed + "Transfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name   string
		answer string
		again  string // repeated until the client closes
		want   Fault
	}{
		{"nothing", "", "", FaultTransient},
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "", FaultTransient},
		{"HTTP/2", "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80", "", FaultTransient},
		{"half a status line", "HTTP/1.1 2", "", FaultTransient},
		{"half a head", typed, "", FaultTransient},
		{"status of letters", "HTTP/1.1 abc OK\r\n\r\n", "", FaultTransient},
		{"status of nothing", "HTTP/1.1 000 OK\r\nContent-Type: application/json\r\n\r\n" + said("不"), "", FaultTransient},
		{"HTTP/1.9", "HTTP/1.9 200 OK\r\nContent-Type: application/json\r\n\r\n" + said("不"), "", FaultTransient},
		{"status beyond", "HTTP/1.1 99999999999999999999 OK\r\n\r\n", "", FaultTransient},
		{"head without end", typed, "X-A: b\r\n", FaultTransient},
		{"line without end", typed + "X-A: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", FaultTransient},
		{"empty lines without end", "", "\r\n", FaultTransient},
		{"interim answers without end", "", "HTTP/1.1 100 Continue\r\n\r\n", FaultTransient},
		{"too many interim answers", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 101) + plainAnswer("不"), "", FaultTransient},
		{"control characters", typed + "X-A: \x00\x01\r\n\r\n", "", FaultTransient},
		{"no length in length", typed + "Content-Length: -1\r\n\r\n", "", FaultTransient},
		{"two lengths", typed + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "", FaultTransient},
		{"length beyond numbers", typed + "Content-Length: 99999999999999999999\r\n\r\n", "", FaultTransient},
		{"length beyond the limit", typed + "Content-Length: 1099511627776\r\n\r\n", "a", FaultGarbage},
		{"cut body", typed + "Content-Length: 100\r\n\r\n{}", "", FaultTransient},
		{"chunks without end", inChunks, "2\r\n{}\r\n", FaultGarbage},
		{"chunk beyond the limit", inChunks + "7fffffff\r\n", "a", FaultGarbage},
		{"chunk beyond numbers", inChunks + "ffffffffffffffffff\r\n", "", FaultTransient},
		{"chunk without size", inChunks + "\r\n{}\r\n", "", FaultTransient},
		{"chunk without its end", inChunks + "2\r\n{}{}", "", FaultTransient},
		{"chunk extension without end", inChunks + "2;", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", FaultGarbage},
		{"trailer without end", inChunks + "0\r\n", "X-A: b\r\n", FaultGarbage},
		{"cut chunks", inChunks + "2\r\n{}\r\n", "", FaultTransient},
		{"no end of chunks", inChunks + "2\r\n{}\r\n0\r\n", "", FaultTransient},
		{"other transfer encoding", typed + "Transfer-Encoding: gzip\r\n\r\n{}", "", FaultTransient},
		{"body without end", typed + "\r\n", "{}", FaultGarbage},
		{"switch of protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "", FaultGarbage},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "", FaultGarbage},
		{"not modified with a body", "HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n", "", FaultGarbage},
		{"redirect", "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 9999\r\n\r\n", "", FaultGarbage},
		{"not JSON by type", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>", "", FaultGarbage},
		{"not JSON", typed + "\r\n<p>", "", FaultGarbage},
		{"not UTF-8", typed + "\r\n\"\xff\"", "", FaultGarbage},
		{"no text", typed + "\r\n{}", "", FaultGarbage},
		{"error with endless body", "HTTP/1.1 500 Oops\r\n\r\n", "a", FaultTransient},
		{"error with broken body", "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "", FaultTransient},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, func(n int64, l *line) {
				if n > 1 {
					talk("好")(n, l)
					return
				}
				if !l.read() {
					return
				}
				l.write(c.answer)
				for many, err := strings.Repeat(c.again, 1000), error(nil); c.again != "" && err == nil; {
					_, err = l.Write([]byte(many))
				}
			})
			m := newTestClient(t, p.url, usual)
			_, err := ask(t.Context(), m)
			wantFault(t, err, c.want)
			if cut := errors.Is(err, errCut); cut != (strings.Contains(c.name, "cut ") || strings.HasPrefix(c.name, "half ") || slices.Contains([]string{"nothing", "no end of chunks"}, c.name)) {
				t.Errorf("%v: says that it is cut: %t", err, cut)
			}
			if strings.Contains(err.Error(), "aaaa") || strings.Contains(err.Error(), "SSH") {
				t.Errorf("%v shows what the server sent", err)
			}
			wantCount(t, "requests", &p.requests, 1)
			wantSaid(t, m, "好")
			wantCount(t, "connections", &p.conns, 2)
		})
	}
}

// The body of an error is read where it is short, so that its connection is kept.
func TestErrorsAndTheirConnections(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         Fault
		kept         bool
	}{
		{"transient", "HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", FaultTransient, true},
		{"chunked", "HTTP/1.1 502 Bad\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n", FaultTransient, true},
		{"back off", "HTTP/1.1 429 Slow\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", FaultBackOff, true},
		{"overloaded", "HTTP/1.1 503 Full\r\nRetry-After: 3\r\nContent-Length: 0\r\n\r\n", FaultBackOff, true},
		{"our key", "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", FaultConfig, true},
		{"our fault", "HTTP/1.1 400 What\r\nContent-Length: 0\r\n\r\n", FaultPermanent, true},
		{"long", "HTTP/1.1 500 Oops\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("a", 5000), FaultTransient, false},
		{"long in chunks", "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n1400\r\n" + strings.Repeat("a", 0x1400) + "\r\n0\r\n\r\n", FaultTransient, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, func(_ int64, l *line) {
				for l.read() {
					l.write(c.answer)
				}
			})
			m := newTestClient(t, p.url, usual)
			for range 2 {
				_, err := ask(t.Context(), m)
				wantFault(t, err, c.want)
			}
			want := int64(2)
			if c.kept {
				want = 1
			}
			wantCount(t, "connections", &p.conns, want)
			wantCount(t, "requests", &p.requests, 2)
		})
	}
}

// Wherever a server hangs, the end of the context ends the call and its connection.
func TestCallsEndWithTheirContext(t *testing.T) {
	const typed = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	for _, c := range []struct {
		name   string
		answer string
		unread bool // the request, which is too much for the buffers in between
	}{
		{"before it reads", "", true},
		{"before it answers", "", false},
		{"in the head", typed, false},
		{"in the body", typed + "Content-Length: 100\r\n\r\n{", false},
		{"in a chunk", typed + "Transfer-Encoding: chunked\r\n\r\n5\r\n{", false},
		{"before the close", typed + "\r\n{}", false},
	} {
		body := []byte("{}")
		if c.unread {
			body = huge
		}
		hang := func(t *testing.T) (*peer, *Client, chan struct{}) {
			there := make(chan struct{})
			p := newPeer(t, func(n int64, l *line) {
				if n > 1 {
					talk("好")(n, l)
					return
				}
				if c.unread || l.read() {
					l.write(c.answer)
				}
				if c.unread {
					_, _ = l.in.Peek(1)
				}
				close(there)
				l.closed()
			})
			return p, newTestClient(t, p.url, usual), there
		}
		t.Run(c.name+"/cancelled", func(t *testing.T) {
			p, m, there := hang(t)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-there
				cancel()
			}()
			_, err := m.Ask(ctx, body, trace.From(""), "")
			wantFault(t, err, FaultCancelled)
			wantSaid(t, m, "好")
			wantCount(t, "connections", &p.conns, 2)
		})
		t.Run(c.name+"/late", func(t *testing.T) {
			p, m, _ := hang(t)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			_, err := m.Ask(ctx, body, trace.From(""), "")
			wantFault(t, err, FaultTimeout)
			wantSaid(t, m, "好")
			wantCount(t, "connections", &p.conns, 2)
		})
	}
}

func TestNothingIsSentForAContextThatIsDone(t *testing.T) {
	p := newPeer(t, talk("好"))
	m := newTestClient(t, p.url, usual)
	wantSaid(t, m, "好")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := ask(ctx, m)
	wantFault(t, err, FaultCancelled)
	wantSaid(t, m, "好")
	wantCount(t, "connections", &p.conns, 1)
	wantCount(t, "requests", &p.requests, 2)
}

// A status is told even where the body behind it hangs.
func TestStatusBeforeABodyThatHangs(t *testing.T) {
	p := newPeer(t, func(_ int64, l *line) {
		l.read()
		l.write("HTTP/1.1 500 Oops\r\nContent-Length: 10\r\n\r\n")
		l.closed()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := ask(ctx, newTestClient(t, p.url, usual))
	wantFault(t, err, FaultTransient)
}

// An answer that comes before the request was read is taken for one.
func TestAnswerBeforeTheRequestIsRead(t *testing.T) {
	p := newPeer(t, func(_ int64, l *line) {
		l.write("HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		l.closed()
	})
	m := newTestClient(t, p.url, usual)
	_, err := ask(t.Context(), m)
	wantFault(t, err, FaultPermanent)
}

// A server that is not there is a transient fault, and leaves the place to others.
func TestNobodyListens(t *testing.T) {
	p := newPeer(t, talk("好"))
	o := usual
	o.MaxConns = 1
	m := newTestClient(t, p.url, o)
	there := m.carrier.(*plain).pool.address
	for range 3 {
		m.carrier.(*plain).pool.address = "127.0.0.1:1"
		_, err := ask(t.Context(), m)
		wantFault(t, err, FaultTransient)
	}
	m.carrier.(*plain).pool.address = there
	wantSaid(t, m, "好")
}

func TestConnectionsAreBounded(t *testing.T) {
	for _, places := range []int{1, 2} {
		t.Run(fmt.Sprint(places), func(t *testing.T) {
			all := make(chan struct{})
			var first sync.WaitGroup
			first.Add(places)
			p := newPeer(t, func(n int64, l *line) {
				if n <= int64(places) && l.read() {
					first.Done()
					<-all
					l.write(plainAnswer("好"))
				}
				talk("好")(n, l)
			})
			o := usual
			o.MaxConns = places
			m := newTestClient(t, p.url, o)
			var calls sync.WaitGroup
			for range places {
				calls.Go(func() { wantSaid(t, m, "好") })
			}
			first.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			defer cancel()
			_, err := ask(ctx, m)
			wantFault(t, err, FaultTimeout)
			ctx, cancel = context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			_, err = ask(ctx, m)
			wantFault(t, err, FaultCancelled)
			for range 20 {
				calls.Go(func() { wantSaid(t, m, "好") })
			}
			close(all)
			calls.Wait()
			wantCount(t, "connections", &p.conns, int64(places))
			wantCount(t, "requests", &p.requests, int64(places)+20)
		})
	}
}

func TestConnectionsAreUnboundedWithoutABound(t *testing.T) {
	const callers = 100
	var first sync.WaitGroup
	first.Add(callers)
	p := newPeer(t, func(_ int64, l *line) {
		if l.read() {
			first.Done()
			first.Wait()
			l.write(plainAnswer("好"))
		}
	})
	o := usual
	o.MaxConns = 0
	m := newTestClient(t, p.url, o)
	var calls sync.WaitGroup
	for range callers {
		calls.Go(func() { wantSaid(t, m, "好") })
	}
	calls.Wait()
	wantCount(t, "connections", &p.conns, callers)
}

func TestIdleConnectionsAreBounded(t *testing.T) {
	var three sync.WaitGroup
	three.Add(3)
	shut := make(chan struct{}, 3)
	p := newPeer(t, func(n int64, l *line) {
		if n <= 3 && l.read() {
			three.Done()
			three.Wait()
			l.write(plainAnswer("好"))
		}
		talk("好")(0, l)
		shut <- struct{}{}
	})
	o := usual
	o.MaxIdle = 1
	m := newTestClient(t, p.url, o)
	var calls sync.WaitGroup
	for range 3 {
		calls.Go(func() { wantSaid(t, m, "好") })
	}
	calls.Wait()
	<-shut
	<-shut
	wantSaid(t, m, "好")
	wantCount(t, "connections", &p.conns, 3)
	m.Close()
	<-shut
	wantSaid(t, m, "好") // still works, and keeps nothing
	<-shut
	wantCount(t, "connections", &p.conns, 4)
}

func TestIdleConnectionsExpire(t *testing.T) {
	shut := make(chan struct{}, 1)
	p := newPeer(t, func(n int64, l *line) {
		talk("好")(n, l)
		shut <- struct{}{}
	})
	m := newTestClient(t, p.url, usual)
	m.carrier.(*plain).pool.life = time.Millisecond
	for range 2 {
		wantSaid(t, m, "好")
		<-shut
	}
	wantCount(t, "connections", &p.conns, 2)
}

func TestConnectionsAreNotKeptWithoutKeepalive(t *testing.T) {
	for name, set := range map[string]func(*Options){
		"off":     func(o *Options) { o.Keepalive = false },
		"no idle": func(o *Options) { o.MaxIdle = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(_ int64, l *line) {
				for l.read() {
					if got := l.last.Header.Get("Connection"); !l.last.Close {
						t.Errorf("Connection: %q, want close", got)
					}
					l.write(plainAnswer("好"))
				}
			})
			o := usual
			set(&o)
			m := newTestClient(t, p.url, o)
			for range 2 {
				wantSaid(t, m, "好")
			}
			wantCount(t, "connections", &p.conns, 2)
		})
	}
}

// Both carriers send the same request.
func TestRequestsOfBothCarriers(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"plain": httptest.NewServer, "TLS": httptest.NewTLSServer} {
		for _, key := range []string{"", "secret"} {
			t.Run(name+key, func(t *testing.T) {
				tr := trace.From("")
				want := `{"messages":[{"content":"嗯"}]}`
				s := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					var got strings.Builder
					for _, f := range []string{"Content-Type", "Authorization", "X-Request-Purpose", "User-Agent", "Content-Length", "Accept-Encoding"} {
						got.WriteString(r.Header.Get(f) + "|")
					}
					wantFields := "application/json||probe|cstest-reference-server|" + fmt.Sprint(len(want)) + "||"
					if key != "" {
						wantFields = strings.Replace(wantFields, "||", "|Bearer secret|", 1)
					}
					if got.String() != wantFields || r.Method != http.MethodPost || r.URL.RequestURI() != "/base/v1/chat/completions" || r.Host != fmt.Sprint(r.Context().Value(http.LocalAddrContextKey)) {
						t.Errorf("%s %s of %s with %s, want %s", r.Method, r.URL, r.Host, got.String(), wantFields)
					}
					if parent := r.Header.Get("Traceparent"); trace.From(parent).ID != tr.ID {
						t.Errorf("traceparent %q, want one of %s", parent, tr.ID)
					}
					b := make([]byte, 1000)
					if n, _ := r.Body.Read(b); string(b[:n]) != want {
						t.Errorf("body %s", b[:n])
					}
					w.Header().Set("Content-Type", "application/json")
					_, _ = w.Write([]byte(said("好")))
				}))
				defer s.Close()
				m := NewClient(s.URL+"/base/", key, usual)
				defer m.Close()
				if l, ok := m.carrier.(*library); ok {
					l.client.Transport.(*http.Transport).TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig
				} else if name == "TLS" {
					t.Fatal("TLS is not left to net/http")
				}
				if got, err := m.Ask(t.Context(), []byte(want), tr, "probe"); got != "好" || err != nil {
					t.Errorf("%q, %v", got, err)
				}
			})
		}
	}
}

func TestWhoCarries(t *testing.T) {
	for url, want := range map[string]bool{
		"http://127.0.0.1:9000": true, "http://model/": true, "http://[::1]:80/base": true,
		"https://model": false, "http://me:pass@model": false, "http://模型": false, "http://[fe80::1%25eth0]/": false,
	} {
		m := NewClient(url, "", usual)
		p, got := m.carrier.(*plain)
		if got != want || m.carrier == nil {
			t.Errorf("%s: plain %t, want %t", url, got, want)
		}
		if url == "http://model/" && p.pool.address != "model:80" {
			t.Errorf("address %s", p.pool.address)
		}
	}
}

// What would break the head of a request is never sent.
func TestHeadersCannotBeBroken(t *testing.T) {
	p := newPeer(t, talk("好"))
	m := NewClient(p.url, "a\r\nX: b", usual)
	defer m.Close()
	_, err := ask(t.Context(), m)
	wantFault(t, err, FaultConfig)
	m = NewClient(p.url, "", usual)
	defer m.Close()
	_, err = m.Ask(t.Context(), nil, trace.Context{ID: "a\r\nX: b"}, "")
	wantFault(t, err, FaultPermanent)
	_, err = m.Ask(t.Context(), nil, trace.From(""), "a\r\nX: b")
	wantFault(t, err, FaultPermanent)
	wantCount(t, "connections", &p.conns, 0)
}

func TestStreams(t *testing.T) {
	const typed = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
	event := func(s string) string { return `data: {"choices":[{"delta":{"content":"` + s + `"}}]}` + "\n\n" }
	chunk := func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }
	whole := event("你") + event("好") + "data: [DONE]\n\n"
	for _, c := range []struct {
		name, answer string
		want         string
		fault        Fault
		shut         bool // by the server, behind its answer
	}{
		{"chunked", typed + "Transfer-Encoding: chunked\r\n\r\n" + chunk(event("你")) + chunk(event("好")+"data: [DO") + chunk("NE]\n\n") + "0\r\n\r\n", "你好", FaultNone, false},
		{"until the close", typed + "\r\n" + whole, "你好", FaultNone, true},
		{"length", fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", typed, len(whole), whole), "你好", FaultNone, false},
		{"cut chunks", typed + "Transfer-Encoding: chunked\r\n\r\n" + chunk(event("你")) + "ff\r\n", "你", FaultTransient, true},
		{"without end", typed + "\r\n" + event("你"), "你", FaultGarbage, true},
		{"error", "HTTP/1.1 503 Full\r\n\r\n", "", FaultTransient, true},
		{"endless", typed + "\r\n" + event("你") + strings.Repeat(": x\n", maxModelBody/4), "你", FaultTransient, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPeer(t, func(_ int64, l *line) {
				for l.read() {
					if l.last.Header.Get("X-Request-Purpose") == "whole" {
						l.write(plainAnswer("好"))
						continue
					}
					l.write(c.answer)
					if c.shut {
						return
					}
				}
			})
			o := usual
			o.MaxConns = 1
			m := newTestClient(t, p.url, o)
			for range 2 {
				var got strings.Builder
				err := m.Stream(t.Context(), m.StreamBody(Prompt{Text: "嗯"}), trace.From(""), func(s string) error {
					got.WriteString(s)
					return nil
				})
				wantFault(t, err, c.fault)
				if got.String() != c.want {
					t.Errorf("pieces %q, want %q", got.String(), c.want)
				}
				if got, err := m.Ask(t.Context(), nil, trace.From(""), "whole"); got != "好" || err != nil {
					t.Errorf("behind a stream: %q, %v", got, err)
				}
			}
			// An answer's connection is kept for the second stream, a stream's for nothing.
			wantCount(t, "connections", &p.conns, 3)
			wantCount(t, "requests", &p.requests, 4)
		})
	}
	t.Run("cancelled", func(t *testing.T) {
		p := newPeer(t, func(_ int64, l *line) {
			l.read()
			l.write(typed + "\r\n" + event("你"))
			l.closed()
		})
		ctx, cancel := context.WithCancel(t.Context())
		m := newTestClient(t, p.url, usual)
		err := m.Stream(ctx, m.StreamBody(Prompt{Text: "嗯"}), trace.From(""), func(string) error {
			cancel()
			return nil
		})
		wantFault(t, err, FaultCancelled)
	})
}
