package tui

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in    string
		width int
		want  string
	}{
		{"plain", 10, "plain"},
		{"plain", 5, "plain"},
		{"plain", 4, "pla…"},
		{"plain", 0, ""},
		{"客服本来有", 10, "客服本来有"},
		{"客服本来有", 9, "客服本来…"},
		{"客服本来有", 8, "客服本…"},
		{"\x00\x07\x1b\x7f", 20, "^@^G^[^?"},
		{"\u0080\u009b\u009c\u009f", 20, "^@^[^\\^_"},
		{"a\r\nb\tc", 20, "a^M^Jb^Ic"},
		{`\u001b[31m \u0041 \u009B \u00zz`, 40, `^[[31m \u0041 ^[ \u00zz`},
		{"\u202eabc\u2066", 30, "<U+202E>abc<U+2066>"},
		{"a\u200bb\ufeffc\u00ad", 40, "a<U+200B>b<U+FEFF>c<U+00AD>"},
		{"a\u2028b", 20, "a<U+2028>b"},
		{"\U000e0041", 20, "<U+E0041>"},
		{"❤\ufe0f", 20, "❤"},
		{"\xff\xfe", 20, "��"},
		{"e" + strings.Repeat("\u0301", 9), 20, "e\u0301\u0301\u0301"},
		{"中文", 1, ""},
	} {
		got := clean(c.in, c.width)
		if got != c.want && (c.width != 1 || ansi.StringWidth(got) > 1) {
			t.Errorf("clean(%q, %d) = %q, want %q", c.in, c.width, got, c.want)
		}
	}
}

// TestCleanCostsWhatIsShown: a megabyte of anything is not read to its end.
func TestCleanCostsWhatIsShown(t *testing.T) {
	for _, unit := range []string{"a", "\x1b", "\u0301", "客", "\u202e", "\ufe0f"} {
		long := strings.Repeat(unit, 1<<20)
		if got := clean(long, 30); ansi.StringWidth(got) > 30 || !strings.HasSuffix(got, "…") {
			t.Errorf("1 Mi of %q became %q", unit, got)
		}
		if n := testing.AllocsPerRun(10, func() { clean(long, 30) }); n > 1000 {
			t.Errorf("1 Mi of %q costs %v allocations", unit, n)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{nasty, "客服本来有", "\\u009", "👩‍👩‍👧‍👦", "\xe5\xae", "a\u0301\u0301\u0301\u0301\u0301"} {
		f.Add(s, 20)
	}
	f.Fuzz(func(t *testing.T, s string, width int) {
		width = min(max(width, -1), 500)
		got := clean(s, width)
		if w := ansi.StringWidth(got); w > max(width, 0) {
			t.Errorf("%d cells, %d allowed: %q", w, width, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Errorf("%U came through: %q", r, got)
			}
		}
	})
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{millis(0), "–"},
		{millis(-1), "–"},
		{millis(312 * time.Microsecond), "312 µs"},
		{millis(9994 * time.Microsecond), "9.99 ms"},
		{millis(11 * time.Minute), "11 min"},
		{span(1500 * time.Millisecond), "1.5 s"},
		{share(0, 0), "–"},
		{share(0, 5), "0 %"},
		{share(5, 5), "100 %"},
		{share(1, 10_000), "0.01 %"},
		{share(9_999, 10_000), "99.99 %"},
		{share(961, 1000), "96.1 %"},
		{perSecond(150), "150/s"},
		{perSecond(0.5), "0.5/s"},
		{perSecond(4470), "4,470/s"},
		{perSecond(math.NaN()), "–"},
		{count(100_000), "100,000"},
		{quantity(0.99999, "share"), "99.999 %"},
		{quantity(1, "share"), "100 %"},
		{quantity(0.995, "share"), "99.5 %"},
		{quantity(15.04, "s"), "15 s"},
		{quantity(math.NaN(), "s"), "–"},
		{quantity(3, "count"), "3"},
		{quantity(0.25, "count"), "0.25"},
		{quantity(5e8, "ns"), "500 ms"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

// TestStackKeepsTheSmallVisible: widths add up, and what is there has a cell.
func TestStackKeepsTheSmallVisible(t *testing.T) {
	for _, c := range []struct {
		n     [4]int64
		width int
		want  string
	}{
		{[4]int64{100, 0, 0, 0}, 10, "aaaaaaaaaa"},
		{[4]int64{9_999, 0, 0, 1}, 10, "aaaaaaaaad"},
		{[4]int64{1, 1, 1, 1}, 8, "aabbccdd"},
		{[4]int64{1, 9_997, 1, 1}, 6, "abbbcd"},
		{[4]int64{0, 0, 0, 7}, 4, "dddd"},
		{[4]int64{0, 0, 0, 0}, 5, "░░░░░"},
		{[4]int64{1, 1, 1, 1}, 3, "░░░"},
		{[4]int64{25, 25, 25, 26}, 4, "abcd"},
	} {
		var parts []part
		for i, n := range c.n {
			parts = append(parts, part{"", string(rune('a' + i)), n})
		}
		if got := newLine(99).stack(parts, c.width, "").String(); got != c.want {
			t.Errorf("%v over %d: %q, want %q", c.n, c.width, got, c.want)
		}
	}
}

func TestChart(t *testing.T) {
	bars := []bar{{v: 0}, {v: 1}, {v: 50}, {v: math.NaN()}, {v: 100}, {v: 900}}
	draw := func(rows int, mark float64) []string {
		var out []string
		for r := range rows {
			out = append(out, newLine(8).chart(bars, 8, r, rows, 100, mark, "").String())
		}
		return out
	}
	for _, c := range []struct {
		rows int
		mark float64
		want []string
	}{
		{1, 0, []string{" ▁▄ ██  "}},
		{2, 0, []string{"    ██  ", " ▁█ ██  "}},
		{2, 80, []string{"┈┈┈┈██┈┈", " ▁█ ██  "}},
		{4, 60, []string{"    ██  ", "┈┈┈┈██┈┈", "  █ ██  ", " ▁█ ██  "}},
	} {
		if got := draw(c.rows, c.mark); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%d rows: %q, want %q", c.rows, got, c.want)
		}
	}
}

// TestHistoryForgetsNothing: however long the run, sums and maxima stay, in
// bounded memory.
func TestHistoryForgetsNothing(t *testing.T) {
	const seconds = 20_000
	h := history{step: 1}
	for s := range seconds {
		p := point{starts: 2, n: 3, bad: 1, p99: time.Millisecond}
		if s == 12_345 {
			p.p99 = time.Second
		}
		h.record(s, point{starts: 99, n: 99}) // replaced by the next
		h.record(s, p)
		h.record(s-5, point{starts: 1e9}) // too late
	}
	if len(h.points) > maxPoints || h.step != 8 {
		t.Errorf("%d points of %d s", len(h.points), h.step)
	}
	var sum tally
	worst := -1
	for i, c := range h.columns(100, seconds*time.Second, seconds*time.Second) {
		sum.merge(c)
		if c.p99 == time.Second {
			worst = i
		}
	}
	if sum.starts != 2*seconds || sum.n != 3*seconds || sum.bad != seconds || sum.seconds != seconds {
		t.Errorf("sums %+v", sum)
	}
	if worst != 12_345*100/seconds {
		t.Errorf("the worst second stands in column %d", worst)
	}
	h.record(1<<40, point{starts: 1})
	if h.second != seconds-1 {
		t.Error("a second beyond any run was taken")
	}
}

// TestShortRunsRepeatSeconds: 4 s over 8 columns, of which 2 have passed.
func TestShortRunsRepeatSeconds(t *testing.T) {
	h := history{step: 1}
	h.record(0, point{starts: 1})
	h.record(1, point{starts: 2})
	var got []float64
	for _, c := range h.columns(8, 4*time.Second, 2500*time.Millisecond) {
		got = append(got, c.starts)
	}
	if len(got) != 4 || got[0] != 1 || got[1] != 1 || got[2] != 2 || got[3] != 2 {
		t.Errorf("columns %v", got)
	}
}

func TestStormAt(t *testing.T) {
	s := func(at int) time.Duration { return time.Duration(at) * time.Second }
	storms := []measure.Storm{{Name: "second", Start: s(60), End: s(70)}, {Name: "first", Start: s(20), End: s(30)}, {Name: "open", Start: s(90)}}
	for _, c := range []struct {
		at   int
		name string
		when stormPhase
	}{
		{0, "first", comingStorm},
		{20, "first", stormOn},
		{29, "first", stormOn},
		{30, "first", stormRecovery},
		{39, "first", stormRecovery},
		{40, "second", comingStorm},
		{69, "second", stormOn},
		{75, "second", stormRecovery},
		{85, "open", comingStorm},
		{500, "open", stormOn},
	} {
		got, when, ok := stormAt(storms, s(c.at), s(10))
		if !ok || got.Name != c.name || when != c.when {
			t.Errorf("at %d s: %q, %d, %t; want %q, %d", c.at, got.Name, when, ok, c.name, c.when)
		}
	}
	if _, _, ok := stormAt(storms[:2], s(500), s(10)); ok {
		t.Error("a storm long over is still shown")
	}
	if got := sla.PlannedStorms(nil); got != nil {
		t.Errorf("storms of no scenario: %v", got)
	}
}

// TestWordsKeepToTheVocabulary: every text is there in both languages, and each
// thing is called one name.
func TestWordsKeepToTheVocabulary(t *testing.T) {
	pairs := func(w *words) (out []string) {
		v := reflect.ValueOf(*w)
		for _, field := range v.Fields() {
			switch f := field; f.Kind() {
			case reflect.String:
				out = append(out, f.String())
			case reflect.Array:
				for k := range f.Len() {
					out = append(out, f.Index(k).String())
				}
			}
		}
		for _, line := range slices.Concat(w.help, w.experimentHelp, w.capacityHelp) {
			out = append(out, line[0], line[1])
		}
		return out
	}
	en, zh := pairs(english()), pairs(chinese())
	if len(en) != len(zh) || len(en) < 90 {
		t.Fatalf("%d texts in English, %d in Chinese", len(en), len(zh))
	}
	for i := range en {
		if (en[i] == "") != (zh[i] == "") || strings.Count(en[i], "%") != strings.Count(zh[i], "%") {
			t.Errorf("%q and %q", en[i], zh[i])
		}
		for _, fault := range reason.Faults(en[i], zh[i]) {
			t.Errorf("%q: %q: %s", en[i], zh[i], fault)
		}
	}
}

// What keys and words mean is read to its end on the usual screen.
func TestHelpIsNotCut(t *testing.T) {
	for _, w := range []*words{english(), chinese()} {
		for _, h := range slices.Concat(w.help, w.experimentHelp, w.capacityHelp) {
			if wide := max(helpColumn, textWidth(h[0])+2) + textWidth(h[1]); wide > 80 {
				t.Errorf("%d cells: %q %q", wide, h[0], h[1])
			}
		}
	}
}

// What cstest itself says of a failure is in the language of the view; what a
// server says stays as it is.
func TestFailuresInChinese(t *testing.T) {
	frames := sale(48 * time.Second)
	frames[len(frames)-1].Failures = []measure.FailureCount{
		{Outcome: measure.Timeout, Message: "no whole answer within the timeout", Count: 3},
		{Outcome: measure.ServerError, Message: "answer refused by upstream", Count: 2},
	}
	shown := ansi.Strip(screen(t, zhOptions(), 80, 24, frames).content)
	for _, want := range []string{"3 × 超时", "超时前没有完整的应答", "answer refused by upstream"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %q on\n%s", want, shown)
		}
	}
}
