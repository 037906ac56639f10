package tui

import "strconv"

// window is which of so many rows are shown where there is room for n.
type window struct{ from, to int }

func (l *live) window(rows, n int) window {
	n = max(n, 0)
	l.fit = n
	l.scroll = min(max(l.scroll, 0), max(rows-n, 0))
	return window{l.scroll, min(l.scroll+n, rows)}
}

// windowAt is the window around a row, until the reader moves it.
func (l *live) windowAt(row, rows, n int) window {
	if !l.moved {
		l.scroll = row - n/2
	}
	return l.window(rows, n)
}

// titleOf is a title that says which of the rows below are shown, where not all are.
func (l *live) titleOf(name string, rows window, all int) *line {
	if rows.to-rows.from < all {
		name += " · " + strconv.Itoa(rows.from+1) + "–" + strconv.Itoa(rows.to) + "/" + strconv.Itoa(all) + " ↑↓"
	}
	return l.title(l.width, name)
}

// filled are n rows: those there are, and blank ones below.
func filled(rows []*line, n, width int) []*line {
	for len(rows) < n {
		rows = append(rows, newLine(width))
	}
	return rows[:n]
}
