package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

func TestLittlesLaw(t *testing.T) {
	for inFlight, warns := range map[float64]bool{10: false, 10.4: false, 10.6: true, 9.6: false, 9.4: true, 0: false} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		for s := range 10 {
			b.turns(s, 100, nil) // 100/s x 100 ms
		}
		b.facts.Generator.InFlightMean = inFlight
		r := b.evaluate()
		if !near(r.LittlesLaw.RateTimesMean, 10) || r.LittlesLaw.InFlightMean != inFlight {
			t.Errorf("%+v", r.LittlesLaw)
		}
		if inFlight > 0 && !near(r.LittlesLaw.ErrorShare, inFlight/10-1) {
			t.Errorf("%+v", r.LittlesLaw)
		}
		if got := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.HasPrefix(w, "Little's law is off by") }); got != warns {
			t.Errorf("%v in flight: warnings %q", inFlight, r.Warnings)
		}
	}
}

// With less than a turn in flight on average the law says nothing.
func TestLittlesLawIsSilentOfTinyLoads(t *testing.T) {
	for inFlight, warns := range map[float64]bool{0.05: false, 0.9: false, 1.1: true} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		for s := range 10 {
			b.turns(s, 1, nil) // 1/s x 100 ms
		}
		b.facts.Generator.InFlightMean = inFlight
		got := slices.ContainsFunc(b.evaluate().Warnings, func(r reason.Reason) bool { return r.Code == reason.LittlesLawOff })
		if got != warns {
			t.Errorf("%v in flight against 0.1: warns %t", inFlight, got)
		}
	}
}

// n turns of a second each in ten seconds are n/10 in flight on average.
func TestFiguresOfLittlesLaw(t *testing.T) {
	for _, c := range []struct {
		name     string
		turns    int // of a second each
		end      time.Duration
		inFlight float64
		want     LittlesLaw
		warning  string
	}{
		{"as it should be", 40, 10 * time.Second, 4, LittlesLaw{4, 4, 0}, ""},
		{"twice as many", 40, 10 * time.Second, 8, LittlesLaw{8, 4, 1}, "Little's law is off by 100 %: 8 turns in flight against rate x mean response time 4"},
		{"half as many", 20, 10 * time.Second, 1, LittlesLaw{1, 2, -0.5}, "Little's law is off by -50 %: 1 turns in flight against rate x mean response time 2"},
		{"6 % more", 500, 10 * time.Second, 53, LittlesLaw{53, 50, 53.0/50 - 1}, "Little's law is off by 6 %: 53 turns in flight against rate x mean response time 50"},
		{"4 % more", 500, 10 * time.Second, 52, LittlesLaw{52, 50, 52.0/50 - 1}, ""},
		{"one at least", 10, 10 * time.Second, 0.25, LittlesLaw{0.25, 1, -0.75}, "Little's law is off by -75 %: 0.25 turns in flight against rate x mean response time 1"},
		{"fewer than one", 9, 10 * time.Second, 0.25, LittlesLaw{0.25, 0.9, 0.25/0.9 - 1}, ""},
		{"nobody counted", 40, 10 * time.Second, 0, LittlesLaw{0, 4, 0}, ""},
		{"nothing was answered", 0, 10 * time.Second, 4, LittlesLaw{4, 0, 0}, ""},
		{"no time has passed", 0, 0, 4, LittlesLaw{4, 0, 0}, ""},
		{"hardly any has", 1, 1, 1e9, LittlesLaw{1e9, 1e9, 0}, ""},
	} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		b.turns(0, c.turns, taking(time.Second))
		b.end, b.facts.Generator.InFlightMean = c.end, c.inFlight
		r := b.evaluate()
		got := r.LittlesLaw
		if got.InFlightMean != c.want.InFlightMean || got.RateTimesMean != c.want.RateTimesMean || !near(got.ErrorShare, c.want.ErrorShare) {
			t.Errorf("%s: %+v, want %+v", c.name, r.LittlesLaw, c.want)
		}
		warning := ""
		for _, w := range says(r.Warnings) {
			if strings.HasPrefix(w, "Little's law") {
				warning = w
			}
		}
		if warning != c.warning {
			t.Errorf("%s: %q, want %q", c.name, warning, c.warning)
		}
	}
}
