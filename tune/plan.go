// Package tune compares variants of a scenario side by side: it says which runs
// to make in which order, takes what they measured, and gives effects with
// intervals. It runs nothing itself and is pure but for the order drawn from a
// seed.
package tune

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

// The bounds of an experiment.
const (
	MaxVariants = 16
	MaxRounds   = 100
	leastRounds = 10
)

// confidence that all intervals of an experiment hold together.
const confidence = 0.95

// Vary is one KEY=a,b,c: the first value is the baseline's.
type Vary struct {
	Key    string
	Values []string
}

// ParseVary reads KEY=a,b,c. A comma inside of brackets, braces or quotes parts nothing.
func ParseVary(text string) (Vary, error) {
	key, rest, ok := strings.Cut(text, "=")
	if key = strings.TrimSpace(key); !ok || key == "" {
		return Vary{}, reason.Err(reason.New(reason.VaryForm, text))
	}
	v := Vary{Key: key}
	seen := map[string]bool{}
	for _, value := range splitValues(rest) {
		value = strings.TrimSpace(value)
		if value == "" {
			return Vary{}, reason.Err(reason.New(reason.VaryEmpty, key))
		}
		if seen[value] {
			return Vary{}, reason.Err(reason.New(reason.VaryTwice, key, value))
		}
		seen[value] = true
		v.Values = append(v.Values, value)
	}
	if len(v.Values) < 2 {
		return Vary{}, reason.Err(reason.New(reason.VaryOne, key))
	}
	return v, nil
}

func splitValues(text string) (out []string) {
	depth, from := 0, 0
	quote := rune(0)
	for i, r := range text {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '"' || r == '\'':
			quote = r
		case r == '{' || r == '[':
			depth++
		case r == '}' || r == ']':
			depth--
		case r == ',' && depth <= 0:
			out = append(out, text[from:i])
			from = i + 1
		}
	}
	return append(out, text[from:])
}

// Setting is one key of a variant and its value, as they were asked for.
type Setting struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Variant is one combination of values.
type Variant []Setting

// Name is how tables call the variant.
func (v Variant) Name() string {
	parts := make([]string, len(v))
	for i, s := range v {
		parts[i] = s.Key + "=" + s.Value
		if len(v) == 1 {
			parts[i] = s.Value
		}
	}
	return strings.Join(parts, " ")
}

// Value is what the variant sets key to, "" when it does not.
func (v Variant) Value(key string) string {
	for _, s := range v {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// Matrix gives every combination, the first values first.
func Matrix(vary []Vary) ([]Variant, error) {
	if len(vary) == 0 {
		return nil, errors.New("nothing is varied")
	}
	out := []Variant{nil}
	keys := map[string]bool{}
	for _, v := range vary {
		if keys[v.Key] {
			return nil, reason.Err(reason.New(reason.VaryTwice, v.Key, v.Key))
		}
		keys[v.Key] = true
		var next []Variant
		for _, before := range out {
			for _, value := range v.Values {
				next = append(next, append(slices.Clip(before), Setting{v.Key, value}))
			}
		}
		if out = next; len(out) > MaxVariants {
			return nil, reason.Err(reason.New(reason.VaryTooMany, MaxVariants))
		}
	}
	return out, nil
}

// Arm is one thing that is run: a variant, or the baseline once more.
type Arm struct {
	Variant Variant
	Control bool // the baseline once more, which shows what chance alone does
}

// Plan is an experiment: every round runs every arm once, in an order drawn anew,
// with the same arrivals.
type Plan struct {
	Arms   []Arm // the baseline first, its control last
	Rounds int
	Seed   uint64
	// Stepwise: a variant is compared with the one before it, not with the baseline.
	Stepwise bool
	held     bool // variants differ in how conversations are held
}

// against is the arm that another is compared with; the baseline with none, -1.
func (p *Plan) against(arm int) int {
	switch {
	case arm == 0:
		return -1
	case p.Stepwise && !p.Arms[arm].Control:
		return arm - 1
	}
	return 0
}

// Step is one run of a plan.
type Step struct {
	Round, Arm int
	Seed       uint64 // of the arrivals, the same in all of the round
}

// spareRounds are made beside those that can show a difference: with not one to spare, a
// single run that measured nothing would leave its variant without any bounds.
const spareRounds = 1

// NewPlan plans an experiment; rounds 0 are as many as can show a difference, and one.
// held tells whether variants differ in how conversations are held, for which more is
// compared.
func NewPlan(variants []Variant, rounds int, seed uint64, held bool) (*Plan, error) {
	if len(variants) < 2 {
		return nil, errors.New("there is nothing to compare with")
	}
	p := &Plan{Rounds: rounds, Seed: seed, held: held}
	for _, v := range variants {
		p.Arms = append(p.Arms, Arm{Variant: v})
	}
	p.Arms = append(p.Arms, Arm{Variant: variants[0], Control: true})
	if rounds == 0 {
		p.Rounds = max(leastRounds, roundsFor(p.comparisons(len(variants)))+spareRounds)
	}
	if p.Rounds < 1 || p.Rounds > MaxRounds {
		return nil, reason.Errorf("%d rounds: from 1 to %d", p.Rounds, MaxRounds)
	}
	return p, nil
}

// comparisons are the most that so many variants come to: each but the baseline, and its
// control, in every metric.
func (p *Plan) comparisons(variants int) int {
	metrics := 0
	for _, m := range Metrics() {
		if !m.Held || p.held {
			metrics++
		}
	}
	return metrics * variants
}

// shared is the confidence of one interval where so many shall hold together (Bonferroni).
func shared(comparisons int) float64 {
	return 1 - (1-confidence)/float64(max(1, comparisons))
}

// roundsFor is how many rounds can show a difference in one of so many comparisons.
func roundsFor(comparisons int) int { return sla.LeastPairs(shared(comparisons)) }

// Warnings are what is to be known before the first run: that the rounds planned can
// show no difference, how many would, and how few variants they would do for.
func (p *Plan) Warnings() reason.Reasons {
	variants := len(p.Arms) - 1
	n := p.comparisons(variants)
	least := roundsFor(n)
	if p.Rounds >= least {
		return nil
	}
	out := reason.Reasons{reason.New(reason.PlanTooFewRounds, p.Rounds, n, least)}
	for fewer := variants - 1; fewer >= 2; fewer-- {
		if p.Rounds >= roundsFor(p.comparisons(fewer)) {
			return append(out, reason.New(reason.PlanFewerVariants, p.Rounds, fewer))
		}
	}
	return out
}

// Steps are all runs in order.
func (p *Plan) Steps() []Step {
	rng := rand.New(rand.NewPCG(p.Seed, 0x74756e65))
	var out []Step
	for round := range p.Rounds {
		seed := rng.Uint64() >> 11 // fits a number of JSON
		for _, arm := range rng.Perm(len(p.Arms)) {
			out = append(out, Step{Round: round, Arm: arm, Seed: seed})
		}
	}
	return out
}
