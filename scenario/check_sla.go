package scenario

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/unit"
)

func (c *checker) sla() {
	s := &c.SLA
	if len(s.Latency) == 0 && s.Availability == 0 && s.FullQuality == 0 && s.Recovery == nil && s.Client == nil && len(s.Objectives) == 0 {
		c.bad("sla", "asks for nothing: write for example latency: {p99: 500ms} and availability: 99%%")
	}
	c.percentiles()
	c.groups()
	for path, share := range map[string]unit.Share{"sla.availability": s.Availability, "sla.full_quality": s.FullQuality} {
		if c.source.wrote(path) && share == 0 {
			c.bad(path, "0%% asks for nothing: remove it")
		}
		if share == 1 {
			c.warn(path, "100%% can fail and never pass by inference: any sample leaves room for a rarer failure")
		}
	}
	if a := s.Abandoned; a != nil {
		switch {
		case *a >= 1:
			c.bad("sla.abandoned", "100%% asks for nothing: remove it")
		case c.Load.Patience == nil:
			c.bad("sla.abandoned", "no customer leaves without load.patience: say there how long they wait")
		case *a == 0:
			c.warn("sla.abandoned", "0%% can fail and never pass by inference: any sample leaves room for a rarer failure")
		}
	}
	if s.Confidence < 0.5 || s.Confidence >= 1 {
		c.bad("sla.confidence", "must be from 50%% to below 100%%, 95%% is usual")
	}
	if r := s.RateLimited; (r.Policy == PolicyContract) != (r.Contract > 0) {
		c.bad("sla.rate_limited", "write bad, exclude or {contract: 500/s}")
	}
	c.client(s.Client)
	if r := s.Recovery; r != nil {
		c.after("sla.recovery.after", r.After)
		if r.Latency <= 0 && r.Quality <= 0 {
			c.bad("sla.recovery", "asks for nothing: give latency or quality")
		}
		if r.Latency > 0 && len(s.Latency) == 0 {
			c.bad("sla.recovery.latency", "recovery is when sla.latency holds again: give that too")
		}
	}
	if len(s.Objectives) > maxObjectives {
		c.bad("sla.objectives", "has more than %d objectives", maxObjectives)
	}
	c.counted()
	seen := map[string]bool{}
	for i := range s.Objectives {
		o := &s.Objectives[i]
		path := item("sla.objectives", i, "")
		c.name(path+".name", o.Name)
		c.unique(seen, path+".name", o.Name)
		c.objective(path, o)
	}
}

// counted refuses more objectives than the recorder can count for, and says
// where the first stands that has no place.
func (c *checker) counted() {
	own := map[string]int{}
	for i, o := range c.SLA.Objectives {
		own[o.Name] = i
	}
	n, path := 0, "sla.objectives"
	for _, o := range c.Objectives() {
		if !o.Kind.CountsTurns() {
			continue
		}
		if n++; n == MaxCounted+1 {
			if i, ok := own[o.Name]; ok {
				path = item("sla.objectives", i, "")
			}
		}
	}
	if n > MaxCounted {
		c.bad(path, "%d objectives count turns, with those of the short form and the checks, and %d can be counted: remove %d, or judge them in a second scenario",
			n, MaxCounted, n-MaxCounted)
	}
}

// groups checks those of users that are told apart, and that answers name theirs.
func (c *checker) groups() {
	list := c.SLA.Groups
	if len(list) == 0 {
		return
	}
	if len(list) > maxGroups {
		c.bad("sla.groups", "has %d groups: at most %d", len(list), maxGroups)
	}
	for i, name := range list {
		path := item("sla.groups", i, "")
		if name == "" || len(name) > 64 || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
			c.bad(path, "is not a word of 1 to 64 bytes")
		}
		if slices.Contains(list[:i], name) {
			c.bad(path, "%s is there twice", short(name))
		}
	}
	t := &c.Target
	switch {
	case t.Bundled != nil, t.API == APIReference:
	case t.API == APICustom && t.Response != nil && t.Response.Group != "":
	case t.API == APICustom:
		c.bad("sla.groups", "no answer says its group: name the place in target.response.group")
	default:
		c.bad("sla.groups", "no answer of api %s says its group: describe the answers with api: custom, with target.response.group", t.API)
	}
}

// ofGroup checks that the group of an objective is told apart.
func (c *checker) ofGroup(path, group string) {
	if group != "" && !slices.Contains(c.SLA.Groups, group) {
		c.bad(path, "%q is not one of sla.groups: name it there, so that its turns are told apart%s", short(group), didYouMean(group, c.SLA.Groups))
	}
}

// maxGroups is how many groups of users can be told apart.
const maxGroups = 8

func (c *checker) percentiles() {
	var before unit.Duration
	var beforeName string
	for _, p := range Percentiles() {
		limit, ok := c.SLA.Latency[p]
		if !ok {
			continue
		}
		path := "sla.latency." + p
		if limit <= 0 {
			c.bad(path, "must be above 0s")
		}
		if limit < before {
			c.warn(path, "%s is tighter than %s (%s), which therefore decides nothing", limit, beforeName, before)
		}
		before, beforeName = limit, p
	}
	for _, p := range sortedKeys(c.SLA.Latency) {
		if !slices.Contains(Percentiles(), p) {
			c.bad("sla.latency."+p, "%q is not one of %s%s", short(p), strings.Join(Percentiles(), ", "), didYouMean(p, Percentiles()))
		}
	}
	if p99 := c.SLA.Latency["p99"]; p99 > 0 && p99 > c.Target.Timeout {
		c.warn("target.timeout", "%s is below the P99 limit of %s: what is not answered by then is bad anyway", c.Target.Timeout, p99)
	}
}

func (c *checker) after(path, name string) {
	var names []string
	if c.LLM != nil {
		for _, f := range c.LLM.Faults {
			names = append(names, f.Name)
		}
	}
	if !slices.Contains(names, name) {
		c.bad(path, "there is no fault %q in llm.faults%s", short(name), didYouMean(name, names))
	}
}

// client checks what the target may do to the model.
func (c *checker) client(s *ClientSLA) {
	if s == nil {
		return
	}
	if c.LLM == nil {
		c.bad("sla.client", "needs llm: what the target does to the model is what the mock LLM sees")
	}
	if *s == (ClientSLA{}) {
		c.bad("sla.client", "says nothing: name a finding, such as retry_after: 95%%, or remove it")
	}
	if s.CallsPerTurn < 0 {
		c.bad("sla.client.calls_per_turn", "must be above 0")
	}
}

// needs says which fields a kind of objective takes.
type needs struct{ target, limit, max, after, stages, tier, observe, client, group bool }

func (o *Objective) needs() needs {
	if o.Kind != KindClient {
		return needsOf(o.Kind)
	}
	switch o.Client {
	case ClientCallsPerTurn, ClientInFlight:
		return needs{client: true, max: true}
	case ClientRetryAfter:
		return needs{client: true, target: true}
	case ClientRetries4xx, ClientAfterLeft, ClientBroken, ClientBackoff:
	}
	return needs{client: true}
}

func needsOf(kind ObjectiveKind) needs {
	switch kind {
	case KindLatency:
		return needs{target: true, limit: true, stages: true, tier: true, group: true}
	case KindFirstToken, KindFirstReasoning, KindChunkGap:
		return needs{target: true, limit: true, stages: true}
	case KindAvailability:
		return needs{target: true, stages: true, tier: true, group: true}
	case KindSeconds:
		return needs{target: true, stages: true, tier: true}
	case KindFullQuality, KindExpected:
		return needs{target: true, stages: true, group: true}
	case KindAbandoned:
		return needs{target: true}
	case KindConversations:
		return needs{target: true, tier: true}
	case KindContext:
		return needs{stages: true}
	case KindCallsPerTurn:
		return needs{max: true}
	case KindObserved:
		return needs{observe: true, stages: true}
	case KindRecoveryLatency, KindRecoveryQuality:
		return needs{limit: true, after: true}
	case KindClient: // see Objective.needs
	case KindIntegrity, KindPlanted, KindRefused: // counts of what must not be
	}
	return needs{}
}

// takes checks that an objective has the fields that its kind needs, and no others.
func (c *checker) takes(path string, o *Objective, n needs) {
	for _, f := range []struct {
		name                string
		given, takes, needs bool
	}{
		{"target", o.Target > 0, n.target || n.observe, n.target},
		{"within", o.Limit > 0, n.limit, n.limit},
		{"observe", o.Observe != "", n.observe, n.observe},
		{"min", o.Min != 0, n.observe, false},
		{"client", o.Client != "", n.client, n.client},
		{"max", o.Max > 0, n.max || n.observe || n.client && !n.target && o.Client != ClientBackoff, n.max},
		{"after", o.After != "", n.after, n.after},
		{"stages", o.Stages != nil, n.stages, false},
		{"tier_at_most", o.TierAtMost != "", n.tier, false},
		{"group", o.Group != "", n.group, false},
	} {
		if f.given && !f.takes {
			c.bad(path+"."+f.name, "means nothing to kind %s: remove it", o.Kind)
		}
		if f.needs && !f.given {
			c.bad(path+"."+f.name, "is missing (or zero): kind %s needs it", o.Kind)
		}
	}
}

func (c *checker) objective(path string, o *Objective) {
	n := o.needs()
	c.takes(path, o, n)
	if best := TierLLM; o.Kind == KindConversations && o.TierAtMost != "" && o.TierAtMost != best {
		c.bad(path+".tier_at_most", "a conversation is complete, or complete with degraded answers: write %s, or remove it", best)
	}
	if n.after && o.After != "" {
		c.after(path+".after", o.After)
	}
	if (o.Kind == KindFirstToken || o.Kind == KindFirstReasoning || o.Kind == KindChunkGap) && c.Target.Mode != ModeStream {
		c.bad(path+".kind", "%s is for target.mode: stream", o.Kind)
	}
	if o.Kind == KindFirstReasoning {
		c.reasoning(path + ".kind")
	}
	if n.observe {
		c.limits(path, o)
	}
	if n.client && c.LLM == nil {
		c.bad(path+".kind", "client needs llm: what the target does to the model is what the mock LLM sees")
	}
	if o.Kind == KindAbandoned && c.Load.Patience == nil {
		c.bad(path+".kind", "no customer leaves without load.patience: say there how long they wait")
	}
	if n.group {
		c.ofGroup(path+".group", o.Group)
	}
	c.stages(path, o)
	// Auto-named objectives are replaced by name; another kind under such a name would silently drop the check.
	for _, auto := range c.automatic() {
		if auto.Name == o.Name && auto.Kind != o.Kind {
			c.bad(path+".name", "%s is the name of a check of kind %s: choose another", o.Name, auto.Kind)
		}
	}
}

// reasoning refuses to judge what the target's answers have no place for.
func (c *checker) reasoning(path string) {
	switch r := c.Target.Response; {
	case c.Target.API == APIOpenAI:
	case c.Target.API != APICustom:
		c.bad(path, "first_reasoning is for api openai and custom: no other has a place for the model's reasoning")
	case r == nil || r.Stream == nil || r.Stream.Reasoning == "":
		c.bad(path, "first_reasoning needs target.response.stream.reasoning: where the model's reasoning is")
	}
}

func (c *checker) stages(path string, o *Objective) {
	var names []string
	for _, st := range c.Load.Stages {
		names = append(names, st.Name)
	}
	for i, name := range o.Stages {
		k := slices.Index(names, name)
		switch {
		case k < 0:
			c.bad(item(path+".stages", i, ""), "there is no stage %q%s", short(name), didYouMean(name, names))
		case !*c.Load.Stages[k].Judged:
			c.bad(item(path+".stages", i, ""), "the stage %s is not judged", name)
		}
	}
	if o.Stages != nil && len(o.Stages) == 0 {
		c.bad(path+".stages", "is an empty list: name stages, or remove it for every judged one")
	}
}
