package answer

import (
	"regexp"
	"regexp/syntax"
)

// patterns are alternatives, each with what a text must contain to match it, so
// that most are ruled out without being run: a message costs microseconds where
// one expression of all would cost half a millisecond.
type patterns []pattern

// pattern needs one character of each of its sets.
type pattern struct {
	id    int // in the index
	needs [][]rune
	re    *regexp.Regexp
}

// compile splits an expression into its alternatives.
func compile(expr string) (patterns, error) {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil, err
	}
	alternatives := []*syntax.Regexp{parsed}
	if parsed.Op == syntax.OpAlternate {
		alternatives = parsed.Sub
	}
	var ps patterns
	for _, a := range alternatives {
		re, err := regexp.Compile(a.String())
		if err != nil {
			return nil, err
		}
		ps = append(ps, pattern{needs: needs(a), re: re})
	}
	return ps, nil
}

// needs lists sets of characters of which every match has one each.
func needs(re *syntax.Regexp) [][]rune {
	switch re.Op {
	case syntax.OpLiteral:
		var sets [][]rune
		for _, r := range re.Rune {
			sets = append(sets, []rune{r})
		}
		return sets
	case syntax.OpCapture, syntax.OpPlus:
		return needs(re.Sub[0])
	case syntax.OpConcat:
		var sets [][]rune
		for _, sub := range re.Sub {
			sets = append(sets, needs(sub)...)
		}
		return sets
	case syntax.OpCharClass, syntax.OpAlternate:
		if one := oneOf(re); one != nil {
			return [][]rune{one}
		}
	}
	return nil
}

// oneOf lists characters of which every match has one; nil when there is no such
// list, or a long one.
func oneOf(re *syntax.Regexp) []rune {
	const long = 64
	var all []rune
	switch re.Op {
	case syntax.OpCharClass:
		for i := 0; i < len(re.Rune); i += 2 {
			for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
				if all = append(all, r); len(all) > long {
					return nil
				}
			}
		}
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			sets := needs(sub)
			if len(sets) == 0 {
				return nil
			}
			all = append(all, sets[0]...)
		}
	}
	return all
}

// match says whether one of the patterns is in text.
func (ps patterns) match(text string, c *candidates) bool {
	for i := range ps {
		if c.has(&ps[i]) && ps[i].re.MatchString(text) {
			return true
		}
	}
	return false
}

// remove takes what the patterns match out of text.
func (ps patterns) remove(text string, c *candidates) string {
	for i := range ps {
		if c.has(&ps[i]) {
			text = ps[i].re.ReplaceAllString(text, " ")
		}
	}
	return text
}
