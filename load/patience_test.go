package load

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// Who gets no answer in time leaves: the turn was not answered, whatever had come of
// it, and nothing more is said. Nobody retries for who has left.
func TestCustomersLeaveWhoGetNoAnswer(t *testing.T) {
	for name, onError := range map[string]scenario.OnError{"continue": scenario.OnErrorContinue, "retry": scenario.OnErrorRetry} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := open(10, 10*time.Second, say("一", "二", "三")...)
				sc.Load.Patience = &scenario.Think{Constant: unit.Duration(2 * time.Second)}
				sc.Conversations[0].OnError = onError
				f := newFake()
				// Second turns of every fourth second take 2 s and more, the others 1999 ms.
				f.answer = func(at time.Duration, _ *driver.User, turn *driver.Turn, _ *driver.Reply) time.Duration {
					if turn.Number%4 == 0 && turn.Index == 1 {
						return 2*time.Second + time.Millisecond
					}
					return 1999 * time.Millisecond
				}
				b, _ := drive(t, always(), sc, f, nil)
				if b.ends[measure.Left] != 25 || b.ends[measure.Complete] != 75 || b.ends[measure.Broken] != 0 {
					t.Fatalf("ends %v, want 25 left and 75 complete", b.ends)
				}
				if n := b.outcomes(); n[measure.Timeout] != 25 || n[measure.OK] != 25+3*75 || len(b.turns) != 275 {
					t.Errorf("outcomes %v of %d turns", n, len(b.turns))
				}
				for i := range b.turns {
					if turn := &b.turns[i]; turn.Outcome == measure.Timeout && turn.Done-turn.Intended != 2*time.Second {
						t.Errorf("left after %v, want 2s", turn.Done-turn.Intended)
					}
				}
				if len(b.failures) == 0 || b.failures[0].Message != "the customer left" || b.failures[0].Turn != 2 {
					t.Errorf("failures %v", b.failures)
				}
			})
		})
	}
}

// Users of a closed load are followed by the next customer.
func TestUsersGoOnAfterACustomerLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := closed(3, 10*time.Second, say("一", "二")...)
		sc.Load.Patience = &scenario.Think{Constant: unit.Duration(time.Second)}
		f := newFake()
		f.answer = takes(time.Minute)
		b, _ := drive(t, always(), sc, f, nil)
		if b.ends[measure.Left] != 30 || len(b.turns) != 30 {
			t.Errorf("ends %v of %d turns, want 30 left", b.ends, len(b.turns))
		}
	})
}

// Time in which the generator, or a place among those in flight, kept a turn is part
// of what its customer waits.
func TestPatienceRunsFromWhenTheTurnWasDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(10, time.Second)
		sc.Load.MaxInFlight = 10
		sc.Load.Patience = &scenario.Think{Constant: unit.Duration(3 * time.Second)}
		sc.Conversations[0].Turns = say("一", "二")
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(100 * time.Millisecond)}
		f := newFake()
		f.answer = takes(2 * time.Second)
		b, _ := drive(t, always(), sc, f, func(o *Options) { o.Scenario.Load.MaxInFlight = 10 })
		for i := range b.turns {
			if d := b.turns[i].Done - b.turns[i].Intended; d > 3*time.Second {
				t.Errorf("turn %d was waited for %v", i, d)
			}
		}
	})
}

// A customer's patience is of the seed and the conversation alone, as the
// distribution says, and other draws stay where they are.
func TestPatienceIsDrawn(t *testing.T) {
	sc := open(1, time.Second, say("一", "二")...)
	sc.Load.Patience = &scenario.Think{Median: unit.Duration(20 * time.Second), P95: unit.Duration(60 * time.Second)}
	s, err := NewScript(sc, 7, "")
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	below20, below60 := 0, 0
	for k := range int64(n) {
		var c, again conversation
		c.begin(k, s)
		again.begin(k, s)
		if c.patience != again.patience || c.patience <= 0 {
			t.Fatalf("conversation %d: %v and %v", k, c.patience, again.patience)
		}
		if c.patience < 20*time.Second {
			below20++
		}
		if c.patience < 60*time.Second {
			below60++
		}
	}
	if math.Abs(float64(below20)/n-0.5) > 0.015 || math.Abs(float64(below60)/n-0.95) > 0.007 {
		t.Errorf("%.3f below the median, %.3f below the P95", float64(below20)/n, float64(below60)/n)
	}
	sc.Load.Patience = nil
	if s, err = NewScript(sc, 7, ""); err != nil {
		t.Fatal(err)
	}
	var c conversation
	var st scratch
	c.begin(3, s)
	st.ask(&c, s)
	if c.patience != 0 || st.turn.Leave != 0 {
		t.Errorf("without patience: %v, leaves at %v", c.patience, st.turn.Leave)
	}
}
