package derive

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
)

// counter is a web shop: a page with a token, a form with a password that answers 302 and
// a cookie, an endpoint that gives a bearer token in a header of its own and in JSON. What
// was copied from an earlier visit is worth nothing.
func counter(t *testing.T, asked *[]string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		sid, _ := r.Cookie("sid")
		switch {
		case r.URL.Path == "/account" && r.Method == http.MethodGet:
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "new-session-1"})
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, `<form><input type='hidden' value='forgery-new-77' name='_csrf'><input name=user></form>`)
		case r.URL.Path == "/account":
			if sid == nil || sid.Value != "new-session-1" || r.PostFormValue("_csrf") != "forgery-new-77" || r.PostFormValue("password") != "hunter22" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "new-session-2"})
			w.Header().Set("X-Device-Id", "device-new-5")
			http.Redirect(w, r, "/", http.StatusFound)
		case r.URL.Path == "/api/token":
			if sid == nil || sid.Value != "new-session-2" || r.Header.Get("X-Device-Id") != "device-new-5" && r.Header.Get("X-Device-Id") != "device-old-5" {
				http.Error(w, "no", http.StatusForbidden)
				return
			}
			fmt.Fprint(w, `{"code":0,"data":{"refreshToken":"refresh-new-1","accessToken":"bearer-new-1"}}`)
		case r.URL.Path == "/api/chat":
			if sid == nil || sid.Value != "new-session-2" || r.Header.Get("Authorization") != "Bearer bearer-new-1" {
				http.Error(w, "no", http.StatusUnauthorized)
				return
			}
			fmt.Fprint(w, `{"code":0,"data":{"reply":"好的，请提供订单号。"}}`)
		default:
			t.Errorf("asked for %s", r.URL)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// A visit that was copied as curl commands is made again, with what the server gives this
// time, and its steps become the login.
func TestSendAVisit(t *testing.T) {
	var asked []string
	s := counter(t, &asked)
	list, _, err := ParseCurl(strings.ReplaceAll(`curl 'URL/account' -H 'Cookie: sid=old-session-0; theme=dark' ;
curl 'URL/app.js' ;
curl 'https://metrics.example/collect' -d '{"text":"page seen"}' ;
curl 'URL/account' -H 'Cookie: sid=old-session-0; theme=dark' --data-raw '_csrf=forgery-old-1&user=alice&password=hunter22' ;
curl 'URL/api/token' -X POST -H 'Cookie: sid=old-session-1; theme=dark' -H 'X-Device-Id: device-old-5' ;
curl 'URL/api/chat' -H 'Cookie: sid=old-session-1; theme=dark' -H 'Authorization: Bearer bearer-old-1' --data-raw '{"text":"我要退货"}' ;
curl 'URL/account' -H 'Cookie: sid=old-session-1'
`, "URL", s.URL))
	if err != nil || len(list) != 7 {
		t.Fatal(len(list), err)
	}
	notes, err := Send(context.Background(), &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		func(string) (string, bool) { return "", false }, list)
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(asked, ", "); got != "GET /account, POST /account, POST /api/token, POST /api/chat" {
		t.Errorf("asked %s", got)
	}
	if said := strings.Join(notes.Texts(reason.English), "\n"); !strings.Contains(said, "GET /account 200, POST /account 302, POST /api/token 200, POST /api/chat 200") {
		t.Errorf("said %s", said)
	}
	made, err := Scenario("x", "x.yaml", list)
	if err != nil {
		t.Fatal(err)
	}
	text := string(made.YAML)
	for _, want := range []string{
		"cookies: per-user", `auth: {bearer: "${login.accessToken}"}`,
		`{method: GET, path: "/account", save: {"_csrf": "regex:value='([^']+)'[^>]*name='_csrf'"}}`,
		`{method: POST, path: "/account", as: form, body: {"_csrf": "${login._csrf}", "user": "${env:CHAT_USER}", "password": "${env:CHAT_PASSWORD}"}, ok: {path: "http:status", equals: 302}}`,
		`{method: POST, path: "/api/token", ok: {path: "code", equals: "0"}, save: {"accessToken": "data.accessToken"}}`, `answer: "data.reply"`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	for _, secret := range []string{"hunter22", "session", "forgery", "bearer-", "refresh", "metrics"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s in\n%s", secret, text)
		}
	}
	parsed(t, made.YAML)
}

// What cannot be asked ends the visit, and a login that is refused is seen in the notes.
func TestSendAVisitInVain(t *testing.T) {
	var asked []string
	s := counter(t, &asked)
	list, _, err := ParseCurl("curl " + s.URL + "/account -d user=a\ncurl " + s.URL + "/api/chat -H 'Authorization: Bearer $TOKEN' -d '{\"text\":\"a b\"}'")
	if err != nil {
		t.Fatal(err)
	}
	notes, err := Send(context.Background(), s.Client(), func(string) (string, bool) { return "", false }, list)
	if said := strings.Join(notes.Texts(reason.English), "\n"); err != nil || !strings.Contains(said, "POST /account 403, POST /api/chat 401") {
		t.Errorf("%v, said %s", err, said)
	}
	if list, _, err = ParseCurl("curl " + s.URL + "/account"); err != nil {
		t.Fatal(err)
	}
	if _, err = Send(context.Background(), s.Client(), nil, list); err == nil || len(asked) != 2 {
		t.Errorf("a page alone was asked for: %v, %v", asked, err)
	}
}
