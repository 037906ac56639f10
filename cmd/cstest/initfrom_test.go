package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shopServer is a chat with a login, a cookie, a token and `code: 0`; what is asked
// without them is answered with a code and status 200.
func shopServer(t *testing.T) *httptest.Server {
	t.Helper()
	reply := func(w http.ResponseWriter, code int, message string, data any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": message, "data": data})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/login", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Username, Password string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Password != "hunter22" || q.Username == "" {
			reply(w, 40100, "密码错误", nil)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s-1", Path: "/"})
		reply(w, 0, "ok", map[string]string{"token": "tok-0123456789"})
	})
	mux.HandleFunc("POST /api/chat", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Text, ChatID string }
		sid, err := r.Cookie("sid")
		if err != nil || sid.Value != "s-1" || r.Header.Get("Authorization") != "Bearer tok-0123456789" || json.NewDecoder(r.Body).Decode(&q) != nil {
			reply(w, 40101, "登录已过期", nil)
			return
		}
		if q.ChatID == "" {
			q.ChatID = "chat-" + r.RemoteAddr
		}
		reply(w, 0, "ok", map[string]string{"chatId": q.ChatID, "answer": "您问的是：" + q.Text})
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// harOf records a visit to the shop as a browser would.
func harOf(url string) string {
	entry := func(path, headers, body, setCookie, answer string) string {
		return fmt.Sprintf(`{"request": {"method": "POST", "url": %q, "headers": [%s], "postData": {"mimeType": "application/json", "text": %q}},
"response": {"status": 200, "headers": [%s], "content": {"mimeType": "application/json", "text": %q}}}`, url+path, headers, body, setCookie, answer)
	}
	const sent = `{"name": "authorization", "value": "Bearer tok-0123456789"}, {"name": "cookie", "value": "sid=s-1"}`
	return `{"log": {"version": "1.2", "entries": [` + strings.Join([]string{
		entry("/api/login", "", `{"username": "alice", "password": "hunter22"}`, `{"name": "set-cookie", "value": "sid=s-1; Path=/"}`, `{"code": 0, "message": "ok", "data": {"token": "tok-0123456789"}}`),
		entry("/api/chat", sent, `{"text": "优惠券怎么用", "chatId": ""}`, "", `{"code": 0, "message": "ok", "data": {"chatId": "chat-77", "answer": "您问的是：优惠券怎么用"}}`),
		entry("/api/chat", sent, `{"text": "我要退货", "chatId": "chat-77"}`, "", `{"code": 0, "message": "ok", "data": {"chatId": "chat-77", "answer": "您问的是：我要退货"}}`),
	}, ",") + `]}}`
}

// From a recording to a verdict: what init writes is valid, one conversation of it is
// right, and a short run of it passes.
func TestInitFromHAR(t *testing.T) {
	t.Parallel()
	s := shopServer(t)
	dir := t.TempDir()
	har, file := filepath.Join(dir, "visit.har"), filepath.Join(dir, "shop.yaml")
	if err := os.WriteFile(har, []byte(harOf(s.URL)), 0o600); err != nil {
		t.Fatal(err)
	}
	got := cstest(t, "init", "--from", "har", har, file)
	for _, want := range []string{"CHAT_USERNAME", "CHAT_PASSWORD", "/api/login is taken for the login", "wrote "} {
		if got.code != 0 || !strings.Contains(got.stderr, want) {
			t.Fatalf("exit %d, no %q in:\n%s", got.code, want, got.stderr)
		}
	}
	ask := func(args ...string) ended {
		cmd := command(t, args...)
		cmd.Env = append(cmd.Env, "CHAT_USERNAME=alice", "CHAT_PASSWORD=hunter22")
		return finished(t, cmd)
	}
	if got := ask("validate", file); got.code != 0 {
		t.Fatalf("validate: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := ask("try", file); got.code != 0 || !strings.Contains(got.stdout, "您问的是：我要退货") {
		t.Fatalf("try: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	if got := ask("run", file, "--no-tui", "--quiet", "--results-dir", filepath.Join(dir, "r"), "--set", "load={stages: [{name: all, for: 3s, starts: 200/s}]}"); got.code != 0 {
		t.Errorf("run: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// A curl command without the login finds out, asked once, what the server says.
func TestInitFromCurl(t *testing.T) {
	t.Parallel()
	s := shopServer(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "shop.yaml")
	cmd := command(t, "init", "--from", "curl", "-", file, "--send")
	cmd.Env = append(cmd.Env, "TOKEN=tok-0123456789")
	cmd.Stdin = strings.NewReader("curl '" + s.URL + "/api/chat' \\\n  -H \"Authorization: Bearer $TOKEN\" -H 'Cookie: sid=s-1' \\\n  --data-raw '{\"text\": \"在吗\", \"chatId\": \"\"}'\n")
	if got := finished(t, cmd); got.code != 0 || !strings.Contains(got.stderr, "CHAT_COOKIE") {
		t.Fatalf("exit %d\n%s", got.code, got.stderr)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`bearer: "${env:TOKEN}"`, `answer: "data.answer"`, `dialog_id: "data.chatId"`, `ok: {path: "code", equals: "0"}`, `"chatId": "${dialog.id}"`, `say: "在吗"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(string(text), "s-1") {
		t.Errorf("the cookie is written:\n%s", text)
	}
	try := command(t, "try", file)
	try.Env = append(try.Env, "TOKEN=tok-0123456789", "CHAT_COOKIE=sid=s-1")
	if got := finished(t, try); got.code != 0 {
		t.Errorf("try: exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
}

// From two copied requests to a verdict, by the commands of the page and nothing else, in
// both languages of it: what the requests prove is of an earlier visit.
func TestFromCurlToAVerdict(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../../docs/cookbook.md", "../../docs/cookbook.zh-CN.md"} {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			s, dir := shopServer(t), t.TempDir()
			copied := strings.ReplaceAll(`curl 'URL/api/login' -H 'content-type: application/json' --data-raw '{"username":"alice","password":"hunter22"}' ;
curl 'URL/api/chat' \
  -H 'authorization: Bearer tok-of-yesterday' \
  -H 'content-type: application/json' \
  -b 'sid=s-of-yesterday' \
  --data-raw '{"text":"优惠券怎么用","chatId":""}'
`, "URL", s.URL)
			if err := os.WriteFile(filepath.Join(dir, "copied.txt"), []byte(copied), 0o600); err != nil {
				t.Fatal(err)
			}
			var env, ran []string
			for _, line := range firstBlockWith(t, path, "init --from curl").lines {
				for _, c := range shellWords(line) {
					switch c[0] {
					case "export":
						env = append(env, strings.Replace(strings.Join(c[1:], "\n"), "PASSWORD=secret", "PASSWORD=hunter22", 1))
						continue
					case "cstest":
					default:
						t.Fatalf("%s is none of ours", line)
					}
					if c[1] == "run" { // a load of two minutes is none for a test
						c = append(c, "--no-tui", "--set", "load={stages: [{name: all, for: 3s, starts: 200/s}]}")
					}
					cmd := command(t, c[1:]...)
					cmd.Dir, cmd.Env = dir, append(cmd.Env, strings.Split(strings.Join(env, "\n"), "\n")...)
					got := finished(t, cmd)
					if got.code != exitPass {
						t.Fatalf("%s: exit %d\n%s%s", line, got.code, got.stdout, got.stderr)
					}
					ran = append(ran, c[1])
					if want := map[string]string{"init": "POST /api/login 200, POST /api/chat 200", "try": "您问的是：优惠券怎么用", "run": "PASS"}[c[1]]; !strings.Contains(got.stdout+got.stderr, want) {
						t.Errorf("%s: no %q in\n%s%s", line, want, got.stdout, got.stderr)
					}
				}
			}
			if strings.Join(ran, " ") != "init try run" || len(env) != 1 {
				t.Errorf("the page has %v and %v", ran, env)
			}
			text := readFile(t, filepath.Join(dir, "shop.yaml"))
			for _, want := range []string{"cookies: per-user", `bearer: "${login.token}"`, `ok: {path: "code", equals: "0"}, save: {"token": "data.token"}`, `answer: "data.answer"`, `dialog_id: "data.chatId"`} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in\n%s", want, text)
				}
			}
		})
	}
}

// firstBlockWith is the first block of a page with a line that has the text.
func firstBlockWith(t *testing.T, path, text string) block {
	t.Helper()
	for _, b := range readPage(t, path).blocks {
		if strings.Contains(strings.Join(b.lines, "\n"), text) {
			return b
		}
	}
	t.Fatalf("%s has no block with %s", path, text)
	return block{}
}

func TestInitFromNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.yaml")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--from", "insomnia", "x.json", file}, "write curl, har, openapi or postman"},
		{[]string{"--from", "openapi", filepath.Join(dir, "none.yaml"), file}, "none.yaml"},
		{[]string{"--from", "postman", filepath.Join(dir, "none.json"), file, "--send"}, "--send goes with --from curl"},
		{[]string{"--from", "curl", "wget http://h", file}, "begins with curl"},
		{[]string{"--from", "curl", "curl http://h/x.css", file}, "no request has a text"},
		{[]string{"--from", "har", filepath.Join(dir, "none.har"), file}, "none.har"},
		{[]string{"--from", "har", "x.har", file, "--send"}, "--send goes with --from curl"},
		{[]string{"--from", "curl"}, "at least 1 argument"},
		{[]string{"--from", "curl", "curl http://127.0.0.1:1/ -d 'text=a b'", file, "--send"}, "send the request"},
	} {
		got := cstest(t, append([]string{"init"}, c.args...)...)
		if got.code != 64 || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: exit %d, %s", c.args, got.code, got.stderr)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%q wrote a file", c.args)
		}
	}
}
