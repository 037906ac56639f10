package sla

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// A quantile of the answers is told from as many on as carry it, and of the stages
// that the objective judges.
func TestQuantileOfAnswers(t *testing.T) {
	warmup := measure.Stage{Name: "warmup", End: 5 * time.Second}
	for _, c := range []struct {
		name   string
		stages []measure.Stage
		n      int // in judged stages, of 100 ms
		says   string
	}{
		{"enough", []measure.Stage{judged(10 * time.Second)}, 368, "; P99 of answers 100 ms; "},
		{"too few", []measure.Stage{judged(10 * time.Second)}, 367, "; P99 of 367 answers n/a (needs 368); "},
		{"none", []measure.Stage{judged(10 * time.Second)}, 0, "; no answers; "},
		// The second's answers are 500 times slower in the warm-up.
		{"beside a warm-up", []measure.Stage{warmup, judged(10 * time.Second)}, 368, "; P99 of answers about 99.6 ms; "},
		{"too few beside a warm-up", []measure.Stage{warmup, judged(10 * time.Second)}, 367, "; P99 of 367 answers n/a (needs 368); "},
	} {
		b := newBench(t, p99, c.stages...)
		if len(c.stages) > 1 {
			b.turns(2, 400, taking(50*time.Second))
		}
		if c.n > 0 {
			b.turns(7, c.n, nil)
		} else {
			b.turns(7, 10, as(measure.Shed))
		}
		if o := find(t, b.evaluate(), "latency-p99"); !strings.Contains(o.Reason.String(), c.says) {
			t.Errorf("%s: %q, want %q in it", c.name, o.Reason, c.says)
		}
	}
}
