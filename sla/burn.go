package sla

import (
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// Burn is how fast an objective's budget of bad turns is spent: 1 is as fast as
// it allows.
type Burn struct {
	Objective string
	Window    time.Duration
	Rate      float64
	N         int64 // turns in the window
}

// Burns gives the burn rates over the last 5 s, 30 s and 5 min of whole seconds,
// of every objective that is a share of turns. Windows without turns are left out.
func Burns(s *scenario.Scenario, snap *measure.Snapshot) []Burn {
	var list []Burn
	end := int(snap.Elapsed / time.Second)
	for _, o := range s.Objectives() {
		b := slices.IndexFunc(snap.Plan.Budgets, func(b measure.Budget) bool { return b.Name == o.Name })
		if b < 0 || o.Target <= 0 || o.Target >= 1 || o.Kind == scenario.KindSeconds {
			continue
		}
		for _, seconds := range []int{5, 30, 300} {
			var t tally
			for second := max(end-seconds, 0); second < end; second++ {
				if at := snap.At(second); at != nil {
					t.add(at.Budgets, b)
				}
			}
			if t.n > 0 {
				rate := float64(t.bad) / float64(t.n) / (1 - float64(o.Target))
				list = append(list, Burn{o.Name, time.Duration(seconds) * time.Second, rate, int64(t.n)})
			}
		}
	}
	return list
}
