package refserver

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/mockllm"
	"github.com/cstest/cstest/unit"
)

// The echoing mock tells from the model's side what stood in the prompt.
func TestWithTheMockModel(t *testing.T) {
	for _, c := range []struct{ profile, h2c string }{{"hardened", ""}, {"article-0", ""}, {"article-3", ""}, {"hardened", "h2c"}} {
		t.Run(c.profile+c.h2c, func(t *testing.T) {
			mock := mockllm.RunT(t, mockllm.Config{EchoContext: true})
			s := startServer(t, mock.URL(), func(cfg *Config) {
				cfg.Profile, cfg.H2C = c.profile, c.h2c != ""
				cfg.Knobs = map[string]string{"redis.timeout": "2s", "llm.timeout": "5s", "cache.hot": "0s"}
			})
			client := http.DefaultClient
			if c.h2c != "" {
				var p http.Protocols
				p.SetUnencryptedHTTP2(true)
				client = &http.Client{Transport: &http.Transport{Protocols: &p}}
				defer client.CloseIdleConnections()
			}
			dialog := ""
			for i, want := range []string{"⟦seen c:K7F3Q2ZA.1⟧", "⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2⟧", "⟦seen c:K7F3Q2ZA.1 c:K7F3Q2ZA.2 c:K7F3Q2ZA.3⟧"} {
				text := []string{"我有一张满减优惠券,怎么用? ⟦c:K7F3Q2ZA.1⟧", "我要退货,订单号 20261111000123 ⟦c:K7F3Q2ZA.2⟧", "优惠券还能用吗? ⟦c:K7F3Q2ZA.3⟧"}[i]
				r := sendBy(t, client, s.URL()+"/v1/chat", tokenFor(t, "u1"), dialog, text)
				dialog = r.get("dialog_id").String()
				r.want(t, "tier", "llm")
				if got := r.get("answer").String(); !strings.HasSuffix(got, want) {
					t.Errorf("turn %d: %q, want the suffix %q", i+1, got, want)
				}
				if r.get("context.turns").Int() != int64(i+1) {
					t.Errorf("turn %d: %s", i+1, r.body)
				}
			}
			if mock.Calls() != 3 {
				t.Errorf("%d calls, want 3", mock.Calls())
			}
		})
	}
}

// A storm on real sockets: no 5xx, FAQ within 2 s, one probe stream beside.
func TestStormOverTheWire(t *testing.T) {
	if testing.Short() {
		t.Skip("6 s of real time")
	}
	mock := mockllm.RunT(t, mockllm.Config{Faults: []mockllm.Fault{{Name: "storm", Kind: "status", Status: 503, Share: 0.9, RetryAfter: unit.Duration(2 * time.Second)}}})
	s := startServer(t, mock.URL(), withKnobs("redis.timeout", "2s", "cache.hot", "0s", "limit.user", "0/s"))
	tok := tokenFor(t, "u1")
	end := time.Now().Add(6 * time.Second)
	turns := 0
	for time.Now().Before(end) {
		r := sendBy(t, http.DefaultClient, s.URL()+"/v1/chat", tok, "", "优惠券在哪里领")
		if r.status != 200 {
			t.Fatalf("a user sees %d %s", r.status, r.body)
		}
		turns++
		time.Sleep(5 * time.Millisecond) // pace, not synchronisation
	}
	state := send(t, "GET", s.AdminURL()+"/admin/state", "", "")
	state.want(t, "tier", "faq")
	if calls := int(state.get("llm_attempts").Int()); calls > turns/2 {
		t.Errorf("%d attempts in %d turns", calls, turns)
	}
	if p := mock.Facts().Probes; p < 5 {
		t.Errorf("%d probes, want at least 5", p)
	}
	if got := state.get("transitions.0.to").String(); got != "faq" {
		t.Errorf("transitions %s", state.get("transitions"))
	}
}

func sendBy(t *testing.T, client *http.Client, url, token, dialog, text string) reply {
	t.Helper()
	m := map[string]string{"text": text}
	if dialog != "" {
		m["dialog_id"] = dialog
	}
	b, _ := json.Marshal(m)
	old := http.DefaultClient
	http.DefaultClient = client
	defer func() { http.DefaultClient = old }()
	return send(t, "POST", url, token, string(b))
}
