package driver

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// overSocket serves one socket: say gives what is sent for each message.
func overSocket(w http.ResponseWriter, r *http.Request, greeting string, say func(message string) []string) {
	c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // the end of the test
	ctx := context.Background()
	send := func(texts ...string) {
		for _, text := range texts {
			_ = c.Write(ctx, websocket.MessageText, []byte(text)) // the reader sees the end
		}
	}
	if greeting != "" {
		send(greeting)
	}
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			return
		}
		send(say(string(text))...)
	}
}

// The servers of the presets websocket and socketio, and of the cookbook.
var (
	webChat = preset{func(s *shape, w http.ResponseWriter, r *http.Request) {
		joined := false
		overSocket(w, r, `{"type":"welcome"}`, func(m string) []string {
			switch text := field(m, "text"); {
			case field(m, "type") == "join":
				joined = field(m, "user") == "u0"
				return []string{`{"type":"joined"}`}
			case !joined:
				return []string{`{"type":"error","code":"NOT_JOINED"}`}
			case text == "ill":
				return []string{`{"type":"typing"}`, `{"type":"error","code":"BUSY","message":"backend down"}`}
			default:
				return []string{`{"type":"typing"}`, fmt.Sprintf(`{"type":"message","reply_to":%q,"text":%q}`, strings.TrimPrefix(field(m, "id"), "<nil>"), s.hear("d", text))}
			}
		})
	}, "a | a+b", "! BUSY backend down"}

	socketIOChat = preset{func(s *shape, w http.ResponseWriter, r *http.Request) {
		overSocket(w, r, `0{"sid":"e","pingInterval":25000,"pingTimeout":20000}`, func(m string) []string {
			switch {
			case m == `40/chat,{"token":"key"}`:
				return []string{`40/chat,{"sid":"s"}`}
			case strings.HasPrefix(m, "40"):
				return []string{`44/chat,{"message":"not authorized"}`}
			case m == `42/chat,1["join",{"room":"c7"}]`:
				return []string{`43/chat,1[{"joined":true}]`}
			case strings.Contains(m, `"ill"`):
				return []string{`42/chat,["failed",{"message":"backend down"}]`}
			case strings.HasPrefix(m, `42/chat,["say",`):
				text := field(strings.TrimSuffix(strings.TrimPrefix(m, `42/chat,["say",`), "]"), "text")
				list := []string{`2`, `42/chat,["typing"]`}
				for _, piece := range s.hear("d", text) {
					list = append(list, fmt.Sprintf(`42/chat,["delta",{"text":%q}]`, string(piece)))
				}
				return append(list, `42/chat,["reply",{}]`)
			}
			return nil // a pong
		})
	}, "a | a+b", "! backend down"}

	graphQLOverSocket = preset{func(s *shape, w http.ResponseWriter, r *http.Request) {
		overSocket(w, r, "", func(m string) []string {
			switch field(m, "type") {
			case "connection_init":
				return []string{`{"type":"connection_ack"}`}
			case "subscribe":
				_, rest, _ := strings.Cut(m, `"t":"`)
				text, _, _ := strings.Cut(rest, `"`)
				if text == "b" {
					return []string{`{"type":"error","payload":[{"message":"no agent"}]}`}
				}
				return []string{`{"type":"ping"}`, fmt.Sprintf(`{"type":"next","payload":{"data":{"reply":%q}}}`, s.hear("g", text)), `{"type":"next","payload":{"data":{"reply":"!"}}}`, `{"type":"complete"}`}
			}
			return nil
		})
	}, "a! | ! no agent", ""}
)
