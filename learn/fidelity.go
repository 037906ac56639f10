package learn

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// Fidelity says how near the scenario's distributions are to the log's, each from
// 0 to 1, where 1 is the same.
type Fidelity struct {
	Turns    float64 // 1 less the share of dialogs whose length the scenario has not (total variation)
	Think    float64 // 1 less the greatest distance between distribution and fit
	Arrivals float64 // 1 less the share of starts that the stages put elsewhere
	Intents  float64 // share of dialogs in an intent of their own, not among the rest
}

// Score is the least of the four.
func (f Fidelity) Score() float64 { return min(f.Turns, f.Think, f.Arrivals, f.Intents) }

// Fidelity holds the scenario against the log.
func (m *Model) Fidelity() Fidelity {
	f := Fidelity{Think: 1 - m.Think.Far, Intents: 1}
	made, weights := make([]int, len(m.Turns)), 0
	for _, c := range m.Chosen {
		made[min(len(c.Says), len(made)-1)] += c.Weight
		weights += c.Weight
	}
	off := 0.0
	for n := range m.Turns {
		off += math.Abs(float64(made[n])/float64(max(1, weights)) - float64(m.Turns[n])/float64(len(m.Log.Dialogs)))
	}
	f.Turns = 1 - off/2
	// Within a bin the scenario has one rate: what lies between halves of a bin
	// is what it cannot follow.
	f.Arrivals = 1 - m.unevenness()
	if len(m.Intents) == maxIntents {
		f.Intents = 1 - float64(len(m.Intents[maxIntents-1].Dialogs))/float64(len(m.Log.Dialogs))
	}
	return f
}

// unevenness is the share of starts that a constant rate would move from one half
// of their bin to the other.
func (m *Model) unevenness() float64 {
	a := m.Arrivals
	halves := make([]float64, 2*len(a.Starts))
	for _, d := range m.Log.Dialogs {
		at := d.begin().Sub(d.begin().Truncate(24*time.Hour)) - a.Begin
		if at < 0 {
			at += 24 * time.Hour
		}
		halves[min(int(2*at/a.Bin), len(halves)-1)]++
	}
	moved := 0.0
	for i := 0; i < len(halves); i += 2 {
		moved += math.Abs(halves[i]-halves[i+1]) / 2
	}
	return moved / float64(len(m.Log.Dialogs))
}

// Report prints what was read and found, and how well the scenario follows it, in
// a language.
func (m *Model) Report(w io.Writer, lang reason.Lang) error {
	b := telling{lang: lang}
	b.say("read       %d rows, %d conversations, %.2f messages of the customer in each", m.Log.Rows, len(m.Log.Dialogs), m.MeanTurns())
	for _, d := range m.Log.Dirty {
		b.say("  dirty    %d rows %s, the first is row %d", d.Rows, d.Why, d.First)
	}
	b.say("private    %d personal data replaced by look-alikes; none of the log's is left in the scenario", m.Replaced)
	if m.LeftOut > 0 {
		b.say("           %d dialogs not taken, because data might have been left in them", m.LeftOut)
	}
	m.reportThink(&b)
	m.reportTurns(&b)
	m.reportArrivals(&b)
	b.say("intents    %d, by the pairs of characters that first messages share", len(m.Intents))
	for i, in := range m.Intents {
		fmt.Fprintf(&b, "  %3d  %7d  %5.1f %%  %s\n", i+1, len(in.Dialogs), 100*float64(len(in.Dialogs))/float64(len(m.Log.Dialogs)), short(m.Leaders[i]))
	}
	f := m.Fidelity()
	b.say("fidelity   %.3f (turns %.3f, think %.3f, arrivals %.3f, intents %.3f; 1 is the log itself)", f.Score(), f.Turns, f.Think, f.Arrivals, f.Intents)
	_, err := io.WriteString(w, b.String())
	return err
}

// telling is a report under way.
type telling struct {
	strings.Builder
	lang reason.Lang
}

func (b *telling) say(format string, args ...any) {
	b.WriteString(reason.Say(format, args...).Text(b.lang) + "\n")
}

func (m *Model) reportThink(b *telling) {
	t := m.Think
	if t.N == 0 {
		b.say("think      nothing to fit: no conversation has two messages")
		return
	}
	from := reason.Say("the message before")
	if !m.Log.Answers {
		from = reason.Say("the customer's message before, the answer's time included: the log has no answers")
	}
	b.say("think      log-normal, median %.2f s, P95 %.2f s, from %d pauses after %s; %d longer than half an hour left out", t.Median(), t.P95(), t.N, from, t.Away)
	b.WriteString("           ")
	for _, p := range []float64{0.1, 0.5, 0.9, 0.95, 0.99} {
		b.WriteString("  " + reason.Say("P%.0f %.2f s, fit %.2f s", 100*p, t.seen(p), t.fitted(p)).Text(b.lang))
	}
	b.say("\n             greatest distance %.3f", t.Far)
}

func (m *Model) reportTurns(b *telling) {
	b.say("turns")
	most := 0
	for _, n := range m.Turns {
		most = max(most, n)
	}
	for turns, n := range m.Turns {
		if n > 0 {
			fmt.Fprintf(b, "  %3d  %7d  %s\n", turns, n, bar(float64(n)/float64(most)))
		}
	}
}

func (m *Model) reportArrivals(b *telling) {
	a := m.Arrivals
	b.say("arrivals   starts in each %s, over %d days; times are UTC", a.Bin, a.Days)
	most := 0.0
	for _, n := range a.Starts {
		most = max(most, n)
	}
	for i, n := range a.Starts {
		at := a.Begin + a.Bin*time.Duration(i)
		fmt.Fprintf(b, "  %02d:%02d  %8.1f  %s\n", int(at.Hours())%24, int(at.Minutes())%60, n, bar(n/most))
	}
}

func bar(share float64) string { return strings.Repeat("█", int(math.Round(40*share))) }

// short is a text in one line of 40 characters at most.
func short(text string) string {
	r := []rune(strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return ' '
		}
		return r
	}, text))
	if len(r) > 40 {
		return string(r[:39]) + "…"
	}
	return string(r)
}
