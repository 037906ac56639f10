package driver

import (
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/cstest/cstest/driver/internal/agents"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// agentRules are the agents of a target, compiled.
type agentRules struct {
	path   wire.Text
	fields []wire.Field // of the upgrade
	bearer wire.Text
	jwt    *signer
	config agents.Config
}

func (p *plan) newAgentRules(target *scenario.Target, prefix string) (*agentRules, error) {
	own := target.Agents
	r := &agentRules{config: agents.Config{Queues: own.Queues, Reply: own.Reply, Notes: p.opts.Capture != nil}}
	var err error
	if r.path, err = p.pathOf(prefix, own.Path); err != nil {
		return nil, fmt.Errorf("agents.path: %w", err)
	}
	if r.bearer, err = p.opts.bind(own.Bearer, template.Header); err != nil {
		return nil, fmt.Errorf("agents.bearer: %w", err)
	}
	all, err := headers(target.Headers, []wire.Field{{Name: "user-agent", Value: raw("cstest")}}, &p.opts)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		if forAgents(f.Value) {
			r.fields = append(r.fields, f)
		}
	}
	r.jwt = p.jwt.forAgents()
	for n := range int(own.Sockets) {
		r.config.Members = append(r.config.Members, r.member(&User{ID: fmt.Sprintf("agent-%d", n+1), Index: int64(n + 1)}))
	}
	return r, nil
}

// member makes an agent of user, who has no turn.
func (r *agentRules) member(user *User) agents.Member {
	v := &wire.Values{Of: &values{user: user, turn: &Turn{}}}
	return agents.Member{Name: user.ID, Path: string(r.path.Append(nil, v)), Header: func() (http.Header, error) {
		header := http.Header{}
		for _, f := range r.fields {
			header.Set(f.Name, string(f.Value.Append(nil, v)))
		}
		switch {
		case !r.bearer.Empty():
			header.Set("authorization", "Bearer "+string(r.bearer.Append(nil, v)))
		case r.jwt != nil:
			if err := r.jwt.sign(user, time.Now()); err != nil {
				return nil, err
			}
			header.Set("authorization", "Bearer "+user.state.token)
		}
		return header, nil
	}}
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
	maps.DeleteFunc(a.claims, func(_ string, claim wire.Text) bool { return !forAgents(claim) })
	a.claims["role"] = raw("agent")
	return &a
}
