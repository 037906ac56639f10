package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// What does not fit a socket is told where it stands, with what to write.
func TestSocketProblems(t *testing.T) {
	const base = `version: 1
name: x
target:
  url: %s
  api: custom
  %s
load: {users: 1, for: 1s}
conversations: [{name: c, turns: [{say: a}]}]
sla: {availability: 99%%}
`
	const ws = "mode: websocket\n  "
	const io = ws + "socket: {protocol: socket.io, "
	const turn = "request: {body: {t: '${turn.text}'}}\n  response: {answer: a}"
	const event = "request: {event: say, body: {t: '${turn.text}'}}\n  response: {answer: a}"
	for target, want := range map[string]string{
		"socket: {path: /ws}\n  request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a}":      "target.socket: is for mode: websocket",
		"request: {path: /c, ack: true, body: {t: '${turn.text}'}}\n  response: {answer: a}":                  "target.request: event and ack are for mode: websocket",
		"request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a, is_answer: a}":               "target.response.is_answer: is for mode: websocket and stream; where an answer is polled for it stands in poll",
		"before: [{body: {a: b}}]\n  request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a}": "target.before[0].path: is missing: write the path of the request",
		ws + "connections: shared\n  " + turn:                                                                 "target.connections: a socket is somebody's own: write per-user, per-conversation or per-turn",
		ws + "request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a}":                        "target.request: a turn is a message, which has no path and no headers: those of the upgrade are socket.path and socket.headers",
		ws + "request: {ack: true, body: {t: '${turn.text}'}}\n  response: {answer: a}":                       "target.request: event and ack are for socket.protocol: socket.io; other messages have neither",
		ws + "request: {as: form, body: {t: '${turn.text}'}}\n  response: {answer: a}":                        "target.request.as: a message is json, text or xml",
		ws + "request: {body: {t: a}}\n  response: {answer: a}":                                               "target.request.body: says ${turn.text} nowhere: the user's message would not be sent",
		ws + "request: {body: {t: '${turn.text}'}}\n  response: {is_answer: a}":                               "target.response.answer: is missing: without it an empty answer could not be told from a good one",
		ws + "request: {body: {t: '${turn.text}'}}\n  response: {answer: 'header:x'}":                         `target.response.answer: "header:x": a message has no headers, cookies or status; those of the upgrade are not looked into`,
		ws + "request: {body: {t: '${turn.text}'}}\n  response: {answer: a, turn_id: id}":                     "target.response.turn_id: names the turn by ${turn.id}, which stands nowhere in target.request.body",
		ws + "request: {body: {t: '${turn.text}'}}\n  response: {answer: a, format: jsonp}":                   "target.response.format: a message is no script: jsonp goes with HTTP",
		ws + "then: [{path: /p}]\n  " + turn:                                                                  "target.then: goes with mode: sync and stream; in mode: websocket the answer to the request is that of the turn",
		ws + "socket: {path: ws}\n  " + turn:                                                                  `target.socket.path: "ws" is not a path: begin with /, without spaces`,
		ws + "socket: {headers: {Sec-WebSocket-Protocol: a}}\n  " + turn:                                      "target.socket.headers.Sec-WebSocket-Protocol: belongs to the upgrade: subprotocols has a field of its own, and extensions are not spoken",
		ws + "socket: {subprotocols: ['a b']}\n  " + turn:                                                     `target.socket.subprotocols[0]: "a b" is not the name of a subprotocol`,
		ws + "socket: {namespace: /a}\n  " + turn:                                                             "target.socket.namespace: is for protocol: socket.io",
		ws + "socket: {first: [{path: /p}]}\n  " + turn:                                                       "target.socket.first[0]: is a message over the socket, which has no path, method or headers: steps over HTTP stand in login and before",
		ws + "socket: {first: [{ok: a}]}\n  " + turn:                                                          "target.socket.first[0]: sends nothing: write body, or with socket.io event",
		ws + "socket: {path: '/${conversation.id}'}\n  " + turn:                                               "target.socket.path: ${conversation.id} is of one conversation, and the socket is the user's: write connections: per-conversation",
		ws + "socket: {ping: {every: 0s}}\n  " + turn:                                                         "target.socket.ping.every: must be above 0s",
		io + "namespace: a}\n  " + event:                                                                      `target.socket.namespace: "a" is not a namespace: write for example /chat`,
		io + "path: /socket.io/}\n  " + event:                                                                 "target.socket.path: socket.io needs EIO=4&transport=websocket in the query",
		io + "auth: [a]}\n  " + event:                                                                         "target.socket.auth: is not a mapping: write for example {token: \"${login.token}\"}",
		io + "ping: {every: 1s}}\n  " + event:                                                                 "target.socket.ping: engine.io's servers ping themselves, and are answered; write event where the application has pings of its own",
		io + "first: [{event: disconnect}]}\n  " + event:                                                      `target.socket.first[0].event: "disconnect" is an event of socket.io's own, which its servers refuse`,
		ws + "before: [{path: /p, ack: true}]\n  " + turn:                                                     "target.before[0]: event, ack and is_answer are of messages over a socket, which have no path",
		ws + "request: {body: {t: '${turn.text}'}}\n  response: {answer: a, job: {url: u}}":                   "target.response.job: is for mode: async; over a socket the answer is sent when it is there: is_answer",
		ws + "socket: {protocol: sockjs}\n  " + turn:                                                          `target.socket.protocol: "sockjs" is not one of websocket, socket.io`,
	} {
		_, err := Parse("x.yaml", fmt.Appendf(nil, base, "https://chat.example.org", target), Options{Dir: t.TempDir()})
		if got := fmt.Sprint(err); err == nil || !slices.ContainsFunc(strings.Split(got, "\n"), func(line string) bool { return strings.HasSuffix(line, ": "+want) }) {
			t.Errorf("%s:\n got %v\nwant %s", target, err, want)
		}
	}
	for _, url := range []string{"ws://127.0.0.1:8080", "wss://chat.example.org/base", "https://chat.example.org"} {
		s, err := Parse("x.yaml", fmt.Appendf(nil, base, url, ws+turn), Options{})
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if w := fmt.Sprint(s.Warnings()); !strings.Contains(w, "no turn_id") {
			t.Errorf("%s: warnings %s", url, w)
		}
	}
	if _, err := Parse("x.yaml", fmt.Appendf(nil, base, "ws://127.0.0.1", "request: {path: /c, body: {t: '${turn.text}'}}\n  response: {answer: a}"), Options{}); err == nil {
		t.Error("ws:// goes with mode: sync")
	}
	for _, target := range []string{"url: 'https://x'", "bundled: {}"} {
		s, err := Parse("x.yaml", []byte("version: 1\nname: x\ntarget: {"+target+", mode: websocket}\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n"), Options{})
		if err != nil || s.Target.Socket.Path != "/v1/chat/ws" || !slices.Equal(s.Target.Socket.Subprotocols, []string{"cs.chat.v1"}) || len(s.Warnings()) > 0 {
			t.Errorf("%s: the reference API's sockets are known: %v, %+v", target, err, s)
		}
	}
}

// What is sent beside turns is refused where it means nothing.
func TestSocketAsideProblems(t *testing.T) {
	const head = "version: 1\nname: x\nload: {users: 1, for: 1s}\nconversations: [{name: c, turns: [{say: a}]}]\nsla: {availability: 99%}\n" +
		"target:\n  url: wss://h\n  api: custom\n  mode: websocket\n  request: {body: {t: '${turn.text}'}}\n  response: {answer: a}\n"
	for text, want := range map[string]string{
		"socket: {pong: {when: {path: a}, save: {at: at}, body: {b: '${ping.att}'}}}": `${ping.att} is not saved by target.socket.pong.save; did you mean "at"?`,
		"socket: {pong: {when: [], body: {b: 1}}}":                                    "is empty: say by what a ping is known",
		"socket: {pong: {when: {path: a}}}":                                           "target.socket.pong: sends nothing",
		"socket: {pong: {when: {path: a}, body: {b: '${turn.text}'}}}":                "${turn.text} cannot stand in pong",
		"socket: {receipt: {}}":                                                       "target.socket.receipt: sends nothing",
		"socket: {receipt: {event: seen}}":                                            "event and ack are for socket.protocol: socket.io",
		"socket: {receipt: {as: form, body: {b: 1}}}":                                 "a message is json, text or xml",
		"socket: {receipt: {body: {b: '${ping.at}'}}}":                                "${ping.at} cannot stand in request: it may stand in pong",
		"socket: {redial: {after: 0s}}":                                               "must be above 0s",
		"socket: {redial: {after: 2s, at_most: 1s}}":                                  "is below after",
		"connections: per-turn\n  socket: {redial: {after: 1s}}":                      "there is no socket between two turns",
	} {
		if _, err := Parse("x.yaml", []byte(head+"  "+text+"\n"), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
