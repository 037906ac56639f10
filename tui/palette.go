package tui

import (
	"image/color"

	"github.com/charmbracelet/x/ansi"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// paint is the escape sequence that begins a style; "" is the terminal's own.
type paint string

const unpaint = "\x1b[m"

// palette are the view's colours. Bubble Tea brings them down to what the
// terminal can do.
type palette struct {
	plain, bold, dim, rule paint
	accent, title, badge   paint
	good, warn, alarm, bad paint
	storm, stormOn         paint
	healing, healed        paint
	paused                 paint
	tiers                  [measure.Tiers]paint
}

func newPalette(dark bool) *palette {
	pick := func(onDark, onLight uint32) color.Color {
		v := onLight
		if dark {
			v = onDark
		}
		return color.RGBA{R: byte(v >> 16), G: byte(v >> 8), B: byte(v), A: 255}
	}
	ink := func(c color.Color) paint { return paint(ansi.Style{}.ForegroundColor(c).String()) }
	strong := func(c color.Color) paint { return paint(ansi.Style{}.Bold().ForegroundColor(c).String()) }
	on := func(fg, bg color.Color) paint {
		return paint(ansi.Style{}.Bold().ForegroundColor(fg).BackgroundColor(bg).String())
	}
	accent := pick(0x5fb3ff, 0x0a5fb4)
	good, warn := pick(0x6fd08c, 0x1a7f37), pick(0xe8c268, 0x8a6100)
	alarm, bad := pick(0xf29a5c, 0xb34700), pick(0xff6b6b, 0xc5221f)
	storm, faint := pick(0xc792ea, 0x7a3ab8), pick(0x8a919e, 0x6b7280)
	paper := pick(0x101418, 0xffffff)
	return &palette{
		bold:    paint(ansi.Style{}.Bold().String()),
		dim:     ink(faint),
		rule:    ink(pick(0x4d5563, 0xb4bac4)),
		accent:  ink(accent),
		title:   strong(accent),
		badge:   on(paper, accent),
		good:    ink(good),
		warn:    ink(warn),
		alarm:   ink(alarm),
		bad:     strong(bad),
		storm:   ink(storm),
		stormOn: on(paper, storm),
		healing: on(paper, warn),
		healed:  on(paper, good),
		paused:  on(paper, warn),
		tiers: [measure.Tiers]paint{
			measure.TierUnknown: ink(pick(0x8fb8c9, 0x3f7186)),
			measure.TierLLM:     ink(good),
			measure.TierFAQ:     ink(pick(0x59c2c9, 0x0b7a83)),
			measure.TierHandoff: ink(warn),
			measure.TierStatic:  ink(alarm),
		},
	}
}

// against colours a response time by its limit: near it from 80 % on.
func (p *palette) against(v, limit float64) paint {
	switch {
	case limit <= 0 || v <= 0:
		return p.plain
	case v > limit:
		return p.bad
	case v > 0.8*limit:
		return p.warn
	}
	return p.good
}

func (p *palette) verdict(v sla.Verdict) paint {
	switch v {
	case sla.Pass:
		return p.good
	case sla.Fail, sla.Invalid:
		return p.bad
	case sla.Inconclusive, sla.Incomplete:
		return p.warn
	default:
		return p.dim
	}
}

func verdictMark(v sla.Verdict) string {
	switch v {
	case sla.Pass:
		return "✓"
	case sla.Fail, sla.Invalid:
		return "✗"
	case sla.Inconclusive, sla.Incomplete:
		return "?"
	default:
		return "–"
	}
}

func (p *palette) outcome(o measure.Outcome) paint {
	switch {
	case o == measure.OK || o == measure.Refused:
		return p.good
	case measure.Answered.Has(o):
		return p.warn
	case o == measure.Integrity || o == measure.LetIn || o == measure.ContextLost:
		return p.bad
	default:
		return p.alarm
	}
}
