package desk

import (
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/cstest/cstest/reference-server/wire"
	"github.com/cstest/cstest/reference-server/ws"
)

// Protocol is the WebSocket subprotocol of agents.
const Protocol = "cs.agent.v1"

const (
	maxMessage = 16 << 10 // bytes of one message from a client
	maxReply   = 2000     // characters
)

// Codes of errors that are about the message, not about a ticket.
const (
	codeUnknownType  outcome = "unknown-type"
	codeUnknownQueue outcome = "unknown-queue"
	codeBadMessage   outcome = "bad-message" // JSON of another shape
	codeTooLong      outcome = "too-long"
	codeEmpty        outcome = "empty"
)

// request is any message from a client.
type request struct {
	Type     string   `json:"type"`
	Queues   []string `json:"queues"`
	TicketID string   `json:"ticket_id"`
	Text     string   `json:"text"`
}

// requestTypes are the types a client may send, as the metrics have them;
// the last one stands for all others.
var requestTypes = [...]string{"subscribe", "claim", "reply", "other"}

// decodeRequest reads a message. code is the close code for one that no
// client of this protocol sends, 0 for none; ok is false for a JSON value of
// another shape.
func decodeRequest(b []byte) (q request, ok bool, code int) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return q, false, ws.Payload
	}
	err := json.Unmarshal(b, &q)
	return q, err == nil && len(q.Queues) <= 64, 0
}

func helloMessage(agent string, ping time.Duration) []byte {
	return wire.JSON(nil).Object("").String("type", "hello").String("agent", agent).String("protocol", Protocol).
		Float("ping_s", ping.Seconds(), -1).EndObject()
}

func subscribedMessage(queues []string, waiting int) []byte {
	j := wire.JSON(nil).Object("").String("type", "subscribed").Array("queues")
	for _, q := range queues {
		j = j.String("", q)
	}
	return j.EndArray().Int("waiting", int64(waiting)).EndObject()
}

func ticketMessage(t Ticket) []byte {
	return wire.JSON(make([]byte, 0, 320+len(t.Text))).Object("").String("type", "ticket").Object("ticket").
		String("id", t.ID).String("queue", t.Queue).String("asked_at", t.asked().UTC().Format(time.RFC3339Nano)).
		Int("eta_s", int64(t.ETA)).String("dialog_id", t.DialogID).String("text", t.Text).String("trace_id", t.TraceID).
		StringIf("draft", t.Draft).EndObject().EndObject()
}

// outcomeMessage tells what became of a claim or a reply.
func outcomeMessage(result outcome, ticketID string) []byte {
	switch result {
	case outcomeClaimed, outcomeLost, outcomeReplied:
		return wire.JSON(nil).Object("").String("type", string(result)).String("ticket_id", ticketID).EndObject()
	case outcomeNotFound, outcomeNotClaimed, outcomeClosed, outcomeUnavailable, codeUnknownType, codeUnknownQueue,
		codeBadMessage, codeTooLong, codeEmpty:
	}
	return errorMessage(result, ticketID)
}

// goneMessage tells that a ticket was erased with its dialog: whoever shows it takes it
// away, and a reply to it is refused.
func goneMessage(id string) []byte {
	return wire.JSON(nil).Object("").String("type", "gone").String("ticket_id", id).EndObject()
}

// errorMessage names the ticket where there is one.
func errorMessage(code outcome, ticketID string) []byte {
	return wire.JSON(nil).Object("").String("type", "error").String("code", string(code)).StringIf("ticket_id", ticketID).EndObject()
}
