package mockllm

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/canary"
)

// struck starts a server whose every call meets f.
func struck(t *testing.T, f Fault) (*Server, dialer) {
	t.Helper()
	return tcp(t, Config{EchoContext: true, Faults: []Fault{f}})
}

// expect checks the journal's last word on the only call.
func expect(t *testing.T, s *Server, outcome string, status int) Record {
	t.Helper()
	list := records(s)
	if len(list) == 0 {
		t.Fatal("journal is empty")
	}
	r := list[len(list)-1]
	if r.Outcome != outcome || r.Status != status {
		t.Errorf("journal says %s with status %d, want %s with %d", r.Outcome, r.Status, outcome, status)
	}
	if f := s.Facts(); f.PerSecond[len(f.PerSecond)-1].Faulted == 0 {
		t.Error("facts do not count the fault")
	}
	return r
}

type errorBody struct {
	Error struct {
		Message, Type string
		Param, Code   *string
	}
}

func TestFaultStatus(t *testing.T) {
	for status, code := range map[int]string{401: "invalid_api_key", 429: "rate_limit_exceeded", 500: "", 503: "service_unavailable"} {
		s, dial := struck(t, Fault{Kind: "status", Status: status, RetryAfter: ms(1500)})
		for _, body := range []string{hello, helloSSE} {
			res, text := ask(t, dial, chatPath, body)
			e := parse[errorBody](t, text).Error
			if res.StatusCode != status || res.Header.Get("Retry-After") != "2" || res.Header.Get("Content-Type") != typeJSON {
				t.Errorf("got %d with %v", res.StatusCode, res.Header)
			}
			if e.Message == "" || e.Type == "" || (code == "") != (e.Code == nil) || e.Code != nil && *e.Code != code {
				t.Errorf("%d: error %s", status, text)
			}
			expect(t, s, "status_"+strconv.Itoa(status), status)
		}
	}
}

func TestFaultStatusWithStrangeRetryAfter(t *testing.T) {
	for _, text := range []string{"999999999", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "soon"} {
		_, dial := struck(t, Fault{Kind: "status", RetryAfterText: text})
		if res, _ := ask(t, dial, textPath, `{"prompt":"x"}`); res.Header.Get("Retry-After") != text {
			t.Errorf("Retry-After %q, want %q", res.Header.Get("Retry-After"), text)
		}
	}
}

func TestFaultSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(40 * time.Millisecond), Faults: []Fault{{Kind: "slow", Factor: 5}}})
		defer s.stop()
		began := time.Now()
		res, text := ask(t, dial, chatPath, hello)
		if took := time.Since(began); took != http.StatusOK*time.Millisecond || res.StatusCode != http.StatusOK {
			t.Errorf("%d after %v, want 200 after 200ms", res.StatusCode, took)
		}
		if c := parse[chunk](t, text); c.Choices[0].Message.Content == "" {
			t.Error("no answer")
		}
		expect(t, s, "slow", 200)
	})
}

func TestFaultSlowStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{
			Latency: Latency{FirstToken: &Dist{Constant: ms(10)}, PerToken: &Dist{Constant: ms(2)}},
			Answers: []Answer{{Match: ".", Say: "一二三四五六"}}, // three tokens
			Faults:  []Fault{{Kind: "slow", Factor: 3}},
		})
		defer s.stop()
		began := time.Now()
		ask(t, dial, chatPath, helloSSE)
		if took := time.Since(began); took != 42*time.Millisecond {
			t.Errorf("took %v, want 3·(10ms + 2·2ms)", took)
		}
	})
}

func TestFaultHang(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "hang"})
	c := dial(t)
	send(t, c, "POST", chatPath, hello)
	waitFor(t, func() bool { return s.InFlight() == 1 })
	_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errTimeout) {
		t.Errorf("read %d bytes, %v; want silence", n, err)
	}
	_ = c.Close()
	waitFor(t, func() bool { return s.InFlight() == 0 })
	expect(t, s, "hang", 0)
}

func TestFaultHangWithHeartbeat(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "hang", Heartbeat: ms(5)})
	c := dial(t)
	send(t, c, "POST", chatPath, helloSSE)
	r := bufio.NewReader(c)
	res, err := http.ReadResponse(r, nil)
	if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != typeEvents {
		t.Fatalf("%v, %v", res, err)
	}
	beats := make([]byte, 3*len(": keep-alive\n\n"))
	if _, err := io.ReadFull(res.Body, beats); err != nil || string(beats) != strings.Repeat(": keep-alive\n\n", 3) {
		t.Errorf("%q, %v", beats, err)
	}
	_ = c.Close()
	waitFor(t, func() bool { return s.InFlight() == 0 })
	expect(t, s, "hang", 200)
}

func TestFaultResetBeforeHeaders(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "reset"})
	c := dial(t)
	send(t, c, "POST", chatPath, hello)
	n, err := c.Read(make([]byte, 1))
	if n != 0 || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read %d bytes, %v; want a connection reset", n, err)
	}
	expect(t, s, "reset", 0)
}

func TestFaultResetMidBody(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "reset", Chunks: 2})
	for _, body := range []string{hello, helloSSE} {
		c := dial(t)
		send(t, c, "POST", chatPath, body)
		all, err := io.ReadAll(c)
		// The kernel may drop what it has not delivered when the reset comes.
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%v after %q; want a connection reset", err, all)
		}
		if strings.Contains(string(all), "[DONE]") || strings.Contains(string(all), "finish_reason\":\"stop") {
			t.Errorf("complete answer %q", all)
		}
		expect(t, s, "reset", 200)
	}
	if r := records(s)[1]; r.Chunks != 2 {
		t.Errorf("%d chunks before the reset, want 2", r.Chunks)
	}
}

func TestFaultTruncate(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "truncate", Chunks: 3})
	res, text := ask(t, dial, chatPath, helloSSE)
	list := events(t, text)
	if res.StatusCode != http.StatusOK || len(list) != 4 { // role and three chunks
		t.Errorf("%d with %d events", res.StatusCode, len(list))
	}
	if strings.Contains(text, "[DONE]") || strings.Contains(text, `"stop"`) {
		t.Errorf("ended properly: %s", text)
	}
	if r := expect(t, s, "truncate", 200); r.Chunks != 3 {
		t.Errorf("journal says %d chunks", r.Chunks)
	}

	c := dial(t)
	send(t, c, "POST", chatPath, hello)
	res, text, err := answerOf(t, bufio.NewReader(c))
	if !errors.Is(err, io.ErrUnexpectedEOF) || int64(len(text)) >= res.ContentLength || len(text) == 0 {
		t.Errorf("%d of %d bytes, %v; want an unexpected end", len(text), res.ContentLength, err)
	}
}

func TestFaultTruncateOnlyTheTerminator(t *testing.T) {
	_, dial := struck(t, Fault{Kind: "truncate", Chunks: 10_000})
	_, text := ask(t, dial, chatPath, helloSSE)
	list := events(t, text)
	last := parse[chunk](t, list[len(list)-1])
	if last.Choices[0].FinishReason == nil || strings.Contains(text, "[DONE]") {
		t.Errorf("last event %v", list[len(list)-1])
	}
}

func TestFaultGarbage(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "garbage", Chunks: 1})
	res, text := ask(t, dial, chatPath, hello)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != typeJSON || utf8.ValidString(text) || !strings.HasPrefix(text, "{") {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, text)
	}
	_, text = ask(t, dial, chatPath, helloSSE)
	list := strings.Split(strings.TrimSuffix(text, "\n\n"), "\n\n")
	if len(list) != 4 || !strings.Contains(list[2], "NaN,}]") || list[3] != "data: [DONE]" {
		t.Errorf("events %q", list)
	}
	expect(t, s, "garbage", 200)
}

func TestFaultHTML(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "html"})
	res, text := ask(t, dial, chatPath, hello)
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != typeHTML || !strings.Contains(text, "<h1>502 Bad Gateway</h1>") {
		t.Errorf("%d %v %q", res.StatusCode, res.Header, text)
	}
	expect(t, s, "html", 200)
	_, dial = struck(t, Fault{Kind: "html", Status: 502, Value: "<p>off</p>"})
	if res, text := ask(t, dial, chatPath, hello); res.StatusCode != http.StatusBadGateway || text != "<p>off</p>" {
		t.Errorf("%d %q", res.StatusCode, text)
	}
}

func TestFaultWrongContentType(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "wrong-content-type"})
	res, text := ask(t, dial, chatPath, hello)
	if parse[chunk](t, text).Choices[0].Message.Content == "" || res.Header.Get("Content-Type") != typeText {
		t.Errorf("%v %q", res.Header, text)
	}
	res, text = ask(t, dial, chatPath, helloSSE)
	if list := events(t, text); list[len(list)-1] != "[DONE]" || res.Header.Get("Content-Type") != typeText {
		t.Errorf("%v %q", res.Header, text)
	}
	expect(t, s, "wrong-content-type", 200)
}

func TestFaultEmpty(t *testing.T) {
	for value, check := range map[string]func(string) bool{
		"":        func(b string) bool { return b == "" },
		"body":    func(b string) bool { return b == "" },
		"choices": func(b string) bool { return strings.Contains(b, `"choices":[]`) && parse[chunk](t, b).Choices != nil },
		"content": func(b string) bool { return parse[chunk](t, b).Choices[0].Message.Content == "" },
	} {
		s, dial := struck(t, Fault{Kind: "empty", Value: value})
		res, text := ask(t, dial, chatPath, hello)
		if res.StatusCode != http.StatusOK || !check(text) {
			t.Errorf("empty %s: %d %q", value, res.StatusCode, text)
		}
		if _, text = ask(t, dial, chatPath, helloSSE); said(t, events(t, text)) != "" {
			t.Errorf("empty %s streamed %q", value, text)
		}
		expect(t, s, "empty", 200)
	}
}

func TestFaultOversized(t *testing.T) {
	const size = 3 << 20
	s, dial := struck(t, Fault{Kind: "oversized", Size: size})
	res, text := ask(t, dial, chatPath, hello)
	if res.ContentLength < size || res.ContentLength > size+64 || int64(len(text)) != res.ContentLength {
		t.Errorf("%d bytes, promised %d", len(text), res.ContentLength)
	}
	if c := parse[chunk](t, text); len(c.Choices[0].Message.Content) < size-1000 {
		t.Errorf("content of %d bytes", len(c.Choices[0].Message.Content))
	}
	if _, text = ask(t, dial, chatPath, helloSSE); len(text) < size || !strings.HasSuffix(text, "}\n\ndata: [DONE]\n\n") {
		t.Errorf("stream of %d bytes", len(text))
	}
	expect(t, s, "oversized", 200)
}

func TestFaultDrip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Faults: []Fault{{Kind: "drip", BytesPerS: 100}}})
		defer s.stop()
		began := time.Now()
		_, text := ask(t, dial, chatPath, hello)
		want := time.Duration((len(text)-1)/5) * 50 * time.Millisecond // five bytes every 50 ms
		if took := time.Since(began); took != want || parse[chunk](t, text).Choices == nil {
			t.Errorf("%d bytes took %v, want %v", len(text), took, want)
		}
		expect(t, s, "drip", 200)
	})
}

func TestFaultDripOverASocket(t *testing.T) {
	_, dial := struck(t, Fault{Kind: "drip", BytesPerS: 1 << 20})
	_, text := ask(t, dial, chatPath, helloSSE)
	if list := events(t, text); list[len(list)-1] != "[DONE]" || said(t, list) == "" {
		t.Errorf("%q", text)
	}
}

func TestFaultErrorInStream(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "error-in-stream", Chunks: 2, Status: 429})
	res, text := ask(t, dial, chatPath, helloSSE)
	list := events(t, text)
	if res.StatusCode != http.StatusOK || len(list) != 4 || *parse[errorBody](t, list[3]).Error.Code != "rate_limit_exceeded" {
		t.Errorf("%d %q", res.StatusCode, list)
	}
	res, text = ask(t, dial, chatPath, hello)
	if res.StatusCode != http.StatusOK || *parse[errorBody](t, text).Error.Code != "rate_limit_exceeded" {
		t.Errorf("%d %q", res.StatusCode, text)
	}
	expect(t, s, "error-in-stream", 200)
}

func TestFaultLeak(t *testing.T) {
	prompt := func(c string) string {
		return `{"messages":[{"role":"user","content":"发货时间⟦c:` + c + `⟧"}]}`
	}
	s, dial := tcp(t, Config{EchoContext: true})
	ask(t, dial, chatPath, prompt("AAAAAAAA.3"))
	if err := s.SetFaults([]Fault{{Kind: "leak", Value: "电话13800138000"}}, 0); err != nil {
		t.Fatal(err)
	}
	_, text := ask(t, dial, chatPath, prompt("BBBBBBBB.1"))
	got := parse[chunk](t, text).Choices[0].Message.Content
	if !strings.HasSuffix(got, "电话13800138000⟦seen c:BBBBBBBB.1 c:AAAAAAAA.3⟧") {
		t.Errorf("answer %q", got)
	}
	expect(t, s, "leak", 200)

	_, dial = tcp(t, Config{Faults: []Fault{{Kind: "leak"}}}) // nothing seen before, no echo
	_, text = ask(t, dial, chatPath, prompt("CCCCCCCC.1"))
	got = parse[chunk](t, text).Choices[0].Message.Content
	seen := canary.Scan(nil, strings.ReplaceAll(got, "⟦seen c:", "⟦c:"))
	if len(seen) != 1 || string(seen[0].Dialog[:]) == "CCCCCCCC" || !strings.Contains(got, plantedPhone) {
		t.Errorf("answer %q", got)
	}
}

func TestFaultEscape(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "escape"})
	_, text := ask(t, dial, chatPath, hello)
	got := parse[chunk](t, text).Choices[0].Message.Content
	for _, want := range []string{"\x1b]0;", "\x1b[2J", "<script>alert(1)</script>", "\u202e", "\n::error::", "\n=HYPERLINK", "\u0085"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %q", want, got)
		}
	}
	if _, text = ask(t, dial, chatPath, helloSSE); said(t, events(t, text)) != got {
		t.Errorf("streamed differently: %q", text)
	}
	expect(t, s, "escape", 200)
}

func TestFaultFailFirst(t *testing.T) {
	s, dial := struck(t, Fault{Kind: "fail-first", Attempts: 2, Status: 500})
	for turn := range 3 {
		for attempt, want := range []int{500, 500, 200, 200} {
			if res, _ := ask(t, dial, chatPath, hello, "traceparent", trace(turn)); res.StatusCode != want {
				t.Errorf("turn %d attempt %d: %d, want %d", turn, attempt+1, res.StatusCode, want)
			}
		}
	}
	if got := s.Facts().Outcomes; got["status_500"] != 6 || got["ok"] != 6 {
		t.Errorf("outcomes %v", got)
	}
}

func TestOverrideHeaders(t *testing.T) {
	s, dial := tcp(t, Config{})
	for _, tt := range []struct {
		fault   string
		status  int
		outcome string
	}{
		{"status; status=429; retry_after=3s", 429, "status_429"},
		{"html;status=502", 502, "html"},
		{"fail-first;status=500", 500, "status_500"},
		{"escape;value=hi", 200, "escape"},
	} {
		res, _ := ask(t, dial, chatPath, hello, "X-Mock-Fault", tt.fault, "traceparent", trace(len(tt.fault)))
		if res.StatusCode != tt.status || records(s)[len(records(s))-1].Outcome != tt.outcome {
			t.Errorf("%s: %d, %s", tt.fault, res.StatusCode, records(s)[len(records(s))-1].Outcome)
		}
	}
	for _, bad := range []string{"stauts", "status;status=200", "status;at=1s", "slow;chunks=2", "status;status=x", "drip;bytes_per_s", ";", "slow;factor=1e999", strings.Repeat("x", 2000)} {
		res, text := ask(t, dial, chatPath, hello, "X-Mock-Fault", bad)
		if res.StatusCode != http.StatusBadRequest || *parse[errorBody](t, text).Error.Param != "X-Mock-Fault" {
			t.Errorf("%q: %d %s", bad, res.StatusCode, text)
		}
	}
	if res, _ := ask(t, dial, chatPath, hello, "X-Mock-Delay", "3"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("bare number taken as a delay: %d", res.StatusCode)
	}
}

func TestOverrideDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(time.Second)})
		defer s.stop()
		for _, tt := range []struct{ delay, fault string }{{"250ms", ""}, {"250ms", "status"}, {"25ms", "slow"}} {
			began := time.Now()
			ask(t, dial, chatPath, hello, "X-Mock-Delay", tt.delay, "X-Mock-Fault", tt.fault)
			if took := time.Since(began); took != 250*time.Millisecond {
				t.Errorf("%+v took %v", tt, took)
			}
		}
	})
}

func TestEveryKindIsTested(t *testing.T) {
	if len(Kinds()) != 15 {
		t.Errorf("%d kinds: a new one needs a test above and an example in docs/mockllm.md", len(Kinds()))
	}
	var p config.Problems
	for _, k := range Kinds() {
		Fault{Kind: k}.Validate(&p, k)
	}
	if err := p.Join(); err != nil {
		t.Error(err)
	}
}
