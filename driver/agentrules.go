package driver

import (
	"fmt"
	"maps"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

const (
	agentProtocol  = "cs.agent.v1"
	defaultAgents  = 4
	agentPath      = "/v1/agent/ws"
	agentReply     = "您好,已为您处理。"
	maxTicketID    = 256 // bytes
	maxAgentNotes  = 64 << 10
	claimStart     = `{"type":"claim","ticket_id":"`
	replyStart     = `{"type":"reply","ticket_id":"`
	ticketIDEnding = `"}`
)

// agentRules are the agents' side of a target, compiled.
type agentRules struct {
	sockets   int
	path      bound
	fields    []field // of the upgrade
	bearer    bound
	jwt       *signer
	subscribe []byte // the message
	replyEnd  string // of the message, behind the ticket's id
	lookup    jsonscan.Places
}

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

func (p *plan) newAgentRules(target *scenario.Target, prefix string) (*agentRules, error) {
	own := target.Agents
	if own == nil {
		own = &scenario.Agents{}
	}
	r := &agentRules{sockets: or(int(own.Sockets), defaultAgents)}
	var err error
	if r.path, err = p.pathOf(prefix, firstOf(own.Path, agentPath)); err != nil {
		return nil, fmt.Errorf("agents.path: %w", err)
	}
	if r.bearer, err = p.opts.bind(own.Bearer, template.Header); err != nil {
		return nil, fmt.Errorf("agents.bearer: %w", err)
	}
	all, err := headers(target.Headers, []field{{"user-agent", raw("cstest")}}, &p.opts)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if forAgents(f.value) {
			r.fields = append(r.fields, f)
		}
	}
	r.jwt = p.jwt.forAgents()
	r.subscribe = subscription(own.Queues)
	r.replyEnd = `","text":"` + string(template.AppendJSON(nil, firstOf(own.Reply, agentReply))) + `"}`
	r.lookup = jsonscan.Compile(map[int]string{
		saidType: "type", saidTicket: "ticket.id", saidTicketID: "ticket_id", saidCode: "code", saidProtocol: "protocol", saidPing: "ping_s",
	})
	return r, nil
}

func subscription(queues []string) []byte {
	if len(queues) == 0 {
		queues = []string{scenario.AllQueues}
	}
	b := []byte(`{"type":"subscribe","queues":[`)
	for i, q := range queues {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(template.AppendJSON(append(b, '"'), q), '"')
	}
	return append(b, "]}"...)
}

// forAgents gives the signer of agents' tokens: their own names, their role, and
// the claims that mean something for them.
func (s *signer) forAgents() *signer {
	if s == nil {
		return nil
	}
	a := *s
	a.sub = template.Only("user.id", variables["user.id"], template.Text)
	a.claims = maps.Clone(s.claims)
	maps.DeleteFunc(a.claims, func(_ string, claim bound) bool { return !forAgents(claim) })
	a.claims["role"] = raw("agent")
	return &a
}
