package sla

import (
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

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
