package driver

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/reason"
)

// A turn that waits for what never comes says what it waited for and what came instead,
// in every way in which an answer is picked out of others, and in both languages.
func TestWhatCameInsteadOfTheAnswer(t *testing.T) {
	t.Parallel()
	const ask = "request: {path: /chat, body: {text: \"${turn.text}\"}}\ntimeout: 150ms\n"
	socketOf := func(greeting string, texts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			overSocket(w, r, greeting, func(string) []string { return texts })
		}
	}
	events := func(texts ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { sendEvents(w, texts...) }
	}
	state := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("location", "/job")
			if r.Method == http.MethodPost {
				w.WriteHeader(http.StatusAccepted)
			} else {
				w.WriteHeader(status)
			}
			fmt.Fprint(w, body)
		}
	}
	for name, tt := range map[string]struct {
		target  string
		server  http.HandlerFunc
		message string // N: however many came
		passed  int    // 0: some, -1: none
		example string
		chinese string
	}{
		"a socket's path": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {is_answer: {path: typ, equals: reply}, answer: text}",
			socketOf("", `{"type":"typing"}`, `{"type":"reply","text":"a"}`),
			"no whole answer within the timeout; 2 messages came, response.is_answer holds for none: there is nothing at typ", 2, `{"type":"reply","text":"a"}`,
			"超时前没有完整的应答；收到 2 条消息，response.is_answer 对它们都不成立：typ 处没有内容",
		},
		"a socket's value": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {is_answer: {path: type, equals: replay}, answer: text}",
			socketOf("", `{"type":"reply","text":"a"}`, `{"seen":true}`, "ping"),
			"no whole answer within the timeout; 2 messages came, response.is_answer holds for none: what is at type does not fit (equals: replay)", 2, `{"type":"reply","text":"a"}`,
			"超时前没有完整的应答；收到 2 条消息，response.is_answer 对它们都不成立：type 处的内容不符（equals: replay）",
		},
		"the second condition": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {is_answer: [{path: type, equals: reply}, {path: final}], answer: text}",
			socketOf("", `{"type":"reply","final":1,"text":"a"}`, `{"type":"typing"}`),
			"no whole answer within the timeout; 2 messages came, response.is_answer holds for none: what is at final does not fit (equals: true)", 2, `{"type":"reply","final":1,"text":"a"}`,
			"超时前没有完整的应答；收到 2 条消息，response.is_answer 对它们都不成立：final 处的内容不符（equals: true）",
		},
		"a socket that is closed": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\nresponse: {is_answer: {path: typ, equals: reply}, answer: text}",
			func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				_, _, _ = c.Read(context.Background())
				_ = c.Write(context.Background(), websocket.MessageText, []byte(`{"type":"reply"}`))
				_ = c.Close(websocket.StatusGoingAway, "")
			},
			"closed by the server with code 1001; 1 message came, response.is_answer holds for none: there is nothing at typ", 1, `{"type":"reply"}`,
			"被服务端关闭，代码 1001（离开）；收到 1 条消息，response.is_answer 对它们都不成立：typ 处没有内容",
		},
		"what a socket begins with": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nsocket: {first: [{name: join, body: {type: join}, is_answer: {path: type, equals: joind}}]}\nresponse: {answer: text}",
			socketOf(`{"type":"welcome"}`, `{"type":"joined"}`),
			"first join: no whole answer within the timeout; 2 messages came, is_answer holds for none: what is at type does not fit (equals: joind)", 2, `{"type":"joined"}`,
			"first join：超时前没有完整的应答；收到 2 条消息，is_answer 对它们都不成立：type 处的内容不符（equals: joind）",
		},
		"a message before the conversation": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nbefore: [{name: room, body: {type: join}, is_answer: {path: kind, exists: true}}]\nresponse: {answer: text}",
			socketOf("", `{"type":"joined"}`),
			"before room: no whole answer within the timeout; 1 message came, is_answer holds for none: there is nothing at kind", 1, `{"type":"joined"}`,
			"before room：超时前没有完整的应答；收到 1 条消息，is_answer 对它们都不成立：kind 处没有内容",
		},
		"a stream of messages": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {stream: {delta: text, done: {path: type, equals: stop}}}",
			socketOf("", `{"type":"piece","text":"a"}`, `{"type":"end"}`),
			"no whole answer within the timeout; 2 messages came, response.stream.done holds for none: what is at type does not fit (equals: stop)", 2, `{"type":"end"}`,
			"超时前没有完整的应答；收到 2 条消息，response.stream.done 对它们都不成立：type 处的内容不符（equals: stop）",
		},
		"no acknowledgement": {
			"mode: websocket\nsocket: {protocol: socket.io}\nrequest: {event: say, ack: true, body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {answer: text}",
			func(w http.ResponseWriter, r *http.Request) {
				overSocket(w, r, `0{"sid":"e","pingInterval":25000,"pingTimeout":20000}`, func(m string) []string {
					if strings.HasPrefix(m, "40") {
						return []string{`40{"sid":"s"}`}
					}
					return []string{`42["reply",{"text":"a"}]`}
				})
			},
			"no whole answer within the timeout; 1 message came, none is the acknowledgement", 1, `{"text":"a"}`,
			"超时前没有完整的应答；收到 1 条消息，其中没有确认",
		},
		"no socket.io": {
			"mode: websocket\nsocket: {protocol: socket.io}\nrequest: {event: say, body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {answer: text, is_answer: {path: \"socket:event\", equals: reply}}",
			socketOf(""), "socket.io: no open packet of engine.io within the timeout", -1, "", "socket.io：超时前没有收到 engine.io 的 open 包",
		},
		"no namespace": {
			"mode: websocket\nsocket: {protocol: socket.io, namespace: /caht}\nrequest: {event: say, body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {answer: text, is_answer: {path: \"socket:event\", equals: reply}}",
			socketOf(`0{"sid":"e","pingInterval":25000,"pingTimeout":20000}`), "socket.io: no answer to the connect packet of /caht within the timeout", -1, "",
			"socket.io：对 /caht 的 connect 包在超时前没有应答",
		},
		"no upgrade": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {answer: text}",
			func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "the upgrade was not answered within the timeout", -1, "", "升级请求在超时前没有得到应答",
		},
		"the end of a stream": {
			ask + "mode: stream\nresponse: {stream: {delta: text, done: {path: finished}}}",
			events(`data: {"text":"a"}`, `data: {"text":"b"}`, "data: ping", `data: {"text":"c"}`, `data: {"finnished":true}`),
			"the stream ended without its terminal event; more than 3 events came, response.stream.done holds for none: there is no finished", 4, `{"finnished":true}`,
			"流在结束事件之前终止；收到超过 3 个事件，response.stream.done 对它们都不成立：没有出现 finished",
		},
		"the word that ends a stream": {
			ask + "mode: stream\nresponse: {stream: {delta: text, done: \"[END]\"}}",
			events(`data: {"text":"a"}`, `data: [DONE]`),
			"the stream ended without its terminal event; 2 events came, response.stream.done holds for none: there is no [END]", 2, "[DONE]",
			"流在结束事件之前终止；收到 2 个事件，response.stream.done 对它们都不成立：没有出现 [END]",
		},
		"a stream that goes on": {
			ask + "mode: stream\nresponse: {stream: {delta: text, done: {path: finished}}}",
			func(w http.ResponseWriter, r *http.Request) {
				sendEvents(w, `data: {"text":"a"}`)
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			},
			"no whole answer within the timeout; 1 event came, response.stream.done holds for none: there is no finished", 1, `{"text":"a"}`,
			"超时前没有完整的应答；收到 1 个事件，response.stream.done 对它们都不成立：没有出现 finished",
		},
		"lines": {
			ask + "mode: stream\nresponse: {stream: {format: ndjson, delta: text, done: {path: state, in: [end, stop]}}}",
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("content-type", "application/x-ndjson")
				fmt.Fprint(w, `{"text":"a","state":"on"}`+"\n"+`{"state":"off"}`+"\n")
			},
			"the stream ended without its terminal event; 2 lines came, response.stream.done holds for none: what is at state does not fit (in: [end, stop])", 2, `{"state":"off"}`,
			"流在结束事件之前终止；收到 2 行，response.stream.done 对它们都不成立：state 处的内容不符（in: [end, stop]）",
		},
		"one event of many": {
			ask + "mode: stream\nresponse: {is_answer: {path: from, equals: bott}, answer: text}",
			events(`data: {"from":"user"}`, `data: {"from":"bot","text":"a"}`),
			"the stream ended without an event that is the answer; 2 events came, response.is_answer holds for none: what is at from does not fit (equals: bott)", 2, `{"from":"bot","text":"a"}`,
			"流结束了，其中没有一个事件是应答；收到 2 个事件，response.is_answer 对它们都不成立：from 处的内容不符（equals: bott）",
		},
		"no piece": {
			ask + "mode: stream\nresponse: {stream: {delta: txt, done: \"[DONE]\"}}",
			events(`data: {"text":"a"}`, `data: [DONE]`),
			"the answer is empty: there is no text at txt", 1, `{"text":"a"}`, "应答为空：txt 处没有文本",
		},
		"no piece where it counts": {
			ask + "mode: stream\nresponse: {stream: {delta: text, delta_when: {path: type, equals: tokn}, done: \"[DONE]\"}}",
			events(`data: {"type":"token","text":"a"}`, `data: [DONE]`),
			"the answer is empty: there is no text at text, or response.stream.delta_when holds for none", 1, `{"type":"token","text":"a"}`,
			"应答为空：text 处没有文本，或者没有一个事件使 response.stream.delta_when 成立",
		},
		"polls": {
			ask + "then: [{name: ask, path: /state, poll: {every: 10ms, is_answer: {path: state, equals: dnoe}}}]\nresponse: {answer: text}",
			state(http.StatusOK, `{"state":"done","text":"a"}`),
			"then ask: the job was not done within the timeout; more than 3 answers came, poll.is_answer holds for none: what is at state does not fit (equals: dnoe)", 0, `{"state":"done","text":"a"}`,
			"then ask：作业未在超时前完成；收到超过 3 个应答，poll.is_answer 对它们都不成立：state 处的内容不符（equals: dnoe）",
		},
		"a job's state": {
			ask + "mode: async\nresponse: {answer: text, job: {status: sate, done: finished}}",
			state(http.StatusOK, `{"state":"finished","text":"a"}`),
			"the job was not done within the timeout; N answers came, there is no finished at sate", 0, `{"state":"finished","text":"a"}`,
			"作业未在超时前完成；收到 N 个应答，sate 处没有出现 finished",
		},
		"a job that goes on": {
			"api: reference\ntimeout: 150ms\nmode: async",
			state(http.StatusOK, `{"status":"running"}`),
			"the job was not done within the timeout; N answers came, none says at status that the job is done", 0, `{"status":"running"}`,
			"作业未在超时前完成；收到 N 个应答，status 处都没有说作业已完成",
		},
		"a job of statuses": {
			ask + "mode: async\nresponse: {answer: text, job: {url: at}}", state(http.StatusAccepted, `{"at":"/job"}`),
			"the job was not done within the timeout; N answers came, all have status 202", 0, `{"at":"/job"}`,
			"作业未在超时前完成；收到 N 个应答，状态码都是 202",
		},
		"silence": {
			"mode: websocket\nrequest: {body: {text: \"${turn.text}\"}}\ntimeout: 150ms\nresponse: {is_answer: {path: typ, equals: reply}, answer: text}",
			socketOf(""), "no whole answer within the timeout", -1, "", "超时前没有完整的应答",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, _ := mapped(t, tt.target, tt.server)
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			var r Reply
			line.Do(&Turn{Text: []byte("hi")}, &r)
			defer line.Free(&r)
			message, chinese := r.Message, reason.Word(r.Message).Text(reason.Chinese)
			if tt.passed == 0 && strings.Contains(tt.message, "N ") {
				many := fmt.Sprintf("%d", r.Passed)
				if r.Passed > 3 {
					many = "more than 3"
				}
				message = strings.Replace(strings.Replace(message, many+" answers", "N answers", 1), many+" answer ", "N answers ", 1)
				chinese = strings.NewReplacer("收到超过 3 个", "收到 N 个", "收到 "+many+" 个", "收到 N 个").Replace(chinese)
			}
			if strings.Contains(tt.message, "answers came") { // the time may be up within a poll, or between two
				message = strings.Replace(message, "no whole answer within", "the job was not done within", 1)
				chinese = strings.Replace(chinese, "超时前没有完整的应答", "作业未在超时前完成", 1)
			}
			if message != tt.message || chinese != tt.chinese {
				t.Errorf("%q\n%q\nwant %q\n%q", message, chinese, tt.message, tt.chinese)
			}
			want := max(tt.passed, 0)
			if tt.passed == 0 {
				want = max(r.Passed, 1)
			}
			if r.Passed != want || tt.example != "" && string(r.Body) != tt.example {
				t.Errorf("%d passed over, such as %s; want %d and %s", r.Passed, r.Body, want, tt.example)
			}
		})
	}
}

// What a turn passed over is no matter of a later one, nor of one that was answered.
func TestNothingIsPassedOverByTheNextTurn(t *testing.T) {
	s := &chatSocket{say: func(c *chatConn, m string) {
		c.Send(`{"type":"typing"}`)
		if field(m, "text") == "answer" {
			c.Send(`{"type":"reply","text":"a","turn":"t"}`)
		}
	}}
	d, _ := mapped(t, "mode: websocket\ntimeout: 150ms\nrequest: {body: {text: \"${turn.text}\", id: \"${turn.id}\"}}\nresponse: {turn_id: turn, is_answer: {path: type, equals: reply}, answer: text}", s.ServeHTTP)
	line := d.Open(&User{ID: "u"})
	defer line.Close()
	for _, text := range []string{"answer", "nothing", "answer", "nothing"} {
		var r Reply
		line.Do(&Turn{Text: []byte(text), TurnID: []byte("t")}, &r)
		if want := map[string]int{"nothing": 1}[text]; r.Passed != want {
			t.Errorf("%s: %d passed over, want %d: %s", text, r.Passed, want, r.Message)
		}
		line.Free(&r)
	}
	long := strings.Repeat("é", shownPassed)
	p := &passed{}
	p.note(&wanted{noun: "message"}, 0, []byte(long))
	if len(p.example) != shownPassed {
		t.Errorf("%d bytes are kept", len(p.example))
	}
	if n := testing.AllocsPerRun(100, func() { p.note(p.wants, 0, []byte("short")[:]) }); n > 0 {
		t.Errorf("%v allocations for each", n)
	}
}
