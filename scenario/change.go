package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// derive gives a changed copy, filled in and checked as if it had been written
// so. The receiver stays as it is.
func (s *Scenario) derive(edit func(*Scenario)) (*Scenario, error) {
	n := *s
	n.source.at = maps.Clone(s.source.at)
	if n.source.at == nil {
		n.source.at = map[string]position{}
	}
	n.source.sets = slices.Clone(s.source.sets)
	n.Load.Stages = slices.Clone(s.Load.Stages)
	n.Conversations = slices.Clone(s.Conversations)
	n.Data = maps.Clone(s.Data)
	if s.LLM != nil {
		llm := *s.LLM
		llm.Faults = slices.Clone(llm.Faults)
		n.LLM = &llm
	}
	if s.Target.Bundled != nil {
		b := *s.Target.Bundled
		b.Knobs = maps.Clone(b.Knobs)
		n.Target.Bundled = &b
	}
	edit(&n)
	return n.finish()
}

// replaced notes that a flag wrote a field, for problems to point at.
func (s *source) replaced(path, value string) {
	s.sets = append(s.sets, path+"="+value)
	s.at[path] = position{line: -len(s.sets)}
}

// forget makes a field and what is in it unwritten.
func (s *source) forget(path string) {
	for at := range s.at {
		if at == path || strings.HasPrefix(at, path+".") || strings.HasPrefix(at, path+"[") {
			delete(s.at, at)
		}
	}
}

// replaceTarget puts one's own server at url in the place of the target.
func (s *Scenario) replaceTarget(url string) {
	s.Target.Bundled, s.Target.URL = nil, url
	s.source.forget("target.bundled")
	s.source.replaced("target.url", url)
}

// Only gives the scenario with every weight but that of the conversation of that
// name taken away.
func (s *Scenario) Only(conversation string) (*Scenario, error) {
	var names []string
	for _, c := range s.Conversations {
		names = append(names, c.Name)
	}
	if !slices.Contains(names, conversation) {
		return nil, reason.Errorf("there is no conversation %q%s; there are %s", short(conversation), didYouMean(conversation, names), strings.Join(names, ", "))
	}
	return s.derive(func(n *Scenario) {
		for i := range n.Conversations {
			n.Conversations[i].Weight = 0
			if n.Conversations[i].Name == conversation {
				n.Conversations[i].Weight = 1
			}
		}
	})
}

// Scale gives the scenario with its load multiplied: starts or users, the cap
// on turns in flight, the guard, and the limits that a contract or a knob sets
// (rate_limited.contract, limit.global). factor is above 0; 0.1 is a tenth.
func (s *Scenario) Scale(factor float64) (*Scenario, error) {
	if !(factor > 0) || factor > 1e6 {
		return nil, reason.Errorf("scale: write a share above 0%%, for example 10%%")
	}
	scaled, err := s.derive(func(n *Scenario) {
		for i := range n.Load.Stages {
			st := &n.Load.Stages[i]
			if r := st.Starts; r != nil {
				st.Starts = &RateRamp{From: scaleRate(r.From, factor), To: scaleRate(r.To, factor)}
			}
			if u := st.Users; u != nil {
				st.Users = &CountRamp{From: scaleCount(u.From, factor), To: scaleCount(u.To, factor)}
			}
		}
		if count := &n.Load.Conversations; *count > 0 { // no more than the scaled stages start
			*count = max(1, unit.Count(float64(*count)*factor+1e-6))
		}
		n.Load.MaxInFlight = min(scaleCount(n.Load.MaxInFlight, factor), 1_000_000)
		n.Guard.MaxTurns = scaleRate(n.Guard.MaxTurns, factor)
		n.SLA.RateLimited.Contract = scaleRate(n.SLA.RateLimited.Contract, factor)
		if b := n.Target.Bundled; b != nil {
			if r, err := unit.ParseRate(b.Knobs["limit.global"]); err == nil {
				b.Knobs["limit.global"] = scaleRate(r, factor).String()
			}
			if k, err := unit.ParseCount(b.Knobs["limit.global_burst"]); err == nil {
				b.Knobs["limit.global_burst"] = scaleCount(k, factor).String()
			}
		}
	})
	if err != nil {
		return nil, reason.Errorf("scale by %g: %w", factor, err)
	}
	return scaled, nil
}

func scaleRate(r unit.Rate, factor float64) unit.Rate {
	r = unit.Rate(float64(r) * factor)
	canonical(&r)
	return r
}

// scaleCount keeps at least one of what there was.
func scaleCount(n unit.Count, factor float64) unit.Count {
	if n == 0 {
		return 0
	}
	return max(1, unit.Count(math.Round(float64(n)*factor)))
}

// ReplaceUsers gives the scenario with users in a closed loop, in place of the
// load of its only stage.
func (s *Scenario) ReplaceUsers(users unit.Count) (*Scenario, error) {
	if users < 1 {
		return nil, reason.Errorf("--users: must be 1 or more")
	}
	if err := s.oneStage("--users", "users", users.String()); err != nil {
		return nil, err
	}
	return s.derive(func(n *Scenario) {
		n.Load.Stages[0].Starts, n.Load.Stages[0].Users = nil, &CountRamp{From: users, To: users}
		n.source.forget("load.stages[0].starts")
		n.Load.Arrivals, n.Load.Shape = "", 0
		n.source.forget("load.arrivals")
		n.source.forget("load.shape")
		n.source.replaced("load.stages[0].users", users.String())
	})
}

// ReplaceRate gives the scenario with starts at a rate, in place of the load of
// its only stage.
func (s *Scenario) ReplaceRate(rate unit.Rate) (*Scenario, error) {
	if rate <= 0 {
		return nil, reason.Errorf("--rate: must be above 0/s")
	}
	if err := s.oneStage("--rate", "starts", rate.String()); err != nil {
		return nil, err
	}
	return s.derive(func(n *Scenario) {
		canonical(&rate)
		n.Load.Stages[0].Users, n.Load.Stages[0].Starts = nil, &RateRamp{From: rate, To: rate}
		n.source.forget("load.stages[0].users")
		n.source.forget("load.pacing")
		n.Load.Pacing = 0
		n.source.replaced("load.stages[0].starts", rate.String())
	})
}

// ReplaceDuration gives the scenario with its only stage as long as d.
func (s *Scenario) ReplaceDuration(d unit.Duration) (*Scenario, error) {
	if d <= 0 {
		return nil, reason.Errorf("--duration: must be above 0s")
	}
	if err := s.oneStage("--duration", "for", d.String()); err != nil {
		return nil, err
	}
	return s.derive(func(n *Scenario) {
		n.Load.Stages[0].For = d
		n.source.replaced("load.stages[0].for", d.String())
	})
}

// ReplaceConversations gives the scenario with exactly so many conversations.
// Where it has one stage, whose length nobody else chose, that becomes long enough
// for them: at its rate, or for users, whose pace is not known, ten minutes.
func (s *Scenario) ReplaceConversations(count unit.Count, lengthChosen bool) (*Scenario, error) {
	if count < 1 {
		return nil, reason.Errorf("--conversations: must be 1 or more")
	}
	return s.derive(func(n *Scenario) {
		n.Load.Conversations = count
		n.source.replaced("load.conversations", count.String())
		if len(n.Load.Stages) != 1 || lengthChosen {
			return
		}
		st := &n.Load.Stages[0]
		needed := unit.Duration(timeForCount)
		if r := st.Starts; r != nil {
			needed = st.For
			if starts := st.ExpectedStarts(); starts > 0 && starts < float64(count) {
				needed = unit.Duration(math.Ceil(st.For.D().Seconds()*float64(count)/starts*1000)) * unit.Duration(time.Millisecond)
			}
		}
		st.For = max(st.For, needed)
	})
}

// oneStage refuses loads of several stages: which of them a flag means is not
// for cstest to guess. It names the overrides that would do it: for the highest
// stage, or for all at once where starts would become users or users starts.
func (s *Scenario) oneStage(flag, field, value string) error {
	if len(s.Load.Stages) == 1 {
		return nil
	}
	peak := slices.MaxFunc(s.Load.Stages, func(a, b Stage) int { return cmp.Compare(height(a), height(b)) })
	sets := fmt.Sprintf("--set 'load.stages[%s].%s=%s'", peak.Name, field, value)
	if (field == "users" && s.Load.Open()) || (field == "starts" && !s.Load.Open()) {
		sets = fmt.Sprintf("--set 'load.stages=[{name: load, for: %s, %s: %s}]'", unit.Duration(s.TotalDuration()), field, value)
		for _, left := range []string{"load.arrivals", "load.pacing"} {
			if s.source.wrote(left) {
				sets += " --set " + left + "=null"
			}
		}
	}
	return reason.Errorf("%s replaces a load of one stage, and %s has %d: say which, for example %s", flag, s.Name, len(s.Load.Stages), sets)
}

// height is the load a stage ends with, longer stages above shorter ones.
func height(st Stage) float64 {
	h := st.For.D().Seconds() * 1e-9
	if st.Starts != nil {
		return h + float64(max(st.Starts.From, st.Starts.To))
	}
	return h + float64(max(st.Users.From, st.Users.To))
}
