package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/cstest/cstest/capacity"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/internal/figure"
	"github.com/cstest/cstest/report/internal/webpage"
	"github.com/cstest/cstest/report/internal/words"
)

// pages are those of an experiment and a search; shown, if not empty, is a
// directory to leave them in for a look.
func pages(t *testing.T, lang reason.Lang) (tuned, knees string) {
	t.Helper()
	e := experiment(t, "<script>alert(1)</script>", 10)
	var a, b bytes.Buffer
	if err := WriteTuneHTML(e, &a, lang); err != nil {
		t.Fatal(err)
	}
	if err := WriteCapacityHTML(knee(t), &b, lang); err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("CSTEST_PAGES"); dir != "" {
		for name, page := range map[string]string{"tune-" + string(lang) + ".html": a.String(), "capacity-" + string(lang) + ".html": b.String()} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return a.String(), b.String()
}

// The pages load nothing and run nothing, whatever names a user chose.
func TestExperimentPagesAreInert(t *testing.T) {
	for _, lang := range []reason.Lang{reason.English, reason.Chinese} {
		tuned, knees := pages(t, lang)
		for name, page := range map[string]string{"tune": tuned, "capacity": knees} {
			for _, bad := range []string{"<script", "http://", "https://", "src=", "url(", "<b>", "@import"} {
				if strings.Contains(page, bad) {
					t.Errorf("%s in %s: %q is on the page", name, lang, bad)
				}
			}
			style := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindStringSubmatch(page)
			if style == nil || !strings.Contains(page, "style-src "+strings.NewReplacer("'", "&#39;", "+", "&#43;").Replace(webpage.Hash(style[1]))) {
				t.Errorf("%s in %s: the policy does not name the style", name, lang)
			}
			wellFormed(t, page[strings.Index(page, "<body>"):strings.Index(page, "</html>")])
		}
	}
}

func wellFormed(t *testing.T, body string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.Entity, d.AutoClose = true, xml.HTMLEntity, xml.HTMLAutoClose
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
	}
}

// What is slower stands to the right of no change, its interval around it, and
// what does not differ is no drawing.
func TestTunePageDrawsEffects(t *testing.T) {
	e := experiment(t, "article-0", 10)
	v := tuneView{e: e, w: words.In(reason.English), t: tuneWordsIn(reason.English)}
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

// The knee lies between the highest load that held and the lowest that did not;
// a P99 that is not finite stands above all others.
func TestCapacityPageDrawsTheKnee(t *testing.T) {
	r := knee(t)
	v := capacityView{r: r, w: words.In(reason.English), t: capacityWordsIn(reason.English)}
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
	if _, knees := pages(t, reason.English); strings.Count(knees, "<circle") != 2*len(r.Probes) {
		t.Errorf("%d dots, want %d", strings.Count(knees, "<circle"), 2*len(r.Probes))
	}
	empty := capacityView{r: &capacity.Result{Probes: []capacity.Probe{{}}}, w: v.w, t: v.t}
	if c := empty.chart("P99", figure.Duration, p99OfProbe); len(c.Points) > 0 {
		t.Errorf("a chart of nothing: %+v", c)
	}
}
