package refserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/reference-server/degrade"
)

func TestRateLimits(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.global", "1/h", "limit.global_burst", "5", "limit.user", "1/h", "limit.user_burst", "3"))
	status := func(uid string) (n429 int, last reply) {
		for range 4 {
			r := say(t, s, uid, "", "说点什么吧")
			if r.status == 429 {
				n429++
				last = r
			}
		}
		return n429, last
	}
	n, r := status("u1")
	if n != 1 || r.get("code").String() != "rate-limited" || r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Policy") != `"user";q=3` {
		t.Errorf("u1: %d refused, %s %v; want 1 by its own bucket", n, r.body, r.header)
	}
	if n, r = status("u2"); n != 2 || r.header.Get("RateLimit-Policy") != `"global";q=5` && r.header.Get("RateLimit-Policy") != `"user";q=3` {
		t.Errorf("u2: %d refused, %v; want 2", n, r.header)
	}
	if r := send(t, "GET", s.AdminURL()+"/admin/state", "", ""); r.get("outcomes.429").Int() != 3 || r.get("outcomes.200").Int() != 5 {
		t.Errorf("outcomes %s", r.get("outcomes"))
	}
}

func TestKnobs(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	before := send(t, "GET", s.AdminURL()+"/admin/state", "", "")
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"limit.global":"1k/s"}`); r.status != 200 || r.get(`knobs.limit\.global`).String() != "1000/s" {
		t.Errorf("live knob: %d %s", r.status, r.body)
	}
	if after := send(t, "GET", s.AdminURL()+"/admin/state", "", ""); after.get("knobs_sha256").String() == before.get("knobs_sha256").String() {
		t.Error("the hash did not change")
	}
	for _, body := range []string{`{"redis.pool":"3"}`, `{"no.such":"1"}`, `{"limit.global":"fast"}`, `{"llm.breaker":"sometimes"}`, `{"history.ttl":"0s"}`, `[]`, `{"limit.global":5}`} {
		if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", body); r.status != 422 {
			t.Errorf("%s: %d, want 422", body, r.status)
		}
	}
	_, err := Start(context.Background(), Config{LLM: "nonsense", Profile: "article-9", Listen: "0.0.0.0:0", AdminListen: "0.0.0.0:0", Dev: true})
	if err == nil {
		t.Fatal("started")
	}
	for _, want := range []string{"llm:", "article-9", "admin_listen:", "--dev"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not tell about %q", err, want)
		}
	}
}

func TestSwitchNeedsTheVersion(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	put := func(body, match string) int {
		return send(t, "PUT", s.AdminURL()+"/admin/switches", "", body, "If-Match", match).status
	}
	if got := put(`{"mode":"force","tier":"faq","reason":"x"}`, `"1"`); got != 412 {
		t.Errorf("wrong version: %d, want 412", got)
	}
	if got := put(`{"mode":"force","tier":"faq","reason":"x","expires_in":"1ms"}`, `"0"`); got != 200 {
		t.Errorf("right version: %d, want 200", got)
	}
	if got := put(`{"mode":"auto"}`, `"0"`); got != 412 {
		t.Errorf("stale version: %d, want 412", got)
	}
	time.Sleep(5 * time.Millisecond) // the switch expires by the real clock
	if at := s.watch.At(); at.Tier != degrade.LLM {
		t.Errorf("tier %v after expiry, want llm", at.Tier)
	}
	for _, bad := range []string{`{"mode":"force","tier":"gold","reason":"x"}`, `{"mode":"off"}`, `{"mode":"force","tier":"faq"}`, `{"mode":"auto","expires_in":"48h"}`, `{"mode":"auto","x":1}`} {
		if got := put(bad, `"1"`); got != 422 {
			t.Errorf("%s: %d, want 422", bad, got)
		}
	}
}

func TestAdminTurnsBrowsersAway(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.AdminToken = "open sesame" })
	if r := send(t, "GET", s.AdminURL()+"/admin/state", "", ""); r.status != 401 {
		t.Errorf("without token: %d", r.status)
	}
	if r := send(t, "GET", s.AdminURL()+"/admin/state", "open sesame", ""); r.status != 200 || strings.Contains(r.body, "sesame") || strings.Contains(r.body, string(testSecret)) {
		t.Errorf("with token: %d %s", r.status, r.body)
	}
	req, _ := http.NewRequest(http.MethodGet, s.AdminURL()+"/admin/state", nil)
	req.Host = "rebound.example:80"
	req.Header.Set("Authorization", "Bearer open sesame")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("foreign Host: %v %v, want 403", resp.StatusCode, err)
	}
	if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "open sesame", `{}`, "Sec-Fetch-Site", "cross-site"); r.status != 403 {
		t.Errorf("cross-site: %d, want 403", r.status)
	}
	for _, path := range []string{"/admin/state", "/metrics", "/admin/knobs"} {
		if r := send(t, "GET", s.URL()+path, "open sesame", ""); r.status != 404 {
			t.Errorf("%s on the public listener: %d, want 404", path, r.status)
		}
	}
	if r := send(t, "POST", s.URL()+"/dev/token", "", `{"uid":"u1"}`); r.status != 404 {
		t.Errorf("dev token without Dev: %d, want 404", r.status)
	}
	if r := send(t, "GET", s.URL()+"/v1/chat", tokenFor(t, "u1"), ""); r.status != 405 {
		t.Errorf("GET /v1/chat: %d, want 405", r.status)
	}
}

func TestDrainFinishesTurns(t *testing.T) {
	l := newScriptedLLM(t)
	entered, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	l.set(func(int, *http.Request, string) (int, string) {
		once.Do(func() { close(entered) })
		<-gate
		return 200, "到了"
	})
	cfg := Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, Knobs: map[string]string{"chat.deadline": "20s", "chat.degrade_at": "20s", "llm.timeout": "20s", "redis.timeout": "2s"}}
	ctx, cancel := context.WithCancel(context.Background())
	s, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	tok := tokenFor(t, "u1")
	got := make(chan reply, 1)
	go func() { got <- send(t, "POST", s.URL()+"/v1/chat", tok, `{"text":"慢慢来吧"}`) }()
	<-entered
	cancel()
	for !s.draining.Load() {
		time.Sleep(time.Millisecond) // the context's own goroutine has to run first
	}
	select {
	case <-s.Done():
		t.Fatal("closed with a turn in flight")
	default:
	}
	close(gate)
	if r := <-got; r.status != 200 || r.get("answer").String() != "到了" {
		t.Errorf("the turn in flight got %d %s", r.status, r.body)
	}
	<-s.Done()
	if err := s.Close(context.Background()); err != nil {
		t.Errorf("close again: %v", err)
	}
}

// Whoever asks for readiness hears first, and the listener goes later; where nobody
// asks there is nobody to wait for.
func TestLameDuck(t *testing.T) {
	l := newScriptedLLM(t)
	s, err := Start(t.Context(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, Knobs: map[string]string{"redis.timeout": "2s", "drain.lame_duck": "15s"}})
	if err != nil {
		t.Fatal(err)
	}
	if r := send(t, "GET", s.URL()+"/readyz", "", ""); r.status != 200 {
		t.Fatalf("readyz: %d", r.status)
	}
	ctx, goNow := context.WithCancel(context.Background())
	closed := make(chan error, 1)
	go func() { closed <- s.Close(ctx) }()
	waitFor(t, func() bool { return send(t, "GET", s.URL()+"/readyz", "", "").status == 503 })
	if r := say(t, s, "u1", "", "还收吗"); r.status != 200 {
		t.Errorf("a turn of somebody who has not heard yet: %d %s", r.status, r.body)
	}
	select {
	case err := <-closed:
		t.Fatalf("closed at once: %v", err)
	default:
	}
	goNow()
	if err := <-closed; err != nil {
		t.Logf("its time was cut short: %v", err)
	}
	unasked, err := Start(t.Context(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, Knobs: map[string]string{"drain.lame_duck": "15s"}})
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := unasked.Close(context.Background()); err != nil || time.Since(start) > 10*time.Second {
		t.Errorf("without a probe: %v after %v", err, time.Since(start))
	}
}

func TestMetricsHaveTheNamesOfTheDocument(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	say(t, s, "u1", "", "说点什么吧")
	send(t, "POST", s.URL()+"/nowhere/"+strings.Repeat("x", 100), "", "")
	r := send(t, "GET", s.AdminURL()+"/metrics", "", "")
	for _, want := range []string{
		`chat_requests_total{route="chat",status="200"} 1`, `chat_request_duration_seconds_bucket{route="chat",le="0.5"} 1`,
		`chat_inflight_requests 0`, `chat_rejected_total{reason="global"} 0`, `llm_attempts_total{outcome="ok",purpose="user"} 1`,
		`llm_breaker_state 0`, `degrade_tier 0`, `cache_requests_total{result="hit"} 0`, `redis_operation_duration_seconds_count{op="commit"} 1`,
		`chat_requests_total{route="other",status="404"} 1`,
	} {
		if !strings.Contains(r.body, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(r.body, "xxxx") {
		t.Error("a path became a label")
	}
}

func TestGzipFrom500Bytes(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s"))
	l.set(func(int, *http.Request, string) (int, string) { return 200, strings.Repeat("好", 300) })
	r := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), `{"text":"说长一点吧"}`, "Accept-Encoding", "gzip")
	if r.header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(r.body, "\x1f\x8b") {
		t.Errorf("900 bytes came as %q", r.header.Get("Content-Encoding"))
	}
	r = send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), `{"text":"说长一点吧"}`, "Accept-Encoding", "gzip;q=0")
	if r.header.Get("Content-Encoding") != "" || !json.Valid([]byte(r.body)) {
		t.Errorf("gzip;q=0 got %q", r.header.Get("Content-Encoding"))
	}
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	l := newScriptedLLM(t)
	client := &http.Client{Transport: &http.Transport{}}
	ignore := goleak.IgnoreCurrent()
	for _, profile := range Profiles() {
		s, err := Start(context.Background(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, Profile: profile})
		if err != nil {
			t.Fatal(err)
		}
		if r := sendBy(t, client, s.URL()+"/v1/chat", tokenFor(t, "u1"), "", "说点什么吧"); r.status != http.StatusOK {
			t.Errorf("%s: %d %s", profile, r.status, r.body)
		}
		client.CloseIdleConnections()
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	goleak.VerifyNone(t, ignore, goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}
