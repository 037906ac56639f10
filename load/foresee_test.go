package load

import (
	"cmp"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// What is foreseen is what is then intended, turn by turn, where every answer takes
// as long as was said.
func TestForeseenTurnsAreThoseOfTheRun(t *testing.T) {
	const answer = 100 * time.Millisecond
	two := scenario.Conversation{Name: "short", Weight: 2, Turns: say("一", "二")}
	four := scenario.Conversation{Name: "long", Weight: 1, Turns: say("一", "二", "三", "四")}
	ramp := closed(0, 8*time.Second)
	ramp.Load.Stages[0].Users = &scenario.CountRamp{From: 2, To: 9}
	cut := open(20, 5*time.Second)
	cut.Load.Drain = unit.Duration(2 * time.Second)
	for name, sc := range map[string]*scenario.Scenario{
		"open": open(30, 20*time.Second), "closed": closed(7, 20*time.Second), "users on a ramp": ramp, "cut by the drain": cut,
	} {
		sc.Seed = 7 // as of drive
		sc.Conversations = []scenario.Conversation{two, four}
		sc.Load.Think = &scenario.Think{Median: unit.Duration(time.Second), P95: unit.Duration(3 * time.Second)}
		sc.Load.Arrivals = scenario.ArrivalsPoisson
		sc.Load.Pacing = unit.Duration(500 * time.Millisecond)
		var want []Foreseen
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.answer = takes(answer)
			b, _ := drive(t, always(), sc, f, nil)
			for i := range b.turns {
				want = append(want, Foreseen{Slot: b.turns[i].Slot, Intended: b.turns[i].Intended})
			}
		})
		var got []Foreseen
		talks := 0
		turns, err := Foresee(sc, answer, 1)
		if err != nil {
			t.Fatal(err)
		}
		for seen := range turns {
			if seen.Last {
				talks++
			}
			got = append(got, Foreseen{Slot: seen.Slot, Intended: seen.Intended})
		}
		order := func(a, b Foreseen) int { return cmp.Or(cmp.Compare(a.Intended, b.Intended), a.Slot-b.Slot) }
		slices.SortFunc(want, order)
		slices.SortFunc(got, order)
		if len(want) < 50 || !slices.Equal(got, want) {
			t.Errorf("%s: foreseen %d turns, intended %d", name, len(got), len(want))
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("%s: turn %d in time is %+v, foreseen %+v", name, i, want[i], got[i])
				}
			}
		}
		if first := slices.IndexFunc(got, func(f Foreseen) bool { return f.Slot == 0 || f.Slot == 2 }); talks == 0 || first < 0 {
			t.Errorf("%s: %d conversations end", name, talks)
		}
		part, err := Foresee(sc, answer, 3)
		if err != nil {
			t.Fatal(err)
		}
		some := 0
		for range part {
			some++
		}
		if share := float64(some) / float64(len(got)); share < 0.2 || share > 0.5 {
			t.Errorf("%s: one in three are %d turns of %d", name, some, len(got))
		}
	}
	if _, err := Foresee(&scenario.Scenario{}, answer, 1); err == nil {
		t.Error("nobody talks, and it is foreseen")
	}
}
