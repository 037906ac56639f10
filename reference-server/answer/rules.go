package answer

import (
	_ "embed"
	"fmt"
	"strings"
)

//go:embed rules.txt
var rulesText string

// rule says that a message is about intent when words match, once harmless
// phrases are taken out, unless it asks what excuse describes. Who says what outright
// matches is heard, whatever was learned.
type rule struct {
	intent   Intent
	words    patterns
	outright patterns // 我要投诉
	harmless patterns // 爆炸盐 is a detergent
	excuse   patterns // asking how is not asking to
}

func (r *rule) matches(text string, c *candidates) bool {
	if !r.words.match(text, c) {
		return false
	}
	if rest := r.harmless.remove(text, c); rest != text && !r.words.match(rest, c) {
		return false
	}
	return !r.excuse.match(text, c)
}

// rules are tried in order.
type rules struct {
	list  []rule
	index *index
}

// newRules reads rules, keeps what is asked for of each, and indexes them.
func newRules(text string, asked func(rule) (rule, bool)) (*rules, error) {
	read, err := parseRules(text)
	if err != nil {
		return nil, err
	}
	var list []rule
	for _, r := range read {
		if r, ok := asked(r); ok {
			list = append(list, r)
		}
	}
	var all []*pattern
	for i := range list {
		for _, ps := range []patterns{list[i].words, list[i].harmless, list[i].excuse} {
			for j := range ps {
				all = append(all, &ps[j])
			}
		}
	}
	if len(all) > maxPatterns {
		return nil, fmt.Errorf("rules: %d patterns, at most %d", len(all), maxPatterns)
	}
	return &rules{list, newIndex(all)}, nil
}

// first is the intent of the first rule that matches a plain text, Info where none does.
func (rs *rules) first(text string) Intent {
	c := rs.index.of(text)
	for i := range rs.list {
		if r := &rs.list[i]; r.matches(text, c) {
			return r.intent
		}
	}
	return Info
}

// parseRules reads sections of patterns.
func parseRules(text string) ([]rule, error) {
	var rules []rule
	var into *patterns
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			var err error
			if rules, into, err = section(rules, name); err != nil {
				return nil, fmt.Errorf("rules: line %d: %w", i+1, err)
			}
			continue
		}
		if into == nil {
			return nil, fmt.Errorf("rules: line %d: a pattern before the first section", i+1)
		}
		ps, err := compile(line)
		if err != nil {
			return nil, fmt.Errorf("rules: line %d: %w", i+1, err)
		}
		*into = append(*into, ps...)
	}
	return rules, nil
}

// section finds where the patterns of a section go; the name of an intent alone
// begins a rule.
func section(rules []rule, name string) ([]rule, *patterns, error) {
	intentName, part, _ := strings.Cut(name, " ")
	intent, ok := intentNamed(intentName)
	if !ok {
		return nil, nil, fmt.Errorf("no intent %q", intentName)
	}
	if part == "" {
		rules = append(rules, rule{intent: intent})
		return rules, &rules[len(rules)-1].words, nil
	}
	if len(rules) == 0 || rules[len(rules)-1].intent != intent {
		return nil, nil, fmt.Errorf("%q is not behind its intent", name)
	}
	switch last := &rules[len(rules)-1]; part {
	case "outright":
		return rules, &last.outright, nil
	case "harmless":
		return rules, &last.harmless, nil
	case "excuse":
		return rules, &last.excuse, nil
	}
	return nil, nil, fmt.Errorf("no part %q", part)
}

func intentNamed(name string) (Intent, bool) {
	for i, n := range intentNames {
		if n == name {
			return Intent(i), true
		}
	}
	return 0, false
}
