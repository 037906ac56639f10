package scenario

import (
	"strings"
	"unicode/utf8"
)

const (
	maxAgents = 1000
	maxQueues = 100
	maxReply  = 2000 // characters
)

// agents checks the agents' side of mode agents.
func (c *checker) agents() {
	t := &c.Target
	a := t.Agents
	if a == nil {
		return
	}
	if t.Mode != ModeAgents {
		c.bad("target.agents", "is for mode: agents; no agent is shown what is asked in mode: %s", t.Mode)
		return
	}
	if a.Sockets < 1 || a.Sockets > maxAgents {
		c.bad("target.agents.sockets", "must be 1 to %d", maxAgents)
	}
	c.path("target.agents.path", a.Path)
	if n := utf8.RuneCountInString(a.Reply); strings.TrimSpace(a.Reply) == "" || n > maxReply {
		c.bad("target.agents.reply", "must have 1 to %d characters", maxReply)
	}
	c.queues(a.Queues)
	switch {
	case a.Bearer == "":
	case t.Bundled != nil:
		c.bad("target.agents.bearer", "is for one's own server (target.url); the bundled one needs none: cstest signs its tokens itself")
	case constant(a.Bearer):
		c.warn("target.agents.bearer", "the token itself stands here and will be written to the results: use ${env:NAME}")
	}
}

func (c *checker) queues(queues []string) {
	if len(queues) == 0 || len(queues) > maxQueues {
		c.bad("target.agents.queues", `must have 1 to %d names, or be ["*"] for every queue`, maxQueues)
	}
	seen := map[string]bool{}
	for i, q := range queues {
		path := item("target.agents.queues", i, "")
		c.unique(seen, path, q)
		switch {
		case q == AllQueues && len(queues) > 1:
			c.bad(path, `"*" is every queue already: write it alone`)
		case q != AllQueues:
			c.name(path, q)
		}
	}
}
