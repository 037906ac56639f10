package capacities

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/reporttest"
	"github.com/cstest/cstest/report/internal/words"
)

func pageOf(t *testing.T, r *capacity.Result, lang reason.Lang) string {
	t.Helper()
	var b bytes.Buffer
	if err := writeHTML(r, &b, lang); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// The page loads nothing and runs nothing, whatever names a user chose.
func TestThePageIsInert(t *testing.T) {
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		reporttest.Inert(t, "capacity-"+string(lang), pageOf(t, knee(t), lang))
	}
}

// The knee lies between the highest load that held and the lowest that did not;
// a P99 that is not finite stands above all others.
func TestThePageDrawsTheKnee(t *testing.T) {
	r := knee(t)
	v := view{r: r, w: words.In(reason.English), t: textsIn(reason.English)}
	p99 := v.chart("P99", figure.Duration, p99OfProbe)
	if len(p99.Points) != len(r.Probes) {
		t.Fatalf("%d points, want %d", len(p99.Points), len(r.Probes))
	}
	number := func(s string) float64 {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	edge, broke := number(p99.Edge), 0
	for i, p := range p99.Points {
		switch x, y := number(p.X), number(p.Y); p.Class {
		case "held":
			if x >= edge || y <= kneeTop {
				t.Errorf("%+v held, the knee is at %s", p, p99.Edge)
			}
			if want := kneeBottom - float64(*r.Probes[i].P99Ns)/383e6/1.15*(kneeBottom-kneeTop); y < want-1 || y > want+1 {
				t.Errorf("%+v, want it at %.1f", p, want)
			}
		case "broke":
			if broke++; x <= edge || y != kneeTop || !strings.Contains(p.Label, "∞") {
				t.Errorf("%+v broke, the knee is at %s", p, p99.Edge)
			}
		}
	}
	if bad := v.chart("bad", badOfProbe, badShareOfProbe); broke == 0 || len(bad.Points) != len(r.Probes) || bad.Edge != p99.Edge {
		t.Errorf("%d broke; the chart of the bad share has %d points and the knee at %s", broke, len(bad.Points), bad.Edge)
	}
	if dots := strings.Count(pageOf(t, r, reason.English), "<circle"); dots != 2*len(r.Probes) {
		t.Errorf("%d dots, want %d", dots, 2*len(r.Probes))
	}
	empty := view{r: &capacity.Result{Probes: []capacity.Probe{{}}}, w: v.w, t: v.t}
	if c := empty.chart("P99", figure.Duration, p99OfProbe); len(c.Points) > 0 {
		t.Errorf("a chart of nothing: %+v", c)
	}
}
