package load

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// What a turn over a socket is where its server answers late, too much, for another, or
// leaves: the rules of Classify that hang on more than a document.
func TestOutcomesOverSockets(t *testing.T) {
	own := ownTrace
	other := "c501020304050607ffffffffffffffff" // of the same run
	for _, tt := range []struct {
		name     string
		do       func(ctx context.Context, c *websocket.Conn, send func(string))
		streamed bool
		outcome  measure.Outcome
		message  string
	}{
		{"an answer", func(_ context.Context, _ *websocket.Conn, send func(string)) {
			send(`{"turn":"` + ownTraceHex + `","text":"好"}`)
		}, false, measure.OK, ""},
		{"silence", func(context.Context, *websocket.Conn, func(string)) {}, false, measure.Timeout, "no whole answer within the timeout"},
		{"heartbeats and no answer", func(ctx context.Context, c *websocket.Conn, send func(string)) {
			for ctx.Err() == nil && c.Ping(ctx) == nil {
				send("ping")
				send("heartbeat")
			}
		}, false, measure.Timeout, "no whole answer within the timeout"},
		{"nothing that is the answer", func(_ context.Context, _ *websocket.Conn, send func(string)) { send(`{"text":"好"}`) }, false, measure.Timeout, "no whole answer within the timeout; 1 message came, response.is_answer holds for none: there is nothing at kind"},
		{"another turn's answer", func(_ context.Context, _ *websocket.Conn, send func(string)) {
			send(`{"turn":"` + other + `","text":"好"}`)
		}, false, measure.Integrity, "answer is to another turn"},
		{"too large", func(_ context.Context, _ *websocket.Conn, send func(string)) {
			send(`{"text":"` + strings.Repeat("a", 1<<21) + `"}`)
		}, false, measure.ServerError, "a message is longer than the limit"},
		{"too large in all", func(_ context.Context, _ *websocket.Conn, send func(string)) {
			for range 64 {
				send(`{"delta":"` + strings.Repeat("a", 1<<15) + `"}`)
			}
		}, true, measure.ServerError, "the body is larger than the limit"},
		{"closed", func(_ context.Context, c *websocket.Conn, _ func(string)) {
			_ = c.Close(websocket.StatusTryAgainLater, "")
		}, false, measure.TransportError, "closed by the server with code 1013"},
		{"closed in a stream", func(_ context.Context, c *websocket.Conn, send func(string)) {
			send(`{"delta":"好"}`)
			_ = c.Close(websocket.StatusServiceRestart, "")
		}, true, measure.Truncated, "the stream ended without its terminal event; 1 message came, response.stream.done holds for none: there is no end"},
		{"cut off", func(_ context.Context, c *websocket.Conn, _ func(string)) { _ = c.CloseNow() }, false, measure.TransportError, "connection closed by the server before the answer was whole"},
		{"a stall", func(_ context.Context, _ *websocket.Conn, send func(string)) { send(`{"delta":"好"}`) }, true, measure.Timeout, "the answer stalled; 1 message came, response.stream.done holds for none: there is no end"},
		{"a pushed ad is no answer", func(_ context.Context, _ *websocket.Conn, send func(string)) {
			send("heartbeat")
			send(`{"turn":"` + hex.EncodeToString(own[:]) + `","text":"好"}`)
		}, false, measure.OK, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, nil)
				if err != nil {
					return
				}
				defer c.CloseNow() //nolint:errcheck // the end of the test
				if _, _, err = c.Read(r.Context()); err != nil {
					return
				}
				ctx := c.CloseRead(context.Background())
				tt.do(ctx, c, func(text string) { _ = c.Write(ctx, websocket.MessageText, []byte(text)) })
				<-ctx.Done() // until the client leaves
			}))
			defer s.Close()
			target := scenario.Target{
				URL: s.URL, API: custom, Mode: scenario.ModeWebSocket, HTTP: scenario.HTTP1, Connections: scenario.PerUser, Timeout: unit.Duration(2 * time.Second),
				Limits: scenario.Limits{Headers: 1 << 16, Line: 1 << 16, Body: 1 << 20, Ratio: 100, Stall: unit.Duration(100 * time.Millisecond)},
				Socket: &scenario.Socket{Path: "/", Protocol: scenario.PlainMessages}, Request: &scenario.Request{Body: []byte(`{"id":"${turn.id}","text":"${turn.text}"}`)},
				Response: &scenario.Response{Answer: "text", TurnID: "turn"},
			}
			if tt.outcome == measure.Timeout && !tt.streamed {
				target.Timeout = unit.Duration(100 * time.Millisecond)
			}
			if strings.HasPrefix(tt.name, "nothing that") {
				target.Response.IsAnswer = scenario.Conditions{{Path: "kind", Equals: new(scenario.Literal("reply"))}}
			}
			if tt.streamed {
				target.Response = &scenario.Response{Stream: &scenario.StreamPath{Delta: "delta", Done: scenario.Conditions{{Path: "end"}}}}
			}
			d, err := driver.New(&target, driver.Options{Base: time.Now()})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			rules, err := NewRules(&scenario.Scenario{Target: target})
			if err != nil {
				t.Fatal(err)
			}
			line := d.Open(&driver.User{ID: "u"})
			defer line.Close()
			var reply driver.Reply
			line.Do(&driver.Turn{Text: []byte("你好"), TurnID: []byte(ownTraceHex), TraceID: own}, &reply)
			j := Classify(&reply, &Asked{Turn: 1, TraceID: own, TurnID: own}, &rules)
			line.Free(&reply)
			if j.Outcome != tt.outcome || j.Message != tt.message {
				t.Errorf("%v %q, want %v %q", j.Outcome, j.Message, tt.outcome, tt.message)
			}
		})
	}
}
