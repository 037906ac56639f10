package reason

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// Every code is there once, in both languages, and both say all its arguments.
func TestEveryCodeHasItsTexts(t *testing.T) {
	kinds := []kind{kindText, kindQuoted, kindWord, kindDuration, kindShift, kindShare, kindQuantile, kindCount, kindFigure, kindRate, kindSize, kindReasons}
	code := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	seen := map[Code]bool{}
	for _, r := range table() {
		if seen[r.code] || !code.MatchString(string(r.code)) {
			t.Errorf("%s is there twice, or no name", r.code)
		}
		seen[r.code] = true
		var en, zh []string
		for _, h := range hole.FindAllStringSubmatch(r.en, -1) {
			en = append(en, h[1])
			if !slices.Contains(kinds, kind(h[2])) {
				t.Errorf("%s: %s is of no kind", r.code, h[0])
			}
		}
		for _, h := range hole.FindAllStringSubmatch(r.zh, -1) {
			zh = append(zh, h[1])
			if h[2] != "" {
				t.Errorf("%s: kinds are the English text's to tell: %s", r.code, h[0])
			}
		}
		if again := slices.Sorted(slices.Values(en)); len(slices.Compact(again)) != len(en) {
			t.Errorf("%s says an argument twice", r.code)
		}
		slices.Sort(en)
		slices.Sort(zh)
		if !slices.Equal(en, slices.Compact(zh)) {
			t.Errorf("%s: English has %v, Chinese %v", r.code, en, zh)
		}
		if passesOn := r.code == AsSaid || r.code == ObjectiveSays || r.code == Differs; !passesOn && !han(r.zh) {
			t.Errorf("%s has no Chinese: %q", r.code, r.zh)
		}
	}
	if len(seen) != len(rows()) || len(seen) < 80 {
		t.Errorf("%d codes, %d rows", len(seen), len(rows()))
	}
}
