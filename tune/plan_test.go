package tune

import (
	"reflect"
	"strconv"
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
	p, err := NewPlan(list, rounds, seed, false)
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
	// 9 metrics of one variant and of the control are 18 comparisons, of fifteen and it 144.
	for variants, want := range map[int]int{2: 11, 4: 12, 16: 14} {
		if got := plan(t, variants, 0, 1).Rounds; got != want {
			t.Errorf("%d variants: %d rounds, want %d", variants, got, want)
		}
	}
	for _, rounds := range []int{-1, MaxRounds + 1} {
		if _, err := NewPlan([]Variant{{}, {}}, rounds, 1, false); err == nil {
			t.Errorf("%d rounds are planned", rounds)
		}
	}
	if _, err := NewPlan([]Variant{{}}, 1, 1, false); err == nil {
		t.Error("one variant alone is planned")
	}
}

// What is said before an experiment is what its end comes to: a round fewer than it
// asks for and nothing is told however large the difference, with as many it is.
func TestWarningsAreTrue(t *testing.T) {
	list := func(variants int) (out []Variant) {
		for i := range variants {
			out = append(out, Variant{{"k", string(rune('a' + i))}})
		}
		return out
	}
	for _, c := range []struct {
		variants    int
		held        bool
		least       int
		comparisons string
	}{{2, false, 10, "18"}, {2, true, 10, "24"}, {3, false, 11, "27"}, {4, true, 11, "48"}, {16, false, 13, "144"}} {
		for _, rounds := range []int{1, c.least - 1, c.least, c.least + 1} {
			p, err := NewPlan(list(c.variants), rounds, 1, c.held)
			if err != nil {
				t.Fatal(err)
			}
			said := p.Warnings()
			e := Analyze(p, apart(p, c.held), "")
			told := e.Arms[1].EffectOf("mean").Verdict == "worse"
			if enough := rounds >= c.least; told != enough || (len(said) == 0) != enough {
				t.Errorf("%+v, %d rounds: told %v, %q before", c, rounds, told, said.Texts(reason.English))
			}
			if len(said) > 0 {
				want := reason.New(reason.PlanTooFewRounds, rounds, e.Comparisons, c.least)
				if reason.Compare(said[0], want) != 0 || strconv.Itoa(e.Comparisons) != c.comparisons {
					t.Errorf("%+v, %d rounds: %q, want %q", c, rounds, said[0], want)
				}
			}
		}
	}
	// Ten rounds are too few for three variants and do for two; nine do for none.
	for rounds, want := range map[int]string{9: "", 10: "or vary fewer values: 10 rounds can do for 2 variants"} {
		p := plan(t, 3, rounds, 1)
		if got := p.Warnings(); got[1:].String() != want {
			t.Errorf("%d rounds: %q", rounds, got)
		}
	}
	const chinese = "10 个回合不足以在最多 27 项比较中显示任何差异：请用 --rounds 11，否则结论只能是无法判断；或减少取值：10 个回合足够比较 2 个变体"
	if got := plan(t, 3, 10, 1).Warnings().Text(reason.Chinese); got != chinese {
		t.Errorf("%q, want %q", got, chinese)
	}
	if got := plan(t, 16, 0, 1).Warnings(); got != nil {
		t.Errorf("the rounds of its own choice: %q", got)
	}
}

// apart are runs in which everything differs: each variant is worse than the one before,
// and the control now more and now less than the baseline.
func apart(p *Plan, held bool) (out []Run) {
	for _, s := range p.Steps() {
		figures := map[string]float64{}
		times := float64(1 + s.Arm)
		if p.Arms[s.Arm].Control {
			times = []float64{0.5, 2}[s.Round%2]
		}
		for _, m := range Metrics() {
			figures[m.Name] = times * (1 + float64(s.Round)/1e3)
		}
		if !held {
			figures = WithoutHeld(figures)
		}
		out = append(out, NewRun(s, "", "pass", figures))
	}
	return out
}
