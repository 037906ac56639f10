package mockllm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/mockllm/internal/transport"
)

func TestKeepAliveAndPipelining(t *testing.T) {
	s, dial := tcp(t, Config{Latency: Constant(2 * time.Millisecond)})
	c := dial(t)
	r := bufio.NewReader(c)
	for range 3 {
		send(t, c, "POST", chatPath, hello)
		if res, _, err := answerOf(t, r); err != nil || res.StatusCode != http.StatusOK || res.Close {
			t.Fatal(res, err)
		}
	}
	if _, err := io.WriteString(c, strings.Repeat(wireForm("POST", chatPath, hello), 5)+wireForm("POST", chatPath, helloSSE)); err != nil {
		t.Fatal(err)
	}
	for range 6 {
		if res, text, err := answerOf(t, r); err != nil || res.StatusCode != http.StatusOK || text == "" {
			t.Fatal(res, err)
		}
	}
	if s.public.Accepted() != 1 || s.Calls() != 9 {
		t.Errorf("%d connections, %d calls", s.public.Accepted(), s.Calls())
	}
}

func TestRequestForms(t *testing.T) {
	_, dial := tcp(t, Config{MaxBody: 64 << 10})
	long := strings.Repeat("x", 10_000)
	for _, tt := range []struct {
		name, raw string
		status    int
		close     bool
	}{
		{"chunked", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(hello), hello), 200, false},
		{"chunked with trailer", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + fmt.Sprintf("%x;ext=1\r\n%s\r\n0\r\nX-T: 1\r\n\r\n", len(hello), hello), 200, false},
		{"chunked, too long", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("2710\r\n"+long+"\r\n", 7), 413, true},
		{"chunked, broken", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400, true},
		{"large header", "POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nX-A: " + long + "\r\nContent-Length: " + fmt.Sprint(len(hello)) + "\r\n\r\n" + hello, 200, false},
		{"header too large", "GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat(long, 8) + "\r\n\r\n", 400, true},
		{"HTTP/1.0", "POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " + fmt.Sprint(len(hello)) + "\r\n\r\n" + hello, 200, true},
		{"HTTP/1.0 stream", "POST /v1/chat/completions HTTP/1.0\r\nContent-Length: " + fmt.Sprint(len(helloSSE)) + "\r\n\r\n" + helloSSE, 200, true},
		{"absolute form", "GET http://x:1/healthz?a=b HTTP/1.1\r\nHost: x\r\n\r\n", 200, false},
		{"close asked", "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 200, true},
		{"HTTP/2 preface, wrong", "PRIX * HTTP/2.0\r\n\r\n", 400, true},
		{"no HTTP", "hello there\r\n\r\n", 400, true},
		{"two lengths", "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400, true},
		{"two hosts", "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true},
		{"smuggled length", "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n", 400, true},
		{"unknown coding", "POST /v1/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, true},
		{"negative length", "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400, true},
		{"huge length", "POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413, true},
	} {
		c := dial(t)
		go func() { _, _ = io.WriteString(c, tt.raw) }() // the server may stop reading
		res, text, err := answerOf(t, bufio.NewReader(c))
		if err != nil && res.StatusCode == http.StatusOK || res.StatusCode != tt.status || res.Close != tt.close {
			t.Errorf("%s: %d, close %v, %v, %.80q", tt.name, res.StatusCode, res.Close, err, text)
		}
		if tt.status >= 400 {
			parse[errorBody](t, text)
		}
		_ = c.Close()
	}
}

func TestRefusalReachesAClientThatStillSends(t *testing.T) {
	_, dial := tcp(t, Config{})
	c := dial(t)
	sent := make(chan error)
	go func() {
		_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n", chatPath)
		_, err := io.WriteString(c, strings.Repeat("x", 3_000_000))
		sent <- err
	}()
	if err := <-sent; err != nil {
		t.Error(err)
	}
	if res, text, err := answerOf(t, bufio.NewReader(c)); err != nil || res.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(text, "1048576") {
		t.Errorf("%v %v %s", res, err, text)
	}
}

func TestConnectionOutlivesAWake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(100 * time.Millisecond), Capacity: Capacity{MaxInFlight: 1, Queue: 9}})
		defer s.stop()
		a, b := dial(t), dial(t)
		defer a.Close()
		defer b.Close()
		r := bufio.NewReader(b)
		for round := range 3 {
			send(t, a, "POST", chatPath, hello)
			synctest.Wait()
			go func() { _, _ = io.WriteString(b, strings.Repeat(wireForm("POST", chatPath, hello), 2)) }()
			go func() { _, _, _ = answerOf(t, bufio.NewReader(a)) }()
			for range 2 {
				if _, _, err := answerOf(t, r); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestExpectContinue(t *testing.T) {
	_, dial := tcp(t, Config{})
	c := dial(t)
	r := bufio.NewReader(c)
	_, _ = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n", chatPath, len(hello))
	if res, _, err := answerOf(t, r); err != nil || res.StatusCode != http.StatusContinue {
		t.Fatal(res, err)
	}
	_, _ = io.WriteString(c, hello)
	if res, _, err := answerOf(t, r); err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
}

func TestSlowAndHalfOpenClientsAreDropped(t *testing.T) {
	for name, tt := range map[string]struct {
		first  string // what the client sends before it falls silent
		within time.Duration
	}{
		"nothing":     {"", transport.IdleTime},
		"half header": {"POST /v1/chat/completions HTT", transport.HeaderTime},
		"half body":   {"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n{\"mod", transport.BodyTime},
		"half chunk":  {"POST /v1/chat/completions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n{", transport.BodyTime},
	} {
		synctest.Test(t, func(t *testing.T) {
			s, dial := piped(t, Config{})
			defer s.stop()
			c := dial(t)
			began := time.Now()
			if tt.first != "" {
				_, _ = io.WriteString(c, tt.first)
			}
			// A refusal may come before the end; the connection must end either way.
			_, _ = io.Copy(io.Discard, c)
			if took := time.Since(began); took != tt.within {
				t.Errorf("%s: dropped after %v, want %v", name, took, tt.within)
			}
			synctest.Wait()
			if n := s.public.Open(); n != 0 {
				t.Errorf("%s: %d connections left", name, n)
			}
		})
	}
}

func TestClientThatDoesNotReadIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{})
		defer s.stop()
		c := dial(t)
		began := time.Now()
		send(t, c, "POST", chatPath, hello)
		for s.InFlight() > 0 || s.public.Open() > 0 { // a pipe has no buffer: the server's write blocks
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took < transport.WriteTime || took > 2*transport.WriteTime {
			t.Errorf("dropped after %v", took)
		}
		if r := records(s)[0]; r.Outcome != "client_gone" {
			t.Errorf("journal says %s", r.Outcome)
		}
		if f := s.Facts(); f.Outcomes["client_gone"] != 1 || len(f.Outcomes) != 1 || f.Injected.N != 0 {
			t.Errorf("facts %+v", f)
		}
	})
}

func TestClientThatLeavesEndsItsCall(t *testing.T) {
	for _, body := range []string{hello, helloSSE} {
		s, dial := tcp(t, Config{Latency: Latency{FirstToken: &Dist{}, PerToken: &Dist{Constant: ms(60_000)}}})
		c := dial(t)
		send(t, c, "POST", chatPath, body)
		waitFor(t, func() bool { return s.InFlight() == 1 })
		_ = c.Close()
		waitFor(t, func() bool { return s.InFlight() == 0 })
		if r := records(s)[0]; r.Outcome != "client_gone" || r.InjectedNs > int64(time.Minute) {
			t.Errorf("%+v", r)
		}
	}
}

func TestConnectDelaysOnlyTheFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Connect: ms(120), Latency: Constant(10 * time.Millisecond)})
		defer s.stop()
		c := dial(t)
		defer c.Close()
		r := bufio.NewReader(c)
		for i, want := range []time.Duration{130, 10, 10} {
			began := time.Now()
			go func() { _, _ = io.WriteString(c, wireForm("POST", chatPath, hello)) }()
			if _, _, err := answerOf(t, r); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took != want*time.Millisecond {
				t.Errorf("request %d took %v, want %v", i+1, took, want*time.Millisecond)
			}
		}
	})
}

// h2client speaks HTTP/2 in cleartext.
func h2client(t *testing.T) *http.Client {
	t.Helper()
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: &p}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func h2post(t *testing.T, c *http.Client, url, body string, headers ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return c.Do(req)
}

func TestHTTP2(t *testing.T) {
	s, _ := tcp(t, Config{EchoContext: true, MaxBody: 4096, Connect: ms(1)})
	client := h2client(t)
	url := s.URL() + chatPath
	res, err := h2post(t, client, url, hello, "traceparent", trace(0))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if res.ProtoMajor != 2 || res.StatusCode != http.StatusOK || parse[chunk](t, string(text)).Choices[0].Message.Content == "" || records(s)[0].TraceID == "" {
		t.Errorf("%s %d %s", res.Proto, res.StatusCode, text)
	}
	if res, err = h2post(t, client, url, helloSSE); err != nil {
		t.Fatal(err)
	}
	text, _ = io.ReadAll(res.Body)
	if list := events(t, string(text)); list[len(list)-1] != "[DONE]" || !strings.HasSuffix(said(t, list), "⟦seen⟧") {
		t.Errorf("%s", text)
	}
	for _, tt := range []struct {
		body, fault string
		status      int
	}{{"{", "", 400}, {strings.Repeat(" ", 5000), "", 413}, {hello, "status;status=429;retry_after=1s", 429}, {hello, "html;status=502", 502}} {
		if res, err = h2post(t, client, url, tt.body, "X-Mock-Fault", tt.fault); err != nil || res.StatusCode != tt.status {
			t.Errorf("%+v: %v %v", tt, res, err)
			continue
		}
		_ = res.Body.Close()
	}
	if res, err = client.Get(s.URL() + "/v1/models"); err != nil || res.StatusCode != http.StatusOK {
		t.Error(res, err)
	}
	if s.public.Accepted() != 1 {
		t.Errorf("%d connections", s.public.Accepted())
	}
}

func TestHTTP2Faults(t *testing.T) {
	s, _ := tcp(t, Config{})
	client := h2client(t)
	url := s.URL() + chatPath
	if res, err := h2post(t, client, url, hello, "X-Mock-Fault", "reset"); err == nil || !strings.Contains(err.Error(), "stream error") {
		t.Errorf("%v, %v; want a stream error", res, err)
	}
	for _, fault := range []string{"reset;chunks=2", "truncate;chunks=2"} {
		for _, body := range []string{hello, helloSSE} {
			res, err := h2post(t, client, url, body, "X-Mock-Fault", fault)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			clean := fault == "truncate;chunks=2" && body == helloSSE
			if (err == nil) != clean || strings.Contains(string(text), "[DONE]") {
				t.Errorf("%s: %v after %q", fault, err, text)
			}
		}
	}
	res, err := h2post(t, client, url, helloSSE, "X-Mock-Fault", "hang;heartbeat=1ms")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 30)); err != nil {
		t.Error(err)
	}
	_ = res.Body.Close() // leaves
	waitFor(t, func() bool { return s.InFlight() == 0 })
	if got := s.Facts().Outcomes; got["reset"] != 3 || got["truncate"] != 2 || got["hang"] != 1 || len(got) != 3 {
		t.Errorf("outcomes %v", got)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	s, err := Start(Config{Latency: Constant(time.Minute)})
	if err != nil {
		t.Fatal(err)
	}
	one, two := make(chan error), make(chan error)
	client := h2client(t)
	go func() {
		_, err := http.Post(s.URL()+chatPath, typeJSON, strings.NewReader(hello))
		one <- err
	}()
	go func() {
		_, err := client.Post(s.URL()+chatPath, typeJSON, strings.NewReader(hello))
		two <- err
	}()
	waitFor(t, func() bool { return s.InFlight() == 2 })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if <-one == nil || <-two == nil {
		t.Error("a call survived Close")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := http.Get(s.URL()); err == nil {
		t.Error("still listening")
	}
}

func TestShutdownLetsCallsFinish(t *testing.T) {
	s, err := Start(Config{Latency: Constant(100 * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	status := make(chan int)
	go func() {
		res, err := http.Post(s.URL()+chatPath, typeJSON, strings.NewReader(hello))
		if err != nil {
			status <- 0
			return
		}
		_ = res.Body.Close()
		status <- res.StatusCode
	}()
	waitFor(t, func() bool { return s.InFlight() == 1 })
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := <-status; got != 200 {
		t.Errorf("call ended with %d", got)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestStartRefusesTakenPort(t *testing.T) {
	s, _ := tcp(t, Config{})
	for _, cfg := range []Config{{Listen: s.listen.Addr().String()}, {AdminListen: s.admin.Addr().String()}} {
		if other, err := Start(cfg); err == nil {
			_ = other.Close()
			t.Errorf("two servers on one port: %+v", cfg)
		} else if errors.Unwrap(err) == nil && !strings.Contains(err.Error(), "listen: ") {
			t.Errorf("unclear error %v", err)
		}
	}
}
