package driver

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"github.com/golang-jwt/jwt/v5"
)

func secretsOf(pairs map[string]string) func(string) (string, error) {
	return func(name string) (string, error) {
		if v, ok := pairs[name]; ok {
			return v, nil
		}
		return "", errors.New("not set")
	}
}

func TestBody(t *testing.T) {
	user := &User{ID: "u\"1", Index: 7, Vars: map[string]string{"orders.no": "A-1", "orders.none": ""}}
	turn := &Turn{Text: []byte("hi\n"), TurnID: []byte("t"), Index: 2}
	for _, c := range []struct{ body, want string }{
		{`{"a":"${user.id}","t":"${turn.text}","n":1.50,"b":true,"z":null,"s":"x","o":{},"l":[]}`, `{"a":"u\"1","t":"hi\n","n":1.50,"b":true,"z":null,"s":"x","o":{},"l":[]}`},
		{`{"d":"${dialog.id}"}`, `{}`},
		{`{"d":"${dialog.id}","x":1}`, `{"x":1}`},
		{`{"x":1,"d":"${dialog.id}"}`, `{"x":1}`},
		{`{"x":{"d":"${dialog.id}"},"y":{"a":"${orders.no}","d":"${orders.none}"}}`, `{"x":{},"y":{"a":"A-1"}}`},
		{`["${dialog.id}",{"d":"${dialog.id}"},["${turn.id}"]]`, `["",{},["t"]]`},
		{`{"a":"order ${orders.no}, ${user.index}/${turn.index} $$","d":"-${dialog.id}-"}`, `{"a":"order A-1, 7/2 $","d":"--"}`},
		{`{"k\"":"${env:K}","q":"${env:K}!"}`, `{"k\"":"s\"ecret","q":"s\"ecret!"}`},
		{`"${turn.text}"`, `"hi\n"`},
		{`{"t":"$5 ${trace.id}","s":"${span.id}"}`, `{"t":"$5 00000000000000000000000000000000","s":"0000000000000000"}`},
	} {
		o := Options{Secrets: secretsOf(map[string]string{"env:K": `s"ecret`})}
		body, err := o.bindBody([]byte(c.body))
		if err != nil {
			t.Errorf("%s: %v", c.body, err)
			continue
		}
		if got := string(body.Append(nil, filled(values{user: user, turn: turn}))); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.body, got, c.want)
		}
	}
	for bad, want := range map[string]string{
		`{"a":"${"}`:            "a: a } is missing",
		`{"a":"${}"}`:           "a: ${} names no variable",
		`{"a":"${env:NONE}"}`:   "${env:NONE}: not set",
		`{"a":"${turn.txt}"}`:   "${turn.txt}: there is no such variable",
		`{"a":"${history}"}`:    "${history}: there is no such variable",
		`{"a":"${auth.tokenx"}`: "a: a } is missing",
		`{`:                     "is not JSON",
		`{} {}`:                 "something follows",
	} {
		o := Options{Secrets: secretsOf(nil)}
		if _, err := o.bindBody([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", bad, err, want)
		}
	}
}

// The length of the body is right for every number of digits.
func TestContentLength(t *testing.T) {
	p, err := compile(given(&scenario.Target{URL: "http://h"}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 40, 60, 61, 62, 63, 64, 65, 900, 955, 956, 957, 958, 959, 5000, 100_000} {
		out := http1.NewForm(&p.turn, &p.Target).Append(nil, filled(values{user: &User{}, turn: &Turn{Text: []byte(strings.Repeat("x", n))}}))
		head, body, _ := strings.Cut(string(out), "\r\n\r\n")
		if want := fmt.Sprintf("\r\ncontent-length: %d", len(body)); !strings.HasSuffix(head, want) {
			t.Errorf("text of %d: head ends %q, body has %d", n, head[len(head)-30:], len(body))
		}
		if want := `{"text":"` + strings.Repeat("x", n) + `"}`; strings.Replace(body, `"uid":"",`, "", 1) != want {
			t.Errorf("text of %d: body %.60q", n, body)
		}
	}
}

// Values cannot leave the place they stand in.
func TestInjection(t *testing.T) {
	target := &scenario.Target{
		URL: "http://h", API: "custom", Headers: map[string]string{"x-user": "${user.id}"},
		Request:  &scenario.Request{Path: "/u/${user.id}?q=${user.id}", Body: json.RawMessage(`{"a":"${user.id}"}`)},
		Response: &scenario.Response{Answer: "a"},
	}
	p, err := compile(given(target), Options{})
	if err != nil {
		t.Fatal(err)
	}
	evil := "a/b?c#d e\r\nX: y\x00\"},\\"
	out := string(http1.NewForm(&p.turn, &p.Target).Append(nil, filled(values{user: &User{ID: evil}, turn: &Turn{}})))
	for _, want := range []string{
		"POST /u/a%2Fb%3Fc%23d%20e%0D%0AX%3A%20y%00%22%7D%2C%5C?q=a%2Fb%3Fc%23d%20e%0D%0AX%3A%20y%00%22%7D%2C%5C HTTP/1.1\r\n",
		"\r\nx-user: a/b?c#d eX: y\"},\\\r\n", `{"a":"a/b?c#d e\r\nX: y\u0000\"},\\"}`,
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in %q", want, out)
		}
	}
}

func TestWrongTargets(t *testing.T) {
	for name, c := range map[string]struct {
		target scenario.Target
		want   string
	}{
		"scheme":      {scenario.Target{URL: "ftp://h"}, "scheme"},
		"host":        {scenario.Target{URL: "http://"}, "no host"},
		"credentials": {scenario.Target{URL: "http://u:p@h"}, "credentials"},
		"query":       {scenario.Target{URL: "http://h?x=y"}, "query"},
		"api":         {scenario.Target{URL: "http://h", API: "x"}, "target.api"},
		"model":       {scenario.Target{URL: "http://h", API: "openai"}, "target.model"},
		"http":        {scenario.Target{URL: "http://h", HTTP: "3"}, "target.http"},
		"h2":          {scenario.Target{URL: "http://h", HTTP: "2"}, "https"},
		"mode":        {scenario.Target{URL: "http://h", Mode: "x"}, "target.mode"},
		"policy":      {scenario.Target{URL: "http://h", Connections: "x"}, "target.connections"},
		"hop":         {scenario.Target{URL: "http://h", Headers: map[string]string{"Content-Length": "1"}}, "belongs to the connection"},
		"header name": {scenario.Target{URL: "http://h", Headers: map[string]string{"a b": "1"}}, "not a header's name"},
		"response":    {scenario.Target{URL: "http://h", API: "custom"}, "response.answer"},
		"secret":      {scenario.Target{URL: "http://h", Auth: &scenario.Auth{JWT: &scenario.JWT{Secret: "${env:NONE}"}}}, "env:NONE"},
		"ca":          {scenario.Target{URL: "https://h", TLS: &scenario.TLS{CA: "/nonexistent.pem"}}, "tls.ca"},
	} {
		if _, err := New(given(&c.target), Options{Secrets: secretsOf(nil)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestOpenAI(t *testing.T) {
	srv := newChatServer(t, false)
	for _, mode := range []scenario.Mode{scenario.ModeSync, scenario.ModeStream} {
		for _, version := range []string{"1.1", "h2c"} {
			d := open(t, &scenario.Target{URL: srv.URL + "/v1", API: "openai", Model: "m1", Mode: mode, HTTP: scenario.HTTPVersion(version)}, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			var r Reply
			line.Do(&Turn{Text: []byte("b\"c"), History: []Message{{Text: []byte("a")}, {Assistant: true, Text: []byte("x\ny")}}}, &r)
			if r.Reason != Complete || string(r.Answer) != `听到 ["a" "b\"c"]` {
				t.Errorf("%s %s: reason %d %q, answer %q", mode, version, r.Reason, r.Message, r.Answer)
			}
			if mode == "stream" && (r.FirstToken < r.FirstByte || r.FirstToken > r.Done || len(r.Gaps) != len([]rune(string(r.Answer)))-1) {
				t.Errorf("%s: first byte %d first token %d done %d, %d gaps", version, r.FirstByte, r.FirstToken, r.Done, len(r.Gaps))
			}
			line.Free(&r)
			line.Do(&Turn{Text: []byte("b"), History: []Message{{Assistant: true}}}, &r)
			if r.Status != 400 || string(r.Code) != "invalid_request_error" {
				t.Errorf("%s: status %d code %q", mode, r.Status, r.Code)
			}
			line.Free(&r)
			line.Close()
		}
	}
}

// Streams that do not end well are not answers.
func TestBadStreams(t *testing.T) {
	srv := newChatServer(t, false)
	for _, version := range []string{"1.1", "h2c"} {
		d := open(t, &scenario.Target{URL: srv.URL, Mode: "stream", HTTP: scenario.HTTPVersion(version)}, Options{Base: time.Now()})
		line := d.Open(&User{ID: "u"})
		for _, c := range []struct {
			text    string
			reason  Reason
			message string
		}{
			{"cut", Truncated, "the stream ended without its terminal event; no event done came"},
			{"fail", Malformed, "error event: model gone"},
			{"gap", Malformed, "events of the stream are missing or out of order"},
			{"fine", Complete, ""},
		} {
			var r Reply
			line.Do(&Turn{Text: []byte(c.text)}, &r)
			if r.Status != 200 || r.Reason != c.reason || r.Message != c.message || len(r.DialogID) != 32 {
				t.Errorf("%s %s: status %d reason %d %q dialog %q", version, c.text, r.Status, r.Reason, r.Message, r.DialogID)
			}
			line.Free(&r)
		}
		line.Close()
	}
}

func TestLoginAndCustom(t *testing.T) {
	var logins int
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/app/session":
			logins++
			if string(body) != `{"user":"u1"}` || r.Header.Get("X-Sid") != "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			io.WriteString(w, `{"data":{"sid":"s-1"}}`) //nolint:errcheck // the client may be gone
		case "/app/talk":
			if string(body) != `{"q":"hi","sid":"s-1"}` || r.Header.Get("X-Sid") != "s-1" || r.Method != http.MethodPut {
				t.Errorf("%s %s, sid %q", r.Method, body, r.Header.Get("X-Sid"))
			}
			io.WriteString(w, `{"success":1,"data":{"reply":"hello","src":"kb","variant":"b","id":17,"list":[{"n":1},{"n":4}]}}`) //nolint:errcheck // the client may be gone
		}
	}))
	defer srv.Close()
	target := &scenario.Target{
		URL: srv.URL + "/app", API: "custom", Headers: map[string]string{"x-sid": "${login.sid}"},
		Login:   &scenario.Login{Path: "/session", Body: json.RawMessage(`{"user":"${user.id}"}`), Save: map[string]string{"sid": "data.sid"}},
		Request: &scenario.Request{Method: "PUT", Path: "/talk", Body: json.RawMessage(`{"q":"${turn.text}","sid":"${login.sid}"}`)},
		Response: &scenario.Response{
			OK: scenario.Conditions{{Path: "success"}}, Answer: "data.reply", DialogID: "data.id", ContextTurns: "data.list.#(n>2).n",
			Tier: &scenario.TierPath{From: "data.src", Map: map[string]scenario.Tier{"kb": "faq"}}, Group: "data.variant",
		},
	}
	for _, version := range []string{"1.1"} {
		target.HTTP, logins = scenario.HTTPVersion(version), 0
		d := open(t, target, Options{Base: time.Now()})
		user := &User{ID: "u1"}
		for i := range 2 {
			line := d.Open(user)
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if (r.Login > 0) != (i == 0) || r.Begun+r.Login > r.Sent {
				t.Errorf("conversation %d: begun %d login %d sent %d", i, r.Begun, r.Login, r.Sent)
			}
			if r.Reason != Complete || r.OK || string(r.Answer) != "hello" || string(r.DialogID) != "17" || string(r.Tier) != "faq" || string(r.Group) != "b" || r.ContextTurns != 4 {
				t.Errorf("%s: %+v", version, r)
			}
			line.Free(&r)
			line.Close()
		}
		if logins != 1 {
			t.Errorf("%d logins of one user", logins)
		}
		line := d.Open(&User{ID: "other"})
		var r Reply
		line.Do(&Turn{Text: []byte("hi")}, &r)
		if r.Status != 401 || r.Reason != Complete || r.Message != "login refused" {
			t.Errorf("refused login: %d %d %q", r.Status, r.Reason, r.Message)
		}
		line.Free(&r)
		line.Close()
	}
}

// The defaults are scenario's: a target that lacks one is refused, not made up for.
func TestNoDefaults(t *testing.T) {
	for want, lose := range map[string]func(*scenario.Target){
		"target.api: ": func(t *scenario.Target) { t.API = "" }, "target.http: ": func(t *scenario.Target) { t.HTTP = "" },
		"target.mode: ": func(t *scenario.Target) { t.Mode = "" }, "target.connections: ": func(t *scenario.Target) { t.Connections = "" },
		"target.pool: ":    func(t *scenario.Target) { t.Connections, t.Pool = scenario.Shared, 0 },
		"target.timeout: ": func(t *scenario.Target) { t.Timeout = 0 }, "target.limits.headers: ": func(t *scenario.Target) { t.Limits.Headers = 0 },
		"target.limits.line: ": func(t *scenario.Target) { t.Limits.Line = 0 }, "target.limits.body: ": func(t *scenario.Target) { t.Limits.Body = 0 },
		"target.limits.ratio: ": func(t *scenario.Target) { t.Limits.Ratio = 0 }, "target.auth.jwt.ttl: ": func(t *scenario.Target) { t.Auth.JWT.TTL = 0 },
		"target.agents.sockets: ": func(t *scenario.Target) { t.Mode, t.Agents = scenario.ModeAgents, nil },
		"login.method: ":          func(t *scenario.Target) { t.Login.Method = "" }, "request.method: ": func(t *scenario.Target) { t.Request.Method = "" },
	} {
		target := given(&scenario.Target{
			URL: "http://h", Auth: &scenario.Auth{JWT: &scenario.JWT{Secret: "k"}}, Login: &scenario.Login{Path: "/l"}, Request: &scenario.Request{},
		})
		if _, err := New(target, Options{}); err != nil {
			t.Fatal(err)
		}
		lose(target)
		if _, err := New(target, Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

func TestJWT(t *testing.T) {
	key := "0123456789abcdef0123456789abcdef"
	p, err := compile(given(&scenario.Target{URL: "http://h", Auth: &scenario.Auth{JWT: &scenario.JWT{
		Secret: "${env:KEY}", Issuer: "cstest", Audience: "chat", Kid: "k1", TTL: unit.Duration(time.Hour), Claims: map[string]string{"tenant": "t-${user.index}"},
	}}}), Options{Secrets: secretsOf(map[string]string{"env:KEY": key})})
	if err != nil {
		t.Fatal(err)
	}
	user := &User{ID: "u1", Index: 3}
	now := time.Now().Truncate(time.Second)
	if err := p.jwt.sign(user, now); err != nil {
		t.Fatal(err)
	}
	first := user.state.token
	parsed, err := jwt.Parse(first, func(*jwt.Token) (any, error) { return []byte(key), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithExpirationRequired(), jwt.WithIssuer("cstest"), jwt.WithAudience("chat"))
	if err != nil {
		t.Fatal(err)
	}
	claims := parsed.Claims.(jwt.MapClaims)
	exp, _ := claims.GetExpirationTime()
	if claims["sub"] != "u1" || claims["tenant"] != "t-3" || parsed.Header["kid"] != "k1" || parsed.Header["typ"] != "JWT" || !exp.Equal(now.Add(time.Hour)) {
		t.Errorf("claims %v header %v", claims, parsed.Header)
	}
	for _, c := range []struct {
		after time.Duration
		same  bool
	}{{53 * time.Minute, true}, {54 * time.Minute, false}} {
		if err := p.jwt.sign(user, now.Add(c.after)); err != nil || (user.state.token == first) != c.same {
			t.Errorf("after %s: kept %t, %v", c.after, user.state.token == first, err)
		}
	}
}

func TestJobAddress(t *testing.T) {
	p, err := compile(given(&scenario.Target{URL: "http://chat.example:8080/base", Mode: "async"}), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"/v1/jobs/1": "/v1/jobs/1", "http://chat.example:8080/j?x=1#f": "/j?x=1", "jobs/7": "/base/v1/chat/jobs/7", "/a b": "/a%20b",
		"": "", "http://other.example/j": "", "//other.example/j": "", "https://chat.example:8080/j": "", "http://u:p@chat.example:8080/j": "", "mailto:x": "",
	} {
		got, f := p.jobAt([]byte(at))
		if got != want || f.Bad() != (want == "") {
			t.Errorf("%q: %q %q, want %q", at, got, f.Message, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	for val, want := range map[string]time.Duration{
		"2": 2 * time.Second, "0": 0, "999999999": pollAtMost, "61": pollAtMost, "-1": 0, "x": 0,
		"Sun, 22 Nov 2026 20:00:07 GMT": 7 * time.Second, "Sun, 22 Nov 2026 19:00:00 GMT": 0,
	} {
		if got := retryAfter([]byte(val), now); got != want {
			t.Errorf("%q: %s, want %s", val, got, want)
		}
	}
}
