package sla

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
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
		if math.Abs(r.LittlesLaw.RateTimesMean-10) > 1e-9 || r.LittlesLaw.InFlightMean != inFlight {
			t.Errorf("%+v", r.LittlesLaw)
		}
		if inFlight > 0 && math.Abs(r.LittlesLaw.ErrorShare-(inFlight/10-1)) > 1e-9 {
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

func TestWarnings(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 1000, nil)
	b.turns(2, 1, as(measure.ClientError))
	b.turns(2, 1, taking(2*time.Hour))
	b.facts.Generator = measure.Generator{SharedHost: true, Cores: 2}
	b.rec.Lane(0).Ended(measure.Broken, nil)
	r := b.evaluate()
	for _, want := range []string{
		"1 turns got an unexpected 4xx: the scenario may be wrong",
		"1 turns took longer than 1 h and are shown as 1 h", "the target runs on the generator's machine: they share its 2 cores",
		"counts are not conserved: conversations issued = conversations ended does not hold: 1,002 against 1,003",
	} {
		if !slices.Contains(says(r.Warnings), want) {
			t.Errorf("no %q in %q", want, r.Warnings)
		}
	}
	quiet := newBench(t, scenario.SLA{}, judged(10*time.Second))
	quiet.turns(1, 1000, nil)
	quiet.facts.Generator.Cores = 2
	if r := quiet.evaluate(); len(r.Warnings) != 0 {
		t.Errorf("%q", r.Warnings)
	}
	open := newBench(t, scenario.SLA{}, judged(10*time.Second))
	open.turns(1, 1000, nil)
	open.rec.Lane(0).Started(time.Second)
	if r := open.evaluate(); len(r.Warnings) != 0 {
		t.Errorf("while conversations are open: %q", r.Warnings)
	}
}
