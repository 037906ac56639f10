package tui

import (
	"flag"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

var update = flag.Bool("update", false, "write the golden screens anew")

// TestScreens compares whole screens with testdata/*.golden.
func TestScreens(t *testing.T) {
	closed := func(frames []Frame) []Frame {
		f := &frames[len(frames)-1]
		f.Users, f.Planned = 200, 0
		return frames
	}
	last := func(frames []Frame, change func(*Frame)) []Frame {
		change(&frames[len(frames)-1])
		return frames
	}
	at := func(s float64) []Frame { return sale(time.Duration(s * float64(time.Second))) }
	for _, c := range []struct {
		name   string
		opts   Options
		w, h   int
		frames []Frame
		keys   []string
	}{
		{"starting-80x24", enOptions(), 80, 24, at(0), nil},
		{"calm-80x24", enOptions(), 80, 24, at(22.5), nil},
		{"storm-80x24", enOptions(), 80, 24, at(48.3), nil},
		{"storm-80x24-zh", zhOptions(), 80, 24, at(48.3), nil},
		{"storm-100x30", enOptions(), 100, 30, at(48.3), nil},
		{"storm-40x10", enOptions(), 40, 10, at(48.3), nil},
		{"storm-40x10-zh", zhOptions(), 40, 10, at(48.3), nil},
		{"recovery-100x30-zh", zhOptions(), 100, 30, at(64), nil},
		{"after-120x40", enOptions(), 120, 40, at(105), nil},
		{"draining-80x24", enOptions(), 80, 24, at(112), nil},
		{"stopping-80x24", enOptions(), 80, 24, last(at(48.3), func(f *Frame) { f.Stopping = true }), nil},
		{"closed-80x24", enOptions(), 80, 24, closed(at(22.5)), nil},
		{"low-80x16", enOptions(), 80, 16, at(48.3), nil},
		{"paused-80x24", enOptions(), 80, 24, at(48.3), []string{"p"}},
		{"turns-80x24", enOptions(), 80, 24, at(48.3), []string{"tab"}},
		{"turns-80x24-zh", zhOptions(), 80, 24, at(48.3), []string{"2"}},
		{"objectives-80x24", enOptions(), 80, 24, at(48.3), []string{"3"}},
		{"objectives-80x24-zh", zhOptions(), 80, 24, at(48.3), []string{"tab", "tab"}},
		{"objectives-40x10", enOptions(), 40, 10, at(48.3), []string{"3"}},
		{"help-80x24", enOptions(), 80, 24, at(48.3), []string{"?"}},
		{"help-80x24-zh", zhOptions(), 80, 24, at(48.3), []string{"?"}},
		{"failing-80x24", enOptions(), 80, 24, last(at(50), func(f *Frame) {
			f.Last.Counts = [measure.Outcomes]int64{measure.OK: 200, measure.Timeout: 250}
			f.Last.Tiers = [measure.Tiers]int64{measure.TierLLM: 200}
			f.Last.P99, f.SoFar.P99 = 2900*time.Millisecond, 1210*time.Millisecond
			f.Achieved, f.Seconds.Bad = 93, 5
			f.Burn = []Burn{{5 * time.Second, 55.6}, {30 * time.Second, 14}, {5 * time.Minute, 2.2}}
			f.Generator = Generator{LagP99: 81 * time.Millisecond, CPU: 1.97, Cores: 2, Tainted: 4, Reason: reason.Reasons{reason.Said("lag P99 over 10 ms in 4 of 50 seconds")}}
		}), nil},
		{"hostile-80x24", hostileOptions(), 80, 24, hostile(at(48.3)), nil},
		{"hostile-turns-80x24", hostileOptions(), 80, 24, hostile(at(48.3)), []string{"2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := screen(t, c.opts, c.w, c.h, c.frames, c.keys...)
			fits(t, m)
			golden(t, c.name, m.content)
		})
	}
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// fits checks what holds for every screen: as many rows as the terminal, none
// too wide, no control but colours.
func fits(t testing.TB, m *model) {
	t.Helper()
	fitsScreen(t, m.content, m.width, m.height)
}

func fitsScreen(t testing.TB, content string, width, height int) {
	t.Helper()
	rows := strings.Split(content, "\n")
	if len(rows) != max(height, 0) && height > 0 && width > 0 {
		t.Errorf("%d rows on a screen of %d", len(rows), height)
	}
	for i, row := range rows {
		if w := ansi.StringWidth(row); w > width {
			t.Errorf("row %d is %d cells wide on a screen of %d: %q", i, w, width, row)
		}
		for _, r := range sgr.ReplaceAllString(row, "") {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
				t.Errorf("row %d holds %U: %q", i, r, row)
			}
		}
	}
}

const nasty = "客服本来有\x1b]52;c;aGk=\x07\x1b[2J\u009b31m\r\u202eevil\u2066\u200b\ttab\x00\x7f\xff \\u001b[1m ##[error]"

func hostileOptions() Options {
	o := enOptions()
	o.Scenario.Name = "a\x1b]0;owned\x07\u202eb"
	o.Target = "bundled\r\nrm -rf"
	return o
}

func hostile(frames []Frame) []Frame {
	f := &frames[len(frames)-1]
	f.Stages = append([]measure.Stage(nil), f.Stages...)
	f.Stages[3].Name = "\x1b[31mpeak"
	f.Stage = f.Stages[3].Name
	f.Storms = []measure.Storm{{Name: "st\x1b[5morm", Kind: "\u202estatus", Start: 35 * time.Second, End: 55 * time.Second}}
	f.Failures = []measure.FailureCount{
		{Outcome: measure.ServerError, Message: nasty, Count: 18},
		{Outcome: measure.Integrity, Message: strings.Repeat("👩‍👩‍👧‍👦客", 1<<16), Count: 1_234_567},
		{Outcome: measure.Outcome(200), Message: "e" + strings.Repeat("\u0301", 1<<16), Count: -3},
	}
	f.Objectives = append([]sla.Judged{{Name: "\x1b[7mname", Unit: "share", Target: 0.5, Measured: 0.25, N: 4, Bad: 3, Verdict: sla.Verdict(77), Reason: reason.Reasons{reason.Said("\x9b")}}}, f.Objectives...)
	f.Turns = []TurnLine{{Conversation: nasty, Say: nasty, Turns: 10, Answered: 9, P50: 1, P99: 2}}
	return frames
}

// TestHostileTextsStayInTheirCells compares a hostile screen with a harmless
// one: outside the rows that hold the texts both are the same.
func TestHostileTextsStayInTheirCells(t *testing.T) {
	rows := func(o Options, frames []Frame) []string {
		return strings.Split(ansi.Strip(screen(t, o, 80, 24, frames).content), "\n")
	}
	harmless := rows(enOptions(), sale(48300*time.Millisecond))
	attacked := rows(hostileOptions(), hostile(sale(48300*time.Millisecond)))
	texts := map[int]bool{0: true, 1: true, 2: true, 6: true, 21: true, 22: true} // header, target, stages, banner, errors
	for i := range harmless {
		if !texts[i] && harmless[i] != attacked[i] {
			t.Errorf("row %d changed\n from %q\n   to %q", i, harmless[i], attacked[i])
		}
	}
	if want := "     18 × server error      客服本来有^[]52;c;aGk=^G^[[2J^[31m^M<U+202E>evil<U…"; attacked[21] != want {
		t.Errorf("got  %q\nwant %q", attacked[21], want)
	}
}

// TestEverySizeFits draws every view of a rich and of an empty frame at every
// small size and some large ones.
func TestEverySizeFits(t *testing.T) {
	rich := hostile(sale(48300 * time.Millisecond))
	for _, frames := range [][]Frame{rich, {{}}, {{Elapsed: time.Hour, Phase: Phase(9)}}} {
		for _, o := range []Options{enOptions(), zhOptions(), {}} {
			m := screen(t, o, 80, 24, frames)
			for _, help := range []bool{false, true} {
				for view := range runPages {
					if help && view > 0 {
						continue // the same page
					}
					m.help, m.page = help, view
					for _, w := range []int{0, 1, 2, 7, 39, 40, 71, 72, 79, 80, 101, 200} {
						for _, h := range []int{0, 1, 2, 3, 9, 11, 12, 16, 24, 30, 38, 60} {
							m.width, m.height = w, h
							m.draw()
							fits(t, m)
							if t.Failed() {
								t.Fatalf("at %dx%d, view %d, help %t, lang %q", w, h, view, help, o.Lang)
							}
						}
					}
				}
			}
		}
	}
}

// TestColoursSayWhatFiguresMean looks for the paint of figures.
func TestColoursSayWhatFiguresMean(t *testing.T) {
	frames := sale(22 * time.Second)
	f := &frames[len(frames)-1]
	for _, c := range []struct {
		p99  time.Duration
		want func(*palette) paint
	}{
		{399 * time.Millisecond, func(p *palette) paint { return p.good }},
		{401 * time.Millisecond, func(p *palette) paint { return p.warn }},
		{501 * time.Millisecond, func(p *palette) paint { return p.bad }},
	} {
		f.Last.P99 = c.p99
		m := screen(t, enOptions(), 80, 24, frames)
		row := strings.Split(m.content, "\n")[11]
		if want := string(c.want(m.colour)) + millis(c.p99) + unpaint; !strings.Contains(row, want) {
			t.Errorf("P99 %v: %q is not in %q", c.p99, want, row)
		}
	}
	dark, light := newPalette(true), newPalette(false)
	if dark.good == light.good || dark.dim == light.dim {
		t.Error("light and dark terminals get the same colours")
	}
}
