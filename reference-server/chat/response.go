package chat

import (
	"github.com/cstest/cstest/reference-server/degrade"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/wire"
)

// ticketRef is the hand-off named in an answer.
type ticketRef struct {
	id    string
	queue string
	eta   int // seconds
}

// response is one answered turn as the client sees it.
type response struct {
	dialogID      string
	text          string
	costMS        int64
	turnID        string
	seq           int
	epoch         int64
	tier          degrade.Tier
	degraded      bool
	degradeReason string
	source        string
	faqID         string
	suggestions   []string
	contextStatus string
	contextTurns  int
	persisted     bool
	job           string
	ticket        *ticketRef
	piiIn, piiOut int
	group         gray.Group
	traceID       string
	notes         []dialog.Note // said since the turn before: told once
}

// appendJSON writes the answer, the article's three fields first.
func (a *response) appendJSON(b []byte) []byte {
	j := wire.JSON(b).Object("").String("dialog_id", a.dialogID).String("answer", a.text).Int("cost_ms", a.costMS).
		String("turn_id", a.turnID).Int("seq", int64(a.seq)).Int("epoch", a.epoch).String("tier", a.tier.String()).
		Bool("degraded", a.degraded).StringIf("degrade_reason", a.degradeReason).String("source", a.source).StringIf("faq_id", a.faqID)
	if len(a.suggestions) > 0 {
		j = j.Array("suggestions")
		for _, s := range a.suggestions {
			j = j.String("", s)
		}
		j = j.EndArray()
	}
	j = j.Object("context").String("status", a.contextStatus).Int("turns", int64(a.contextTurns)).EndObject().
		Bool("persisted", a.persisted).StringIf("job", a.job)
	if t := a.ticket; t != nil {
		j = j.Object("ticket").String("id", t.id).String("queue", t.queue).Int("eta_s", int64(t.eta)).EndObject()
	}
	if len(a.notes) > 0 {
		j = j.Array("notes")
		for _, n := range a.notes {
			j = j.Object("").StringIf("turn_id", n.Turn).StringIf("ticket_id", n.Ticket).StringIf("agent", n.Agent).String("text", n.Text).EndObject()
		}
		j = j.EndArray()
	}
	return j.Object("pii").Int("in", int64(a.piiIn)).Int("out", int64(a.piiOut)).EndObject().
		String("group", a.group.String()).String("trace_id", a.traceID).EndObject()
}
