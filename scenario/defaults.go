package scenario

import (
	"time"

	"github.com/cstest/cstest/unit"
)

// CannedLines are the patterns of what servers say instead of an answer, where a
// scenario has none of its own; the first two are the article's.
func CannedLines() []string {
	return []string{`系统繁忙[,\x{FF0C}]?请稍后再试`, `客服繁忙`, `(?i)^sorry, (i am|we are) (busy|unavailable)`}
}

// fill puts in every default. It changes only what the file did not write, and
// is idempotent.
func (s *Scenario) fill() {
	if !s.source.wrote("seed") && s.Seed == 0 {
		s.Seed = 1
	}
	s.fillTarget()
	s.fillLoad()
	s.fillConversations()
	for name, d := range s.Data {
		if d.Pick == "" {
			d.Pick = PickSequential
			s.Data[name] = d
		}
	}
	if s.Checks.Memory == "" {
		s.Checks.Memory = Off
		if s.Target.Bundled != nil {
			s.Checks.Memory = On
		}
	}
	if s.Checks.Canned == nil {
		s.Checks.Canned = CannedLines()
	}
	s.fillLLM()
	s.fillSLA()
	s.fillVariants()
}

func (s *Scenario) fillTarget() {
	s.Target.fill()
	if o := s.Target.OpenAI; o != nil && !s.source.wrote("target.openai.max_calls") {
		or(&o.MaxCalls, 8)
	}
	s.fillAgents()
}

func (t *Target) fill() {
	if b := t.Bundled; b != nil {
		or(&b.Profile, Hardened)
		or(&b.Redis, "embedded")
		or(&b.Processes, 1)
	}
	or(&t.API, APIReference)
	or(&t.HTTP, HTTP1)
	or(&t.Mode, ModeSync)
	if t.HTTP == HTTP1 {
		or(&t.Connections, PerUser)
	}
	or(&t.Connections, Shared)
	if t.Connections == Shared {
		or(&t.Pool, 64)
	}
	or(&t.Addresses, RotateAddresses)
	or(&t.Sources, SourcesAuto)
	or(&t.Timeout, unit.Duration(3*time.Second))
	or(&t.Limits.Headers, 64<<10)
	or(&t.Limits.Line, 256<<10)
	or(&t.Limits.Body, 1<<20)
	or(&t.Limits.Ratio, 100)
	or(&t.Limits.Stall, unit.Duration(10*time.Second))
	if t.Auth != nil && t.Auth.JWT != nil {
		or(&t.Auth.JWT.Sub, "${user.id}")
		or(&t.Auth.JWT.TTL, unit.Duration(2*time.Hour))
	}
	if l := t.Login; l != nil {
		if len(l.Steps) == 0 {
			or(&l.Method, MethodPost)
		}
		fillSteps(l.Steps)
	}
	if t.Mode == ModeWebSocket && t.Socket == nil {
		t.Socket = &Socket{}
	}
	if t.Socket != nil {
		if t.API == APIReference {
			t.Socket.fillReference()
		}
		t.Socket.fill()
	}
	if r := t.Request; r != nil {
		if t.Mode != ModeWebSocket {
			or(&r.Method, MethodPost)
		} else if t.Socket.Protocol == SocketIO {
			or(&r.Event, "message")
		}
	}
	fillSteps(t.Before)
	fillSteps(t.Then)
	if o := t.OpenAI; o != nil {
		or(&o.Form, FormChat)
		if o.Form == FormResponses {
			or(&o.History, HistoryServer)
		}
	}
	if t.Prices != nil {
		or(&t.Prices.Currency, "USD")
	}
}

func fillSteps(steps []Step) {
	for i := range steps {
		s := &steps[i]
		if s.Path == "" {
			continue // a message, or wrong
		}
		if len(s.Body) > 0 {
			or(&s.Method, MethodPost)
		}
		or(&s.Method, MethodGet)
		if p := s.Poll; p != nil {
			or(&p.Every, unit.Duration(100*time.Millisecond))
			or(&p.Backoff, 1)
			or(&p.AtMost, unit.Duration(5*time.Second))
		}
	}
}

func (s *Scenario) fillAgents() {
	t := &s.Target
	if t.Agents == nil {
		if t.Mode != ModeAgents {
			return
		}
		t.Agents = &Agents{}
	}
	a := t.Agents
	if !s.source.wrote("target.agents.sockets") {
		or(&a.Sockets, 4)
	}
	or(&a.Path, "/v1/agent/ws")
	if a.Queues == nil {
		a.Queues = []string{AllQueues}
	}
	if !s.source.wrote("target.agents.reply") {
		or(&a.Reply, "您好,已为您处理。")
	}
}

func (s *Scenario) fillLLM() {
	if s.LLM == nil {
		if s.Target.Bundled == nil {
			return
		}
		s.LLM = &LLM{}
	}
	l := s.LLM
	if l.Latency == nil && !s.source.wrote("llm.latency") {
		l.Latency = &Latency{Median: unit.Duration(110 * time.Millisecond), P99: unit.Duration(320 * time.Millisecond)}
	}
	if l.EchoContext == nil {
		echo := s.Checks.Memory == On
		l.EchoContext = &echo
	}
	for i := range l.Faults {
		f := &l.Faults[i]
		if !s.source.wrote(item("llm.faults", i, "share")) && f.Share == 0 {
			f.Share = 1
		}
	}
}

func (s *Scenario) fillLoad() {
	l := &s.Load
	if l.Users > 0 && l.Conversations > 0 && !s.source.wrote("load.for") {
		or(&l.For, unit.Duration(timeForCount))
	}
	if len(l.Stages) == 0 && (l.Users > 0 || l.For > 0) {
		l.Stages = []Stage{{Name: "load", For: l.For, Users: &CountRamp{From: l.Users, To: l.Users}}}
		s.source.move("load.for", "load.stages[0].for")
		s.source.move("load.users", "load.stages[0].users")
		l.Users, l.For = 0, 0
	}
	if l.Open() {
		or(&l.Arrivals, ArrivalsPoisson)
		if l.Arrivals == ArrivalsGamma && !s.source.wrote("load.shape") {
			or(&l.Shape, 0.5)
		}
	}
	if l.Think == nil {
		l.Think = &Think{Median: unit.Duration(2 * time.Second), P95: unit.Duration(6 * time.Second)}
	}
	if !s.source.wrote("load.drain") {
		or(&l.Drain, unit.Duration(30*time.Second))
	}
	or(&l.MaxInFlight, 20_000)
	for i := range l.Stages {
		if l.Stages[i].Judged == nil {
			judged := true
			l.Stages[i].Judged = &judged
		}
	}
}

// timeForCount is how long users at most go on where a number of conversations is
// asked for, and no time.
const timeForCount = 10 * time.Minute

// move tells that a written field now stands under another name.
func (s *source) move(from, to string) {
	if at, ok := s.at[from]; ok {
		delete(s.at, from)
		s.at[to] = at
		s.at["load.stages"], s.at["load.stages[0]"] = at, at
	}
}

func (s *Scenario) fillConversations() {
	for i := range s.Conversations {
		c := &s.Conversations[i]
		if !s.source.wrote(item("conversations", i, "weight")) {
			or(&c.Weight, 1)
		}
		or(&c.OnError, OnErrorContinue)
		if c.Think == nil {
			c.Think = s.Load.Think
		}
		for k := range c.Turns {
			if t := &c.Turns[k]; k > 0 && t.Think == nil {
				t.Think = c.Think
			}
		}
	}
}

func (s *Scenario) fillSLA() {
	if r := &s.SLA.RateLimited; r.Policy == "" {
		r.Policy = PolicyBad
		if r.Contract > 0 {
			r.Policy = PolicyContract
		}
	}
	or(&s.SLA.Confidence, 0.95)
	or(&s.SLA.Gate, GateInference)
}

// or sets *v to value where it holds nothing.
func or[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}
