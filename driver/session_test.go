package driver

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// tokens are those of a server on which each is good for so many turns.
type tokens struct {
	mu     sync.Mutex
	left   map[string]int
	logins int
	turns  int // that were answered
	uses   int // of each token
}

func (s *tokens) login() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logins++
	token := fmt.Sprint("token", s.logins)
	if s.left == nil {
		s.left = map[string]int{}
	}
	s.left[token] = s.uses
	return token
}

func (s *tokens) take(token string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left[token]--
	if s.left[token] < 0 {
		return false
	}
	s.turns++
	return true
}

// serve runs a server of HTTP/1.1 and HTTP/2 without TLS.
func serve(t testing.TB, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(handle)
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// A login that has run out is done again, and the turn that was refused sent once
// more: by 401, by a condition, over a cookie, in a stream.
func TestLoginAgain(t *testing.T) {
	const bearer = "login: {path: /login, body: {user: \"${user.id}\"}, save: {token: token}%s}\nauth: {bearer: \"${login.token}\"}\nrequest: {path: /chat, body: {text: \"${turn.text}\"}}\n"
	const stream = "mode: stream\nresponse: {error: {path: error, exists: true}, error_message: error, stream: {delta: delta, done: end}}"
	for _, tt := range []struct {
		name, target string
		status       int
		refusal      string
	}{
		{"401", fmt.Sprintf(bearer, "") + "response: {answer: answer}", 401, `{"code":"token_expired"}`},
		{"condition", fmt.Sprintf(bearer, ", again_on: {path: code, equals: 40101}") + "response: {ok: {path: code, equals: 0}, answer: answer}", 200, `{"code":40101,"msg":"登录已过期"}`},
		{"cookie", "cookies: per-user\nlogin: {path: /login, body: {user: \"${user.id}\"}}\nrequest: {path: /chat, body: {text: \"${turn.text}\"}}\nresponse: {answer: answer}", 401, `no session`},
		{"stream", fmt.Sprintf(bearer, ", again_on: {path: error, equals: expired}") + stream, 200, "data: {\"error\":\"expired\"}\n\n"},
	} {
		for _, version := range []string{"1.1", "h2c"} {
			t.Run(tt.name+" "+version, func(t *testing.T) {
				s := tokens{uses: 3}
				_, sc := mapped(t, tt.target, func(http.ResponseWriter, *http.Request) {})
				srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if strings.HasPrefix(r.URL.Path, "/login") {
						token := s.login()
						http.SetCookie(w, &http.Cookie{Name: "sid", Value: token, Path: "/", HttpOnly: true})
						fmt.Fprintf(w, `{"token":%q}`, token)
						return
					}
					token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
					if c, err := r.Cookie("sid"); err == nil && token == "" {
						token = c.Value
					}
					if tt.name == "stream" {
						w.Header().Set("Content-Type", "text/event-stream")
					}
					if !s.take(token) {
						w.WriteHeader(tt.status)
						io.WriteString(w, tt.refusal) //nolint:errcheck // the client sees it
						return
					}
					if tt.name == "stream" {
						io.WriteString(w, "data: {\"delta\":\"hi\"}\n\nevent: end\ndata: {}\n\n") //nolint:errcheck // the client sees it
						return
					}
					io.WriteString(w, `{"code":0,"answer":"hi"}`) //nolint:errcheck // the client sees it
				})
				target := sc.Target
				target.URL = srv.URL
				if version == "h2c" {
					target.HTTP, target.Connections, target.Pool = "h2c", "shared", 2
				}
				d := open(t, &target, Options{Base: time.Now()})
				user := &User{ID: "u"}
				logins, again := 0, 0
				for k := range 3 { // conversations of a user who stays
					line := d.Open(user)
					for i, r := range dialogOn(line, int64(k), "a", "b", "c", "d") {
						if r.Reason != Complete || r.answer != "hi" || r.Status != 200 {
							t.Fatalf("conversation %d turn %d: %d %q %d %q", k, i, r.Reason, r.Message, r.Status, r.answer)
						}
						if r.LoggedIn != (r.Login > 0) {
							t.Errorf("logged in %t, for %s", r.LoggedIn, r.Login)
						}
						if r.LoggedIn {
							if logins++; i > 0 || k > 0 {
								again++
							}
						}
					}
					line.Close()
				}
				if s.turns != 12 || s.logins != 4 || logins != 4 || again != 3 {
					t.Errorf("%d turns, %d logins, %d told of, %d of them anew", s.turns, s.logins, logins, again)
				}
			})
		}
	}
}

// Where the new login is refused as well, or its token at once, that is the answer.
func TestLoginAgainInVain(t *testing.T) {
	var asked, logins atomic.Int64
	d, _ := mapped(t, "login: {path: /login, save: {token: token}}\nauth: {bearer: \"${login.token}\"}\nrequest: {path: /chat, body: {text: \"${turn.text}\"}}\nresponse: {answer: answer, error_code: code}", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			if logins.Add(1) == 3 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			io.WriteString(w, `{"token":"t"}`) //nolint:errcheck // the client sees it
			return
		}
		if asked.Add(1) == 2 {
			io.WriteString(w, `{"answer":"hi"}`) //nolint:errcheck // the client sees it
			return
		}
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"code":"expired"}`) //nolint:errcheck // the client sees it
	})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	// The first turn follows its login, and so does the third a second one: 401 is the
	// answer. The fourth logs in anew in vain.
	if got, want := answersOf(dialogOn(line, 1, "a", "b", "c", "d")), " 401 expired expired | hi |  401 expired expired | login 429  "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if asked.Load() != 5 || logins.Load() != 3 {
		t.Errorf("asked %d, %d logins", asked.Load(), logins.Load())
	}
}

// A login of several steps, of which later ones have what earlier ones saved; the
// connection that the login opened is counted.
func TestLoginOfSeveralSteps(t *testing.T) {
	d, _ := mapped(t, `
cookies: per-user
login:
  steps:
    - {path: /login, save: {csrf: 'regex:value="(\w+)"', seen: cookie:anon}}
    - {path: /login, as: form, body: {user: "${user.id}", csrf: "${login.csrf}"}, ok: {path: http:status, in: [302]}, save: {at: header:location}}
request: {path: /app/chat, headers: {x-at: "${login.at}/${login.seen}"}, body: {text: "${turn.text}"}}
response: {answer: answer}`, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/login" && r.Method == http.MethodGet:
			http.SetCookie(w, &http.Cookie{Name: "anon", Value: "a1"})
			http.SetCookie(w, &http.Cookie{Name: "other", Value: "x", Path: "/elsewhere"})
			http.SetCookie(w, &http.Cookie{Name: "foreign", Value: "x", Domain: "example.org"})
			io.WriteString(w, `<input value="tok">`) //nolint:errcheck // the client sees it
		case r.URL.Path == "/login":
			if r.PostFormValue("csrf") != "tok" || r.Header.Get("Cookie") != "anon=a1" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1", Path: "/app"})
			http.SetCookie(w, &http.Cookie{Name: "anon", MaxAge: -1})
			http.Redirect(w, r, "/app", http.StatusFound)
		default:
			fmt.Fprintf(w, `{"answer":"%s %s"}`, r.Header.Get("Cookie"), r.Header.Get("X-At"))
		}
	})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	got := dialogOn(line, 1, "a", "b")
	if answersOf(got) != "sid=s1 /app/a1 | sid=s1 /app/a1" {
		t.Errorf("got %q", answersOf(got))
	}
	if got[0].Connect == 0 || got[1].Connect != 0 || got[0].Cookie || !got[0].LoggedIn {
		t.Errorf("connect %v and %v, cookie %t", got[0].Connect, got[1].Connect, got[0].Cookie)
	}
	// Another user has cookies of its own.
	other := d.Open(&User{ID: "v"})
	defer other.Close()
	if got := answersOf(dialogOn(other, 2, "a")); got != "sid=s1 /app/a1" {
		t.Errorf("another user: %q", got)
	}
}
