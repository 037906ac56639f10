package result

import (
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

const (
	fewestRuns = 3  // a side, from which on the scatter between runs is worth something
	mostRuns   = 50 // a side: beyond, other means cost less
)

// advice says what would tell the two sides apart: runs, of which there are too
// few, or something better where no number of them is worth their time. The metric
// that takes the most decides.
func advice(list []Metric, a, b []*Document, confidence float64) reason.Reasons {
	if len(a) < 2 || len(b) < 2 {
		return reason.Reasons{reason.New(reason.AdviseSeveral, fewestRuns)}
	}
	var worst Metric
	var scatter, apart float64
	most := 0
	for _, m := range list {
		d, ok := difference(m, a, b, true, confidence)
		if !ok || d.Verdict != "cannot_tell" || d.Effect == nil {
			continue
		}
		x, _ := values(m, a)
		y, _ := values(m, b)
		if m.Relative() {
			x, y = logarithms(x), logarithms(y)
		}
		if x == nil || y == nil {
			continue
		}
		need := m.Margin
		if math.Abs(*d.Effect) > m.Margin {
			need = math.Abs(*d.Effect)
		}
		spread := math.Sqrt((stat.Variance(x, nil) + stat.Variance(y, nil)) / 2)
		reach := need
		if m.Relative() {
			reach = math.Log1p(need) // the upper side of a ratio is the longer one
		}
		if n := runsNeeded(spread, reach, confidence); n > most {
			worst, scatter, apart, most = m, spread, need, n
		}
	}
	switch {
	case most == 0:
		return reason.Reasons{}
	case most > mostRuns:
		return reason.Reasons{reason.New(reason.AdvisePairs, reason.Word(worst.Name), unit.Share(scatter), unit.Share(apart), mostRuns)}
	}
	return reason.Reasons{reason.New(reason.AdviseRuns, reason.Word(worst.Name), unit.Share(scatter), unit.Share(apart), most)}
}

// runsNeeded is the least number of runs a side with which Welch's interval
// reaches no further than need to either side of its middle, when both sides
// scatter by spread; mostRuns + 1 stands for more.
func runsNeeded(spread, need, confidence float64) int {
	for n := 2; n <= mostRuns; n++ {
		t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(2 * (n - 1))}.Quantile((1 + confidence) / 2)
		if t*spread*math.Sqrt(2/float64(n)) <= need {
			return n
		}
	}
	return mostRuns + 1
}
