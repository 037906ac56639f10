package tui

import "github.com/cstest/cstest/measure"

// answerRows are what users got: by tier where tiers are known, else by outcome.
func (m *model) answerRows() []*line {
	c, w := m.colour, m.words
	out := []*line{m.title(m.width, w.answers)}
	for _, r := range []struct {
		name string
		win  *Window
	}{{w.now, &m.frame.Last}, {w.soFar, &m.frame.SoFar}} {
		cl := r.win.classes()
		text := newLine(m.width)
		text.text(c.good, w.ok+" "+share(cl.ok, cl.n)).text("", "  ")
		text.text(some(cl.lesser, c.warn, c.dim), w.lesser+" "+share(cl.lesser, cl.n)).text("", "  ")
		text.text(some(cl.bad, c.bad, c.dim), w.bad+" "+share(cl.bad, cl.n))
		if cl.n == 0 {
			text = newLine(m.width).text(c.dim, w.nothingYet)
		}
		l := newLine(m.width).text("", " ").text(c.dim, r.name).to(gutter)
		width := max(m.width-gutter-44, 8)
		l.stack(m.parts(r.win), width, c.rule).text("", "  ").join(text)
		out = append(out, l)
	}
	return append(out, m.legend())
}

func some(n int64, yes, no paint) paint {
	if n > 0 {
		return yes
	}
	return no
}

// tiered tells whether any answer said its tier.
func tiered(w *Window) bool {
	var n int64
	for t := measure.TierLLM; int(t) < measure.Tiers; t++ {
		n += w.Tiers[t]
	}
	return n > 0
}

var tierOrder = [...]measure.Tier{measure.TierLLM, measure.TierUnknown, measure.TierFAQ, measure.TierHandoff, measure.TierStatic}

func (m *model) parts(w *Window) []part {
	c, cl := m.colour, w.classes()
	if !tiered(&m.frame.SoFar) {
		return []part{{c.good, "█", cl.ok}, {c.warn, "▓", cl.lesser}, {c.bad, "▒", cl.bad}}
	}
	parts := make([]part, 0, measure.Tiers+1)
	for _, t := range tierOrder {
		glyph := "█"
		if t > measure.TierLLM {
			glyph = "▓"
		}
		parts = append(parts, part{c.tiers[t], glyph, max(w.Tiers[t], 0)})
	}
	return append(parts, part{c.bad, "▒", cl.bad})
}

// legend names the parts of the bar, with the shares of the whole run.
func (m *model) legend() *line {
	c, w := m.colour, m.words
	l := newLine(m.width)
	if !tiered(&m.frame.SoFar) {
		return l
	}
	var total int64
	parts := m.parts(&m.frame.SoFar)
	for _, p := range parts {
		total += p.n
	}
	for i, p := range parts {
		name := w.bad
		if i < len(tierOrder) {
			name = w.word(tierOrder[i].String())
			if (tierOrder[i] == measure.TierUnknown || tierOrder[i] == measure.TierStatic) && p.n == 0 {
				continue
			}
		}
		if l.w > 0 {
			l.text("", "  ")
		}
		l.text(p.paint, p.glyph).text(some(p.n, c.plain, c.dim), " "+name+" "+share(p.n, total))
	}
	return newLine(m.width).to(max(1, min(gutter, m.width-l.w-1))).join(l)
}
