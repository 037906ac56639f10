package sla

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Sample is what one run counted for an objective.
type Sample struct{ Bad, N int64 }

// Pooled is what several runs say together of the share of bad turns.
type Pooled struct {
	Bad, N       int64
	Lower, Upper float64 // of the share of bad ones, each at the confidence asked for
	DEFF         float64 // what Lower, Upper and Verdict rest on: the plan's, or that of the runs where it is more
	// Between is the standard deviation of the runs' true shares, beyond what chance
	// makes within a run; P is how likely runs that do not differ scatter as much.
	Between, P float64
	Verdict    Verdict
}

// Pool judges the share of bad turns of several runs against p. The runs are a
// sample of clusters: another one might as well have been drawn, so the scatter
// between them counts, and it counts by k − 1 degrees of freedom. The bounds are
// Clopper and Pearson's on the sums, over a design effect: that of the plan, or
// where it is more
//
//	D = [k/(k−1) · Σ(xᵢ − p̂nᵢ)² / N²] / [p̂(1−p̂)/N] · (t(k−1)/z)²,  p̂ = Σxᵢ/N
//
// the variance of the share as the runs show it (ratio estimator; Cochran, Sampling
// Techniques, 3rd ed., 6.3 and 9A), over that of as many independent turns,
// widened by t/z for what k runs do not know of their own variance (E. L. Korn, B.
// I. Graubard, Survey Methodology 24 (1998)). There is no test first whether the
// runs differ: one that misses would make the bounds too narrow. The order of the
// runs makes no difference.
//
// P is Cochran's Q, and Between DerSimonian and Laird's (Controlled Clinical
// Trials 7 (1986)), with the variances that equal shares would have.
func Pool(runs []Sample, p, confidence, deff float64) Pooled {
	out := Pooled{DEFF: max(deff, 1), P: 1}
	runs = slices.DeleteFunc(slices.Clone(runs), func(r Sample) bool { return r.N <= 0 })
	for _, r := range runs {
		out.Bad += r.Bad
		out.N += r.N
	}
	if len(runs) > 1 && out.Bad > 0 && out.Bad < out.N {
		out.scatter(runs, confidence)
	}
	out.Lower, out.Upper = Lower(out.Bad, out.N, confidence, out.DEFF), Upper(out.Bad, out.N, confidence, out.DEFF)
	out.Verdict = Infer(out.Bad, out.N, p, confidence, out.DEFF)
	return out
}

// scatter sets what the difference between runs comes to, each of which has turns.
func (o *Pooled) scatter(runs []Sample, confidence float64) {
	k, n := float64(len(runs)), float64(o.N)
	share := float64(o.Bad) / n
	of := share * (1 - share)
	// Whole numbers first: sums of them do not depend on their order.
	var squares, q, weights float64
	for _, r := range runs {
		// (xN − Xn)/N is the deviation; the integers are exact below 2^53.
		d := (float64(r.Bad)*n - float64(o.Bad)*float64(r.N)) / n
		squares += d * d
		q += d * d / float64(r.N)
		weights += float64(r.N) * float64(r.N)
	}
	within := of * o.DEFF // of one turn
	q /= within
	o.P = distuv.ChiSquared{K: k - 1}.Survival(q)
	o.Between = math.Sqrt(max(q-(k-1), 0) * within / (n - weights/n))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: k - 1}.Quantile(confidence)
	z := distuv.UnitNormal.Quantile(confidence)
	o.DEFF = max(o.DEFF, k/(k-1)*squares/(n*of)*(t/z)*(t/z))
}
