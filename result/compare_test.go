package result

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// compared compares results that lie nowhere.
func compared(a, b []*Document, o CompareOptions) (*Comparison, error) {
	runs := func(list []*Document) (out []Run) {
		for _, d := range list {
			out = append(out, Run{Doc: d})
		}
		return out
	}
	return Compare(runs(a), runs(b), o)
}

func sales(t *testing.T, slow float64, seeds ...uint64) []*Document {
	t.Helper()
	var out []*Document
	for _, seed := range seeds {
		out = append(out, saleDocument(t, seed, slow))
	}
	return out
}

func byMetric(c *Comparison) map[string]Difference {
	out := map[string]Difference{}
	for _, d := range c.Differences {
		out[d.Metric] = d
	}
	return out
}

func TestCompareSeveralRuns(t *testing.T) {
	base, same, slow := sales(t, 1, 1, 2, 3), sales(t, 1, 4, 5, 6), sales(t, 1.3, 7, 8, 9)
	c, err := compared(base, same, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Verdict == "worse" || c.Verdict == "better" || !c.NoiseKnown {
		t.Errorf("a server against itself is %s: %+v", c.Verdict, c.Differences)
	}
	if got := byMetric(c)["mean"].Verdict; got != "equivalent" {
		t.Errorf("mean of a server against itself is %s", got)
	}
	c, err = compared(base, slow, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p50 := byMetric(c)["P50"]
	if c.Verdict != "worse" || c.ExitCode != 10 || p50.Verdict != "worse" || *p50.Lower < 0.15 || *p50.Upper > 0.5 || *p50.Effect < *p50.Lower || *p50.Effect > *p50.Upper {
		t.Errorf("30 %% slower is %s (exit %d): P50 %s, %v in [%v, %v]", c.Verdict, c.ExitCode, p50.Verdict, *p50.Effect, *p50.Lower, *p50.Upper)
	}
	back, err := compared(slow, base, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := byMetric(back)["P50"]; got.Verdict != "better" || back.ExitCode != 0 {
		t.Errorf("the other way round P50 is %s, exit %d", got.Verdict, back.ExitCode)
	}
}

// Runs of one server, scattered as runs are, must not be called different in
// more than 5 % of comparisons.
func TestCompareRunsOfOneServer(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	base := saleDocument(t, 1, 1)
	scattered := func() *Document {
		d := *base
		d.Processes = nil
		for _, p := range []**int64{&d.Latency.Response.MeanNs, &d.Latency.Response.P50Ns, &d.Latency.Response.P95Ns, &d.Latency.Response.P99Ns} {
			*p = nanoseconds(time.Duration(float64(**p) * math.Exp(0.08*rng.NormFloat64())))
		}
		d.DurationS *= math.Exp(0.03 * rng.NormFloat64())
		d.Counts.OK -= int64(300 * rng.Float64())
		d.Availability.Answers = known(0.995 + 0.004*rng.Float64())
		return &d
	}
	const trials = 1000
	wrong := 0
	for range trials {
		var sides [2][]*Document
		for i := range sides {
			for range 4 {
				sides[i] = append(sides[i], scattered())
			}
		}
		c, err := compared(sides[0], sides[1], CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c.Verdict == "worse" || c.Verdict == "better" {
			wrong++
		}
	}
	// 5 % of 1,000, and three standard deviations.
	if wrong > 71 {
		t.Errorf("%d of %d comparisons of a server with itself found a difference", wrong, trials)
	}
}

func TestCompareSingleRuns(t *testing.T) {
	a, b := sales(t, 1, 1), sales(t, 1.1, 2)
	c, err := compared(a, b, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.NoiseKnown || c.Verdict != "cannot_tell" || c.ExitCode != 11 {
		t.Errorf("one run each, 10 %% apart: %s, exit %d", c.Verdict, c.ExitCode)
	}
	// An objective that was met and is missed decides even so.
	c, err = compared(a, sales(t, 3, 2), CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Verdict != "worse" || c.ExitCode != 10 || len(c.Objectives) == 0 || c.Objectives[0] != (Change{"latency-p95", "pass", "fail", true}) {
		t.Errorf("an SLA broken: %s, %+v", c.Verdict, c.Objectives)
	}
}

func TestCompareRefusesDifferentScenarios(t *testing.T) {
	a := sales(t, 1, 1)
	b := saleDocument(t, 1, 1)
	b.Scenario.SHA256 = "0000000000000000000000000000000000000000000000000000000000000000"
	b.Objectives[1].LimitNs = nanoseconds(time.Second)
	if _, err := compared(a, []*Document{b}, CompareOptions{}); !errors.As(err, new(*DifferentScenariosError)) || !strings.Contains(err.Error(), "objectives") {
		t.Errorf("another limit: %v", err)
	}
	if _, err := compared(a, []*Document{b}, CompareOptions{AnyScenario: true}); err != nil {
		t.Errorf("told to: %v", err)
	}
	b = saleDocument(t, 1, 1)
	b.Scenario.SHA256, b.Knobs = "1111111111111111111111111111111111111111111111111111111111111111", map[string]string{"limit.global": "900/s"}
	c, err := compared(a, []*Document{b}, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes) != 1 || c.Notes[0] != `knob limit.global: "500/s" and "900/s"` {
		t.Errorf("notes %q", c.Notes)
	}
	if _, err := compared(a, nil, CompareOptions{}); err == nil {
		t.Error("a comparison with nothing")
	}
}

// borderline is a run of a server exactly at a target of 99 %, judged by what was
// measured or inferred, with a census of seconds at its border too.
func borderline(rng *rand.Rand, base *Document, gate string) *Document {
	d := *base
	d.Processes, d.Judging.Gate = nil, gate
	const n, p = 5000, 0.01
	o := Objective{Name: "availability", Kind: scenario.KindAvailability, Unit: "share", Target: known(1 - p), N: n, DEFF: known(1)}
	for range n {
		if rng.Float64() < p {
			o.Bad++
		}
	}
	o.Verdict = sla.Infer(o.Bad, n, p, 0.95, 1).String()
	if gate == "measured" {
		o.Verdict = passes(float64(o.Bad) <= p*n)
	}
	d.Availability.Answers = known(1 - float64(o.Bad)/n)
	d.Objectives = []Objective{o, {Name: "seconds", Kind: scenario.KindSeconds, Unit: "s", Verdict: passes(rng.IntN(2) == 0)}}
	return &d
}

func passes(yes bool) string {
	if yes {
		return "pass"
	}
	return "fail"
}

// A server at the very border of its objectives is not told from itself, by one
// run or several, whatever the gate.
func TestCompareAtTheBorder(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 3))
	base := saleDocument(t, 1, 1)
	const trials = 600
	for _, gate := range []string{"inference", "measured"} {
		for _, runs := range []int{1, 2, 3, 6} {
			wrong := 0
			for range trials {
				var sides [2][]*Document
				for i := range sides {
					for range runs {
						sides[i] = append(sides[i], borderline(rng, base, gate))
					}
				}
				c, err := compared(sides[0], sides[1], CompareOptions{})
				if err != nil {
					t.Fatal(err)
				}
				if c.Verdict == "worse" || c.Verdict == "better" {
					wrong++
				}
			}
			if wrong > 46 { // 5 % of 600, and three standard deviations
				t.Errorf("%s, %d runs a side: %d of %d comparisons of a server with itself found a difference", gate, runs, wrong, trials)
			}
		}
	}
}

// Runs enough that fall apart tell, even by what was merely counted; two do not.
func TestCompareDecidesByCountsOfManyRuns(t *testing.T) {
	base := saleDocument(t, 1, 1)
	side := func(n int, kind scenario.ObjectiveKind, verdict string) (list []*Document) {
		for range n {
			d := *base
			d.Objectives = []Objective{{Name: "it", Kind: kind, Unit: "s", Verdict: verdict}}
			list = append(list, &d)
		}
		return list
	}
	for _, c := range []struct {
		runs int
		kind scenario.ObjectiveKind
		want string
	}{
		{1, scenario.KindSeconds, "cannot_tell"},
		{3, scenario.KindSeconds, "equivalent"},
		{4, scenario.KindSeconds, "worse"},
		{1, scenario.KindIntegrity, "worse"},
		{1, scenario.KindPlanted, "worse"},
	} {
		got, err := compared(side(c.runs, c.kind, "pass"), side(c.runs, c.kind, "fail"), CompareOptions{AnyScenario: true})
		if err != nil || got.Verdict != c.want {
			t.Errorf("%d runs of %s: %s, %v; want %s", c.runs, c.kind, got.Verdict, err, c.want)
		}
	}
}

// A server that fails fast gets more turns sent, and is no faster for it.
func TestFailingFastIsNoThroughput(t *testing.T) {
	a, b := sales(t, 1, 1, 2, 3), sales(t, 1, 1, 2, 3)
	for _, d := range b {
		d.Counts.Turns *= 3
		d.Counts.ServerError += d.Counts.Turns / 3 * 2
	}
	c, err := compared(a, b, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := byMetric(c)["answers"].Verdict; got != "equivalent" {
		t.Errorf("answers a second are %s", got)
	}
}

// scattered are n runs of one server whose P99 lies around its middle, its
// logarithm with a standard deviation of spread.
func scattered(base *Document, n int, spread float64) (list []*Document) {
	step := spread * math.Sqrt(float64(n-1)/float64(n)) // of half the runs up, the others down
	for i := range n {
		d := *base
		d.Processes = nil
		by := step
		switch {
		case n%2 == 1 && i == n-1:
			by = 0
		case i%2 == 0:
			by = -step
		}
		d.Latency.Response.P99Ns = nanoseconds(time.Duration(float64(*base.Latency.Response.P99Ns) * math.Exp(by)))
		list = append(list, &d)
	}
	return list
}

// The advice is so many runs a side as are enough for the scatter that was seen:
// with so many the comparison tells, with two fewer it does not.
func TestAdvice(t *testing.T) {
	base := saleDocument(t, 1, 1)
	of := func(n int, spread float64) *Comparison {
		c, err := compared(scattered(base, n, spread), scattered(base, n, spread), CompareOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := of(1, 0); len(c.AdviceCodes) != 1 || c.AdviceCodes[0].Code != reason.AdviseSeveral {
		t.Errorf("one run a side: %v", c.Advice)
	}
	c := of(4, 0.04)
	if c.Verdict != "cannot_tell" || len(c.AdviceCodes) != 1 || c.AdviceCodes[0].Code != reason.AdviseRuns || c.AdviceCodes[0].Args[0] != reason.Word("P99") {
		t.Fatalf("four runs that scatter: %s, %v", c.Verdict, c.Advice)
	}
	n, _ := c.AdviceCodes[0].Args[3].(int64)
	n += n % 2
	if enough, few := byMetric(of(int(n), 0.04))["P99"].Verdict, byMetric(of(int(n)-4, 0.04))["P99"].Verdict; enough != "equivalent" || few != "cannot_tell" {
		t.Errorf("%d runs a side: %s, four fewer: %s", n, enough, few)
	}
	if c := of(4, 1.5); len(c.AdviceCodes) != 1 || c.AdviceCodes[0].Code != reason.AdvisePairs {
		t.Errorf("runs that scatter wildly: %v", c.Advice)
	}
	if c := of(4, 0); c.Verdict != "equivalent" || len(c.Advice) != 0 {
		t.Errorf("runs that are alike: %s, %v", c.Verdict, c.Advice)
	}
}

// Every difference of the two sides is listed once, and so is what is not alike
// within one.
func TestComparisonListsWhatDiffers(t *testing.T) {
	base := saleDocument(t, 1, 1)
	run := func(values map[string]string, change func(*Document)) Run {
		d := *base
		change(&d)
		return Run{Doc: &d, Values: values}
	}
	none := func(*Document) {}
	a := []Run{run(map[string]string{"load.think": "1s", "target.http": "1.1"}, none), run(map[string]string{"load.think": "1s", "target.http": "1.1"}, func(d *Document) {
		d.CstestVersion, d.Scenario.Seed, d.Overrides = "0.0.9", 77, []string{"seed=77"}
	})}
	b := []Run{run(map[string]string{"load.think": "2s", "target.http": "h2c"}, func(d *Document) {
		d.Target.HTTP, d.Environment.Cores, d.Overrides = "h2c", 64, []string{"--set load.think=2s"}
	})}
	c, err := Compare(a, b, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`load.think: "1s" and "2s"`, `HTTP: "1.1" and "h2c"`, `and "64"`, `and "--set load.think=2s"`,
		`the runs of the baseline are not alike: cstest: `,
	} {
		if n := strings.Count(strings.Join(c.Notes, "\n"), want); n != 1 {
			t.Errorf("%q is said %d times in %q", want, n, c.Notes)
		}
	}
	if strings.Contains(strings.Join(c.Notes, "\n"), "77") {
		t.Errorf("the seeds of one side's runs may differ: %q", c.Notes)
	}
}

// A run that was invalid or broke off says nothing of the server.
func TestComparisonLeavesOutWhatWasNotMeasured(t *testing.T) {
	a, b := sales(t, 1, 1, 2, 3), sales(t, 1, 4, 5, 6)
	for _, d := range b {
		d.Verdict = "invalid"
		*d.Latency.Response.P50Ns *= 9
	}
	c, err := compared(a, b, CompareOptions{})
	if err != nil || c.Verdict != "cannot_tell" || c.ExitCode != 11 || len(c.Differences) != 0 || len(c.Notes) < 3 {
		t.Errorf("a side of invalid runs: %s, exit %d, %d differences, %q, %v", c.Verdict, c.ExitCode, len(c.Differences), c.Notes, err)
	}
	b[0].Verdict, *b[0].Latency.Response.P50Ns = "pass", *b[0].Latency.Response.P50Ns/9
	if c, err = compared(a, b, CompareOptions{}); err != nil || c.NoiseKnown || *byMetric(c)["P50"].Effect > 0.5 {
		t.Errorf("one sound run of three: noise known %v, P50 %v", c.NoiseKnown, *byMetric(c)["P50"].Effect)
	}
}
