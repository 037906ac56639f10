package tui

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

// line is one row of the screen, never wider than max cells.
type line struct {
	b   strings.Builder
	w   int
	max int
}

func newLine(width int) *line {
	l := &line{max: width}
	l.b.Grow(2*max(width, 0) + 32) // escape sequences, and glyphs of three bytes: grown once more at most
	return l
}

// text appends words of our own, cut where the line ends.
func (l *line) text(p paint, s string) *line {
	if s == "" || l.w >= l.max {
		return l
	}
	w := textWidth(s)
	if l.w+w > l.max {
		s = ansi.Truncate(s, l.max-l.w, "…")
		w = textWidth(s)
	}
	l.put(p, s, w)
	return l
}

// outer appends a text from outside in at most width cells.
func (l *line) outer(p paint, s string, width int) *line {
	return l.text(p, clean(s, min(width, l.max-l.w)))
}

// glyphs appends n cells of a one-cell glyph.
func (l *line) glyphs(p paint, glyph string, n int) *line {
	if n = min(n, l.max-l.w); n > 0 {
		l.put(p, strings.Repeat(glyph, n), n)
	}
	return l
}

// to appends blanks up to a column.
func (l *line) to(col int) *line { return l.glyphs("", " ", col-l.w) }

// right appends s so that it ends at a column, or where it can.
func (l *line) right(p paint, s string, col int) *line {
	return l.to(col-textWidth(s)).text(p, s)
}

// join appends another line, which must fit.
func (l *line) join(o *line) *line {
	if l.w+o.w <= l.max {
		l.b.WriteString(o.b.String())
		l.w += o.w
	}
	return l
}

func (l *line) put(p paint, s string, w int) {
	if p != "" {
		l.b.WriteString(string(p))
	}
	l.b.WriteString(s)
	if p != "" {
		l.b.WriteString(unpaint)
	}
	l.w += w
}

func (l *line) String() string { return l.b.String() }

func textWidth(s string) int {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return ansi.StringWidth(s)
		}
	}
	return len(s)
}

// part is a stretch of a stacked bar.
type part struct {
	paint paint
	glyph string
	n     int64
}

// stack draws parts in proportion over width cells. A part that is there gets at
// least one cell, at the cost of the largest: one failure in 10,000 is seen.
func (l *line) stack(parts []part, width int, empty paint) *line {
	var total, biggest int64
	big := 0
	for i, p := range parts {
		total += p.n
		if p.n > biggest {
			biggest, big = p.n, i
		}
	}
	width = min(width, l.max-l.w)
	if total <= 0 || width < len(parts) {
		return l.glyphs(empty, "░", width)
	}
	cells := make([]int, len(parts))
	rest := width
	for i, p := range parts {
		if p.n > 0 && i != big {
			cells[i] = max(1, int(math.Round(float64(p.n)/float64(total)*float64(width))))
			rest -= cells[i]
		}
	}
	for i := range cells { // rounding up many small parts may leave the largest too little
		for rest < 1 && i != big && cells[i] > 1 {
			cells[i]--
			rest++
		}
	}
	cells[big] = rest
	for i, p := range parts {
		l.glyphs(p.paint, p.glyph, cells[i])
	}
	return l
}

// gauge draws how far v has come to limit over width cells.
func (l *line) gauge(p, empty paint, v, limit float64, width int) *line {
	if limit <= 0 || width <= 0 {
		return l
	}
	done := int(math.Round(min(max(v/limit, 0), 1) * float64(width)))
	if v > 0 {
		done = max(done, 1)
	}
	return l.glyphs(p, "━", done).glyphs(empty, "─", width-done)
}

var eighths = [...]string{" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"}

// bar is one column of a chart: NaN is unknown, drawn as a gap.
type bar struct {
	v     float64
	paint paint
}

// chart draws row `row` (0 is the top) of `rows` of a column chart whose top is
// ceiling. mark, when inside, is a height that shows as a dotted line behind.
func (l *line) chart(bars []bar, width int, row, rows int, ceiling, mark float64, dotted paint) *line {
	floor := float64(rows-1-row) / float64(rows) * ceiling
	top := float64(rows-row) / float64(rows) * ceiling
	marked := rows > 1 && mark > floor && mark <= top
	from := 0
	glyph := func(i int) (string, paint) {
		g := " "
		p := paint("")
		if i < len(bars) && !math.IsNaN(bars[i].v) && ceiling > 0 {
			level := int(math.Round((bars[i].v - floor) / (top - floor) * 8))
			if row == rows-1 && bars[i].v > 0 {
				level = max(level, 1)
			}
			g, p = eighths[min(max(level, 0), 8)], bars[i].paint
		}
		if g == " " && marked {
			return "┈", dotted
		}
		return g, p
	}
	// Neighbours of one colour share one escape sequence.
	run := make([]byte, 0, 3*max(width, 0))
	var ink paint
	for i := range min(width, l.max-l.w) {
		g, p := glyph(i)
		if i > from && p != ink && g != " " {
			l.put(ink, string(run), i-from)
			run = run[:0]
			from = i
		}
		if len(run) == 0 || g != " " {
			ink = p
		}
		run = append(run, g...)
	}
	if len(run) > 0 {
		l.put(ink, string(run), utf8.RuneCount(run)) // each a cell
	}
	return l
}
