package tui

import (
	"strings"

	"github.com/cstest/cstest/unit"
)

// observedRows is one row with the figures of other systems, none without any.
func (m *model) observedRows(int) []*line {
	if len(m.frame.Observed) == 0 {
		return nil
	}
	l := newLine(m.width).text("", " ").text(m.colour.dim, m.words.observed).to(gutter)
	for _, o := range m.frame.Observed {
		l.text(m.colour.dim, clean(o.Name, 24)+" ").text("", observedText(o)+"   ")
	}
	return []*line{l}
}

// observedText is a figure with its unit.
func observedText(o Observed) string {
	return strings.TrimSpace(unit.Figure(o.Value) + " " + clean(o.Unit, 16))
}
