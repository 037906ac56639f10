package trend

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

// night is one run of a nightly test: its P99 scatters by 4 %.
func night(i int, p99 float64, rng *rand.Rand, change func(*result.Document)) result.Run {
	ns := int64(p99 * 1e6 * math.Exp(0.04*rng.NormFloat64()))
	d := &result.Document{
		RunID: fmt.Sprintf("night-%02d", i), StartedAt: fmt.Sprintf("2026-11-%02dT02:00:00Z", i+1), Verdict: "pass",
		Tags: map[string]string{"commit": fmt.Sprintf("c%02d", i)}, CstestVersion: "1.0.0", DurationS: 60,
		Scenario: result.ScenarioRef{Name: "nightly", SHA256: "a", Scale: 1, Seed: uint64(i)},
	}
	d.Latency.Response.P99Ns = &ns
	if change != nil {
		change(d)
	}
	return result.Run{Dir: d.RunID, Doc: d}
}

func TestTrendMarksAStep(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var runs []result.Run
	for i := range 24 {
		p99, version := 200.0, "1.0.0"
		if i >= 14 {
			p99, version = 260, "1.1.0"
		}
		runs = append(runs, night(i, p99, rng, func(d *result.Document) { d.CstestVersion = version }))
	}
	rng.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
	got := Of(runs, "commit", "1.1.0")
	if len(got.Runs) != 24 || got.Runs[0].Label != "c00" || got.Series[0].Metric != "P99" {
		t.Fatalf("%d runs, first %q, series %+v", len(got.Runs), got.Runs[0].Label, got.Series)
	}
	changes := got.Series[0].Changes
	if len(changes) != 1 || changes[0].Run != 14 || changes[0].Verdict != "worse" || math.Abs(*changes[0].Effect-0.3) > 0.06 {
		t.Fatalf("%+v", changes)
	}
	if want := `cstest: "1.0.0" and "1.1.0"`; len(changes[0].Differs) != 1 || changes[0].Differs[0] != want {
		t.Errorf("%q differs there", changes[0].Differs)
	}
}

func TestTrendLeavesOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	runs := []result.Run{
		night(0, 200, rng, func(d *result.Document) { d.Scenario.Name, d.Scenario.SHA256 = "another", "b" }),
		night(1, 9000, rng, func(d *result.Document) { d.Verdict = "invalid" }),
		night(2, 200, rng, nil),
	}
	got := Of(runs, "commit", "1.0.0")
	if len(got.Runs) != 2 || got.Series[0].Values[0] != nil || got.Series[0].Values[1] == nil {
		t.Errorf("runs %v, values %v", got.Runs, got.Series[0].Values)
	}
	if notes := strings.Join(got.Notes, "\n"); !strings.Contains(notes, `1 runs of "another" are left out`) || !strings.Contains(notes, "1 runs that measured something") {
		t.Errorf("notes %q", got.Notes)
	}
}

// A step that is no chance and too small to matter is not marked.
func TestTrendKeepsQuietOfLittle(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	var runs []result.Run
	for i := range 60 {
		p99 := 200.0
		if i >= 30 {
			p99 = 206
		}
		r := night(i%28, p99, rng, func(d *result.Document) { d.StartedAt = fmt.Sprintf("2026-11-11T%02d:%02d:00Z", i/60, i%60) })
		*r.Doc.Latency.Response.P99Ns = int64(p99*1e6) + int64(i%3)*1000
		runs = append(runs, r)
	}
	if got := Of(runs, "commit", "1.0.0"); len(got.Series[0].Changes) != 0 {
		t.Errorf("%+v", got.Series[0].Changes)
	}
}

// Of trends of a server that does not change, at most 5 % show a change.
func TestTrendOfNoise(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	const trials = 100
	wrong := 0
	for range trials {
		var runs []result.Run
		for i := range 20 {
			runs = append(runs, night(i, 200, rng, func(d *result.Document) {
				mean, p50, p95 := int64(1e8*math.Exp(0.1*rng.NormFloat64())), int64(1e8*math.Exp(0.1*rng.NormFloat64())), int64(1e8*math.Exp(0.1*rng.NormFloat64()))
				d.Latency.Response.MeanNs, d.Latency.Response.P50Ns, d.Latency.Response.P95Ns = &mean, &p50, &p95
			}))
		}
		for _, s := range Of(runs, "commit", "1.0.0").Series {
			if len(s.Changes) > 0 {
				wrong++
				break
			}
		}
	}
	if wrong > 11 { // 5 % of 100, and three standard deviations
		t.Errorf("%d of %d trends of noise have a change", wrong, trials)
	}
}
