//go:build linux

package refserver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Servers that share a port and a Redis are one server: whichever of them a
// connection meets knows the whole dialog, and each gets some.
func TestServersShareAPort(t *testing.T) {
	onEachRedis(t, func(t *testing.T, redisURL string) {
		l := newScriptedLLM(t)
		var all []*Server
		listen := ""
		for range 3 {
			s := startServer(t, l.url, func(c *Config) {
				c.Redis, c.ReusePort, c.Listen, c.Knobs = redisURL, true, listen, map[string]string{"redis.timeout": "2s"}
			})
			listen = strings.TrimPrefix(s.URL(), "http://")
			all = append(all, s)
		}
		fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		dialog := ""
		const turns = 18
		for n := 1; n <= turns; n++ {
			turn := map[string]string{"text": fmt.Sprintf("第%d句话", n)}
			if dialog != "" {
				turn["dialog_id"] = dialog
			}
			body, err := json.Marshal(turn)
			if err != nil {
				t.Fatal(err)
			}
			req, err := http.NewRequest(http.MethodPost, all[0].URL()+"/v1/chat", strings.NewReader(string(body)))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+tokenFor(t, "u1"))
			req.Header.Set("Content-Type", "application/json")
			resp, err := fresh.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("turn %d: %d %s %v", n, resp.StatusCode, text, err)
			}
			r := reply{resp.StatusCode, resp.Header, string(text)}
			r.want(t, "seq", fmt.Sprint(n))
			dialog = r.get("dialog_id").String()
		}
		l.mu.Lock()
		last := l.bodies[len(l.bodies)-1]
		l.mu.Unlock()
		for n := turns - 5; n <= turns; n++ {
			if !strings.Contains(last, fmt.Sprintf("第%d句话", n)) {
				t.Errorf("the last prompt lacks turn %d: %s", n, last)
			}
		}
		served, some := int64(0), 0
		for _, s := range all {
			n := send(t, "GET", s.AdminURL()+"/admin/state", "", "").get("turns").Int()
			if served += n; n > 0 {
				some++
			}
		}
		// That all of 18 connections fall to one of three has a chance of 3^-17.
		if served != turns || some < 2 {
			t.Errorf("%d turns were served by %d servers, want %d by two or more", served, some, turns)
		}
	})
}

// Each with a Redis of its own would forget what the others know.
func TestSharedPortNeedsASharedRedis(t *testing.T) {
	s, err := Start(t.Context(), Config{LLM: "http://127.0.0.1:1", Dev: true, ReusePort: true})
	if err == nil {
		_ = s.Close(t.Context())
		t.Fatal("started")
	}
	if want := "redis: processes on one port need one Redis for all, and an embedded one is in each"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}
