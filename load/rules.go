package load

import (
	"bytes"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Rules are what Classify needs of a scenario, compiled. Read-only and safe for
// concurrent use.
type Rules struct {
	// saysDegraded: the target's answers tell themselves whether they are degraded.
	saysDegraded bool
	excludeAll   bool // every 429 is excluded
	excludeOver  bool // those beyond the contract are
	canned       []pattern
	standIns     bool     // lines of the usual kinds are canned: the scenario has no patterns of its own
	finishes     []string // beside those that are an end
	planted      planted
	groups       []string // of users, that are told apart
}

// NewRules compiles the checks of sc.
func NewRules(sc *scenario.Scenario) (Rules, error) {
	r := Rules{
		saysDegraded: sc.Target.Bundled != nil || sc.Target.API == scenario.APIReference,
		excludeAll:   sc.SLA.RateLimited.Policy == scenario.PolicyExclude,
		excludeOver:  sc.SLA.RateLimited.Contract > 0,
		standIns:     slices.Equal(sc.Checks.Canned, scenario.CannedLines()),
		finishes:     sc.Checks.Finish,
		groups:       sc.SLA.Groups,
	}
	if sc.Target.API == scenario.APIArticle {
		r.saysDegraded = false
	}
	if sc.Target.Response != nil && sc.Target.Response.Degraded != "" {
		r.saysDegraded = true
	}
	for i, pattern := range sc.Checks.Canned {
		re, err := regexp.Compile(pattern)
		if err != nil {
			return Rules{}, fmt.Errorf("checks.canned[%d]: %w", i, err)
		}
		r.canned = append(r.canned, newPattern(re))
	}
	for _, entry := range sc.Checks.Planted {
		r.plant(entry, sc)
	}
	if sc.LLM != nil {
		for _, f := range sc.LLM.Faults {
			if f.Kind == "leak" && f.Value != "" {
				r.planted.add(f.Value)
			}
		}
	}
	r.planted.seal()
	return r, nil
}

// pattern is an expression with what every match of it begins with, which is
// looked at first: that costs a tenth.
type pattern struct {
	prefix []byte
	whole  bool         // the prefix is all of it
	first  *syntax.Inst // of an expression anchored at the start: its first character; may be nil
	re     *regexp.Regexp
}

func newPattern(re *regexp.Regexp) pattern {
	prefix, _ := re.LiteralPrefix() // says "whole" of ^text too, which it is not
	return pattern{
		prefix: []byte(prefix), whole: prefix != "" && prefix == re.String(),
		first: firstOf(re.String()), re: re,
	}
}

// firstOf finds the instruction that the first character of a text has to
// match; nil when there is no one such.
func firstOf(expr string) *syntax.Inst {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil || prog.StartCond()&syntax.EmptyBeginText == 0 {
		return nil
	}
	for pc := prog.Start; ; {
		inst := &prog.Inst[pc]
		switch inst.Op {
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			pc = int(inst.Out)
		case syntax.InstRune, syntax.InstRune1:
			return inst
		default:
			return nil
		}
	}
}

func (p *pattern) in(text []byte) bool {
	if p.first != nil {
		if r, _ := utf8.DecodeRune(text); !p.first.MatchRune(r) {
			return false
		}
	}
	if len(p.prefix) > 0 && !bytes.Contains(text, p.prefix) {
		return false
	}
	return p.whole || p.re.Match(text)
}

// plant adds the values of a column ("orders.phone"), else the entry itself.
func (r *Rules) plant(entry string, sc *scenario.Scenario) {
	table, column, _ := strings.Cut(entry, ".")
	data := sc.Data[table]
	at := slices.Index(data.Columns, column)
	if at < 0 {
		r.planted.add(entry)
		return
	}
	for _, row := range data.Table {
		if at < len(row) {
			r.planted.add(row[at])
		}
	}
}

// planted is a set of byte strings to be searched for all at once: windows of
// each length that occurs, looked up only where the first byte fits.
type planted struct {
	values  map[string]struct{}
	lengths []int
	first   [256]bool
}

func (p *planted) add(value string) {
	if value == "" {
		return
	}
	if p.values == nil {
		p.values = make(map[string]struct{})
	}
	p.values[value] = struct{}{}
	p.first[value[0]] = true
}

func (p *planted) seal() {
	for v := range p.values {
		if !slices.Contains(p.lengths, len(v)) {
			p.lengths = append(p.lengths, len(v))
		}
	}
	slices.Sort(p.lengths)
}

// in tells whether any of the values stands in answer, exactly.
func (p *planted) in(answer []byte) bool {
	if len(p.lengths) == 0 {
		return false
	}
	for i, b := range answer {
		if !p.first[b] {
			continue
		}
		for _, n := range p.lengths {
			if i+n > len(answer) {
				break
			}
			if _, found := p.values[string(answer[i:i+n])]; found {
				return true
			}
		}
	}
	return false
}

// groupOf is the place of a group among those that are told apart, plus one; 0 where
// it is none of them.
func (r *Rules) groupOf(word []byte) int {
	for i, name := range r.groups {
		if string(word) == name {
			return i + 1
		}
	}
	return 0
}

// tierOf gives the tier of a word; unmapped when it is none of ours.
func tierOf(word []byte) (tier measure.Tier, unmapped bool) {
	switch string(word) {
	case "":
		return measure.TierUnknown, false
	case "llm":
		return measure.TierLLM, false
	case "faq":
		return measure.TierFAQ, false
	case "handoff":
		return measure.TierHandoff, false
	case "static":
		return measure.TierStatic, false
	}
	return measure.TierUnknown, true
}
