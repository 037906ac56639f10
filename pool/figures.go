package pool

import (
	"math"
	"slices"

	"github.com/cstest/cstest/result"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Figure is a figure of the runs: their geometric mean, and how far they lie apart.
// Lower and Upper hold, at 95 %, what runs like these have on average: a t
// interval of the logarithms on k − 1 degrees of freedom; null for one run. All are
// null where not every run has the figure.
type Figure struct {
	Name  string   `json:"name"`
	Unit  string   `json:"unit"` // ns | per_s
	Mean  *float64 `json:"mean"`
	Lower *float64 `json:"lower"`
	Upper *float64 `json:"upper"`
	Least *float64 `json:"least"`
	Most  *float64 `json:"most"`
	Runs  int      `json:"runs"` // those that have it
}

func figures(used []result.Run) []Figure {
	ns := func(of func(*result.Document) *int64) func(*result.Document) float64 {
		return func(d *result.Document) float64 {
			if v := of(d); v != nil {
				return float64(*v)
			}
			return 0
		}
	}
	out := []Figure{}
	for _, f := range []struct {
		name, unit string
		of         func(*result.Document) float64
	}{
		{"mean", "ns", ns(func(d *result.Document) *int64 { return d.Latency.Response.MeanNs })},
		{"P50", "ns", ns(func(d *result.Document) *int64 { return d.Latency.Response.P50Ns })},
		{"P95", "ns", ns(func(d *result.Document) *int64 { return d.Latency.Response.P95Ns })},
		{"P99", "ns", ns(func(d *result.Document) *int64 { return d.Latency.Response.P99Ns })},
		{"turns", "per_s", func(d *result.Document) float64 { return float64(d.Counts.Turns) / max(d.DurationS, 1e-9) }},
	} {
		var logs []float64
		for _, u := range used {
			if v := f.of(u.Doc); v > 0 {
				logs = append(logs, math.Log(v))
			}
		}
		switch {
		case len(logs) == len(used) && len(used) > 0:
			out = append(out, figureOf(f.name, f.unit, logs))
		case len(logs) > 0: // those that lack it may have been the slow ones
			out = append(out, Figure{Name: f.name, Unit: f.unit, Runs: len(logs)})
		}
	}
	return out
}

func figureOf(name, in string, logs []float64) Figure {
	k := float64(len(logs))
	mean := stat.Mean(logs, nil)
	f := Figure{Name: name, Unit: in, Runs: len(logs), Mean: known(math.Exp(mean)), Least: known(math.Exp(slices.Min(logs))), Most: known(math.Exp(slices.Max(logs)))}
	if k > 1 {
		half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile(0.975) * math.Sqrt(stat.Variance(logs, nil)/k)
		f.Lower, f.Upper = known(math.Exp(mean-half)), known(math.Exp(mean+half))
	}
	return f
}
