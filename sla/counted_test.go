package sla

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// As many objectives as a scenario may have fit the recorder, and no more.
func TestObjectivesFitTheRecorder(t *testing.T) {
	for _, kind := range []string{"kind: latency, target: 99%, within: 1s", "kind: availability, target: 99%", "kind: seconds, target: 99%", "kind: full_quality, target: 90%"} {
		for n := 50; n <= 60; n++ {
			var list strings.Builder
			for i := range n {
				fmt.Fprintf(&list, "    - {name: o%d, %s}\n", i, kind)
			}
			s, err := scenario.Parse("sla.yaml", []byte(head+"sla:\n  objectives:\n"+list.String()), scenario.Options{})
			if err != nil {
				remove := fmt.Sprintf("remove %d,", n-scenario.MaxCounted)
				if n <= scenario.MaxCounted || !strings.Contains(err.Error(), "sla.objectives[58]") || !strings.Contains(err.Error(), remove) {
					t.Errorf("%s: %d objectives: %v", kind, n, err)
				}
				continue
			}
			plan := measure.Plan{Budgets: Budgets(s.Objectives(), nil, s.SLA)}
			if err := plan.Check(); err != nil {
				t.Errorf("%s: %d valid objectives: %v", kind, n, err)
			}
			if n > scenario.MaxCounted {
				t.Errorf("%s: %d objectives are valid and %d can be counted", kind, n, scenario.MaxCounted)
			}
		}
	}
	if own := len(Budgets(nil, nil, scenario.SLA{})); scenario.MaxCounted+own != measure.MaxBudgets {
		t.Errorf("%d objectives and %d budgets of sla's own, of %d", scenario.MaxCounted, own, measure.MaxBudgets)
	}
}

const head = `version: 1
name: many
target: {url: "http://127.0.0.1:1"}
load: {users: 1, for: 10s}
conversations:
  - name: a
    turns: [{say: 你好}]
`
