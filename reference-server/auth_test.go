package refserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/token"
)

var b64 = base64.RawURLEncoding

// forge signs any header and claims with a key.
func forge(header, claims string, key Secret) string {
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
	m := hmac.New(sha256.New, []byte(key))
	m.Write([]byte(input))
	return input + "." + b64.EncodeToString(m.Sum(nil))
}

const goodHeader = `{"alg":"HS256","typ":"JWT","kid":"k1"}`

func goodClaims(change map[string]any) string {
	now := time.Now().Unix()
	m := map[string]any{"iss": "cstest", "aud": "chat", "sub": "u1", "iat": now, "exp": now + 3600}
	for k, v := range change {
		if v == nil {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	b, _ := json.Marshal(m)
	return string(b)
}

func TestAuthorizationHeader(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	tok := tokenFor(t, "u1")
	post := func(change func(*http.Request)) int {
		req, err := http.NewRequest(http.MethodPost, s.URL()+"/v1/chat", strings.NewReader(`{"text":"随便说点什么"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		change(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("WWW-Authenticate = %q", resp.Header.Get("WWW-Authenticate"))
		}
		return resp.StatusCode
	}
	for name, c := range map[string]struct {
		values []string
		want   int
	}{
		"good":            {[]string{"Bearer " + tok}, 200},
		"none":            {nil, 401},
		"twice":           {[]string{"Bearer " + tok, "Bearer " + tok}, 401},
		"two spaces":      {[]string{"Bearer  " + tok}, 401},
		"basic":           {[]string{"Basic " + tok}, 401},
		"no scheme":       {[]string{tok}, 401},
		"two in one line": {[]string{"Bearer " + tok + ", Bearer " + tok}, 401},
	} {
		if got := post(func(r *http.Request) { r.Header["Authorization"] = c.values }); got != c.want {
			t.Errorf("%s: status %d, want %d", name, got, c.want)
		}
	}
	if got := post(func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "token", Value: tok}) }); got != 401 {
		t.Errorf("token in a cookie: status %d, want 401", got)
	}
	for _, name := range []string{"token", "ACCESS_TOKEN", "jwt"} { // URLs end up in logs
		if got := post(func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+tok)
			r.URL.RawQuery = name + "=" + tok
		}); got != 401 {
			t.Errorf("%s in the query beside a good header: status %d, want 401", name, got)
		}
	}
}

func TestServerWithoutKeysIsAtFaultNotTheCaller(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) {
		c.Secrets = map[string]Secret{}
		c.Knobs = map[string]string{"drain.lame_duck": "0s"}
	})
	r := send(t, "POST", s.URL()+"/v1/chat", tokenFor(t, "u1"), `{"text":"x"}`)
	if r.status != 500 || r.get("code").String() != "misconfigured" {
		t.Errorf("status %d %s, want 500 misconfigured", r.status, r.body)
	}
	if r := send(t, "GET", s.URL()+"/readyz", "", ""); r.status != 503 {
		t.Errorf("readyz %d, want 503", r.status)
	}
	if r := send(t, "GET", s.URL()+"/healthz", "", ""); r.status != 200 {
		t.Errorf("healthz %d, want 200", r.status)
	}
}

// A key of tokens is retired, and every dialog is still known: ids have a key of
// their own. Without one, several keys of tokens are refused.
func TestRetiringATokenKeyKeepsDialogs(t *testing.T) {
	l := newScriptedLLM(t)
	m := miniredis.RunT(t)
	other := Secret(strings.Repeat("b", 32))
	keys := func(secrets map[string]Secret) func(*Config) {
		return func(c *Config) {
			c.Secrets, c.IDKey, c.Redis = secrets, Secret(strings.Repeat("i", 32)), "redis://"+m.Addr()
			c.Knobs = map[string]string{"redis.timeout": "2s"}
		}
	}
	before := startServer(t, l.url, keys(map[string]Secret{"k1": testSecret, "k2": other}))
	id := say(t, before, "u1", "", "第一句话").get("dialog_id").String()
	after := startServer(t, l.url, keys(map[string]Secret{"k2": other}))
	if r := say(t, after, "u1", id, "第二句话"); r.status != 401 {
		t.Errorf("with the retired key: %d, want 401", r.status)
	}
	fresh := forge(`{"alg":"HS256","typ":"JWT","kid":"k2"}`, goodClaims(nil), other)
	send(t, "POST", after.URL()+"/v1/chat", fresh, `{"text":"第二句话","dialog_id":"`+id+`"}`).want(t, "seq", "2")
	_, err := Start(t.Context(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret, "k2": other}})
	if err == nil || !strings.Contains(err.Error(), "id_key") {
		t.Errorf("two secrets without a key for ids: %v", err)
	}
	if _, err = Start(t.Context(), Config{LLM: l.url, Secrets: map[string]Secret{"k1": testSecret}, IDKey: "short"}); err == nil || !strings.Contains(err.Error(), "id_key") {
		t.Errorf("a short key for ids: %v", err)
	}
}

// Every row of the route table is held against every kind of caller.
func TestEveryEndpointAsksWhoCalls(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	mine := say(t, s, "u1", "", "我要投诉").get
	ids := map[string]string{"/v1/dialogs/{id}": mine("dialog_id").String(), "/v1/tickets/{id}": mine("ticket.id").String()}
	agent := forge(goodHeader, goodClaims(map[string]any{"sub": "a1", "role": "agent"}), testSecret)
	stranger := tokenFor(t, "u2")
	otherTenant := forge(goodHeader, goodClaims(map[string]any{"tenant": "t2"}), testSecret)
	missing := s.ids.Mint(dialog.IDDialog, dialog.Owner{Tenant: "default", UID: "u9"})
	for _, e := range s.surface.Endpoints() {
		if e.Role == "" {
			continue // it is for everybody
		}
		id, ok := ids[e.Path]
		if !ok {
			id = missing
		}
		url := s.URL() + strings.ReplaceAll(e.Path, "{id}", id)
		body := ""
		if e.Turn {
			body = fmt.Sprintf(`{"text":"继续","dialog_id":%q}`, mine("dialog_id").String())
		}
		if r := send(t, e.Method, url, "", body); r.status != 401 {
			t.Errorf("%s %s without token: %d, want 401", e.Method, e.Path, r.status)
		}
		wrongRole := agent
		if e.Role == token.Agent {
			wrongRole = stranger
		}
		if r := send(t, e.Method, url, wrongRole, body); r.status != 403 {
			t.Errorf("%s %s with the wrong role: %d, want 403", e.Method, e.Path, r.status)
		}
		if e.Role != token.User {
			want := map[string]int{"/v1/agent/ticket": 200, "/v1/agent/ws": http.StatusUpgradeRequired}[e.Path]
			if r := send(t, e.Method, url, agent, body); r.status != want {
				t.Errorf("%s %s by an agent: %d, want %d", e.Method, e.Path, r.status, want)
			}
			continue
		}
		if want, ok := map[string]int{"/v1/chat/ticket": 200, "/v1/chat/ws": http.StatusUpgradeRequired}[e.Path]; ok {
			if r := send(t, e.Method, url, stranger, body); r.status != want { // it is nobody's
				t.Errorf("%s %s: %d, want %d", e.Method, e.Path, r.status, want)
			}
			continue
		}
		theirs := send(t, e.Method, url, stranger, body)
		if theirs.status != 404 {
			t.Errorf("%s %s by a stranger: %d, want 404: %s", e.Method, e.Path, theirs.status, theirs.body)
		}
		if r := send(t, e.Method, url, otherTenant, body); r.status != 404 {
			t.Errorf("%s %s from another tenant: %d, want 404", e.Method, e.Path, r.status)
		}
		nothing := send(t, e.Method, strings.ReplaceAll(url, id, missing), stranger, strings.ReplaceAll(body, mine("dialog_id").String(), missing))
		if nothing.status != theirs.status || len(nothing.body) != len(theirs.body) {
			t.Errorf("%s %s: not mine (%d, %d bytes) can be told from not there (%d, %d bytes)", e.Method, e.Path, theirs.status, len(theirs.body), nothing.status, len(nothing.body))
		}
	}
	if r := send(t, "GET", s.URL()+"/v1/tickets/"+ids["/v1/tickets/{id}"], tokenFor(t, "u1"), ""); r.status != 200 || r.get("queue").String() != "complaint" || r.get("state").String() != "open" {
		t.Errorf("my ticket: %d %s", r.status, r.body)
	}
}
