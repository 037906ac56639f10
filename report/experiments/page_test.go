package experiments

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/words"
)

// The page loads nothing and runs nothing, whatever names a user chose.
func TestThePageIsInert(t *testing.T) {
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		var b bytes.Buffer
		if err := writeHTML(experiment(t, "<script>alert(1)</script>", 10), &b, lang); err != nil {
			t.Fatal(err)
		}
		reporttest.Inert(t, "tune-"+string(lang), b.String())
	}
}

// What is slower stands to the right of no change, its interval around it, and
// what does not differ is no drawing.
func TestThePageDrawsEffects(t *testing.T) {
	e := experiment(t, "article-0", 10)
	v := view{e: e, w: words.In(reason.English), t: textsIn(reason.English)}
	metrics := v.multiples()
	var names []string
	for _, m := range metrics {
		names = append(names, m.Name)
	}
	if got := strings.Join(names, ","); got != "mean,P99,turns/s" {
		t.Fatalf("metrics %s", got)
	}
	at := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	mean, again := metrics[0].Rows[0], metrics[0].Rows[1]
	effect := e.Arms[1].EffectOf("mean")
	if from, dot, to := at(mean.From), at(mean.At), at(mean.To); from <= 200 || from >= dot || dot >= to || to > 392.05 || mean.Class != "worse" {
		t.Errorf("20 %% slower is drawn as %+v", mean)
	}
	if want := 200 + *effect.Change / *effect.Upper * effectHalf; at(mean.At) < want-0.1 || at(mean.At) > want+0.1 {
		t.Errorf("the dot is at %s, want %.1f of an interval that ends at the edge", mean.At, want)
	}
	if from, to := at(again.From), at(again.To); from >= 200 || to <= 200 || again.Class != "equivalent" {
		t.Errorf("the baseline against itself is drawn as %+v", again)
	}
	if rate := metrics[2].Rows[0]; at(rate.To) >= 200 || rate.Class != "worse" || !strings.Contains(metrics[2].Scale, "worse | better") {
		t.Errorf("a lower rate is drawn as %+v on %q", rate, metrics[2].Scale)
	}
	bare := experiment(t, "article-0", 2)
	v.e = bare
	for _, m := range v.multiples() {
		for _, r := range m.Rows {
			if r.Bounded || r.From != "" {
				t.Errorf("two rounds bound %s: %+v", m.Name, r)
			}
		}
	}
}
