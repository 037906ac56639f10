package refserver

import (
	"net/http"
	"strings"
	"testing"
)

// Wherever a body is read it has to be announced as JSON in UTF-8: a charset that says
// otherwise would mean other words.
func TestPathsWithABodyWantJSONInUTF8(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) {
		c.Dev, c.Knobs = true, map[string]string{"limit.refused": "0/s", "redis.timeout": "2s"}
	})
	tok := tokenFor(t, "u1")
	type place struct{ method, url, body string }
	var places []place
	for _, e := range s.surface.Endpoints() {
		switch {
		case e.Turn:
			places = append(places, place{e.Method, s.URL() + e.Path, `{"text":"说点什么吧"}`})
		case e.Path == "/dev/token":
			places = append(places, place{e.Method, s.URL() + e.Path, `{"uid":"u1"}`})
		}
	}
	for _, e := range s.operate.Endpoints() {
		if e.Method == http.MethodPut || e.Method == http.MethodPost && !strings.HasSuffix(e.Path, "/purge") && !strings.HasSuffix(e.Path, "/reject") {
			places = append(places, place{e.Method, s.AdminURL() + strings.ReplaceAll(e.Path, "{id}", testDialog), `{}`})
		}
	}
	if len(places) != 11 {
		t.Errorf("%d places with a body", len(places))
	}
	for _, p := range places {
		for announced, good := range map[string]bool{
			"application/json": true, `application/json; charset="UTF-8"`: true, "application/json; charset=gbk": false,
			"application/json; charset": false, "application/json; charset=utf-8; charset=gbk": false, "application/x-www-form-urlencoded": false, "text/plain": false, "": false,
		} {
			r := send(t, p.method, p.url, tok, p.body, "Content-Type", announced)
			if refused := r.status == 415; refused == good {
				t.Errorf("%s %s, Content-Type %q: %d %s", p.method, p.url, announced, r.status, r.body)
			} else if refused {
				wantProblem(t, p.url, r, 415, "unsupported-media-type", true)
			}
		}
	}
}
