package refserver

import (
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

const (
	agentProtocol = "cs.agent.v1"
	agentFrame    = 16 << 10 // bytes of one message from a client
	maxReply      = 2000     // characters
)

// Codes of errors that are about the message, not about a ticket.
const (
	codeUnknownType  = "unknown-type"
	codeUnknownQueue = "unknown-queue"
	codeBadMessage   = "bad-message" // JSON of another shape
	codeTooLong      = "too-long"
	codeEmpty        = "empty"
)

// Close codes of RFC 6455 and its registry.
const (
	closeGoingAway   = 1001
	closeProtocol    = 1002
	closeUnsupported = 1003
	closePayload     = 1007
	closePolicy      = 1008
	closeTooBig      = 1009
	closeTryAgain    = 1013
)

// agentRequest is any message from a client.
type agentRequest struct {
	Type     string   `json:"type"`
	Queues   []string `json:"queues"`
	TicketID string   `json:"ticket_id"`
	Text     string   `json:"text"`
}

// agentRequestTypes are the types a client may send, as the metrics have them;
// the last one stands for all others.
var agentRequestTypes = [...]string{"subscribe", "claim", "reply", "other"}

// decodeAgentRequest reads a message. code is the close code for one that no
// client of this protocol sends, 0 for none; ok is false for a JSON value of
// another shape.
func decodeAgentRequest(b []byte) (q agentRequest, ok bool, code int) {
	if !utf8.Valid(b) || !json.Valid(b) {
		return q, false, closePayload
	}
	err := json.Unmarshal(b, &q)
	return q, err == nil && len(q.Queues) <= 64, 0
}

func helloMessage(agent string, ping time.Duration) []byte {
	b := appendString([]byte(`{"type":"hello","agent":`), agent)
	b = append(b, `,"protocol":"`+agentProtocol+`","ping_s":`...)
	b = strconv.AppendFloat(b, ping.Seconds(), 'f', -1, 64)
	return append(b, '}')
}

func subscribedMessage(queues []string, waiting int) []byte {
	b := []byte(`{"type":"subscribed","queues":[`)
	for i, q := range queues {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, q)
	}
	b = append(b, `],"waiting":`...)
	b = strconv.AppendInt(b, int64(waiting), 10)
	return append(b, '}')
}

func ticketMessage(t ticket) []byte {
	b := append(make([]byte, 0, 320+len(t.Text)), `{"type":"ticket","ticket":{"id":"`+t.ID+`","queue":`...)
	b = appendString(b, t.Queue)
	b = append(b, `,"asked_at":"`...)
	b = t.asked().UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, `","eta_s":`...)
	b = strconv.AppendInt(b, int64(t.ETA), 10)
	b = append(b, `,"dialog_id":`...)
	b = appendString(b, t.DialogID)
	b = append(b, `,"text":`...)
	b = appendString(b, t.Text)
	b = append(b, `,"trace_id":`...)
	b = appendString(b, t.TraceID)
	return append(b, '}', '}')
}

// outcomeMessage tells what became of a claim or a reply.
func outcomeMessage(outcome, ticketID string) []byte {
	switch outcome {
	case outcomeClaimed, outcomeLost, outcomeReplied:
		b := append([]byte(`{"type":"`), outcome...)
		b = append(b, `","ticket_id":`...)
		return append(appendString(b, ticketID), '}')
	}
	return errorMessage(outcome, ticketID)
}

// errorMessage names the ticket where there is one.
func errorMessage(code, ticketID string) []byte {
	b := append([]byte(`{"type":"error","code":"`), code...)
	b = append(b, '"')
	if ticketID != "" {
		b = append(b, `,"ticket_id":`...)
		b = appendString(b, ticketID)
	}
	return append(b, '}')
}
