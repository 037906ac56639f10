package measure

import (
	"testing"
	"time"
)

// Turns are told apart by their place in the conversation and the second they were
// intended in, answered ones alone, and add up whatever the order.
func TestPositionsOverTime(t *testing.T) {
	plan := testPlan()
	plan.Slots = nil
	for i := range Positions + 2 {
		plan.Slots = append(plan.Slots, Slot{Conversation: "long", Index: i})
	}
	record := func(turns ...Turn) *Snapshot {
		r := NewRecorder(plan, 1)
		for i := range turns {
			r.Lane(0).Record(&turns[i])
		}
		s, err := r.Cut(3 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	turn := func(slot int, at, took time.Duration, o Outcome) Turn {
		return Turn{Slot: slot, Intended: at, Sent: at, Done: at + took, Outcome: o}
	}
	const ms = time.Millisecond
	a := record(turn(0, 0, 10*ms, OK), turn(0, 900*ms, 30*ms, Degraded), turn(0, 0, 500*ms, Timeout), turn(1, time.Second, 40*ms, OK))
	b := record(turn(0, time.Second, 5*ms, OK), turn(Positions-1, 0, 2*ms, OK), turn(Positions, 0, 4*ms, OK), turn(Positions+1, 0, 6*ms, OK))
	for _, order := range [][2]*Snapshot{{a, b}, {b, a}} {
		s := order[0].Clone()
		if err := s.Add(order[1]); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			second, position int
			n                uint32
			mean             time.Duration
		}{{0, 0, 2, 20 * ms}, {0, 1, 0, 0}, {1, 0, 1, 5 * ms}, {1, 1, 1, 40 * ms}, {0, Positions - 1, 3, 4 * ms}} {
			got := s.Seconds[c.second].Positions[c.position]
			if mean, some := got.Mean(); got.N != c.n || mean != c.mean || some != (c.n > 0) {
				t.Errorf("second %d, turn %d: %+v, mean %v; want %d of %v", c.second, c.position+1, got, mean, c.n, c.mean)
			}
		}
		back, err := decodeSnapshot(appendSnapshot(nil, s), plan)
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(s, back); diff != "" {
			t.Errorf("read back:\n%s", diff)
		}
	}
}
