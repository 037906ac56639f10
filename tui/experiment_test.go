package tui

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/google/go-cmp/cmp"

	"github.com/cstest/cstest/scenario"
)

// stagesOfTuning are what an experiment knows of four variants after five rounds.
func stagesOfTuning() []EffectLine {
	return []EffectLine{
		{Metric: "mean", Variant: "article-0", Measured: "370 ms"},
		{Variant: "→ article-1", Measured: "179 ms", Change: "-52.4 %", Bounds: "-60.4 % … -51.4 %", Verdict: "better", Sign: Better},
		{Variant: "→ article-2", Measured: "123 ms", Change: "-31.2 %", Bounds: "-40.3 % … -6.55 %", Verdict: "better", Sign: Better},
		{Variant: "→ article-3", Measured: "103 ms", Change: "-15.7 %", Bounds: "-34.7 % … +1.52 %", Verdict: "no difference seen", Needs: "needs > 100"},
		{Variant: "A/A, baseline", Measured: "381 ms", Change: "-0.231 %", Bounds: "-7.54 % … +11.3 %", Verdict: "no difference seen", Needs: "needs 39"},
		{Metric: "turns/s", Variant: "article-0", Measured: "534/s"},
		{Variant: "→ article-1", Measured: "1,116/s", Change: "+110 %", Bounds: "+105 % … +147 %", Verdict: "better", Sign: Better},
		{Variant: "→ article-2", Measured: "1,630/s", Change: "+45.1 %", Bounds: "+7.06 % … +68.6 %", Verdict: "better", Sign: Better},
		{Variant: "→ article-3", Measured: "1,934/s", Change: "-19 %", Bounds: "-53.9 % … -1.57 %", Verdict: "worse", Sign: Worse},
		{Variant: "A/A, baseline", Measured: "538/s", Change: "-0.254 %", Bounds: "-8.74 % … +7.3 %", Verdict: "no difference seen"},
		{Metric: "calls/turn", Variant: "article-0", Measured: "1"},
		{Variant: "→ article-1", Measured: "1", Change: "0 %", Bounds: "-0.357 % … 0 %", Verdict: "equivalent", Sign: Same},
		{Variant: "→ article-2", Measured: "1", Change: "0 %", Bounds: "0 % … +0.359 %", Verdict: "equivalent", Sign: Same},
		{Variant: "→ article-3", Measured: "0.867", Change: "-13.4 %", Bounds: "-13.5 % … -13.2 %", Verdict: "better", Sign: Better},
		{Variant: "A/A, baseline", Measured: "1", Change: "0 %", Bounds: "0 % … 0 %", Verdict: "equivalent", Sign: Same},
	}
}

// tuning is an experiment in its fifth round: the run is 3.4 s old.
func tuning() ExperimentFrame {
	now := sale(22500 * time.Millisecond)
	n := now[len(now)-1]
	return ExperimentFrame{
		Series: Series{
			Done: 22, Of: 55, Elapsed: 157 * time.Second, Left: 233 * time.Second,
			Running: "article-2", Now: n,
			Made: []string{
				"22/55 · round 5 · article-0 · mean 371 ms · P99 480 ms · turns/s 531/s · pass",
				"21/55 · round 5 · article-3 · mean 104 ms · P99 199 ms · turns/s 1,921/s · pass",
				"20/55 · round 4 · article-1 · invalid · left out: the run is invalid",
			},
			Warnings: []string{"1 of 4 runs of article-1 are left out: the run is invalid"},
		},
		Round: 5, Rounds: 11, Effects: stagesOfTuning(),
	}
}

func tuneOptions(lang string) Options {
	o := enOptions()
	if lang == "zh" {
		o = zhOptions()
	}
	o.Scenario = &scenario.Scenario{Name: "tuning-stages", Seed: 20261111}
	o.Target = "bundled (article-0, embedded Redis)"
	return o
}

// experimentScreen is a model that was shown frames and given a size and keys.
func experimentScreen(t testing.TB, opts Options, w, h int, frames []ExperimentFrame, keys ...string) *experimentModel {
	t.Helper()
	d := newSeriesFeed[ExperimentFrame]()
	m := newExperimentModel(opts, d)
	look(m, d, w, h, frames, keys...)
	return m
}

// look gives a model a size, frames, and keys.
func look[F ofRuns](m tea.Model, d *seriesFeed[F], w, h int, frames []F, keys ...string) {
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	for _, f := range frames {
		d.Update(f)
		m.Update(freshMsg{})
	}
	for _, k := range keys {
		m.Update(keyOf(k))
	}
}

// golden compares a whole screen with testdata/<name>.golden.
func golden(t *testing.T, name, content string) {
	t.Helper()
	got := ansi.Strip(content) + "\n"
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("screen (-want +got), go test -update writes it anew:\n%s", diff)
	}
}

// everySize draws every page of a view at every small size and some large ones.
func everySize(t *testing.T, l *live) {
	t.Helper()
	for page := range len(l.pages) + 1 {
		l.page, l.help = page%len(l.pages), page == len(l.pages)
		for _, w := range []int{0, 1, 2, 7, 39, 40, 71, 72, 79, 80, 101, 200} {
			for _, h := range []int{0, 1, 2, 3, 9, 11, 12, 16, 24, 30, 60} {
				l.width, l.height = w, h
				l.draw()
				if fitsScreen(t, l.content, w, h); t.Failed() {
					t.Fatalf("at %dx%d, page %d", w, h, page)
				}
			}
		}
	}
}

func keyOf(k string) tea.KeyPressMsg {
	switch k {
	case "tab":
		return tea.KeyPressMsg{Code: tea.KeyTab}
	case "down":
		return tea.KeyPressMsg{Code: tea.KeyDown}
	case "up":
		return tea.KeyPressMsg{Code: tea.KeyUp}
	case "pgdown":
		return tea.KeyPressMsg{Code: tea.KeyPgDown}
	case "home":
		return tea.KeyPressMsg{Code: tea.KeyHome}
	case "ctrl+c":
		return tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl}
	}
	r := []rune(k)[0]
	return tea.KeyPressMsg{Code: r, Text: k}
}

// TestExperimentScreens compares whole screens with testdata/*.golden.
func TestExperimentScreens(t *testing.T) {
	change := func(change func(*ExperimentFrame)) []ExperimentFrame {
		f := tuning()
		change(&f)
		return []ExperimentFrame{f}
	}
	fifth := []ExperimentFrame{tuning()}
	for _, c := range []struct {
		name   string
		lang   string
		w, h   int
		frames []ExperimentFrame
		keys   []string
	}{
		{"tune-80x24", "en", 80, 24, fifth, nil},
		{"tune-80x24-zh", "zh", 80, 24, fifth, nil},
		{"tune-120x30", "en", 120, 30, fifth, nil},
		{"tune-40x10", "en", 40, 10, fifth, nil},
		{"tune-scrolled-80x16", "en", 80, 16, fifth, []string{"pgdown", "down", "down", "up"}},
		{"tune-runs-80x24", "en", 80, 24, fifth, []string{"tab"}},
		{"tune-now-80x24", "en", 80, 24, fifth, []string{"3"}},
		{"tune-help-80x24-zh", "zh", 80, 24, fifth, []string{"?"}},
		{"tune-starting-80x24", "en", 80, 24, change(func(f *ExperimentFrame) {
			*f = ExperimentFrame{Series: Series{Of: 55, Left: 7 * time.Minute, Running: "article-3", Now: Frame{Total: 5 * time.Second}}, Round: 1, Rounds: 11}
		}), nil},
		{"tune-stopping-80x24", "en", 80, 24, change(func(f *ExperimentFrame) { f.Stopping = true }), nil},
		{"tune-done-80x24", "en", 80, 24, change(func(f *ExperimentFrame) { f.Done, f.Round, f.Left, f.Now = 55, 11, 0, Frame{} }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := experimentScreen(t, tuneOptions(c.lang), c.w, c.h, c.frames, c.keys...)
			fitsScreen(t, m.content, m.width, m.height)
			golden(t, c.name, m.content)
		})
	}
}

// What variants are called, and what their runs said, stays in its cells, at every size
// and in every view.
func TestExperimentFitsEverySize(t *testing.T) {
	rich := tuning()
	rich.Running = nasty
	rich.Effects = append([]EffectLine{{Metric: nasty, Variant: nasty, Measured: nasty, Change: nasty, Bounds: nasty, Verdict: nasty, Needs: nasty, Sign: Sign(9)}}, rich.Effects...)
	rich.Made, rich.Warnings = append(rich.Made, nasty, strings.Repeat("客", 1<<16)), []string{nasty, nasty, nasty}
	rich.Now = hostile(sale(48300 * time.Millisecond))[48]
	for _, frames := range [][]ExperimentFrame{{rich}, {{}}, {{Series: Series{Done: 9, Of: 3}}}} {
		for _, o := range []Options{tuneOptions("en"), tuneOptions("zh"), hostileOptions(), {}} {
			m := experimentScreen(t, o, 80, 24, frames)
			everySize(t, &m.live)
		}
	}
}

func TestExperimentKeys(t *testing.T) {
	var asked []bool
	o := tuneOptions("en")
	o.OnStop = func(hard bool) { asked = append(asked, hard) }
	m := experimentScreen(t, o, 80, 24, []ExperimentFrame{tuning()}, "q", "ctrl+c")
	if !reflect.DeepEqual(asked, []bool{false, true}) {
		t.Errorf("asked to stop hard: %v", asked)
	}
	if !strings.Contains(ansi.Strip(m.content), "q stop now") {
		t.Error("the footer does not say what the next q does")
	}
	// Paused, the screen stands still; resumed, it shows the newest.
	m.Update(keyOf("p"))
	next := tuning()
	next.Done, next.Running = 23, "article-3"
	m.feed.Update(next)
	before := m.content
	m.Update(freshMsg{})
	if m.content != before || !strings.Contains(ansi.Strip(before), "PAUSED 02:37") {
		t.Errorf("paused:\n%s", ansi.Strip(m.content))
	}
	m.Update(keyOf("p"))
	if got := ansi.Strip(m.content); !strings.Contains(got, "article-3  ") || !strings.Contains(got, "run 24 of 55") {
		t.Errorf("resumed:\n%s", got)
	}
	// Scrolling ends where the table does.
	for range 100 {
		m.Update(keyOf("down"))
	}
	if m.scroll >= len(next.Effects) || m.scroll == 0 && m.fit < len(next.Effects) {
		t.Errorf("scrolled to %d of %d", m.scroll, len(next.Effects))
	}
}

// The course of a run is not mixed with that of the one before it.
func TestEveryRunHasACourseOfItsOwn(t *testing.T) {
	d := newSeriesFeed[ExperimentFrame]()
	for _, f := range sale(20 * time.Second) {
		d.Update(ExperimentFrame{Series: Series{Of: 2, Now: f}})
	}
	first := d.run
	d.Update(ExperimentFrame{Series: Series{Done: 1, Of: 2, Now: sale(2 * time.Second)[2]}})
	if d.run == first || len(d.run.history.points) >= len(first.history.points) {
		t.Errorf("%d seconds of the second run, %d of the first", len(d.run.history.points), len(first.history.points))
	}
}

func TestExperimentDrawsAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := openGate()
		o := tuneOptions("en")
		o.Out = g
		ui := NewExperiment(o)
		result := make(chan error, 1)
		go func() { result <- ui.Run() }()
		ui.Update(tuning())
		time.Sleep(2 * time.Second)
		ui.Quit()
		if err := <-result; err != nil {
			t.Error(err)
		}
		if !strings.Contains(g.String(), "tuning-stages") || !strings.Contains(g.String(), "article-2") {
			t.Errorf("drawn: %q", g.String())
		}
	})
}
