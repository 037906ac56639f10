package tui

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// searching is a search whose ninth probe is 6 s old: 383 starts/s is what the server holds.
func searching(made int) CapacityFrame {
	now := sale(6 * time.Second)
	f := CapacityFrame{Precision: 0.05, Asked: 20}
	f.Now, f.Running = now[len(now)-1], "20 starts/s"
	f.Of, f.AtLeast, f.Left, f.Elapsed = made+5, true, time.Minute, time.Duration(made)*12*time.Second+6*time.Second
	for _, p := range []ProbeLine{
		{Starts: 20, Turns: 60, P99: 131e6, Outcome: sla.Pass},
		{Starts: 40, Turns: 120, P99: 133e6, Outcome: sla.Pass},
		{Starts: 80, Turns: 240, P99: 141e6, Outcome: sla.Pass},
		{Starts: 160, Turns: 480, P99: math.NaN(), Bad: 0.004, Outcome: sla.Inconclusive},
		{Starts: 160, Turns: 481, P99: 170e6, Bad: 0.0002, Outcome: sla.Pass},
		{Starts: 320, Turns: 958, P99: 402e6, Bad: 0.003, Outcome: sla.Pass},
		{Starts: 640, Turns: 1911, P99: math.Inf(1), Bad: 0.37, Outcome: sla.Fail, Broke: "latency_p99 · availability · CPU: 1.9 of 2 cores were busy"},
		{Starts: 452.5, Turns: 1355, P99: 1840e6, Bad: 0.02, Outcome: sla.Fail, Broke: "latency_p99"},
		{Starts: 380.5, Turns: math.NaN(), P99: math.NaN(), Bad: math.NaN(), Outcome: sla.NotVerified},
	}[:made] {
		p.Verdict = map[sla.Verdict]string{sla.Pass: "held", sla.Fail: "broke", sla.Inconclusive: "unsure", sla.NotVerified: "invalid"}[p.Outcome]
		f.Probes = append(f.Probes, p)
		f.Made = append([]string{"probe · " + perSecond(p.Starts) + " · " + p.Verdict}, f.Made...)
		switch p.Outcome {
		case sla.Pass:
			f.Holds = p.Starts
		case sla.Fail:
			f.Breaks = p.Starts
		default:
		}
	}
	f.Done = made
	if made > 5 {
		f.AtLeast, f.Asked, f.Running = false, 380.5, "380.5 starts/s"
	}
	return f
}

func capacityOptions(lang string) Options {
	o := tuneOptions(lang)
	o.Scenario = &scenario.Scenario{Name: "knee", Seed: 20261111, SLA: midnight().SLA}
	return o
}

func capacityScreen(t testing.TB, opts Options, w, h int, frames []CapacityFrame, keys ...string) *capacityModel {
	t.Helper()
	d := newSeriesFeed[CapacityFrame]()
	m := newCapacityModel(opts, d)
	look(m, d, w, h, frames, keys...)
	return m
}

// TestCapacityScreens compares whole screens with testdata/*.golden.
func TestCapacityScreens(t *testing.T) {
	stopping := searching(8)
	stopping.Stopping = true
	ended := searching(8)
	ended.Of, ended.Left, ended.Now, ended.Running = 8, 0, Frame{}, ""
	warned := searching(9)
	warned.Warnings = []string{"probes at 380.5/s disagree: 1 held, 1 did not"}
	for _, c := range []struct {
		name  string
		lang  string
		w, h  int
		frame CapacityFrame
		keys  []string
	}{
		{"capacity-80x24", "en", 80, 24, searching(8), nil},
		{"capacity-80x24-zh", "zh", 80, 24, searching(8), nil},
		{"capacity-120x40", "en", 120, 40, warned, nil},
		{"capacity-40x12-zh", "zh", 40, 12, searching(8), nil},
		{"capacity-40x12", "en", 40, 12, searching(8), nil},
		{"capacity-starting-80x24", "en", 80, 24, searching(0), nil},
		{"capacity-climbing-80x24", "en", 80, 24, searching(3), nil},
		{"capacity-probes-80x24", "en", 80, 24, searching(8), []string{"tab"}},
		{"capacity-now-80x24", "en", 80, 24, searching(8), []string{"3"}},
		{"capacity-help-80x24", "en", 80, 24, searching(8), []string{"?"}},
		{"capacity-help-80x24-zh", "zh", 80, 24, searching(8), []string{"?"}},
		{"capacity-scrolled-80x24", "en", 80, 24, searching(9), []string{"home"}},
		{"capacity-stopping-80x24", "en", 80, 24, stopping, nil},
		{"capacity-done-80x24", "en", 80, 24, ended, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := capacityScreen(t, capacityOptions(c.lang), c.w, c.h, []CapacityFrame{c.frame}, c.keys...)
			fitsScreen(t, m.content, m.width, m.height)
			golden(t, c.name, m.content)
		})
	}
}

// Whatever probes say, and however absurd their figures, each stays in its cells at every size.
func TestCapacityFitsEverySize(t *testing.T) {
	rich := searching(9)
	rich.Running = nasty
	rich.Probes = append(rich.Probes,
		ProbeLine{Starts: 1e12, Turns: 1e15, P99: 1e300, Bad: 1, Outcome: sla.Verdict(77), Verdict: nasty, Broke: nasty},
		ProbeLine{Starts: -1, Turns: math.Inf(1), P99: -5, Bad: math.Inf(1), Broke: strings.Repeat("客", 1<<16)},
		ProbeLine{})
	rich.Made, rich.Warnings = append(rich.Made, nasty), []string{nasty, nasty, nasty}
	rich.Now = hostile(sale(48300 * time.Millisecond))[48]
	infinite := CapacityFrame{Probes: []ProbeLine{{Starts: 5, P99: math.Inf(1), Bad: 1, Outcome: sla.Fail}}, Breaks: 5}
	for _, f := range []CapacityFrame{rich, {}, infinite, searching(1)} {
		for _, o := range []Options{capacityOptions("en"), capacityOptions("zh"), hostileOptions(), {}} {
			m := capacityScreen(t, o, 80, 24, []CapacityFrame{f})
			everySize(t, &m.live)
		}
	}
}

// What the charts say of a probe is where its load stands: every doubling is as wide.
func TestCapacityPlacesLoads(t *testing.T) {
	m := capacityScreen(t, capacityOptions("en"), 80, 24, []CapacityFrame{searching(7)})
	first, last := m.place(20), m.place(640)
	if first != 0 || last != m.plotWidth()-1 {
		t.Errorf("20/s stands at %d, 640/s at %d of %d", first, last, m.plotWidth())
	}
	for i, rate := range []float64{40, 80, 160, 320} {
		if want := math.Round(float64((i+1)*last) / 5); float64(m.place(rate)) != want {
			t.Errorf("%v/s stands at %d, want %v", rate, m.place(rate), want)
		}
	}
}

func TestCapacityKeys(t *testing.T) {
	var asked []bool
	o := capacityOptions("en")
	o.OnStop = func(hard bool) { asked = append(asked, hard) }
	capacityScreen(t, o, 80, 24, []CapacityFrame{searching(8)}, "q", "ctrl+c")
	if !reflect.DeepEqual(asked, []bool{false, true}) {
		t.Errorf("asked to stop hard: %v", asked)
	}
	// The boundary is in sight until the reader scrolls; then it is the reader's.
	m := capacityScreen(t, o, 80, 16, []CapacityFrame{searching(9)})
	if shown := ansi.Strip(m.content); !strings.Contains(shown, " 320 ") {
		t.Errorf("the boundary is out of sight:\n%s", shown)
	}
	m.Update(keyOf("g"))
	m.feed.Update(searching(9))
	m.Update(freshMsg{})
	if shown := ansi.Strip(m.content); !strings.Contains(shown, "\n    1          20 ") {
		t.Errorf("scrolled to the top:\n%s", shown)
	}
}
