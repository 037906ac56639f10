package tui

import (
	"fmt"
	"strings"

	"github.com/cstest/cstest/reason"
)

// canvas is what views are drawn on: a screen's size, its colours, and the words of a
// language.
type canvas struct {
	words         *words
	colour        *palette
	width, height int
}

// newCanvas is one of the usual size on a dark screen, until it is told better.
func newCanvas(lang reason.Lang) canvas {
	return canvas{words: wordsOf(lang), colour: newPalette(true), width: 80, height: 24}
}

// section is a block of rows of the screen. When the screen is too low the
// sections with the least keep go first; rows to spare go to those that can grow.
type section struct {
	keep int
	min  int
	max  int
	rows func(n int) []*line
}

// narrow and low are where the two-column layout ends and the short list begins.
const (
	narrow = 72
	low    = 12
)

// gutter is left of what is drawn over time or load, margin right of it.
const (
	gutter = 11
	margin = 10
)

func (c *canvas) plotWidth() int { return max(c.width-gutter-margin-1, 1) }

// compose draws the whole screen: at most height rows of at most width cells, the footer
// in the last.
func (c *canvas) compose(body func() []*line, footer func() *line) string {
	if c.width <= 0 || c.height <= 0 {
		return ""
	}
	out := make([]string, 0, c.height)
	for _, l := range body() {
		if len(out) < c.height-1 {
			out = append(out, l.String())
		}
	}
	for len(out) < c.height-1 {
		out = append(out, "")
	}
	return strings.Join(append(out, footer().String()), "\n")
}

// stack fits sections into the rows above the footer.
func (c *canvas) stack(sections []section) []*line {
	room := c.height - 1
	sizes := make([]int, len(sections))
	need := 0
	for i, s := range sections {
		sizes[i] = s.min
		need += s.min
	}
	for need > room {
		worst := least(sections, func(i int) bool { return sizes[i] > 0 })
		if worst < 0 {
			break
		}
		need -= sizes[worst]
		sizes[worst] = 0
	}
	// What went for a larger one's sake may fit after all, the most wanted first.
	for range sections {
		best, keep := -1, 0
		for i, s := range sections {
			if sizes[i] == 0 && s.min > 0 && need+s.min <= room && (best < 0 || s.keep > keep) {
				best, keep = i, s.keep
			}
		}
		if best < 0 {
			break
		}
		sizes[best] = sections[best].min
		need += sizes[best]
	}
	for grown := true; grown && need < room; {
		grown = false
		for i, s := range sections {
			if need < room && sizes[i] > 0 && sizes[i] < s.max {
				sizes[i]++
				need++
				grown = true
			}
		}
	}
	var out []*line
	for i, s := range sections {
		if sizes[i] > 0 {
			out = append(out, s.rows(sizes[i])...)
		}
	}
	return out
}

// least is the section with the least keep among those that hold; -1: none.
func least(sections []section, holds func(int) bool) int {
	found := -1
	for i, s := range sections {
		if holds(i) && (found < 0 || s.keep < sections[found].keep) {
			found = i
		}
	}
	return found
}

func one(f func() *line) func(int) []*line { return func(int) []*line { return []*line{f()} } }

// title is a rule with a name in it.
func (c *canvas) title(width int, name string) *line {
	return newLine(width).glyphs(c.colour.rule, "─", 1).text("", " ").text(c.colour.title, name).
		text("", " ").glyphs(c.colour.rule, "─", width)
}

// beside sets two blocks next to each other.
func (c *canvas) beside(left, right []*line, col int) []*line {
	out := make([]*line, max(len(left), len(right)))
	for i := range out {
		out[i] = newLine(c.width)
		if i < len(left) {
			out[i].join(left[i])
		}
		if i < len(right) {
			out[i].to(col).join(right[i])
		}
	}
	return out
}

// keys is the last row: what keys do, as many as fit, and on the right which of the
// views this is, -1 for none. held says that drawing is paused.
func (c *canvas) keys(held string, keys [][2]string, views []string, view int) *line {
	l := newLine(c.width)
	if held != "" {
		l.text("", " ").text(c.colour.paused, " "+held+" ")
	}
	for _, k := range keys {
		if need := textWidth(k[0]) + textWidth(k[1]) + 3; l.w+need <= c.width {
			l.text("", " ").text(c.colour.title, k[0]).text(c.colour.dim, " "+k[1]+" ")
		}
	}
	tabs := newLine(c.width)
	for i, name := range views {
		if i > 0 {
			tabs.text(c.colour.rule, " │ ")
		}
		if i == view {
			tabs.text(c.colour.bold, name)
		} else {
			tabs.text(c.colour.dim, name)
		}
	}
	if l.w+tabs.w+2 <= c.width {
		l.to(c.width - tabs.w - 1).join(tabs)
	}
	return l
}

func format(text string, args ...any) string {
	if strings.Contains(text, "%") {
		return fmt.Sprintf(text, args...)
	}
	return text
}
