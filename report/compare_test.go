package report

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/cstest/cstest/unit"
)

func sales(t *testing.T, slow float64, seeds ...uint64) []*Document {
	t.Helper()
	var out []*Document
	for _, seed := range seeds {
		out = append(out, New(saleInput(t, seed, slow)))
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
	c, err := Compare(base, same, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Verdict == "worse" || c.Verdict == "better" || !c.NoiseKnown {
		t.Errorf("a server against itself is %s: %+v", c.Verdict, c.Differences)
	}
	if got := byMetric(c)["mean"].Verdict; got != "equivalent" {
		t.Errorf("mean of a server against itself is %s", got)
	}
	c, err = Compare(base, slow, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p50 := byMetric(c)["P50"]
	if c.Verdict != "worse" || c.ExitCode != 10 || p50.Verdict != "worse" || *p50.Lower < 0.15 || *p50.Upper > 0.5 || *p50.Effect < *p50.Lower || *p50.Effect > *p50.Upper {
		t.Errorf("30 %% slower is %s (exit %d): P50 %s, %v in [%v, %v]", c.Verdict, c.ExitCode, p50.Verdict, *p50.Effect, *p50.Lower, *p50.Upper)
	}
	back, err := Compare(slow, base, CompareOptions{})
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
	base := saleDocument(t)
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
		c, err := Compare(sides[0], sides[1], CompareOptions{})
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
	c, err := Compare(a, b, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.NoiseKnown || c.Verdict != "cannot_tell" || c.ExitCode != 11 {
		t.Errorf("one run each, 10 %% apart: %s, exit %d", c.Verdict, c.ExitCode)
	}
	var out bytes.Buffer
	if err := WriteComparison(c, &out, TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "between-run noise unknown") || !strings.Contains(out.String(), "CANNOT TELL") {
		t.Errorf("the noise goes unsaid:\n%s", out.String())
	}
	checkLines(t, out.String(), 100)
	// An objective that was met and is missed decides even so.
	c, err = Compare(a, sales(t, 3, 2), CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Verdict != "worse" || c.ExitCode != 10 || len(c.Objectives) == 0 || c.Objectives[0] != (Change{"latency-p95", "pass", "fail"}) {
		t.Errorf("an SLA broken: %s, %+v", c.Verdict, c.Objectives)
	}
}

func TestCompareRefusesDifferentScenarios(t *testing.T) {
	a := sales(t, 1, 1)
	in := saleInput(t, 1, 1)
	in.SHA256 = "0000000000000000000000000000000000000000000000000000000000000000"
	in.Scenario.SLA.Latency["p99"] = unit.Duration(time.Second)
	in.Result.Objectives[1].Limit = time.Second
	b := New(in)
	if _, err := Compare(a, []*Document{b}, CompareOptions{}); !errors.As(err, new(*DifferentScenariosError)) || !strings.Contains(err.Error(), "objectives") {
		t.Errorf("another limit: %v", err)
	}
	if _, err := Compare(a, []*Document{b}, CompareOptions{AnyScenario: true}); err != nil {
		t.Errorf("told to: %v", err)
	}
	in = saleInput(t, 1, 1)
	in.SHA256, in.Knobs = "1111111111111111111111111111111111111111111111111111111111111111", map[string]string{"limit.global": "900/s"}
	c, err := Compare(a, []*Document{New(in)}, CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Notes) != 1 || c.Notes[0] != `knob limit.global: "500/s" and "900/s"` {
		t.Errorf("notes %q", c.Notes)
	}
	if _, err := Compare(a, nil, CompareOptions{}); err == nil {
		t.Error("a comparison with nothing")
	}
}

func TestHDRLogReadsBack(t *testing.T) {
	in := saleInput(t, 1, 1)
	d := New(in)
	d.Scenario.Name, d.RunID = "x\nTag=evil,1,2,3", "a,b"
	var b bytes.Buffer
	if err := HDRLog(d, in.Snapshot).Write(&b); err != nil {
		t.Fatal(err)
	}
	r := hdrhistogram.NewHistogramLogReader(&b)
	n := map[string]int64{}
	for {
		h, err := r.NextIntervalHistogram()
		if err != nil {
			t.Fatal(err)
		}
		if h == nil {
			break
		}
		n[h.Tag()] = h.TotalCount()
		if p99 := h.ValueAtPercentile(99); h.Tag() == "response" && absolute(p99-*d.Latency.Response.P99Ns) > *d.Latency.Response.P99Ns/500 {
			t.Errorf("P99 in the log %d, in the document %d", p99, *d.Latency.Response.P99Ns)
		}
	}
	if n["response"] != d.Latency.Response.N || n["lag"] != d.Counts.Turns || n["coupon-return-coupon.1"] != d.Turns[0].Latency.N || len(n) != 10 {
		t.Errorf("the log holds %v", n)
	}
}

func absolute(v int64) int64 { return max(v, -v) }
