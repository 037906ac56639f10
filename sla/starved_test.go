package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// starving is a machine of two processors that others took, in some seconds.
func starving(others float64, seconds ...int) *measure.Host {
	h := &measure.Host{Cores: 2, Others: []measure.HostProcess{{Name: "cc1plus", CPU: 9 * time.Second}, {Name: "ld", CPU: time.Second}}}
	for s := range 60 {
		of := measure.HostSecond{Second: s, Pressure: 0.02, Busy: 0.4}
		if slices.Contains(seconds, s) {
			of = measure.HostSecond{Second: s, Pressure: 0.7, Busy: 1, Others: others}
		}
		h.Seconds = append(h.Seconds, of)
	}
	return h
}

func upTo(n int) (list []int) {
	for s := range n {
		list = append(list, s)
	}
	return list
}

// A target, or a generator, whose machine others took the processors of is not
// blamed for it; nor does it hide behind that.
func TestStarvedSecondsAreInvalidOnlyWhenTheyDecide(t *testing.T) {
	slow := taking(time.Second)
	stolen := starving(0, upTo(10)...)
	for i := range stolen.Seconds[:10] {
		stolen.Seconds[i].Steal = 0.3
	}
	for _, c := range []struct {
		name    string
		host    *measure.Host
		slow    []int
		want    Verdict
		starved int
		says    string
	}{
		{"nothing is told", nil, upTo(10), Fail, 0, ""},
		{"it fails only there", starving(1.2, upTo(10)...), upTo(10), Invalid, 10, "processes without a part in the run (cc1plus, ld) used 1.2 of them"},
		{"the hypervisor took them", stolen, upTo(10), Invalid, 10, "in 10 of 60 seconds the hypervisor took processors from this machine, 30 % of their time"},
		{"three seconds may be so", starving(1.2, upTo(3)...), upTo(3), Fail, 3, "in 3 of 60 seconds"},
		{"it fails elsewhere too", starving(1.2, upTo(10)...), upTo(40), Fail, 10, "in 10 of 60 seconds"},
		{"it fails elsewhere only", starving(1.2, 50, 51, 52, 53, 54), upTo(10), Fail, 5, "in 5 of 60 seconds"},
		{"the run itself used them", starving(0.1, upTo(10)...), upTo(10), Fail, 0, ""},
		{"a pass stays a pass", starving(1.2, upTo(60)...), nil, Pass, 60, "in 60 of 60 seconds"},
		{"nothing is left", starving(1.2, upTo(60)...), upTo(60), Invalid, 60, "in 60 of 60 seconds"},
	} {
		b := newBench(t, p99, judged(60*time.Second))
		b.facts.Host = c.host
		for s := range 60 {
			if slices.Contains(c.slow, s) {
				b.turns(s, 100, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}
		r := b.evaluate()
		if r.Verdict != c.want || len(r.Generator.Starved) != c.starved || len(r.Generator.Tainted) != 0 {
			t.Errorf("%s: %v with %d starved, want %v with %d: %q", c.name, r.Verdict, len(r.Generator.Starved), c.want, c.starved, r.Reasons)
		}
		warned := ""
		for _, w := range says(r.Warnings) {
			if strings.Contains(w, "this machine") {
				warned = w
			}
		}
		if (warned == "") != (c.says == "") || !strings.Contains(warned, c.says) {
			t.Errorf("%s: it warns %q, want %q", c.name, warned, c.says)
		}
		if c.want == Invalid && !strings.Contains(r.Generator.Reasons.String(), "others took this machine's processors") {
			t.Errorf("%s: %q", c.name, r.Generator.Reasons)
		}
	}
}

// Foreign content is foreign however busy the machine was.
func TestStarvedMachinesExcuseNoForeignContent(t *testing.T) {
	b := newBench(t, p99, judged(60*time.Second))
	b.facts.Host = starving(1.2, upTo(60)...)
	b.turns(1, 100, taking(time.Second))
	b.turns(2, 1, as(measure.Integrity))
	if r := b.evaluate(); r.Verdict != Fail {
		t.Errorf("%v: %q", r.Verdict, r.Reasons)
	}
}
