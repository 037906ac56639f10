package result

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// talks records turns of two conversations of three turns, 40 s long, each as a
// healthy server answers it; then is a turn as the cause under test leaves it.
func talks(t testing.TB, seed uint64, turns int, then func(rng *rand.Rand, turn *measure.Turn)) *measure.Snapshot {
	t.Helper()
	plan := &measure.Plan{Stages: []measure.Stage{{Name: "all", End: 40 * time.Second, Judged: true}}, Drain: time.Second}
	for _, name := range []string{"退货", "查物流"} {
		for i := range 3 {
			plan.Slots = append(plan.Slots, measure.Slot{Conversation: name, Index: i, Say: "?"})
		}
	}
	rng := rand.New(rand.NewPCG(seed, 7))
	rec := measure.NewRecorder(plan, 1)
	for i := range turns {
		intended := time.Duration(rng.Int64N(int64(40 * time.Second)))
		took := time.Duration(float64(100*time.Millisecond) * math.Exp(0.2*rng.NormFloat64()))
		turn := measure.Turn{
			Slot: i % 6, Intended: intended, Lag: 100 * time.Microsecond, Connect: 2 * time.Millisecond, Tier: measure.TierLLM,
			Sent: intended + 2100*time.Microsecond, FirstByte: intended + took - 5*time.Millisecond, Done: intended + took,
		}
		if i%5 == 1 {
			turn.Tier, turn.Outcome = measure.TierFAQ, measure.Degraded
		}
		if then != nil {
			then(rng, &turn)
		}
		rec.Lane(0).Record(&turn)
	}
	s, err := rec.Cut(40 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// later puts a turn's times from one of them on off by d.
func later(d time.Duration, times ...*time.Duration) {
	for _, at := range times {
		*at += d
	}
}

const slowBy = 900 * time.Millisecond

func explained(s *measure.Snapshot, f *measure.Facts) *Slowest {
	return Build(&scenario.Scenario{Version: 1, Name: "slow", Target: scenario.Target{URL: "http://127.0.0.1:1"}}, nil, Recording{Snapshot: s, Facts: f}).Slowest
}

// Two turns in a hundred are late, each time for another reason: it is found.
func TestSlowestAreExplained(t *testing.T) {
	some := func(rng *rand.Rand) bool { return rng.IntN(50) == 0 }
	for name, c := range map[string]struct {
		late  func(rng *rand.Rand, turn *measure.Turn)
		phase string
		also  []string // of Together, as by:name:of
		says  string
	}{
		"connecting": {func(rng *rand.Rand, turn *measure.Turn) {
			if some(rng) {
				later(slowBy, &turn.Connect, &turn.Sent, &turn.FirstByte, &turn.Done)
			}
		}, "connect", nil, "of their time connecting (DNS, TCP, TLS): 902 ms each, all others 2 ms"},
		"the generator": {func(rng *rand.Rand, turn *measure.Turn) {
			if some(rng) {
				later(slowBy, &turn.Lag, &turn.Sent, &turn.FirstByte, &turn.Done)
			}
		}, "lag", nil, "behind schedule in the generator: 900 ms each, all others 100 µs"},
		"a pool of connections": {func(rng *rand.Rand, turn *measure.Turn) {
			if some(rng) {
				later(slowBy, &turn.Sent, &turn.FirstByte, &turn.Done)
			}
		}, "wait", nil, "waiting for a connection or a place in flight: 900 ms each, all others 0 s"},
		"the first byte": {func(rng *rand.Rand, turn *measure.Turn) {
			if some(rng) {
				later(slowBy, &turn.FirstByte, &turn.Done)
			}
		}, "first_byte", nil, "of their time waiting for the first byte: 9"},
		"a long stream": {func(rng *rand.Rand, turn *measure.Turn) {
			if some(rng) {
				later(slowBy, &turn.Done)
			}
		}, "body", nil, "between the first byte and the last: 905 ms each, all others 5 ms"},
		"the third turn": {func(rng *rand.Rand, turn *measure.Turn) {
			if turn.Slot%3 == 2 && rng.IntN(16) == 0 {
				later(slowBy, &turn.FirstByte, &turn.Done)
			}
		}, "first_byte", []string{"turn:3:"}, "100 % of them are turn 3 of a conversation, as 33.33 % of all are"},
		"a conversation": {func(rng *rand.Rand, turn *measure.Turn) {
			if turn.Slot >= 3 && rng.IntN(25) == 0 {
				later(slowBy, &turn.FirstByte, &turn.Done)
			}
		}, "first_byte", []string{"conversation:查物流:"}, `are of conversation "查物流"`},
		"one turn of one conversation": {func(rng *rand.Rand, turn *measure.Turn) {
			if turn.Slot == 4 && rng.IntN(8) == 0 {
				later(slowBy, &turn.FirstByte, &turn.Done)
			}
		}, "first_byte", []string{"slot:2:查物流"}, `are turn 2 of conversation "查物流"`},
		"a tier": {func(rng *rand.Rand, turn *measure.Turn) {
			turn.Tier = measure.TierLLM
			if rng.IntN(5) == 0 {
				turn.Tier = measure.TierHandoff
				if rng.IntN(10) == 0 {
					later(slowBy, &turn.FirstByte, &turn.Done)
				}
			}
		}, "first_byte", []string{"tier:handoff:"}, "were answered by handoff, as 19.33 % of all were"},
		"three seconds": {func(rng *rand.Rand, turn *measure.Turn) {
			if turn.Intended >= 20*time.Second && turn.Intended < 23*time.Second && rng.IntN(3) == 0 {
				later(slowBy, &turn.FirstByte, &turn.Done)
			}
		}, "first_byte", []string{"seconds::"}, "were to begin between 20 s and 23 s"},
		"never answered": {func(rng *rand.Rand, turn *measure.Turn) {
			if turn.Slot%3 == 2 && rng.IntN(16) == 0 {
				turn.Outcome, turn.FirstByte, turn.Done = measure.Timeout, 0, turn.Intended+3*time.Second
			}
		}, "first_byte", []string{"turn:3:"}, "were never answered"},
		"the model, as the server says": {func(rng *rand.Rand, turn *measure.Turn) {
			llm := 80 * time.Millisecond
			if some(rng) {
				later(slowBy, &turn.FirstByte, &turn.Done)
				llm += slowBy
			}
			turn.Server = []measure.ServerTime{{Name: []byte("redis"), Took: time.Millisecond}, {Name: []byte("llm"), Took: llm}, {Name: []byte("total"), Took: llm + 2*time.Millisecond}}
		}, "first_byte", nil, `of their time to "llm": 980 ms each, all others 80 ms`},
	} {
		t.Run(name, func(t *testing.T) {
			got := explained(talks(t, 1, 6000, c.late), nil)
			if got == nil {
				t.Fatal("nothing is said")
			}
			if got.FromNs < int64(200*time.Millisecond) || got.Turns < 80 || got.Turns > 180 {
				t.Errorf("%d turns from %v on", got.Turns, time.Duration(got.FromNs))
			}
			var cause Part
			share := 0.0
			for _, p := range got.Phases {
				share += p.Share
				if p.Excess > cause.Excess {
					cause = p
				}
			}
			if cause.Name != c.phase || cause.Excess < 0.95 || math.Abs(share-1) > 1e-6 {
				t.Errorf("%+v", got.Phases)
			}
			var also []string
			for _, g := range got.Together {
				also = append(also, fmt.Sprintf("%s:%s:%s", g.By, g.Name, g.Of))
			}
			if fmt.Sprint(also) != fmt.Sprint(c.also) {
				t.Errorf("together: %+v", got.Together)
			}
			if !strings.Contains(got.Text, c.says) {
				t.Errorf("says %q", got.Text)
			}
		})
	}
}

func TestSlowestInAStorm(t *testing.T) {
	s := talks(t, 3, 6000, func(rng *rand.Rand, turn *measure.Turn) {
		if turn.Intended >= 30*time.Second && turn.Intended < 32*time.Second && rng.IntN(2) == 0 {
			later(slowBy, &turn.FirstByte, &turn.Done)
		}
	})
	got := explained(s, &measure.Facts{Storms: []measure.Storm{{Name: "midnight", Kind: "status", Start: 30 * time.Second, End: 35 * time.Second}}})
	if got == nil || len(got.Together) != 1 || got.Together[0].By != "storm" || *got.Together[0].FromS != 30 || *got.Together[0].ToS != 32 {
		t.Fatalf("%+v", got)
	}
	if zh := got.ReasonCodes[len(got.ReasonCodes)-1].Text(reason.Chinese); !strings.Contains(zh, "即风暴 \"midnight\" 期间") {
		t.Error(zh)
	}
}

// Where turns are late by chance alone, nothing is said to be common to them: of
// 100 runs at most the few that a risk of one in a thousand each leaves.
func TestChanceIsNoExplanation(t *testing.T) {
	said := 0
	for seed := range uint64(100) {
		if got := explained(talks(t, seed, 1500, nil), nil); got != nil && len(got.Together) > 0 {
			said++
			t.Logf("seed %d: %s", seed, got.Text)
		}
	}
	if said > 1 {
		t.Errorf("%d of 100 runs are explained", said)
	}
}

func TestFewTurnsAreNotExplained(t *testing.T) {
	if got := explained(talks(t, 1, 15, nil), nil); got != nil {
		t.Errorf("%+v", got)
	}
	even := talks(t, 1, 2000, func(_ *rand.Rand, turn *measure.Turn) { turn.Done = turn.Intended + 100*time.Millisecond })
	if got := explained(even, nil); got != nil {
		t.Errorf("all take 100 ms: %+v", got)
	}
	if got := explained(&measure.Snapshot{}, nil); got != nil {
		t.Errorf("an empty run: %+v", got)
	}
}
