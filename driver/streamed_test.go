package driver

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"
)

// What other wires can say of an answer, streams can: which event it is, steps before
// it, text that is no JSON.
func TestStreamsSayWhatOtherWiresDo(t *testing.T) {
	for name, tt := range map[string]struct {
		target string
		serve  func(w http.ResponseWriter, r *http.Request)
		want   string
		saved  string // what the last request says was saved
	}{
		"one event among others": {
			`
request: {path: /chat, body: {text: "${turn.text}", after: "${saved.last}"}, save: {last: id}}
response: {is_answer: {path: from, equals: bot}, answer: data.text, error: {path: type, equals: error}, error_message: why}`,
			func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				sendEvents(w, `data: {"from":"user","id":"u1","data":{"text":"echo"}}`, "event: typing\ndata: soon", `data: {"from":"bot","id":"b1","data":{"text":"hello"}}`, `data: {"from":"bot","id":"b2","data":{"text":"late"}}`, "data: "+string(body))
			}, "hello | hello", `{"text":"b","after":"b1"}`,
		},
		"by its name, as text": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {is_answer: {path: "sse:event", equals: answer}, answer: body:text}`,
			func(w http.ResponseWriter, _ *http.Request) {
				sendEvents(w, "event: typing\ndata: soon", "event: answer\ndata: it comes\ndata: tomorrow")
			}, "it comes\ntomorrow | it comes\ntomorrow", "",
		},
		"no event is the answer": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {is_answer: {path: from, equals: bot}, answer: text}`,
			func(w http.ResponseWriter, _ *http.Request) { sendEvents(w, `data: {"from":"user","text":"echo"}`) },
			"! the stream ended without an event that is the answer; 1 event came, response.is_answer holds for none: what is at from does not fit (equals: bot) | ! the stream ended without an event that is the answer; 1 event came, response.is_answer holds for none: what is at from does not fit (equals: bot)", "",
		},
		"an error before it": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {is_answer: {path: from, equals: bot}, answer: text, error: {path: type, equals: error}, error_message: why}`,
			func(w http.ResponseWriter, _ *http.Request) {
				sendEvents(w, `data: {"type":"error","why":"no agent"}`, `data: {"from":"bot","text":"hello"}`)
			}, "! no agent | ! no agent", "",
		},
		"pieces of one speaker": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {is_answer: {path: from, equals: bot}, stream: {delta: text, done: {path: end, equals: true}}}`,
			func(w http.ResponseWriter, _ *http.Request) {
				sendEvents(w, `data: {"from":"user","text":"echo"}`, `data: {"from":"bot","text":"hel"}`, `data: {"from":"human","text":"hm"}`, `data: {"from":"bot","text":"lo"}`, `data: {"end":true}`)
			}, "hello | hello", "",
		},
		"steps, then a stream": {
			`
request: {path: /messages, body: {text: "${turn.text}"}, save: {run: run}}
then:
  - {path: "/runs/${saved.run}", poll: {is_answer: {path: state, equals: ready}, every: 1ms}, save: {key: key}}
  - {path: "/runs/${saved.run}/events?after=${saved.mark}", headers: {x-key: "${saved.key}"}, save: {mark: id}}
response: {stream: {delta: text, done: end}}`,
			func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					if strings.Contains(r.Header.Get("Accept"), "event-stream") {
						t.Errorf("asked for %s", r.Header.Get("Accept"))
					}
					fmt.Fprint(w, `{"run":"r7"}`)
				case strings.HasSuffix(r.URL.Path, "/events"):
					if r.Header.Get("Accept") != "text/event-stream" || r.Header.Get("X-Key") != "k" {
						t.Errorf("head %v", r.Header)
					}
					sendEvents(w, `data: {"id":"e1","text":"after `+r.URL.Query().Get("after")+`"}`, `data: {"id":"e2","text":"!"}`, `data: {"end":true}`)
				default:
					fmt.Fprint(w, `{"state":"ready","key":"k"}`)
				}
			}, "after ! | after e2!", "",
		},
		"a stream behind a step that breaks off": {
			`
request: {path: /messages, body: {text: "${turn.text}"}}
then: [{path: /events}]
response: {stream: {delta: text, done: end}}`,
			func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost {
					fmt.Fprint(w, `{}`)
					return
				}
				sendEvents(w, `data: {"text":"hel"}`)
			}, "! then: the stream ended without its terminal event; 1 event came, response.stream.done holds for none: there is no end | ! then: the stream ended without its terminal event; 1 event came, response.stream.done holds for none: there is no end", "",
		},
		"a step that is refused": {
			`
request: {path: /messages, body: {text: "${turn.text}"}}
then: [{path: /events}]
response: {stream: {delta: text, done: end}}`,
			func(w http.ResponseWriter, _ *http.Request) { http.Error(w, `{"code":"closed"}`, http.StatusForbidden) },
			" 403 closed closed |  403 closed closed", "",
		},
		"texts": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {stream: {delta: body:text, done: "[DONE]"}}`,
			func(w http.ResponseWriter, _ *http.Request) {
				sendEvents(w, "data: it", "data:  comes", "event: ping\ndata: x", "data:  7", "data: {not JSON", "data: [DONE]")
			}, "it comes 7{not JSON | it comes 7{not JSON", "",
		},
		"texts by a rule": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {stream: {delta: "regex:^t=(.*)$", done: end-of-body}}`,
			func(w http.ResponseWriter, _ *http.Request) {
				sendEvents(w, "data: t=it", "data: n=1", "data: t= comes")
			},
			"it comes | it comes", "",
		},
		"the body itself": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {stream: {format: text, done: end-of-body}, error: {path: error, exists: true}, error_message: error}`,
			func(w http.ResponseWriter, _ *http.Request) {
				for _, piece := range []string{"it ", "comes\n", "\ntomorrow"} {
					fmt.Fprint(w, piece)
					w.(http.Flusher).Flush()
				}
			}, "it comes\n\ntomorrow | it comes\n\ntomorrow", "",
		},
		"an error in place of the body": {
			`
request: {path: /chat, body: {text: "${turn.text}"}}
response: {stream: {format: text, done: end-of-body}, error: {path: error, exists: true}, error_message: error}`,
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"error":"no agent"}`) },
			"! no agent | ! no agent", "",
		},
	} {
		for _, version := range []string{"", "http: h2c\nconnections: shared\n"} {
			t.Run(name+" "+version, func(t *testing.T) {
				last := ""
				d := mappedOver(t, version+"mode: stream\n"+strings.TrimSpace(tt.target), func(w http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					if last = string(body); len(body) > 0 {
						r.Body = io.NopCloser(strings.NewReader(last))
					}
					tt.serve(w, r)
				})
				line := d.Open(&User{ID: "u0"})
				defer line.Close()
				list := dialogOn(line, 1, "a", "b")
				if got := answersOf(list); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				if tt.saved != "" && last != tt.saved {
					t.Errorf("asked %s, want %s", last, tt.saved)
				}
				if r := list[0]; r.Reason == Complete && r.Status < 300 && (r.FirstToken == 0 || r.FirstToken > r.Done) {
					t.Errorf("first token %v, done %v", r.FirstToken, r.Done)
				}
			})
		}
	}
}

// mappedOver is mapped by a server that speaks HTTP/2 as well.
func mappedOver(t *testing.T, target string, handle http.HandlerFunc) Driver {
	t.Helper()
	_, s := mapped(t, target, handle)
	s.Target.URL = serve(t, handle).URL
	d, err := New(&s.Target, Options{Base: time.Now(), RunID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// What a stream cannot mean is refused, with what to write.
func TestStreamsThatMeanNothing(t *testing.T) {
	const head = "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target:\n  url: http://h\n  api: custom\n  mode: stream\n  request: {path: /, body: {text: \"${turn.text}\"}}\n"
	for target, want := range map[string]string{
		"response: {answer: text}":                                                                        "mode stream needs delta",
		"response: {is_answer: {path: a, equals: b}}":                                                     "mode stream needs delta",
		"response: {stream: {delta: text}}":                                                               "done: is empty",
		"response: {stream: {delta: http:status, done: end}}":                                             "a piece of the answer stands in an event's data",
		"response: {stream: {format: text, delta: text, done: end-of-body}}":                              "the whole body of format: text",
		"response: {stream: {format: text, done: end}}":                                                   "write end-of-body",
		"response: {stream: {delta: text, done: end}}\nthen: [{path: /x, poll: {is_answer: {path: a}}}]":  "the last step of mode: stream",
		"response: {is_answer: {path: a}, answer: text, stream: {format: ndjson, delta_when: {path: b}}}": "has no delta",
	} {
		if _, err := scenario.Parse("x.yaml", []byte(head+indented(target)), scenario.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", target, err, want)
		}
	}
}
