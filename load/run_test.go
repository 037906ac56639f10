package load

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type replying = func(time.Duration, *driver.User, *driver.Turn, *driver.Reply) time.Duration

func takes(latency time.Duration) replying {
	return func(time.Duration, *driver.User, *driver.Turn, *driver.Reply) time.Duration { return latency }
}

func TestOpenIssuesEveryPlannedStartOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(50, 10*time.Second, say("一", "二", "三")...)
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(2 * time.Second)}
		sc.Checks.Memory = "on"
		f := newFake()
		f.answer = echoing(100 * time.Millisecond)
		b, s := drive(t, always(), sc, f, nil)
		if len(b.started) != 500 || s.Planned != 500 || b.ends[measure.Complete] != 500 {
			t.Fatalf("started %d of %d, complete %d; want 500", len(b.started), s.Planned, b.ends[measure.Complete])
		}
		if len(b.turns) != 1500 || b.outcomes()[measure.OK] != 1500 {
			t.Fatalf("turns %d, ok %d; want 1500: %v", len(b.turns), b.outcomes()[measure.OK], b.failures)
		}
		for i := range b.turns {
			turn := &b.turns[i]
			if got := turn.Done - turn.Intended; got != 100*time.Millisecond || turn.Lag != 0 || turn.Memory != measure.Verified {
				t.Fatalf("turn %+v: response %v, want 100ms and no lag in fake time", turn, got)
			}
		}
		// Turn n+1 is intended at the end of reply n plus think time.
		if want := 499*20*time.Millisecond + 3*100*time.Millisecond + 2*2*time.Second; s.Elapsed != want {
			t.Errorf("ended at %v, want %v", s.Elapsed, want)
		}
		// Little's law: turns in flight = rate × response.
		want := float64(len(b.turns)) * 0.1 / s.Elapsed.Seconds()
		if got := s.Generator.InFlightMean; got < 0.95*want || got > 1.05*want {
			t.Errorf("in flight %.2f on average, want %.2f", got, want)
		}
	})
}

func TestFreezeIsSeenFromTheIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The target answers nothing between 50 s and 52 s: of T = 100 s at a constant
		// rate, S = 2 s. P99 of response = S − 0.01·T = 1 s.
		f := newFake()
		f.answer = func(at time.Duration, _ *driver.User, _ *driver.Turn, _ *driver.Reply) time.Duration {
			if at >= 50*time.Second && at < 52*time.Second {
				return 52*time.Second - at
			}
			return 0
		}
		b, _ := drive(t, always(), open(100, 100*time.Second), f, nil)
		if got := b.quantile(990); got < 990*time.Millisecond || got > 1010*time.Millisecond {
			t.Errorf("P99 %v, want 1s", got)
		}
		if len(b.turns) != 10000 {
			t.Errorf("%d turns, want 10000", len(b.turns))
		}
	})
}

// When a kind of failure began is said by when its turns should have, as all else is.
func TestFailuresAreTimedByTheIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.answer = func(at time.Duration, _ *driver.User, _ *driver.Turn, reply *driver.Reply) time.Duration {
			if at < 3*time.Second {
				return 0
			}
			reply.Status = 500
			return 1500 * time.Millisecond
		}
		b, _ := drive(t, always(), open(10, 5*time.Second), f, nil)
		if len(b.failures) == 0 || b.failures[0].At != 3*time.Second {
			t.Errorf("%d failures, the first %+v; want one at 3s", len(b.failures), b.failures)
		}
	})
}

func TestStartsBeyondMaxInFlightAreDroppedOnTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(10, 10*time.Second)
		sc.Load.MaxInFlight = 20
		f := newFake()
		f.answer = takes(5 * time.Second)
		b, s := drive(t, always(), sc, f, nil)
		// 20 go ahead in the first 2 s, then 20 more when those are over at 5 s … 7 s.
		if got := b.dropped[measure.DroppedTarget]; got != 60 || len(b.started) != 40 || s.Planned != 100 {
			t.Errorf("dropped %d, started %d of %d; want 60, 40 of 100", got, len(b.started), s.Planned)
		}
		if first := b.failures[0]; len(b.failures) != 60 || first.Message != full || first.At != 2*time.Second {
			t.Errorf("%d drops told, the first %+v", len(b.failures), first)
		}
		if b.unasked != 60 {
			t.Errorf("the dropped starts have %d turns, want 60", b.unasked)
		}
		if f.most != 20 || s.Generator.MaxInFlight != 20 {
			t.Errorf("%d in flight at most, the summary says %d; want 20", f.most, s.Generator.MaxInFlight)
		}
	})
}

func TestLaterTurnsWaitForAPlaceWithoutBeingLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(2, time.Second, say("一", "二")...)
		sc.Load.MaxInFlight = 1
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(200 * time.Millisecond)}
		f := newFake()
		f.answer = takes(400 * time.Millisecond)
		b, _ := drive(t, always(), sc, f, nil)
		// 0.0–0.4 first's turn 1; 0.5–0.9 second's turn 1; first's turn 2, due at 0.6,
		// waits until 0.9; second's, due at 1.1, until 1.3.
		var worst time.Duration
		for _, turn := range b.turns {
			worst = max(worst, turn.Done-turn.Intended)
			if turn.Lag != 0 {
				t.Errorf("lag %v: waiting for the target is not ours", turn.Lag)
			}
		}
		if len(b.turns) != 4 || worst != 700*time.Millisecond || f.most != 1 {
			t.Errorf("%d turns, worst response %v, %d at once; want 4, 700ms, 1", len(b.turns), worst, f.most)
		}
	})
}

func TestDrainCensorsAndAbandons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(10, 10*time.Second, say("一", "二")...)
		sc.Load.Drain = unit.Duration(5 * time.Second)
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(time.Second)}
		f := newFake()
		f.answer = func(at time.Duration, _ *driver.User, turn *driver.Turn, _ *driver.Reply) time.Duration {
			if turn.Index == 1 && at >= 8*time.Second {
				return time.Hour
			}
			return 0
		}
		b, s := drive(t, always(), sc, f, nil)
		// Second turns sent from 8 s on never end: those of starts from 7 s on.
		if got := b.outcomes()[measure.Censored]; got != 30 || b.ends[measure.Abandoned] != 30 || b.ends[measure.Complete] != 70 {
			t.Errorf("censored %d, ends %v; want 30, 30 abandoned, 70 complete", got, b.ends)
		}
		for _, turn := range b.turns {
			if turn.Outcome == measure.Censored && turn.Done != 15*time.Second {
				t.Errorf("censored at %v, want at the end of the drain, 15s", turn.Done)
			}
		}
		if s.Elapsed != 15*time.Second || len(s.Interrupted) > 0 {
			t.Errorf("ended at %v %q, want 15s", s.Elapsed, s.Interrupted)
		}
		// A think time beyond the drain: turn 2 is never sent.
		sc.Load.Think.Constant = unit.Duration(time.Minute)
		b, _ = drive(t, always(), sc, newFake(), nil)
		if b.ends[measure.Abandoned] != 100 || len(b.turns) != 100 {
			t.Errorf("ends %v, %d turns; want 100 abandoned after 100 turns", b.ends, len(b.turns))
		}
	})
}

func TestStopStartingDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(10, 100*time.Second, say("一", "二")...)
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(time.Second)}
		stops := always()
		var cancel context.CancelFunc
		stops.Starting, cancel = context.WithTimeout(context.Background(), 4950*time.Millisecond)
		defer cancel()
		b, s := drive(t, stops, sc, newFake(), nil)
		if len(b.started) != 50 || b.ends[measure.Complete] != 50 || len(s.Interrupted) == 0 || s.Elapsed != 5900*time.Millisecond {
			t.Errorf("started %d, ends %v, %q at %v; want 50 complete, interrupted, 5.9s", len(b.started), b.ends, s.Interrupted, s.Elapsed)
		}
	})
}

func TestStopNowEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stops := always()
		var cancel context.CancelFunc
		stops.Now, cancel = context.WithTimeout(context.Background(), 4950*time.Millisecond)
		defer cancel()
		f := newFake()
		f.answer = takes(time.Second)
		b, s := drive(t, stops, open(10, 100*time.Second), f, nil)
		if b.outcomes()[measure.Censored] != 10 || b.outcomes()[measure.OK] != 40 || s.Elapsed != 4950*time.Millisecond {
			t.Errorf("outcomes %v at %v; want 40 ok, 10 censored at 4.95s", b.outcomes(), s.Elapsed)
		}
	})
}

func TestAbortEndsTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		b, s := drive(t, always(), open(10, 100*time.Second), newFake(), func(o *Options) {
			o.Abort = func() reason.Reasons {
				if asked++; asked == 3 {
					return reason.Reasons{reason.Said("too much is bad")}
				}
				return nil
			}
		})
		if s.Interrupted.String() != "too much is bad" || len(b.started) < 30 || len(b.started) > 31 {
			t.Errorf("%q after %d starts; want the abort's words after 3 s", s.Interrupted, len(b.started))
		}
	})
}

func TestClosedUsersLoopAtTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := closed(5, 10*time.Second)
		sc.Load.Pacing = unit.Duration(time.Second)
		f := newFake()
		f.answer = takes(100 * time.Millisecond)
		b, s := drive(t, always(), sc, f, nil)
		if len(b.started) != 50 || s.Planned != 50 || s.Elapsed != 9100*time.Millisecond {
			t.Errorf("%d conversations of %d until %v; want 50 until 9.1s", len(b.started), s.Planned, s.Elapsed)
		}
		// Nobody thinks before a first turn: pacing alone spaces the conversations.
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(2 * time.Second)}
		f = newFake()
		f.answer = takes(100 * time.Millisecond)
		b, _ = drive(t, always(), sc, f, nil)
		if len(b.started) != 50 {
			t.Errorf("%d conversations of one turn with think time; want 50", len(b.started))
		}
		// Without pacing, a second's thought before turn 2 makes a loop of 1.2 s.
		sc = closed(5, 10*time.Second, say("一", "二")...)
		sc.Load.Think = &scenario.Think{Constant: unit.Duration(time.Second)}
		f = newFake()
		f.answer = takes(100 * time.Millisecond)
		b, _ = drive(t, always(), sc, f, nil)
		if len(b.started) != 5*9 {
			t.Errorf("%d conversations; want 45: at 0, 1.2 … 9.6 s", len(b.started))
		}
		texts := map[string]int{}
		for _, s := range f.sent {
			texts[s.user]++
		}
		if len(texts) != 5 || texts["u4"] != 18 {
			t.Errorf("users %v; want u0 … u4 with 18 turns each", texts)
		}
	})
}

func TestUsersWaitWhileAgentsDealWithTheirTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.answer, f.deal = takes(100*time.Millisecond), 300*time.Millisecond
		b, s := drive(t, always(), closed(1, 4*time.Second, say("一", "二")...), f, nil)
		if len(b.turns) != 10 {
			t.Fatalf("%d turns; want 10, one every 400 ms", len(b.turns))
		}
		for i := range b.turns {
			turn := &b.turns[i]
			if want := time.Duration(i) * 400 * time.Millisecond; turn.Intended != want || turn.Done != want+100*time.Millisecond || turn.Lag != 0 {
				t.Errorf("turn %d intended %v, done %v, lag %v; want %v, 100 ms, 0", i, turn.Intended, turn.Done, turn.Lag, want)
			}
		}
		// Ten turns of 100 ms in the 3.7 s until the last is done.
		if got, want := s.Generator.InFlightMean, 1/3.7; math.Abs(got-want) > 0.001 {
			t.Errorf("%.3f turns in flight; want %.3f", got, want)
		}
	})
}

// A constant rate meets any constant distance of samples always at the same moment.
func TestTurnsInFlightAreCountedForAllOfTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.answer = takes(4 * time.Millisecond)
		_, s := drive(t, always(), open(100, 10*time.Second), f, nil)
		if got := s.Generator.InFlightMean; got < 0.399 || got > 0.401 {
			t.Errorf("%.4f turns in flight; want 100/s x 4 ms = 0.4", got)
		}
	})
}

func TestClosedUsersRamp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := closed(0, 10*time.Second)
		up, down := sc.Load.Stages[0], sc.Load.Stages[0]
		up.Users = &scenario.CountRamp{From: 0, To: 10}
		down.Users = &scenario.CountRamp{From: 10, To: 0}
		sc.Load.Stages = []scenario.Stage{up, down}
		f := newFake()
		f.answer = takes(100 * time.Millisecond)
		b, s := drive(t, always(), sc, f, nil)
		// The area under the ramps is 100 user-seconds, ten conversations each.
		if len(b.started) < 1000 || len(b.started) > 1010 || f.most != 10 || s.Elapsed > 20*time.Second {
			t.Errorf("%d conversations, %d at once, until %v; want about 1000, 10, < 20s", len(b.started), f.most, s.Elapsed)
		}
	})
}

func TestBaseMayLieAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.base = time.Now().Add(10 * time.Second)
		f.answer = takes(100 * time.Millisecond)
		b, s := drive(t, always(), open(10, 2*time.Second), f, nil)
		if len(f.sent) != 20 || f.sent[0].at != 0 || f.sent[19].at != 1900*time.Millisecond || b.outcomes()[measure.OK] != 20 {
			t.Errorf("%d turns, the first %+v; want 20 from 0 on", len(f.sent), f.sent[0])
		}
		if n := len(s.Generator.Seconds); n != 2 || s.Elapsed != 2*time.Second {
			t.Errorf("%d seconds of health until %v, want 2 until 2s", n, s.Elapsed)
		}
	})
}

func TestShardsOfAClosedLoadAreItsUsers(t *testing.T) {
	perform := func(shard, shards int) (all []sent) {
		synctest.Test(t, func(t *testing.T) {
			sc := closed(7, 10*time.Second, say("${user.id} ${orders.no}", "二")...)
			sc.Load.Think = &scenario.Think{Min: 1, Max: unit.Duration(2 * time.Second)}
			sc.Data = bazaar().Data
			f := newFake()
			f.answer = takes(100 * time.Millisecond)
			drive(t, always(), sc, f, func(o *Options) { o.Shard, o.Shards = shard, shards })
			all = f.sent
		})
		return all
	}
	whole := perform(0, 1)
	var union []sent
	for i := range 3 {
		union = append(union, perform(i, 3)...)
	}
	sortSent(whole)
	sortSent(union)
	if len(whole) < 60 || !slices.Equal(whole, union) {
		t.Errorf("three shards sent %d turns together, one machine %d, or not the same", len(union), len(whole))
	}
}
