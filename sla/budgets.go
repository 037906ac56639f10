package sla

import (
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// The budgets kept beside those of the objectives, over all stages unless said
// otherwise. Their names cannot be an objective's.
const (
	answeredBudget = ".answered" // answered, whenever
	judgedBudget   = ".judged"   // answered, in judged stages
	goodputBudget  = ".goodput"  // answered within the tightest quantile's limit
	qualityBudget  = ".quality"  // answered by the model
	toldBudget     = ".told"     // good answers that say whether they are degraded
	lagBudget      = ".lag"      // sent by the generator in time
)

// sent is every turn that was sent, whatever came of it.
const sent = measure.OutcomeSet(1<<(measure.Censored+1) - 1)

// asked are the turns that were to be answered.
const asked = sent &^ measure.ToRefuse

// Budgets compiles objectives to the exact counters a Recorder keeps, and adds
// those that storms and the generator's judgement of itself need. An objective
// judged by counting turns has a budget of its own name.
func Budgets(objectives []scenario.Objective, stages []measure.Stage, sla scenario.SLA) []measure.Budget {
	valid := asked | measure.SetOf(measure.DroppedTarget)
	if sla.RateLimited.Policy == scenario.PolicyExclude {
		valid &^= measure.SetOf(measure.RateLimited)
	}
	var judged, all uint64
	for i, s := range stages {
		all |= 1 << i
		if s.Judged {
			judged |= 1 << i
		}
	}
	var list []measure.Budget
	for _, o := range objectives {
		b := measure.Budget{Name: o.Name, Stages: judged, Valid: valid, Good: measure.Answered}
		if len(o.Stages) > 0 {
			b.Stages = stageMask(stages, o.Stages)
		}
		b.TierAtMost, _ = measure.ParseTier(string(o.TierAtMost)) // none is any
		b.Together = fallTogether(o.Kind)
		b.Group = slices.Index(sla.Groups, o.Group) + 1 // none is everybody
		if o.Kind.CountsTurns() {
			compile(&b, o)
			list = append(list, b)
		}
	}
	tight := tightest(objectives)
	return append(list,
		measure.Budget{Name: answeredBudget, Stages: all, Valid: valid, Good: measure.Answered},
		measure.Budget{Name: judgedBudget, Stages: judged, Valid: valid, Good: measure.Answered},
		measure.Budget{Name: goodputBudget, Stages: all, Valid: valid, Good: measure.Answered, Limit: tight.limit},
		measure.Budget{Name: qualityBudget, Stages: all, Valid: valid, Good: measure.SetOf(measure.OK)},
		measure.Budget{Name: toldBudget, Stages: all, Valid: measure.SetOf(measure.OK, measure.Unexpected), Good: measure.Answered, Told: true},
		measure.Budget{Name: lagBudget, Stages: all, Valid: sent, Good: sent, Of: measure.Lag, Limit: lagLimit(objectives)},
	)
}

// compile sets what the kind of an objective that counts turns asks of its budget.
func compile(b *measure.Budget, o scenario.Objective) {
	switch o.Kind {
	case scenario.KindLatency:
		b.Limit = o.Limit.D()
	case scenario.KindAvailability, scenario.KindSeconds:
	case scenario.KindFullQuality:
		b.Good = measure.SetOf(measure.OK)
	case scenario.KindExpected:
		b.Valid, b.Good, b.Checked = measure.SetOf(measure.OK, measure.Unexpected), measure.SetOf(measure.OK), true
	case scenario.KindContext:
		b.Valid, b.Good, b.Verified = asked, asked&^measure.SetOf(measure.ContextLost), true
		b.TierAtMost = measure.TierUnknown
	case scenario.KindFirstToken:
		b.Of, b.Limit = measure.FirstToken, o.Limit.D()
	case scenario.KindFirstReasoning:
		b.Of, b.Limit = measure.FirstReasoning, o.Limit.D()
	case scenario.KindChunkGap:
		b.Of, b.Limit, b.Valid = measure.ChunkGap, o.Limit.D(), asked
	case scenario.KindIntegrity, scenario.KindPlanted, scenario.KindRefused, scenario.KindRecoveryLatency, scenario.KindRecoveryQuality,
		scenario.KindCallsPerTurn, scenario.KindConversations, scenario.KindAbandoned, scenario.KindObserved, scenario.KindClient:
	}
}

func stageMask(stages []measure.Stage, names []string) (mask uint64) {
	for i, s := range stages {
		for _, name := range names {
			if s.Name == name {
				mask |= 1 << i
			}
		}
	}
	return mask
}

// Shares are what became of the turns of a second that are judged.
type Shares struct{ Valid, Answered, Goodput, FullQuality int64 }

// SharesOf reads them from the budgets that are kept in every run; zero where they
// were not.
func SharesOf(p *measure.Plan, s *measure.Second) (out Shares) {
	for i, b := range p.Budgets {
		if i >= len(s.Budgets) {
			break
		}
		n := int64(s.Budgets[i].N)
		good := n - int64(s.Budgets[i].Bad)
		switch b.Name {
		case answeredBudget:
			out.Valid, out.Answered = n, good
		case goodputBudget:
			out.Goodput = good
		case qualityBudget:
			out.FullQuality = good
		}
	}
	return out
}

// tail is the latency objective that says most about the tail.
type tail struct {
	limit  time.Duration
	target float64
}

// tightest gives the latency objective with the highest share, and of equals
// the shortest limit. Without one: any time will do for 95 %.
func tightest(objectives []scenario.Objective) tail {
	t := tail{target: goodShare}
	found := false
	for _, o := range objectives {
		if o.Kind != scenario.KindLatency {
			continue
		}
		target, limit := float64(o.Target), o.Limit.D()
		if !found || target > t.target || target == t.target && limit < t.limit {
			t, found = tail{limit, target}, true
		}
	}
	return t
}

// Patience is how long an answer may take before the wait for it is held against
// the seconds it lasts: the limit on the tail, or 10 s where nobody has said what
// is too long.
func Patience(objectives []scenario.Objective) time.Duration {
	if t := tightest(objectives); t.limit > 0 && t.target >= goodShare {
		return t.limit
	}
	return 10 * time.Second
}

// lagLimit is how late the generator may be: 10 ms, or 2 % of the tightest
// latency budget where that is more.
func lagLimit(objectives []scenario.Objective) time.Duration {
	var shortest time.Duration
	for _, o := range objectives {
		if o.Kind == scenario.KindLatency && (shortest == 0 || o.Limit.D() < shortest) {
			shortest = o.Limit.D()
		}
	}
	return max(10*time.Millisecond, shortest/50)
}
