package scenario

import (
	"math"
	"testing"
	"time"

	"github.com/cstest/cstest/unit"
)

func TestTurnsTogether(t *testing.T) {
	of := func(lengths ...int) *Scenario {
		s := &Scenario{}
		for _, n := range lengths {
			s.Conversations = append(s.Conversations, Conversation{Weight: 1, Turns: make([]Turn, n)})
		}
		return s
	}
	for _, c := range []struct {
		lengths []int
		want    float64
	}{{nil, 1}, {[]int{0}, 1}, {[]int{1}, 1}, {[]int{5}, 5}, {[]int{1, 3}, 2.5}, {[]int{2, 2, 2}, 2}} {
		if got := of(c.lengths...).TurnsTogether(); got != c.want {
			t.Errorf("dialogs of %v turns: %v hang together, want %v", c.lengths, got, c.want)
		}
	}
	s := of(1, 11)
	s.Conversations[0].Weight = 9
	if got := s.TurnsTogether(); got != 6.5 {
		t.Errorf("nine in ten of 1 and one of 11: %v, want 6.5", got)
	}
}

func TestUsersTold(t *testing.T) {
	yes, no := true, false
	stage := func(from, to int, length time.Duration, judged *bool) Stage {
		return Stage{For: unit.Duration(length), Judged: judged, Users: &CountRamp{From: unit.Count(from), To: unit.Count(to)}}
	}
	for _, c := range []struct {
		name   string
		stages []Stage
		want   float64
	}{
		{"steady", []Stage{stage(200, 200, time.Minute, &yes)}, 200},
		{"twice as long", []Stage{stage(200, 200, 2*time.Minute, &yes)}, 200},
		{"not judged", []Stage{stage(200, 200, time.Minute, &no)}, 0},
		{"a ramp before it", []Stage{stage(0, 200, time.Minute, &no), stage(200, 200, time.Minute, &yes)}, 200},
		{"half for half the time", []Stage{stage(100, 100, time.Minute, &yes), stage(200, 200, time.Minute, &yes)}, 300 * 300 / 500.0},
		{"a ramp", []Stage{stage(0, 1000, time.Minute, &yes)}, 750},
		{"a ramp down", []Stage{stage(1000, 0, time.Minute, &yes)}, 750},
		{"open", []Stage{{For: unit.Duration(time.Minute), Judged: &yes, Starts: &RateRamp{From: 5, To: 5}}}, 0},
	} {
		s := &Scenario{Load: Load{Stages: c.stages}}
		if got := s.UsersTold(); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
