package scenario

import (
	"encoding/json"
	"time"

	"github.com/cstest/cstest/unit"
)

// Socket is the WebSocket of mode websocket: one for each user, conversation or turn,
// as Target.Connections says. Path, headers and Auth are templates of whoever the
// socket is.
type Socket struct {
	Path         string            `json:"path,omitempty"`
	Headers      map[string]string `json:"headers,omitempty"`
	Subprotocols []string          `json:"subprotocols,omitempty"`
	Protocol     Speech            `json:"protocol,omitempty"`
	Namespace    string            `json:"namespace,omitempty"` // of socket.io
	Auth         json.RawMessage   `json:"auth,omitempty"`      // of socket.io's CONNECT
	First        []Step            `json:"first,omitempty"`     // messages, each once a socket
	Ping         *Ping             `json:"ping,omitempty"`
	Pong         *Pong             `json:"pong,omitempty"`
	Receipt      *Receipt          `json:"receipt,omitempty"`
	Redial       *Redial           `json:"redial,omitempty"`
}

// Pong answers a message that is a ping of the application's own, whenever it comes.
type Pong struct {
	When  Conditions        `json:"when"`
	Save  map[string]string `json:"save,omitempty"` // ${ping.NAME}
	Event string            `json:"event,omitempty"`
	As    BodyKind          `json:"as,omitempty"`
	Body  json.RawMessage   `json:"body,omitempty"`
}

// Receipt is the message by which a customer says that the answer has come.
type Receipt struct {
	Event string          `json:"event,omitempty"`
	As    BodyKind        `json:"as,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
}

// Redial says when a socket that the server closed is opened again before its next turn.
type Redial struct {
	After   unit.Duration `json:"after"`
	Backoff float64       `json:"backoff,omitempty"`
	AtMost  unit.Duration `json:"at_most,omitempty"`
}

// Ping is what a client sends on its own account while a socket is open: a ping
// frame, or a message.
type Ping struct {
	Every unit.Duration   `json:"every"`
	Event string          `json:"event,omitempty"`
	As    BodyKind        `json:"as,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
}

// fill puts in the defaults.
// fillReference puts in where the bundled server has its customers' sockets.
func (s *Socket) fillReference() {
	or(&s.Path, "/v1/chat/ws")
	if s.Subprotocols == nil {
		s.Subprotocols = []string{"cs.chat.v1"}
	}
}

func (s *Socket) fill() {
	or(&s.Protocol, PlainMessages)
	if s.Protocol == SocketIO {
		or(&s.Path, "/socket.io/?EIO=4&transport=websocket")
		or(&s.Namespace, "/")
	}
	or(&s.Path, "/")
	if r := s.Redial; r != nil {
		or(&r.Backoff, 2)
		or(&r.AtMost, max(r.After, unit.Duration(30*time.Second)))
	}
}
