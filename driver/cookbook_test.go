package driver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// cookbook are servers of the shapes of docs/cookbook.md, by the scenario's name.
var cookbook = map[string]preset{
	"code-zero": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/login" {
			fmt.Fprintf(w, `{"code":0,"data":{"token":"t%d"}}`, len(s.said["d"])/2)
			return
		}
		var q struct{ Text, Session string }
		s.read(r, &q)
		if want := fmt.Sprintf("Bearer t%d", (len(s.said["d"])+1)/2); r.Header.Get("Authorization") != want {
			s.hear("d", "-")
			fmt.Fprint(w, `{"code":40101,"msg":"登录已过期"}`)
			return
		}
		fmt.Fprintf(w, `{"code":0,"msg":"ok","data":{"session":"d","reply":%q}}`, q.Session+s.hear("d", q.Text))
	}, "a | d" + "a+-+b", "-"},
	"web-session": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("sid")
		switch {
		case r.URL.Path == "/login" && r.Method == http.MethodGet:
			http.SetCookie(w, &http.Cookie{Name: "sid", Value: "s1", Path: "/"})
			fmt.Fprint(w, `<form><input name="csrf" value="c1"></form>`)
		case r.URL.Path == "/login":
			if c == nil || r.PostFormValue("csrf") != "c1" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			http.Redirect(w, r, "/", http.StatusFound)
		case c == nil:
			http.Redirect(w, r, "/login", http.StatusFound)
		default:
			fmt.Fprintf(w, `<body><div class="you">x</div><div class="reply"><b>%s</b></div>`, s.hear(c.Value, r.PostFormValue("message")))
		}
	}, "a | a+b", ""},
	"job": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/ask" {
			var q struct{ Text, After string }
			s.read(r, &q)
			s.asks = 0
			w.WriteHeader(http.StatusAccepted)
			fmt.Fprintf(w, `{"job_id":"j%s"}`, s.hear("j", q.After+q.Text))
			return
		}
		if s.asks++; s.asks < 3 {
			w.Header().Set("Retry-After", "0")
			fmt.Fprint(w, `{"status":"running"}`)
			return
		}
		fmt.Fprintf(w, `{"status":"done","result":{"id":"r1","text":%q}}`, strings.TrimPrefix(r.URL.Path, "/jobs/"))
	}, "ja | ja+r1b", ""},
	"telephony": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><Response><Message>%s</Message><Message>more &amp; more</Message></Response>`, s.hear(r.PostFormValue("From"), r.PostFormValue("Body")))
	}, "a\nmore & more | a+b\nmore & more", ""},
	"graphql": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		var q struct {
			Query     string
			Variables struct{ T, S string }
		}
		s.read(r, &q)
		if q.Query != "mutation($t: String!, $s: ID!) { ask(text: $t, session: $s) { text } }" {
			s.t.Errorf("query %q", q.Query)
		}
		if q.Variables.T == "b" {
			fmt.Fprint(w, `{"data":null,"errors":[{"message":"no agent","extensions":{"code":"BUSY"}}]}`)
			return
		}
		fmt.Fprintf(w, `{"data":{"ask":{"text":%q}}}`, s.hear(q.Variables.S, q.Variables.T))
	}, "a | ! BUSY no agent", ""},
	"gateway": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		var q struct{ Messages messages }
		s.read(r, &q)
		piece := fmt.Sprintf(`data: {"choices":[{"delta":{"content":%q},"finish_reason":null}]}`, q.Messages.String())
		if len(q.Messages) > 1 {
			sendEvents(w, piece, "data: [DONE]")
			return
		}
		sendEvents(w, piece, `data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`, "data: [DONE]")
	}, "u:a | ! the stream ended without its terminal event; 2 events came, response.stream.done holds for none: what is at choices.0.finish_reason does not fit (exists: true)", ""},
	"run-stream": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/threads":
			fmt.Fprint(w, `{"id":"t1"}`)
		case r.Method == http.MethodPost:
			var q struct{ Text string }
			s.read(r, &q)
			fmt.Fprintf(w, `{"run_id":%q}`, s.hear(strings.Split(r.URL.Path, "/")[2], q.Text))
		default:
			sendEvents(w, `data: {"from":"user","text":"echo"}`, `data: {"type":"typing"}`, fmt.Sprintf(`data: {"from":"bot","text":%q}`, strings.Split(r.URL.Path, "/")[2]),
				`data: {"from":"bot","text":"!"}`, `data: {"type":"finished","usage":{"in":5,"out":2}}`)
		}
	}, "a! | a+b!", ""},
	"model-tools": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		var q struct {
			Messages []struct{ Role, Content string }
		}
		s.read(r, &q)
		last := q.Messages[len(q.Messages)-1]
		if last.Role == "user" && last.Content == "a" {
			fmt.Fprint(w, `{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c","type":"function","function":{"name":"get_order","arguments":"{\"order_no\":\"7\"}"}}]},"finish_reason":"tool_calls"}]}`)
			return
		}
		fmt.Fprintf(w, `{"choices":[{"message":{"content":%q},"finish_reason":"stop"}]}`, fmt.Sprint(len(q.Messages), " ", last.Content))
	}, `4 {"asked":"{\"order_no\":\"7\"}"} | 4 b`, ""},
	"web-chat":     webChat,
	"graphql-chat": graphQLOverSocket,
	"photo": {func(s *shape, w http.ResponseWriter, r *http.Request) {
		_, head, err := r.FormFile("photo")
		if err != nil {
			s.t.Error(err)
			return
		}
		fmt.Fprintf(w, `{"data":%q}`, fmt.Sprintf(`{"reply":"%s with %s"}`, r.FormValue("text"), head.Filename))
	}, "a with upload.txt | b with upload.txt", ""},
}

// Every scenario of the cookbook talks to a server of its shape.
func TestCookbook(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "docs", "cookbook.md"))
	if err != nil {
		t.Fatal(err)
	}
	recipes := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1)
	if len(recipes) != len(cookbook) {
		t.Errorf("%d recipes, %d servers", len(recipes), len(cookbook))
	}
	for _, recipe := range recipes {
		name := regexp.MustCompile(`\nname: (.*)\n`).FindSubmatch(recipe[1])
		p, ok := cookbook[string(name[1])]
		if !ok {
			t.Errorf("%s has no server", name[1])
			continue
		}
		t.Run(string(name[1]), func(t *testing.T) {
			s := &shape{t: t, said: map[string][]string{}}
			srv := serve(t, func(w http.ResponseWriter, r *http.Request) { p.serve(s, w, r) })
			env := func(string) (string, bool) { return srv.URL, true }
			sc, err := scenario.Parse("cookbook.md", recipe[1], scenario.Options{Dir: "testdata", Env: env})
			if err != nil {
				t.Fatal(err)
			}
			d, err := New(&sc.Target, Options{Base: time.Now(), RunID: "r", Secrets: sc.Secret, Upload: sc.Upload})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			line := d.Open(&User{ID: "u0"})
			defer line.Close()
			if got := answersOf(conversation(line, []string{"a", "b"})); got != p.want {
				t.Errorf("got %q, want %q", got, p.want)
			}
		})
	}
}
