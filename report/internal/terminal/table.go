package terminal

import (
	"math"
	"strings"

	"github.com/rivo/uniseg"

	"github.com/cstest/cstest/report/escape"
)

// Columns gives each column the width of its widest cell, and takes what does
// not fit into total from the flexible one.
func Columns(rows [][]string, total, flexible int) []int {
	var out []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(out) {
				out = append(out, 0)
			}
			out[i] = max(out[i], escape.Width(cell))
		}
	}
	sum := 2 * (len(out) - 1)
	for _, w := range out {
		sum += w
	}
	if sum > total {
		out[flexible] = max(out[flexible]-(sum-total), 10)
	}
	return out
}

// Parted parts a table that is wider than total into several, each with as many columns
// as fit and the first of them repeated.
func Parted(rows [][]string, total int) (out [][][]string) {
	if len(rows) == 0 {
		return nil
	}
	widths := Columns(rows, math.MaxInt, 0)
	first := min(widths[0], max(total/4, 10))
	for from := 1; from < len(widths); {
		used, to := first, from
		for to < len(widths) && (to == from || used+2+widths[to] <= total) {
			used += 2 + widths[to]
			to++
		}
		part := make([][]string, len(rows))
		for i, row := range rows {
			part[i] = append([]string{row[0]}, row[from:to]...)
		}
		out = append(out, part)
		from = to
	}
	return out
}

// wrap breaks s into lines of at most w cells, where Unicode allows a break, and
// inside a word only when the word alone is too long.
func wrap(s string, w int) []string {
	w = max(w, 8)
	var lines []string
	var line strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, strings.TrimRight(line.String(), " "))
		line.Reset()
		used = 0
	}
	state := -1
	for rest := s; rest != ""; {
		var segment string
		segment, rest, _, state = uniseg.FirstLineSegmentInString(rest, state)
		if used > 0 && used+escape.Width(strings.TrimRight(segment, " ")) > w {
			flush()
		}
		for inner := -1; segment != ""; {
			var cluster string
			var cells int
			cluster, segment, cells, inner = uniseg.FirstGraphemeClusterInString(segment, inner)
			if used > 0 && used+cells > w && cluster != " " {
				flush()
			}
			line.WriteString(cluster)
			used += cells
		}
	}
	if line.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// Pad fills s with spaces to w cells; right moves the text to the right.
func Pad(s string, w int, right bool) string {
	gap := strings.Repeat(" ", max(w-escape.Width(s), 0))
	if right {
		return gap + s
	}
	return s + gap
}

// Table writes rows with the first column to the left and the others to the
// right, the first row dimmed as a heading.
func (t *Printer) Table(rows [][]string) {
	widths := Columns(rows, t.Room(), 0)
	for i, row := range rows {
		cells := make([]string, len(row))
		for c, cell := range row {
			cells[c] = Pad(escape.Fit(cell, widths[c]), widths[c], c > 0)
		}
		if s := strings.Join(cells, "  "); i == 0 {
			t.Line(t.Paint(s, Dim))
		} else {
			t.Line(s)
		}
	}
}

// LeftTable is Table with the first columns, as many as left, to the left.
func (t *Printer) LeftTable(rows [][]string, left int) {
	widths := Columns(rows, t.Room(), left-1)
	for i, row := range rows {
		cells := make([]string, len(row))
		for c, cell := range row {
			cells[c] = Pad(escape.Fit(cell, widths[c]), widths[c], c >= left)
		}
		if s := strings.Join(cells, "  "); i == 0 {
			t.Line(t.Paint(s, Dim))
		} else {
			t.Line(s)
		}
	}
}
