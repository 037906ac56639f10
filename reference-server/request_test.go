package refserver

import (
	"strings"
	"testing"
)

func TestRefusedBodiesNeverReachRedis(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	tok := tokenFor(t, "u1")
	for _, c := range []struct {
		body, header, value string
		status              int
		code                string
	}{
		{`{"text":"hi","dialog_id":"../../etc/passwd"}`, "", "", 422, "invalid-field"},
		{`{"text":"hi","dialog_id":"` + strings.Repeat("a", 32) + `"}`, "", "", 404, "not-found"},
		{`{"text":"hi","uid":"u2"}`, "", "", 403, "uid-mismatch"},
		{`{"text":`, "", "", 400, "bad-request"},
		{`{"text":"` + strings.Repeat("a", 17<<10) + `"}`, "", "", 413, "body-too-large"},
		{`{"text":"hi"}`, "Content-Type", "text/plain", 415, "unsupported-media-type"},
		{`{"text":"hi"}`, "Content-Encoding", "gzip", 415, "unsupported-media-type"},
	} {
		h := []string{}
		if c.header != "" {
			h = []string{c.header, c.value}
		}
		r := send(t, "POST", s.URL()+"/v1/chat", tok, c.body, h...)
		if r.status != c.status || r.get("code").String() != c.code || r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%.40s: %d %s, want %d %s", c.body, r.status, r.body, c.status, c.code)
		}
		if len(r.get("trace_id").String()) != 32 {
			t.Errorf("no trace_id in %s", r.body)
		}
	}
	for _, k := range s.embedded.mini.Keys() {
		if !strings.HasPrefix(k, "dlg:") {
			continue
		}
		t.Errorf("key %s was written", k)
	}
	if l.calls() != 0 {
		t.Errorf("the model was asked %d times", l.calls())
	}
}
