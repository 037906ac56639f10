package load

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/cstest/cstest/scenario"
)

// socketWire is a way in which an answer comes over a customer's socket.
type socketWire struct {
	name     string
	socketIO bool
	streamed bool
}

var socketWires = []socketWire{{"websocket", false, false}, {"websocket-pieces", false, true}, {"socket.io", true, false}, {"socket.io-pieces", true, true}}

// event is one of a rule's stream.
type event struct{ name, data string }

// eventsOf takes a rule's stream apart; false where the wire cannot say it.
func (w *socketWire) eventsOf(rule *wireRule) (list []event, ok bool) {
	if !w.streamed {
		list = []event{{"reply", rule.whole}}
		return list, rule.whole != "" && (!w.socketIO || json.Valid([]byte(rule.whole)))
	}
	for block := range strings.SplitSeq(strings.TrimSuffix(rule.stream, "\n\n"), "\n\n") {
		var e event
		for line := range strings.Lines(block) {
			field, text, _ := strings.Cut(strings.TrimRight(line, "\n"), ": ")
			switch field {
			case "event":
				e.name = text
			case "data":
				e.data += text
			default:
				return nil, false // what only server-sent events have
			}
		}
		switch {
		case !w.socketIO && e.name == "end":
			e = event{"", `{"end":true}`}
		case !w.socketIO && e.name != "", w.socketIO && e.data != "" && !json.Valid([]byte(e.data)):
			return nil, false
		}
		list = append(list, e)
	}
	return list, rule.stream != ""
}

// serve answers the one message of a socket as the rule says.
func (w *socketWire) serve(t *testing.T, rule *wireRule, list []event) string {
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if rule.status != 0 {
			if rule.status == 302 {
				out.Header().Set("Location", "/")
			}
			out.Header().Set("Content-Type", "application/json")
			out.WriteHeader(rule.status)
			fmt.Fprint(out, rule.whole)
			return
		}
		c, err := websocket.Accept(out, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.CloseNow() //nolint:errcheck // the end of the test
		ctx := r.Context()
		send := func(text string) { _ = c.Write(ctx, websocket.MessageText, []byte(text)) } // the client may be gone
		read := func() string {
			_, text, _ := c.Read(ctx)
			return string(text)
		}
		if w.socketIO {
			send(`0{"sid":"a","pingInterval":25000,"pingTimeout":20000}`)
			read()
			send(`40{"sid":"b"}`)
		}
		read()
		for _, e := range list {
			switch {
			case !w.socketIO:
				send(e.data)
			case e.data == "":
				send(fmt.Sprintf(`42[%q]`, e.name))
			default:
				send(fmt.Sprintf(`42[%q,%s]`, e.name, e.data))
			}
		}
		if w.streamed && strings.HasPrefix(rule.piece, "the stream ended without its terminal event") {
			_ = c.Close(websocket.StatusNormalClosure, "") // the client may be gone
			return
		}
		_, _, _ = c.Read(context.Background()) // until the client leaves
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// target is that of the wire.
func (w *socketWire) target(target scenario.Target) scenario.Target {
	target.Mode, target.Connections, target.Pool = scenario.ModeWebSocket, scenario.PerUser, 0
	target.Request.Path = ""
	target.Socket = &scenario.Socket{Path: "/", Protocol: scenario.PlainMessages}
	if w.socketIO {
		target.Socket.Protocol, target.Socket.Namespace, target.Request.Event = scenario.SocketIO, "/", "say"
	}
	target.Response.Job = nil
	if w.streamed {
		target.Response.Answer = ""
	} else {
		target.Response.Stream = nil
	}
	return target
}

// What holds over HTTP holds over a customer's socket, whole and in pieces, with
// socket.io on it and without.
func TestEveryRuleOverSockets(t *testing.T) {
	cells := 0
	for i := range wireRules {
		rule := &wireRules[i]
		if rule.api != custom {
			continue
		}
		for _, w := range socketWires {
			list, ok := w.eventsOf(rule)
			if !ok {
				continue
			}
			cells++
			t.Run(rule.name+"/"+w.name, func(t *testing.T) {
				want := rule.message
				if w.streamed && rule.piece != "" {
					want = strings.Replace(rule.piece, "1 event came", "1 message came", 1)
				}
				target := w.target(wireTarget(w.serve(t, rule, list), rule, scenario.ModeSync, scenario.HTTP1))
				if j := judge(t, &target); j.Outcome != rule.outcome || j.Message != want {
					t.Errorf("%v %q, want %v %q", j.Outcome, j.Message, rule.outcome, want)
				}
			})
		}
	}
	if cells < 80 {
		t.Errorf("%d cells of the table were filled, want at least 80", cells)
	}
}
