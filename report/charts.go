package report

import (
	"math"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/report/escape"
	"github.com/cstest/cstest/report/internal/words"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
)

// charts is the JSON that the page's script draws from.
type charts struct {
	Labels       map[string]string `json:"labels"`
	Series       chartSeries       `json:"series"`
	Layers       []chartLayer      `json:"layers"`
	Errors       []chartLayer      `json:"errors"`
	Storms       []chartSpan       `json:"storms"`
	Stages       []chartSpan       `json:"stages"`
	Limits       []chartLimit      `json:"limits"`
	Burn         []chartBurn       `json:"burn"`
	Distribution []chartLine       `json:"distribution"`
	Observed     []chartObserved   `json:"observed,omitempty"`
}

type chartSeries struct {
	T        []int      `json:"t"`
	Planned  []*float64 `json:"planned"`
	Starts   []int64    `json:"starts"`
	Turns    []int64    `json:"turns"`
	InFlight []int64    `json:"in_flight"`
	Live     []int64    `json:"live"` // conversations, or users
	P50      []*int64   `json:"p50"`
	P90      []*int64   `json:"p90"`
	P95      []*int64   `json:"p95"`
	P99      []*int64   `json:"p99"`
	P999     []*int64   `json:"p999"`
	Max      []*int64   `json:"max"`
	Lag      []*int64   `json:"lag"`     // P99 of the generator's own
	ByTurn   [][]*int64 `json:"by_turn"` // means, by the place of turns in conversations
}

type chartLayer struct {
	Label  string  `json:"label"`
	Color  string  `json:"color"`
	Values []int64 `json:"values"`
}

type chartSpan struct {
	Name string  `json:"name"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

type chartLimit struct {
	Name string `json:"name"`
	At   int64  `json:"at"`
}

type chartBurn struct {
	Name string    `json:"name"`
	Used []float64 `json:"used"`
}

// chartLine holds points (log10(1/(1−q)), ns): the axis on which each nine takes the same room.
type chartLine struct {
	Label  string       `json:"label"`
	Color  string       `json:"color"`
	Dash   bool         `json:"dash"`
	Points [][2]float64 `json:"points"`
}

func chartsOf(d *result.Document, w *words.Words) charts {
	c := charts{
		Labels: map[string]string{
			"time": w.Time, "planned": w.Planned, "starts": w.Starts, "turns": w.Turns, "in_flight": w.InFlight, "live": w.LiveTitle,
			"budget": w.Budget, "percentile": w.DistributionAxis, "lag": w.LagP99, "max": w.Max, "nth_turn": w.NthTurn,
		},
		Layers: []chartLayer{
			{Label: w.Word("llm"), Color: "--c-llm"},
			{Label: w.Word("unknown"), Color: "--c-unknown"},
			{Label: w.Word("faq"), Color: "--c-faq"},
			{Label: w.Word("handoff"), Color: "--c-handoff"},
			{Label: w.Word("static"), Color: "--c-static"},
			{Label: w.Bad, Color: "--c-bad"},
			{Label: w.Dropped, Color: "--c-dropped"},
		},
		Storms: []chartSpan{}, Stages: []chartSpan{}, Limits: []chartLimit{}, Burn: []chartBurn{}, Distribution: []chartLine{},
	}
	planned := false
	for _, s := range d.Series {
		if afterStages(d, s) {
			continue
		}
		c.Series.add(&s)
		planned = planned || s.StartsPlanned != nil
		for i, n := range []int64{s.Tiers.LLM, s.Tiers.Unknown, s.Tiers.FAQ, s.Tiers.Handoff, s.Tiers.Static, s.Bad, s.Dropped} {
			c.Layers[i].Values = append(c.Layers[i].Values, n)
		}
	}
	if !planned {
		c.Series.Planned = nil
	}
	c.Observed = observedCharts(d)
	c.Layers, c.Errors = used(c.Layers), errorLayers(d, w)
	for _, s := range d.Storms {
		to := float64(len(c.Series.T))
		if s.EndS != nil {
			to = *s.EndS
		}
		c.Storms = append(c.Storms, chartSpan{escape.Clean(s.Name), s.StartS, to})
	}
	for _, s := range d.Stages {
		c.Stages = append(c.Stages, chartSpan{escape.Clean(s.Name), s.StartS, s.EndS})
	}
	for _, o := range d.Objectives {
		if o.Kind == scenario.KindLatency && o.LimitNs != nil {
			c.Limits = append(c.Limits, chartLimit{escape.Clean(o.Name), *o.LimitNs})
		}
	}
	for _, b := range d.Burn {
		line := chartBurn{Name: escape.Clean(b.Objective), Used: []float64{}}
		for i, n := range b.Bad {
			if spent := math.Round(float64(n)/b.Allowed*1e4) / 1e4; b.Allowed > 0 && i < len(c.Series.T) && !math.IsInf(spent, 0) && !math.IsNaN(spent) {
				line.Used = append(line.Used, spent)
			}
		}
		if len(line.Used) > 0 {
			c.Burn = append(c.Burn, line)
		}
	}
	c.Distribution = append(c.Distribution, lineOf(w.FailedInfinite, "--c-infinite", true, d.Distribution.FailedAsInfinite),
		lineOf(w.Response, "--c-p99", false, d.Distribution.Response), lineOf(w.Service, "--c-service", false, d.Distribution.Service))
	return c
}

// add appends a second.
func (t *chartSeries) add(s *result.Second) {
	t.T, t.Planned, t.Starts = append(t.T, s.TS), append(t.Planned, s.StartsPlanned), append(t.Starts, s.Starts)
	t.Turns, t.InFlight = append(t.Turns, s.Turns), append(t.InFlight, s.InFlight)
	t.Live = append(t.Live, s.Conversations)
	t.P50, t.P90, t.P95 = append(t.P50, s.P50Ns), append(t.P90, s.P90Ns), append(t.P95, s.P95Ns)
	t.P99, t.P999, t.Max = append(t.P99, s.P99Ns), append(t.P999, s.P999Ns), append(t.Max, s.MaxNs)
	t.Lag = append(t.Lag, s.LagP99Ns)
	for len(t.ByTurn) < len(s.TurnMeanNs) {
		t.ByTurn = append(t.ByTurn, make([]*int64, len(t.T)-1))
	}
	for p := range t.ByTurn {
		var mean *int64
		if p < len(s.TurnMeanNs) {
			mean = s.TurnMeanNs[p]
		}
		t.ByTurn[p] = append(t.ByTurn[p], mean)
	}
}

// used drops layers that are empty all the time, but the model's.
func used(layers []chartLayer) []chartLayer {
	out := layers[:1]
	for _, l := range layers[1:] {
		for _, n := range l.Values {
			if n > 0 {
				out = append(out, l)
				break
			}
		}
	}
	return out
}

func lineOf(label, color string, dash bool, points []result.Point) chartLine {
	l := chartLine{Label: label, Color: color, Dash: dash, Points: [][2]float64{}}
	for _, p := range points {
		if p.Q >= 0 && p.Q < 1 {
			l.Points = append(l.Points, [2]float64{math.Round(-math.Log10(1-p.Q)*1e4) / 1e4, float64(p.Ns)})
		}
	}
	return l
}

// errorColors are those of kinds of errors, in their order and again from the first.
var errorColors = [...]string{"--c-bad", "--c-faq", "--c-handoff", "--c-p99", "--c-unknown", "--c-static", "--c-dropped", "--c-starts"}

// errorLayers are the turns that were not answered, by outcome and second.
func errorLayers(d *result.Document, w *words.Words) []chartLayer {
	out := []chartLayer{}
	for o := measure.OK; o <= measure.Censored; o++ {
		l := chartLayer{Label: w.Word(o.String()), Color: errorColors[len(out)%len(errorColors)]}
		some := false
		for _, s := range d.Series {
			if !afterStages(d, s) {
				n := s.Errors[o.String()]
				l.Values = append(l.Values, n)
				some = some || n > 0
			}
		}
		if some {
			out = append(out, l)
		}
	}
	return out
}

// loadVaries tells whether seconds had so different numbers of turns that response
// times by load say something: the busiest twice as many as the quietest, of ten.
func loadVaries(d *result.Document) bool {
	least, most, n := int64(math.MaxInt64), int64(0), 0
	for _, s := range d.Series {
		if s.P50Ns == nil || afterStages(d, s) {
			continue
		}
		least, most, n = min(least, s.Turns), max(most, s.Turns), n+1
	}
	return n >= 10 && most >= 2*least
}

// chartObserved is a figure of another system over time.
type chartObserved struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit"`
	Values []*float64 `json:"values"`
}

// observedCharts are those seen more than once, over the seconds that the page draws.
func observedCharts(d *result.Document) []chartObserved {
	list := []chartObserved{}
	for _, f := range d.Observed {
		if f.Seen < 2 {
			continue
		}
		c := chartObserved{Name: escape.Fit(f.Name, 48), Unit: escape.Fit(f.Unit, 16)}
		for i, s := range d.Series {
			if !afterStages(d, s) && i < len(f.Values) {
				c.Values = append(c.Values, f.Values[i])
			}
		}
		list = append(list, c)
	}
	return list
}
