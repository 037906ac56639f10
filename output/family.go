package output

import (
	"strings"

	"github.com/cstest/cstest/measure"
)

// Form is what kind of metric a Family is.
type Form uint8

// The forms.
const (
	Counter Form = iota
	Gauge
	Histogram
)

// Label is a dimension of a Sample.
type Label struct{ Name, Value string }

// Family is a metric by its name at Prometheus, which says its unit.
type Family struct {
	Name, Help string
	Form       Form
	Samples    []Sample
}

// Sample is one series of a Family: a Value, or of a Histogram a Distribution.
type Sample struct {
	Labels       []Label
	Value        float64
	Distribution *Distribution
}

// timingNames are those of the histograms, without cstest_ and _seconds.
var timingNames = [measure.Timings]struct{ name, help string }{
	measure.Response:       {"response", "Answered turns, from when they were to begin until their last byte."},
	measure.Service:        {"service", "Answered turns, from their first byte sent until their last byte."},
	measure.FirstToken:     {"first_token", "Streamed turns, from when they were to begin until the first content."},
	measure.FirstReasoning: {"first_reasoning", "Streamed turns, from when they were to begin until the model's first reasoning."},
	measure.ChunkGap:       {"chunk_gap", "Time between two contents of a stream."},
	measure.Connect:        {"connect", "New connections: DNS, connect and TLS."},
	measure.TokenTime:      {"token_time", "Streamed turns that tell their tokens: time for an output token."},
	measure.Lag:            {"generator_lag", "How late the generator itself was with a turn."},
}

// endNames are those of the ends of conversations.
var endNames = [measure.ConversationEnds]string{
	measure.Complete: "complete", measure.CompleteDegraded: "complete_degraded", measure.Broken: "broken", measure.Abandoned: "abandoned", measure.Left: "left",
}

// Families are all metrics of a run at the end of a second: whatever is told of
// metrics is told from here. A histogram of what did not happen yet is left out.
func (s *Second) Families(about *About) []Family {
	list := []Family{
		{"cstest_run_info", "The run; always 1.", Gauge, []Sample{{Labels: about.labels(), Value: 1}}},
		{"cstest_turns_total", "Turns that ended, by outcome.", Counter, outcomeSamples(s, measure.OK, measure.Censored)},
		{"cstest_starts_dropped_total", "Starts that never became a conversation, by outcome.", Counter, outcomeSamples(s, measure.DroppedTarget, measure.DroppedGenerator)},
		{"cstest_answers_total", "Answered turns, by the tier that served them.", Counter, tierSamples(s)},
		{"cstest_conversations_planned_total", "Starts of conversations that fell due.", Counter, one(float64(s.Planned))},
		{"cstest_conversations_started_total", "Conversations begun.", Counter, one(float64(s.Started))},
		{"cstest_conversations_ended_total", "Conversations that ended, by how.", Counter, endSamples(s)},
		{"cstest_conversations_in_flight", "Conversations under way, thinking ones too.", Gauge, one(float64(s.Conversations))},
		{"cstest_elapsed_seconds", "How far the load has come.", Gauge, one(s.Elapsed.Seconds())},
		{"cstest_stage", "The stage of the load that is under way; 1.", Gauge, []Sample{{Labels: []Label{{"stage", s.Stage}}, Value: 1}}},
	}
	if !s.Elsewhere {
		list = append(list,
			Family{"cstest_turns_in_flight", "Turns due and not over.", Gauge, one(float64(s.InFlight))},
			Family{"cstest_generator_cpu_cores", "Processors that the generator used in the last second.", Gauge, one(s.CPU)})
	}
	for t := range s.Distributions {
		if d := &s.Distributions[t]; d.Count > 0 {
			list = append(list, Family{"cstest_" + timingNames[t].name + "_seconds", timingNames[t].help, Histogram, []Sample{{Distribution: d}}})
		}
	}
	if len(s.Observed) > 0 {
		f := Family{"cstest_observed", "What `observe` of the scenario saw last, by name.", Gauge, nil}
		for _, o := range s.Observed {
			f.Samples = append(f.Samples, Sample{Labels: []Label{{"name", o.Name}}, Value: o.Value})
		}
		list = append(list, f)
	}
	return list
}

// FamiliesUntil are those and, where there is one, the verdict.
func (s *Second) FamiliesUntil(about *About, verdict string) []Family {
	list := s.Families(about)
	if verdict != "" {
		list = append(list, verdictFamily(verdict))
	}
	return list
}

// Names are those of all metrics that there may be.
func Names() []string {
	s := Second{Observed: []Observed{{}}}
	for t := range s.Distributions {
		s.Distributions[t].Count = 1
	}
	var names []string
	for _, f := range s.FamiliesUntil(&About{}, "pass") {
		names = append(names, f.Name)
	}
	return names
}

// verdictFamily is told once there is a verdict.
func verdictFamily(verdict string) Family {
	return Family{"cstest_verdict", "The verdict of the run, once there is one; 1.", Gauge, []Sample{{Labels: []Label{{"verdict", verdict}}, Value: 1}}}
}

func one(v float64) []Sample { return []Sample{{Value: v}} }

func outcomeSamples(s *Second, from, to measure.Outcome) (list []Sample) {
	for o := from; o <= to; o++ {
		list = append(list, Sample{Labels: []Label{{"outcome", o.String()}}, Value: float64(s.Outcomes[o])})
	}
	return list
}

func tierSamples(s *Second) (list []Sample) {
	for t, n := range s.Tiers {
		list = append(list, Sample{Labels: []Label{{"tier", measure.Tier(t).String()}}, Value: float64(n)})
	}
	return list
}

func endSamples(s *Second) (list []Sample) {
	for e, n := range s.Ended {
		list = append(list, Sample{Labels: []Label{{"end", endNames[e]}}, Value: float64(n)})
	}
	return list
}

// labelName makes a tag's name one that Prometheus takes.
func labelName(tag string) string {
	return "tag_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, tag)
}
