package refserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/token"
)

const testDialog = "0123456789abcdef0123456789abcdef"

const testSecret = Secret("0123456789abcdef0123456789abcdef")

// scriptedLLM is a model whose answers a test decides call by call.
type scriptedLLM struct {
	mu     sync.Mutex
	bodies []string
	heads  []http.Header
	answer func(n int, r *http.Request, body string) (status int, text string)
	url    string
	close  func() // may be called before the test ends
}

func newScriptedLLM(t *testing.T) *scriptedLLM {
	t.Helper()
	l := &scriptedLLM{answer: func(n int, _ *http.Request, _ string) (int, string) { return 200, fmt.Sprintf("answer %d", n) }}
	srv := httptest.NewServer(l)
	t.Cleanup(srv.Close)
	l.url, l.close = srv.URL, srv.Close
	return l
}

func (l *scriptedLLM) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	l.bodies = append(l.bodies, string(b))
	l.heads = append(l.heads, r.Header)
	n, f := len(l.bodies), l.answer
	l.mu.Unlock()
	status, text := f(n, r, string(b))
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if strings.HasSuffix(r.URL.Path, "/v1/completions") {
		_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"text": text}}})
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}}}})
}

func (l *scriptedLLM) set(f func(n int, r *http.Request, body string) (int, string)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answer = f
}

func (l *scriptedLLM) calls() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.bodies)
}

func (l *scriptedLLM) body(i int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bodies[i]
}

func (l *scriptedLLM) head(i int) http.Header {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heads[i]
}

func startServer(t *testing.T, llm string, change func(*Config)) *Server {
	t.Helper()
	cfg := Config{LLM: llm, Secrets: map[string]Secret{"k1": testSecret}}
	if change != nil {
		change(&cfg)
	}
	return RunT(t, cfg)
}

func withKnobs(kv ...string) func(*Config) {
	return func(c *Config) {
		c.Knobs = map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			c.Knobs[kv[i]] = kv[i+1]
		}
	}
}

func tokenFor(t testing.TB, uid string) string {
	t.Helper()
	return signed(t, "default", uid, token.User)
}

func signed(t testing.TB, tenant, uid string, role token.Role) string {
	t.Helper()
	v := token.NewVerifier(map[string][]byte{"k1": []byte(testSecret)}, time.Now)
	tok, err := v.Sign(token.Identity{Owner: dialog.Owner{Tenant: tenant, UID: uid}, Role: role}, "k1", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// reply is a response as a test sees it.
type reply struct {
	status int
	header http.Header
	body   string
}

func (r reply) get(path string) gjson.Result { return gjson.Get(r.body, path) }

func send(t testing.TB, method, url, bearer, body string, header ...string) reply {
	t.Helper()
	req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// say sends one turn; an empty dialog starts one.
func say(t testing.TB, s *Server, uid, dialog, text string) reply {
	t.Helper()
	m := map[string]string{"text": text}
	if dialog != "" {
		m["dialog_id"] = dialog
	}
	b, _ := json.Marshal(m)
	return send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, uid), string(b))
}

func (r reply) want(t testing.TB, path, want string) {
	t.Helper()
	if got := r.get(path).String(); got != want {
		t.Errorf("%s = %q, want %q in %s", path, got, want, r.body)
	}
}

func TestThreeTurnsKeepTheDialog(t *testing.T) {
	for _, profile := range Profiles() {
		t.Run(profile, func(t *testing.T) {
			l := newScriptedLLM(t)
			l.set(func(n int, _ *http.Request, _ string) (int, string) {
				return 200, fmt.Sprintf("回答%d ⟦seen c:AAAAAAAA.1⟧", n)
			})
			s := startServer(t, l.url, func(c *Config) { c.Profile = profile })
			one := say(t, s, "u1", "", "双十一的赠品什么颜色 ⟦c:AAAAAAAA.1⟧")
			if one.status != 200 {
				t.Fatalf("status %d: %s", one.status, one.body)
			}
			one.want(t, "answer", "回答1 ⟦seen c:AAAAAAAA.1⟧")
			one.want(t, "context.status", "new")
			one.want(t, "context.turns", "1")
			one.want(t, "tier", "llm")
			one.want(t, "source", "llm")
			one.want(t, "persisted", "true")
			id := one.get("dialog_id").String()
			two := say(t, s, "u1", id, "那大小呢 ⟦c:AAAAAAAA.2⟧")
			two.want(t, "context.status", "ok")
			two.want(t, "context.turns", "2")
			three := say(t, s, "u1", id, "重量呢 ⟦c:AAAAAAAA.3⟧")
			three.want(t, "seq", "3")
			three.want(t, "context.turns", "3")
			three.want(t, "dialog_id", id)
			if three.get("epoch").Int() != one.get("epoch").Int() {
				t.Errorf("epoch changed: %s, %s", one.body, three.body)
			}
			body := l.body(2)
			at := 0
			for _, want := range []string{"赠品什么颜色 ⟦c:AAAAAAAA.1⟧", "回答1", "大小呢 ⟦c:AAAAAAAA.2⟧", "回答2", "重量呢 ⟦c:AAAAAAAA.3⟧"} {
				i := strings.Index(body[at:], want)
				if i < 0 {
					t.Fatalf("third prompt lacks %q in order: %s", want, body)
				}
				at += i
			}
			if strings.Contains(body, "seen") {
				t.Errorf("prompt repeats what the model echoed: %s", body)
			}
			state := send(t, "GET", s.AdminURL()+"/admin/state", "", "")
			state.want(t, "answers.llm", "3")
			state.want(t, "llm_attempts", "3")
			state.want(t, "profile", profile)
		})
	}
}

func TestTraceIsForwarded(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	r := send(t, "POST", s.URL()+"/chat", tokenFor(t, "u1"), `{"text":"你好呀朋友"}`, "Traceparent", "00-"+id+"-00f067aa0ba902b7-01")
	r.want(t, "trace_id", id)
	got := l.head(0).Get("Traceparent")
	if !strings.HasPrefix(got, "00-"+id+"-") || strings.Contains(got, "00f067aa0ba902b7") || !strings.HasSuffix(got, "-01") {
		t.Errorf("traceparent to the model = %q, want trace %s with a span of its own", got, id)
	}
	if r.header.Get("X-Request-Id") != id {
		t.Errorf("X-Request-Id = %q, want %s", r.header.Get("X-Request-Id"), id)
	}
}

func listenLoopback(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", loopbackAny)
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func ticketID(n int) string { return fmt.Sprintf("%032x", n) }
