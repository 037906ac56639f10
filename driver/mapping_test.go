package driver

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// mapped is a driver of the server that handle is, by a target as a scenario writes
// it, without its url and api.
func mapped(t testing.TB, target string, handle http.HandlerFunc) (Driver, *scenario.Scenario) {
	t.Helper()
	return mappedWith(t, target, Options{}, handle)
}

// mappedWith is mapped with options of the driver.
func mappedWith(t testing.TB, target string, opts Options, handle http.HandlerFunc) (Driver, *scenario.Scenario) {
	t.Helper()
	srv := httptest.NewServer(handle)
	t.Cleanup(srv.Close)
	text := "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target:\n  url: " + srv.URL + "\n" + indented(target)
	if !strings.Contains("\n"+target, "\napi: ") {
		text += "  api: custom\n"
	}
	if !strings.Contains("\n"+target, "\ntimeout: ") {
		text += "  timeout: 5s\n"
	}
	s, err := scenario.Parse("x.yaml", []byte(text), scenario.Options{Dir: "testdata"})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	opts.Base, opts.RunID, opts.Secrets, opts.Upload = time.Now(), "r", s.Secret, s.Upload
	d, err := New(&s.Target, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, s
}

func indented(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  ") + "\n"
}

// said is what is left of a reply once its buffers are given back.
type said struct {
	Reply
	answer, dialog, code string
}

// dialogOn has one conversation on a line: a turn for each text.
func dialogOn(line Channel, number int64, texts ...string) (list []said) {
	for i, text := range texts {
		var r Reply
		line.Do(&Turn{Text: []byte(text), Index: i, Number: number, ConversationID: []byte(fmt.Sprintf("c%d", number))}, &r)
		one := said{r, string(r.Answer), string(r.DialogID), string(r.Code)}
		line.Free(&r)
		list = append(list, one)
	}
	return list
}

// answersOf gives the answers, and why there is none.
func answersOf(list []said) string {
	var all []string
	for _, r := range list {
		switch {
		case r.Reason != Complete:
			all = append(all, "! "+r.Message)
		case r.Status >= 300:
			all = append(all, fmt.Sprintf("%s %d %s %s", r.Step, r.Status, r.code, r.Said))
		case !r.OK:
			all = append(all, "not ok: "+r.Said)
		default:
			all = append(all, r.answer)
		}
	}
	return strings.Join(all, " | ")
}

func bodyOf(r *http.Request) string {
	b, _ := io.ReadAll(r.Body)
	return string(b)
}

// Every kind of body is sent as its kind says, whatever the values hold.
func TestBodyKinds(t *testing.T) {
	const evil = `a&b=<"ü 好'>`
	for _, tt := range []struct {
		request, want string
	}{
		{`{path: /c, as: form, body: {text: "${turn.text}", lang: zh 好, n: 1}}`, "POST text=" + evil + " lang=zh 好 n=1"},
		{`{path: /c, as: multipart, body: {text: "${turn.text}", photo: {file: upload.txt, type: text/x-note}}}`, "POST text=" + evil + " photo=upload.txt text/x-note: a file\n"},
		{`{path: /c, as: text, body: "say: ${turn.text}"}`, "POST text/plain; charset=utf-8 say: " + evil},
		{`{path: /c, as: xml, body: "<q a=\"${turn.text}\">${turn.text}</q>"}`, "POST application/xml; charset=utf-8 <q a=\"a&amp;b=&lt;&quot;ü 好&#39;&gt;\">a&amp;b=&lt;&quot;ü 好&#39;&gt;</q>"},
		{`{method: GET, path: "/c?q=${turn.text}&n=1"}`, "GET q=" + evil + " n=1"},
		{`{path: /c, headers: {Content-Type: "application/vnd.x+json"}, body: {q: "${turn.text}"}}`, `POST application/vnd.x+json {"q":"a&b=<\"ü 好'>"}`},
	} {
		d, _ := mapped(t, "request: "+tt.request+"\nresponse: {answer: body:text}", func(w http.ResponseWriter, r *http.Request) {
			kind := r.Header.Get("Content-Type")
			switch {
			case r.Method == http.MethodGet:
				fmt.Fprintf(w, "GET q=%s n=%s", r.URL.Query().Get("q"), r.URL.Query().Get("n"))
			case kind == "application/x-www-form-urlencoded":
				fmt.Fprintf(w, "POST text=%s lang=%s n=%s", r.PostFormValue("text"), r.PostFormValue("lang"), r.PostFormValue("n"))
			case strings.HasPrefix(kind, "multipart/form-data"):
				f, head, err := r.FormFile("photo")
				if err != nil {
					t.Error(err)
					return
				}
				content, _ := io.ReadAll(f)
				fmt.Fprintf(w, "POST text=%s photo=%s %s: %s", r.FormValue("text"), head.Filename, head.Header.Get("Content-Type"), content)
			default:
				fmt.Fprintf(w, "POST %s %s", kind, bodyOf(r))
			}
		})
		line := d.Open(&User{ID: "u"})
		if got := answersOf(dialogOn(line, 1, evil)); got != strings.TrimSpace(tt.want) {
			t.Errorf("%s:\n got %s\nwant %s", tt.request, got, tt.want)
		}
		line.Close()
	}
}

// Answers of every kind, and what is said of those that are none.
func TestAnswerKinds(t *testing.T) {
	for _, tt := range []struct {
		response, body, want string
	}{
		{`{answer: "#.text"}`, `[{"text":"one"},{"text":"two \n"},{"image":"x"}]`, "one\ntwo \n"},
		{`{answer: queryResult.responseMessages.#.text.text}`, `{"queryResult":{"responseMessages":[{"text":{"text":["a","b"]}},{"text":{"text":[]}},{"text":{"text":["c"]}}]}}`, "a\nb\nc"},
		{`{answer: "#.text"}`, `[]`, "! the answer is a list with nothing in it, not a string"},
		{`{answer: list}`, `{"list":[{"a":1}]}`, "! the answer is a list, not a string"},
		{`{answer: xml:Response/Message}`, `<?xml version="1.0"?><Response><Message>hi <b>you</b></Message><Other>x</Other><Message>&amp; bye</Message></Response>`, "hi you\n& bye"},
		{`{answer: "xml:s/@t"}`, `<x:s xmlns:x="y" a="1" t="said"/>`, "said"},
		{`{answer: xml:Response/Message}`, `<Response><Message>hi</Mess`, "! no answer in the response: there is no text at xml:Response/Message"},
		{`{answer: "html:#reply"}`, `<html><style>p{}</style><body><div>menu</div><div id=reply><p>Hello<script>x()</script> <b>you</b></p><p>there</p></div>`, "Hello you there"},
		{`{answer: html:.bubble}`, `<p class="bot bubble">a</p><p class=bubbles>no</p><p class="bubble">b</p>`, "a\nb"},
		{`{answer: body:text}`, "  plain words\n", "plain words"},
		{`{answer: body:text}`, " \n", "! the answer is empty"},
		{`{answer: 'regex:said: (\w+)'}`, "he said: yes", "yes"},
		{`{answer: 'regex:said: (\w+)'}`, "he says no", `! no answer in the response: there is no text at regex:said: (\w+)`},
		{`{answer: data.@fromstr.reply}`, `{"data":"{\"reply\":\"inside\"}"}`, "inside"},
		{`{format: jsonp, answer: reply}`, `/**/cb_1({"reply":"wrapped"});`, "wrapped"},
		{`{format: jsonp, answer: reply}`, `{"reply":"bare"}`, "! the answer is not JSON in NAME(…), as response.format: jsonp says"},
		{`{format: jsonp, answer: reply}`, `alert(1)({"reply":"x"})`, "! the answer is not JSON in NAME(…), as response.format: jsonp says"},
		{`{answer: reply, dialog_id: header:x-dialog}`, `{"reply":"a"}`, "a"},
	} {
		d, _ := mapped(t, "request: {path: /c, body: {t: \"${turn.text}\"}}\nresponse: "+tt.response, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Dialog", "d-7")
			io.WriteString(w, tt.body) //nolint:errcheck // the client sees it
		})
		line := d.Open(&User{ID: "u"})
		got := dialogOn(line, 1, "hi")
		if answersOf(got) != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.response, tt.body, answersOf(got), tt.want)
		}
		if strings.Contains(tt.response, "dialog_id") && got[0].dialog != "d-7" {
			t.Errorf("dialog %q", got[0].dialog)
		}
		line.Close()
	}
}

// What conditions make of an answer, and what is said of the error.
func TestConditionsOfAnswers(t *testing.T) {
	const byCode = `{ok: {path: code, equals: 0}, error_code: code, error_message: msg, answer: data.reply}`
	const graph = `{error: {path: errors.0, exists: true}, error_message: errors.0.message, answer: data.ask}`
	for _, tt := range []struct {
		response string
		status   int
		body     string
		want     string
	}{
		{byCode, 200, `{"code":0,"msg":"ok","data":{"reply":"hi"}}`, "hi"},
		{byCode, 200, `{"code":"0","data":{"reply":"hi"}}`, "hi"},
		{byCode, 200, `{"code":40101,"msg":"登录已过期"}`, "not ok: 40101 登录已过期"},
		{byCode, 200, `{"code":40300,"msg":"order 20261127001 is not yours, 3 left"}`, "not ok: 40300 order … is not yours, 3 left"},
		{byCode, 200, `{"data":{"reply":"hi"}}`, "not ok: "},
		{byCode, 401, `{"code":40101,"msg":"登录已过期"}`, " 401 40101 40101 登录已过期"},
		{graph, 200, `{"data":{"ask":"hi"}}`, "hi"},
		{graph, 200, `{"data":{"ask":"hi"},"errors":[]}`, "hi"},
		{graph, 200, `{"data":null,"errors":[{"message":"no such field"}]}`, "! no such field"},
		{`{ok: [{path: state, in: [done, ended]}, {path: num, matches: "^[0-9]+$"}, {path: hidden, exists: false}], answer: a}`, 200, `{"state":"ended","num":12,"a":"x"}`, "x"},
		{`{ok: [{path: state, in: [done, ended]}, {path: hidden, exists: false}], answer: a}`, 200, `{"state":"done","hidden":1,"a":"x"}`, "not ok: "},
		{`{ok: {path: state, not: failed}, answer: a}`, 200, `{"state":"fine","a":"x"}`, "x"},
		{`{ok: {path: http:status, equals: 200}, answer: a}`, 201, `{"a":"x"}`, "not ok: "},
		{`{ok: {path: header:x-ok, equals: yes1}, answer: a}`, 200, `{"a":"x"}`, "x"},
		{`{ok: done, answer: a}`, 200, `{"a":"x","done":1}`, "not ok: "},
	} {
		d, _ := mapped(t, "request: {path: /c, body: {t: \"${turn.text}\"}}\nresponse: "+tt.response, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-OK", "yes1")
			w.WriteHeader(tt.status)
			io.WriteString(w, tt.body) //nolint:errcheck // the client sees it
		})
		line := d.Open(&User{ID: "u"})
		if got := answersOf(dialogOn(line, 1, "hi")); got != tt.want {
			t.Errorf("%s of %s: %q, want %q", tt.response, tt.body, got, tt.want)
		}
		line.Close()
	}
}

// A conversation begins with its steps, once, and what they save is forgotten with
// it; what a turn saves is there in the next.
func TestStepsBeforeAndWithinTurns(t *testing.T) {
	var sessions, sent, polls atomic.Int64
	d, _ := mapped(t, `
headers: {x-session: "${saved.sid}"}
before:
  - {path: /csrf, save: {csrf: 'regex:name="csrf" value="([^"]+)"'}}
  - {name: open, path: /sessions, headers: {x-csrf: "${saved.csrf}"}, body: {user: "${user.id}"}, save: {sid: header:x-session-id, mark: mark}}
request: {path: /messages, body: {text: "${turn.text}", after: "${saved.last}"}, save: {id: id}}
then:
  - {name: poll, path: "/messages?after=${saved.mark}&id=${saved.id}", save: {mark: watermark, last: 'items.#(from=="bot").id'}, poll: {is_answer: {path: 'items.#(from=="bot").text', exists: true}, every: 10ms}}
response: {answer: 'items.#(from=="bot")#.text'}`, func(w http.ResponseWriter, r *http.Request) {
		session := r.Header.Get("X-Session")
		switch {
		case r.URL.Path == "/csrf":
			io.WriteString(w, `<form><input name="csrf" value="t-1"></form>`) //nolint:errcheck // the client sees it
		case r.URL.Path == "/sessions":
			if r.Header.Get("X-Csrf") != "t-1" || session != "" || len(r.Header.Values("X-Session")) > 0 {
				t.Errorf("csrf %q, session %q", r.Header.Get("X-Csrf"), session)
			}
			w.Header().Set("X-Session-Id", fmt.Sprint("s", sessions.Add(1)))
			io.WriteString(w, `{"mark":0}`) //nolint:errcheck // the client sees it
		case r.Method == http.MethodPost:
			sent.Add(1)
			var q struct{ Text, After string }
			if err := json.Unmarshal([]byte(bodyOf(r)), &q); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusCreated)
			fmt.Fprintf(w, `{"id":"%s-%s-%s"}`, session, q.Text, q.After)
		default:
			after, id := r.FormValue("after"), r.FormValue("id")
			if n := polls.Add(1); n%3 != 0 {
				fmt.Fprintf(w, `{"watermark":"%s","items":[{"from":"user","text":"x"}]}`, after)
				return
			}
			fmt.Fprintf(w, `{"watermark":"%s1","items":[{"from":"user","text":"x"},{"from":"bot","id":"b","text":"%s after %s"},{"from":"bot","text":"more"}]}`, after, id, after)
		}
	})
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	first := dialogOn(line, 1, "a", "b")
	if got := answersOf(first); got != "s1-a- after 0\nmore | s1-b-b after 01\nmore" {
		t.Errorf("got %q", got)
	}
	if first[0].Login == 0 || first[1].Login != 0 || first[0].LoggedIn || first[0].Sent < first[0].Begun+first[0].Login {
		t.Errorf("login %v %v", first[0].Login, first[1].Login)
	}
	if got := answersOf(dialogOn(line, 2, "c")); got != "s2-c- after 0\nmore" {
		t.Errorf("another conversation: %q", got)
	}
	if sessions.Load() != 2 || sent.Load() != 3 || polls.Load() != 9 {
		t.Errorf("%d sessions, %d sent, %d polls", sessions.Load(), sent.Load(), polls.Load())
	}
}

// A step that does not go well is the turn's answer, and named.
func TestStepsThatFail(t *testing.T) {
	for _, tt := range []struct{ target, want string }{
		{"before: [{name: open, path: /refuse}]\nrequest: {path: /ok, body: {t: \"${turn.text}\"}}", "before open 403 40301 40301 not you"},
		{"before: [{path: /ok, ok: {path: code, equals: 7}}]\nrequest: {path: /ok, body: {t: \"${turn.text}\"}}", "! before: ok does not hold, what is at code does not fit (equals: 7): 0"},
		{"before: [{path: /ok, save: {id: data.id}}]\nrequest: {path: /ok, body: {t: \"${turn.text}\"}}", "! before: nothing at data.id in the answer: 0"},
		{"request: {path: /ok, body: {t: \"${turn.text}\"}, save: {id: none}}\nthen: [{path: /ok}]", "! request: nothing at none in the answer: 0"},
		{"request: {path: /refuse, body: {t: \"${turn.text}\"}}\nthen: [{path: /ok}]", " 403 40301 40301 not you"},
		{"request: {path: /ok, body: {t: \"${turn.text}\"}}\nthen: [{path: /refuse}, {path: /ok}]", "then 1 403 40301 40301 not you"},
		{"request: {path: /ok, body: {t: \"${turn.text}\"}}\nthen: [{path: /refuse}]", " 403 40301 40301 not you"},
		{"request: {path: /ok, body: {t: \"${turn.text}\"}}\nthen: [{path: /ok, poll: {is_answer: {path: code, equals: 1}, failed: {path: code, in: [0]}}}]", "! then: failed holds: 0"},
		{"timeout: 150ms\nrequest: {path: /ok, body: {t: \"${turn.text}\"}}\nthen: [{path: /ok, poll: {is_answer: {path: code, equals: 1}, every: 20ms, backoff: 2, at_most: 40ms}}]", "! then: the job was not done within the timeout; more than 3 answers came, poll.is_answer holds for none: what is at code does not fit (equals: 1)"},
		{"request: {path: /away, body: {t: \"${turn.text}\"}, save: {at: header:location}}\nthen: [{path: \"${saved.at}\"}]", "! then: the job is on another host, 192.0.2.1, where nothing is sent"},
		{"request: {path: /secure, body: {t: \"${turn.text}\"}, save: {at: header:location}}\nthen: [{path: \"${saved.at}\"}]", "! then: the job's address begins with https: and target.url does not: nothing is sent there"},
		{"request: {path: /ok, body: {t: \"${turn.text}\"}}\nthen: [{name: where, path: /nowhere}, {path: \"${saved.at}\", poll: {is_answer: {path: code, equals: 0}}, save: {at: at}}]", "! then 2: its path is empty: no answer had what is saved for it"},
		{"request: {path: /near, body: {t: \"${turn.text}\"}, save: {at: header:location}}\nthen: [{path: \"${saved.at}\"}]", "fine /ok?a=b/c"},
	} {
		target := strings.Replace(tt.target, "timeout: 150ms\n", "", 1)
		d, _ := mapped(t, target+"\nresponse: {answer: reply, error_code: code, error_message: msg}", func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/refuse":
				w.WriteHeader(http.StatusForbidden)
				io.WriteString(w, `{"code":40301,"msg":"not you"}`) //nolint:errcheck // the client sees it
			case "/away":
				w.Header().Set("Location", "http://192.0.2.1/x")
				io.WriteString(w, `{}`) //nolint:errcheck // the client sees it
			case "/secure":
				w.Header().Set("Location", "https://"+r.Host+"/x")
				io.WriteString(w, `{}`) //nolint:errcheck // the client sees it
			case "/near":
				w.Header().Set("Location", "/ok?a=b/c")
				io.WriteString(w, `{}`) //nolint:errcheck // the client sees it
			default:
				fmt.Fprintf(w, `{"code":0,"reply":"fine %s"}`, r.URL)
			}
		})
		if target != tt.target {
			d.(*client).plan.Timeout = 150 * time.Millisecond
		}
		line := d.Open(&User{ID: "u"})
		if got := answersOf(dialogOn(line, 1, "hi")); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.target, got, tt.want)
		}
		line.Close()
	}
}

// What an answer is, in the place of the document that was expected, is said, and
// what a refusal says of itself in the place of a number that repeats its status.
func TestWhatCameInstead(t *testing.T) {
	for name, c := range map[string]struct {
		status     int
		kind, body string
		message    string // of what was not taken
		code, said string // of what was refused
	}{
		"events as text": {200, "text/plain", "data: {\"answer\":\"ok\"}\n\ndata: [DONE]\n\n", "a stream of events, not one JSON document: write target.mode: stream", "", ""},
		"named events":   {200, "text/event-stream", "event: message\ndata: {}\n\n", "a stream of events", "", ""},
		"lines":          {200, "application/x-ndjson", "{\"answer\":\"o\"}\n{\"answer\":\"k\"}\n", "several JSON documents, not one", "", ""},
		"a page":         {200, "text/html", "\n<!DOCTYPE html><title>Log in</title>", "a page of HTML or XML", "", ""},
		"plain text":     {200, "text/plain; charset=utf-8", "hello", "not valid JSON: its content-type is text/plain; charset=utf-8", "", ""},
		"half of it":     {200, "application/json", `{"answer":"o`, "not valid JSON: its content-type is application/json", "", ""},
		"a number":       {429, "application/json", `{"code":429}`, "", "", ""},
		"and a type":     {429, "application/json", `{"code":429,"error":{"type":"rate_limit","message":"slow down"}}`, "", "", "rate_limit"},
		"and a message":  {429, "application/json", `{"code":429,"message":"slow down, 12345678 is your id"}`, "", "", "slow down, … is your id"},
		"only a message": {503, "application/json", `{"error":"no model is loaded"}`, "", "", "no model is loaded"},
		"a code":         {429, "application/json", `{"code":"quota","message":"slow down"}`, "", "quota", "quota"},
		"another number": {400, "application/json", `{"code":40001,"message":"bad"}`, "", "40001", "40001"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			})
			d := open(t, &scenario.Target{URL: srv.URL, API: scenario.APICustom, Request: &scenario.Request{Path: "/"}, Response: &scenario.Response{Answer: "answer"}}, Options{Base: time.Now()})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			if r.Status != c.status || (r.Reason != Complete) != (c.message != "") || !strings.Contains(r.Message, c.message) {
				t.Errorf("status %d, reason %d %q, want %q", r.Status, r.Reason, r.Message, c.message)
			}
			if string(r.Code) != c.code || r.Said != c.said {
				t.Errorf("code %q, said %q, want %q and %q", r.Code, r.Said, c.code, c.said)
			}
			line.Free(&r)
		})
	}
}
