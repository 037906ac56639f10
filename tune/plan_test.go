package tune

import (
	"reflect"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
)

func TestParseVary(t *testing.T) {
	for text, want := range map[string][]string{
		"profile=article-0, hardened":                                 {"article-0", "hardened"},
		"llm.latency={median: 1ms, p99: 2ms},{median: 2ms, p99: 3ms}": {"{median: 1ms, p99: 2ms}", "{median: 2ms, p99: 3ms}"},
		`name="a,b",c`:  {`"a,b"`, "c"},
		"a=b=c,d":       {"b=c", "d"},
		"a=[1,[2,3]],]": {"[1,[2,3]]", "]"},
	} {
		v, err := ParseVary(text)
		if err != nil || !reflect.DeepEqual(v.Values, want) {
			t.Errorf("%s: %q, %v", text, v.Values, err)
		}
	}
	for text, want := range map[string]reason.Code{
		"profile": reason.VaryForm, "=a,b": reason.VaryForm, "k=a": reason.VaryOne, "k=": reason.VaryEmpty, "k=a,,b": reason.VaryEmpty, "k=a,b,a": reason.VaryTwice,
	} {
		_, err := ParseVary(text)
		if err == nil || reason.Of(err)[0].Code != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

func TestMatrix(t *testing.T) {
	variants, err := Matrix([]Vary{{"a", []string{"1", "2"}}, {"b", []string{"x", "y", "z"}}})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, v := range variants {
		names = append(names, v.Name())
	}
	if got := strings.Join(names, "|"); got != "a=1 b=x|a=1 b=y|a=1 b=z|a=2 b=x|a=2 b=y|a=2 b=z" {
		t.Error(got)
	}
	for _, bad := range [][]Vary{nil, {{"a", []string{"1", "2"}}, {"a", []string{"1", "2"}}}, {{"a", make([]string, 5)}, {"b", make([]string, 4)}}} {
		if _, err := Matrix(bad); err == nil {
			t.Errorf("%v makes a matrix", bad)
		}
	}
}

func plan(t *testing.T, variants, rounds int, seed uint64) *Plan {
	t.Helper()
	list := make([]Variant, variants)
	for i := range list {
		list[i] = Variant{{"k", string(rune('a' + i))}}
	}
	p, err := NewPlan(list, rounds, seed)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSteps(t *testing.T) {
	p := plan(t, 3, 100, 7)
	steps := p.Steps()
	if len(steps) != 400 || !reflect.DeepEqual(steps, p.Steps()) {
		t.Fatalf("%d steps, or another order the second time", len(steps))
	}
	if reflect.DeepEqual(steps, plan(t, 3, 100, 8).Steps()) {
		t.Error("another seed gives the same order")
	}
	seeds, first := map[uint64]bool{}, make([]int, 4)
	for round := range 100 {
		var arms [4]bool
		for _, s := range steps[round*4 : round*4+4] {
			arms[s.Arm] = true
			if s.Round != round || s.Seed != steps[round*4].Seed || s.Seed>>53 != 0 {
				t.Fatalf("round %d holds %+v", round, s)
			}
		}
		if arms != [4]bool{true, true, true, true} {
			t.Fatalf("round %d runs %v", round, arms)
		}
		seeds[steps[round*4].Seed] = true
		first[steps[round*4].Arm]++
	}
	if len(seeds) != 100 {
		t.Errorf("%d different arrivals in 100 rounds", len(seeds))
	}
	for arm, n := range first { // 25 ± 4 standard deviations of 4.3
		if n < 8 || n > 42 {
			t.Errorf("arm %d is first in %d of 100 rounds", arm, n)
		}
	}
}

func TestRoundsCanShowADifference(t *testing.T) {
	// 12 metrics of one variant and of the control are 24 comparisons, of fifteen and it 192.
	for variants, want := range map[int]int{2: 11, 4: 12, 16: 14} {
		if got := plan(t, variants, 0, 1).Rounds; got != want {
			t.Errorf("%d variants: %d rounds, want %d", variants, got, want)
		}
	}
	for _, rounds := range []int{-1, MaxRounds + 1} {
		if _, err := NewPlan([]Variant{{}, {}}, rounds, 1); err == nil {
			t.Errorf("%d rounds are planned", rounds)
		}
	}
	if _, err := NewPlan([]Variant{{}}, 1, 1); err == nil {
		t.Error("one variant alone is planned")
	}
}
