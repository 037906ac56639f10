package sla

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

func TestConserved(t *testing.T) {
	good := func() *measure.Snapshot {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, 10, nil)
		b.turns(2, 2, as(measure.Timeout))
		b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedTarget)
		b.rec.Lane(0).Dropped(2*time.Second, 1, measure.DroppedGenerator)
		return b.snap()
	}
	if why := unconserved(good(), nil); why.Code != "" {
		t.Fatal(why)
	}
	for want, change := range map[string]func(*measure.Snapshot){
		"planned starts":                 func(s *measure.Snapshot) { s.Planned++ },
		"conversations issued":           func(s *measure.Snapshot) { s.Conversations[0]-- },
		"starts by second":               func(s *measure.Snapshot) { s.Seconds[1].Starts++ },
		"dropped starts by second":       func(s *measure.Snapshot) { s.Seconds[1].Outcomes[measure.DroppedTarget]-- },
		"turns by second":                func(s *measure.Snapshot) { s.Seconds[1].Outcomes[measure.OK]++ },
		"turns by turn":                  func(s *measure.Snapshot) { s.Slots[1].Turns++ },
		"response times does":            func(s *measure.Snapshot) { s.ByOutcome[measure.OK].Record(1) },
		"turns = lags":                   func(s *measure.Snapshot) { s.Timings[measure.Lag].Record(1) },
		"tiers":                          func(s *measure.Snapshot) { s.Tiers[0]++ },
		"response times of answers":      func(s *measure.Snapshot) { s.Timings[measure.Response].Record(1) },
		"answered turns = service times": func(s *measure.Snapshot) { s.Timings[measure.Service].Record(1) },
	} {
		s := good()
		change(s)
		if why := unconserved(s, nil); !strings.Contains(why.String(), want) {
			t.Errorf("%s: %v", want, why)
		}
	}
}
