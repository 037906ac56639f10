package refserver

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/token"
)

// Who costs the model too much is turned away, and nobody else; a stream that is left
// in the middle is paid for, too.
func TestTokensAreBounded(t *testing.T) {
	for _, path := range []string{"/v1/chat", "/v1/chat/stream"} {
		t.Run(path, func(t *testing.T) {
			l := newScriptedLLM(t)
			l.set(func(int, *http.Request, string) (int, string) { return 200, strings.Repeat("答", 300) })
			s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "cache.hot", "0s", "limit.tokens", "1/s"))
			ask := func(uid string) reply {
				return send(t, "POST", s.URL()+path, tokenFor(t, uid), `{"text":"`+strings.Repeat("问", 300)+`"}`)
			}
			refused := 0
			for range 6 { // ten minutes' worth are 600
				r := ask("u1")
				if r.status == http.StatusTooManyRequests {
					refused++
					if !strings.Contains(r.header.Get("RateLimit-Policy"), "tokens") || r.header.Get("Retry-After") == "" {
						t.Errorf("refused with %v", r.header)
					}
				}
			}
			if refused < 4 {
				t.Errorf("%d of 6 were refused, want all behind the first two", refused)
			}
			if r := ask("u2"); r.status != http.StatusOK {
				t.Errorf("another user: %d %s", r.status, r.body)
			}
			if r := send(t, "PUT", s.AdminURL()+"/admin/knobs", "", `{"limit.tokens":"0/s"}`); r.status != http.StatusOK {
				t.Fatal(r.body)
			}
			if r := ask("u1"); r.status != http.StatusOK {
				t.Errorf("without the quota: %d", r.status)
			}
		})
	}
}

// A caller who leaves a stream ends the call to the model, and has paid for it.
func TestAStreamThatIsLeftIsPaidFor(t *testing.T) {
	l := newScriptedLLM(t)
	asked, ended := make(chan struct{}), make(chan struct{})
	l.set(func(n int, r *http.Request, _ string) (int, string) {
		if n == 1 {
			close(asked)
			<-r.Context().Done()
			close(ended)
		}
		return 200, "好"
	})
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "cache.hot", "0s", "limit.tokens", "1/s", "llm.timeout", "20s", "chat.deadline", "20s", "chat.degrade_at", "20s"))
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/v1/chat/stream", strings.NewReader(`{"text":"`+strings.Repeat("问", 1000)+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+tokenFor(t, "u1"))
	req.Header.Set("Content-Type", "application/json")
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		if resp, err := http.DefaultClient.Do(req); err == nil {
			resp.Body.Close()
		}
	}()
	<-asked
	leave()
	<-ended
	<-gone
	who := quota.Key(dialog.Owner{Tenant: token.DefaultTenant, UID: "u1"})
	waitFor(t, func() bool { return s.gates.Tokens.Peek(who, 1, time.Now()) != nil })
	if r := say(t, s, "u1", "", "还在吗"); r.status != http.StatusTooManyRequests {
		t.Errorf("what was left costs nothing: %d", r.status)
	}
}

func TestDialogsAreBounded(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, withKnobs("redis.timeout", "2s", "limit.dialogs", "0.05/s"))
	id := say(t, s, "u1", "", "第一句话").get("dialog_id").String()
	waitFor(t, func() bool { return say(t, s, "u1", "", "又一个对话").status == http.StatusTooManyRequests })
	if r := say(t, s, "u1", id, "第二句话"); r.status != http.StatusOK {
		t.Errorf("a dialog that has begun: %d %s", r.status, r.body)
	}
	if r := say(t, s, "u2", "", "第一句话"); r.status != http.StatusOK {
		t.Errorf("another user: %d %s", r.status, r.body)
	}
}
