package refserver

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"
)

// row is an endpoint of either listener.
type row struct{ method, path string }

// rowsOf are the endpoints of both listeners, with ids that are nobody's.
func rowsOf(s *Server) (public, admin []row) {
	for _, e := range s.surface.Endpoints() {
		public = append(public, row{e.Method, strings.ReplaceAll(e.Path, "{id}", testDialog)})
	}
	for _, e := range s.operate.Endpoints() {
		admin = append(admin, row{e.Method, strings.NewReplacer("{id}", testDialog, "{name}", "heap").Replace(e.Path)})
	}
	return public, admin
}

// otherSpellings are what a proxy, a router or a person may take for the same path.
func otherSpellings(path string) []string {
	last := strings.LastIndexByte(path, '/')
	front, name := path[:last], path[last+1:]
	list := []string{
		"/" + path, path + "/", path + "//", front + "//" + name, front + "/./" + name, path + "/.", path + "/../" + name, path + "/..",
		front + "/x/../" + name, strings.ToUpper(path), front + "%2F" + name, front + "%2f" + name, front + "/%2E/" + name,
		fmt.Sprintf("/%%%02x%s", path[1], path[2:]), path + "%00", path + "%20", path + ";v=1", path + ".json", front + "%5C" + name,
	}
	return slices.DeleteFunc(list, func(p string) bool { return p[0] != '/' }) // that is no path
}

// client speaks one protocol and follows nothing.
func pathClient(t *testing.T, http2 bool) *http.Client {
	var p http.Protocols
	p.SetHTTP1(!http2)
	p.SetUnencryptedHTTP2(http2)
	tr := &http.Transport{Protocols: &p}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// ask sends a path as it is written.
func ask(t *testing.T, c *http.Client, method, base, path, bearer string) reply {
	t.Helper()
	req, err := http.NewRequest(method, base, nil)
	if err != nil {
		t.Fatal(err)
	}
	if req.URL.Path, err = url.PathUnescape(path); err != nil {
		t.Fatal(err)
	}
	req.URL.RawPath = path
	if path == "*" {
		req.URL = &url.URL{Scheme: req.URL.Scheme, Host: req.URL.Host, Opaque: "*"}
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// wantProblem holds an answer against one problem, with a body but to HEAD.
func wantProblem(t *testing.T, what string, r reply, status int, code string, body bool) {
	t.Helper()
	id := r.header.Get("X-Request-Id")
	if r.status != status || r.header.Get("Content-Type") != "application/problem+json" || len(id) != 32 || r.header.Get("Location") != "" || r.header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s: %d %v, want the problem %d", what, r.status, r.header, status)
	}
	if body && (r.get("code").Str != code || r.get("trace_id").Str != id) {
		t.Errorf("%s: %s, want %s and trace_id %s", what, r.body, code, id)
	}
}

// counted sums a counter's series of a status.
func counted(t *testing.T, s *Server, name, status string) (sum int) {
	t.Helper()
	for line := range strings.Lines(send(t, "GET", s.AdminURL()+"/metrics", "", "").body) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(series, name+"{") && strings.Contains(series, `status="`+status+`"`) {
			n, err := strconv.Atoi(value)
			if err != nil {
				t.Fatal(line)
			}
			sum += n
		}
	}
	return sum
}

func logged(log string, status int64) (n int) {
	for line := range strings.Lines(log) {
		if gjson.Get(line, "msg").Str == "request" && gjson.Get(line, "status").Int() == status {
			n++
		}
	}
	return n
}

// An endpoint has one spelling. Every other one is the same 404, of whatever method and
// protocol: never a redirect, never past the log, the counters and the request's id.
func TestPathsHaveOneSpelling(t *testing.T) {
	l := newScriptedLLM(t)
	var log lockedBuffer
	s := startServer(t, l.url, func(c *Config) {
		c.Log, c.Dev, c.Pprof, c.H2C = &log, true, true, true
		c.Knobs = map[string]string{"limit.refused": "0/s", "log.requests": "all"}
	})
	tok := tokenFor(t, "u1")
	public, admin := rowsOf(s)
	over1, over2 := pathClient(t, false), pathClient(t, true)
	asked := map[string]int{}
	for _, side := range []struct {
		counter, base string
		rows          []row
		clients       []*http.Client
	}{
		{"chat_requests_total", s.URL(), public, []*http.Client{over1, over2}},
		{"admin_requests_total", s.AdminURL(), admin, []*http.Client{over1}},
	} {
		before := counted(t, s, side.counter, "404")
		for _, e := range side.rows {
			for _, path := range otherSpellings(e.path) {
				for i, c := range side.clients {
					method, body := e.method, true
					if e.method == "GET" && len(path)%2 == 0 {
						method, body = "HEAD", false
					}
					wantProblem(t, fmt.Sprintf("%s %s, client %d", method, path, i), ask(t, c, method, side.base, path, tok), 404, "not-found", body)
					asked[side.counter]++
				}
			}
		}
		waitFor(t, func() bool { return counted(t, s, side.counter, "404")-before == asked[side.counter] })
	}
	total := asked["chat_requests_total"] + asked["admin_requests_total"]
	if waitFor(t, func() bool { return logged(log.String(), 404) == total }); total < 900 {
		t.Errorf("%d spellings: the table is larger", total)
	}
	if l.calls() != 0 {
		t.Errorf("the model was asked %d times", l.calls())
	}
}

// A method that a path has not is 405, and Allow says which it has.
func TestPathsNameTheirMethods(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) {
		c.Dev, c.Pprof, c.H2C = true, true, true
		c.Knobs = map[string]string{"limit.refused": "0/s"}
	})
	public, admin := rowsOf(s)
	over1, over2 := pathClient(t, false), pathClient(t, true)
	for _, side := range []struct {
		base    string
		rows    []row
		clients []*http.Client
	}{{s.URL(), public, []*http.Client{over1, over2}}, {s.AdminURL(), admin, []*http.Client{over1}}} {
		allowed := map[string][]string{}
		for _, e := range side.rows {
			allowed[e.path] = append(allowed[e.path], e.method)
			if e.method == "GET" {
				allowed[e.path] = append(allowed[e.path], "HEAD")
			}
		}
		for path, methods := range allowed {
			slices.Sort(methods)
			for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW", "post"} {
				if slices.Contains(methods, method) {
					continue
				}
				for _, c := range side.clients {
					r := ask(t, c, method, side.base, path, tokenFor(t, "u1"))
					wantProblem(t, method+" "+path, r, 405, "method-not-allowed", method != "HEAD")
					if got, want := r.header.Get("Allow"), strings.Join(methods, ", "); got != want {
						t.Errorf("%s %s: Allow %q, want %q", method, path, got, want)
					}
				}
			}
		}
	}
}

// rawRequest sends what no client would, and reads one answer.
func rawRequest(t *testing.T, base, text string) reply {
	t.Helper()
	address := strings.TrimPrefix(base, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	text = strings.ReplaceAll(strings.ReplaceAll(text, "ADDRESS", address), "|", "\r\n") + "\r\n\r\n"
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(text, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, max(0, resp.ContentLength)))
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, string(b)}
}

// Requests in forms that are rarely seen go through the same exchange.
func TestPathsInOtherFormsOfRequest(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) { c.H2C = true })
	const upgrade = "|Connection: Upgrade|Upgrade: websocket|Sec-WebSocket-Version: 13|Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==|Sec-WebSocket-Protocol: cs.chat.v1"
	bearer := "|Authorization: Bearer " + tokenFor(t, "u1")
	for _, c := range []struct {
		text   string
		status int
		code   string
	}{
		{"OPTIONS * HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"OPTIONS /v1/chat HTTP/1.1|Host: ADDRESS", 405, "method-not-allowed"},
		{"CONNECT example.com:443 HTTP/1.1|Host: example.com:443", 404, "not-found"},
		{"CONNECT /v1/chat HTTP/1.1|Host: ADDRESS", 405, "method-not-allowed"},
		{"GET http://ADDRESS/nowhere HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"GET http://ADDRESS HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"GET http://user:pw@evil.example//v1/chat HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"POST http://ADDRESS/v1/chat HTTP/1.1|Host: ADDRESS|Content-Length: 0", 401, "unauthorized"},
		{"GET / HTTP/1.0", 404, "not-found"},
		{"POST /v1/chat HTTP/1.0|Content-Length: 0", 401, "unauthorized"},
		{"POST /v1/chat/ HTTP/1.0|Content-Length: 0", 404, "not-found"},
		{"HEAD //v1/chat HTTP/1.1|Host: ADDRESS", 404, ""},
		{"HEAD /v1/jobs/" + testDialog + " HTTP/1.1|Host: ADDRESS" + bearer, 404, ""},
		{"HEAD /v1/chat/ws HTTP/1.1|Host: ADDRESS" + bearer + upgrade, 426, ""},
		{"GET //evil.example/%2e%2e HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"GET /v1/dialogs/.. HTTP/1.1|Host: ADDRESS" + bearer, 404, "not-found"},
		{"GET /v1/dialogs/ HTTP/1.1|Host: ADDRESS" + bearer, 404, "not-found"},
	} {
		wantProblem(t, c.text, rawRequest(t, s.URL(), c.text), c.status, c.code, c.code != "")
	}
	for _, c := range []struct {
		text   string
		status int
		code   string
	}{
		{"OPTIONS * HTTP/1.1|Host: ADDRESS", 404, "not-found"},
		{"CONNECT 127.0.0.1:80 HTTP/1.1|Host: 127.0.0.1:80", 404, "not-found"},
		{"GET http://rebound.example/admin/state HTTP/1.1|Host: ADDRESS", 403, "forbidden"},
		{"GET /admin/state HTTP/1.0", 403, "forbidden"},
		{"POST /admin/cache/purge HTTP/1.1|Host: ADDRESS|Origin: http://evil.example|Content-Length: 0", 403, "origin"},
		{"HEAD /admin/ HTTP/1.1|Host: ADDRESS", 404, ""},
	} {
		wantProblem(t, "admin: "+c.text, rawRequest(t, s.AdminURL(), c.text), c.status, c.code, c.code != "")
	}
	for _, c := range []struct{ method, path string }{{"OPTIONS", "*"}, {"CONNECT", ""}} {
		wantProblem(t, c.method+" over HTTP/2", ask(t, pathClient(t, true), c.method, s.URL(), c.path, ""), 404, "not-found", true)
	}
	if r := rawRequest(t, s.URL(), "HEAD /healthz HTTP/1.1|Host: ADDRESS"); r.status != 200 || len(r.header.Get("X-Request-Id")) != 32 || r.body != "" {
		t.Errorf("HEAD /healthz: %d %v", r.status, r.header)
	}
}

// Who looks for paths is limited as who looks for tokens, on both listeners; health and
// operators are answered all the same.
func TestPathsThatAreNotThereAreLimited(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, func(c *Config) {
		c.AdminToken = "open sesame"
		c.Knobs = map[string]string{"limit.refused": "1/h", "redis.timeout": "2s"}
	})
	wantProblem(t, "the first", send(t, "GET", s.URL()+"/v1/./chat", "", ""), 404, "not-found", true)
	r := send(t, "GET", s.URL()+"/v1/chat/", "", "")
	wantProblem(t, "the second", r, 429, "rate-limited", true)
	if r.header.Get("Retry-After") == "" || r.header.Get("RateLimit-Policy") != `"refused";q=1` {
		t.Errorf("headers %v", r.header)
	}
	if r := send(t, "GET", s.URL()+"/healthz", "", ""); r.status != 200 {
		t.Errorf("healthz: %d", r.status)
	}
	wantProblem(t, "a wrong admin token", send(t, "GET", s.AdminURL()+"/admin/state", "x", ""), 429, "rate-limited", true)
	if r := send(t, "GET", s.AdminURL()+"/admin/state", "open sesame", ""); r.status != 200 {
		t.Errorf("an operator: %d", r.status)
	}
}
