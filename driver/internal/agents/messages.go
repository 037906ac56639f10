package agents

import (
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/template"
)

const (
	protocol = "cs.agent.v1"
	// MaxTicketID bounds a ticket's id, in bytes.
	maxTicketID = 256
	maxNotes    = 64 << 10
)

// What a message to an agent may hold.
const (
	saidType = iota
	saidTicket
	saidTicketID
	saidCode
	saidProtocol
	saidPing
	saidSlots
)

// places is where that stands.
func places() jsonscan.Places {
	return jsonscan.Compile(map[int]string{
		saidType: "type", saidTicket: "ticket.id", saidTicketID: "ticket_id", saidCode: "code", saidProtocol: "protocol", saidPing: "ping_s",
	})
}

// subscription is what an agent says to be shown tickets.
func subscription(queues []string) []byte {
	b := []byte(`{"type":"subscribe","queues":[`)
	for i, q := range queues {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(template.AppendJSON(append(b, '"'), q), '"')
	}
	return append(b, "]}"...)
}

// claimOf is what an agent says to be given a ticket.
func claimOf(id string) []byte {
	return append(template.AppendJSON([]byte(`{"type":"claim","ticket_id":"`), id), `"}`...)
}

// replyTo is what the agent who was given a ticket says.
func replyTo(id, text string) []byte {
	b := template.AppendJSON([]byte(`{"type":"reply","ticket_id":"`), id)
	b = template.AppendJSON(append(b, `","text":"`...), text)
	return append(b, `"}`...)
}
