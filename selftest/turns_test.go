package selftest

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

const (
	us = time.Microsecond
	ms = time.Millisecond
)

// exact are n turns whose measure is true: sent when intended, 40 µs on the way
// there and back, held for 5 to 25 ms by a server whose clock is behind by 3 s.
func exact(n int) []pair {
	pairs := make([]pair, n)
	for i := range pairs {
		at := time.Duration(i*i%(7*n)) * ms / 3
		held := 5*ms + time.Duration(i%100)*ms/5
		arrived := at + 40*us - 3*time.Second
		pairs[i] = pair{
			turn: measure.Turn{Intended: at, Sent: at, Done: at + 80*us + held, Outcome: measure.OK},
			call: call{arrived: arrived, due: arrived + held, written: arrived + held, outcome: measure.OK},
		}
	}
	return pairs
}

func histogram(t *testing.T, pairs []pair) *measure.Histogram {
	t.Helper()
	h := measure.NewHistogram()
	for _, p := range pairs {
		h.Record(p.turn.Done - p.turn.Sent)
	}
	return h
}

// wrong are the names of the checks that do not hold.
func wrong(checks []Check) string {
	var names []string
	for _, c := range checks {
		if !c.OK {
			names = append(names, c.What.String())
		}
	}
	return strings.Join(names, "; ")
}

// A ruler that is bent is called so, in the check that is about it.
func TestDurationsFindABentRuler(t *testing.T) {
	for name, tt := range map[string]struct {
		bend func(p *pair, i int)
		want string
	}{
		"straight": {func(*pair, int) {}, ""},
		"a third of the turns 2 ms too long": {func(p *pair, i int) {
			if i%3 == 0 {
				p.turn.Done += 2 * ms
			}
		}, "P50; P90; P99; P99.9"},
		"all 300 µs too long": {func(p *pair, _ int) { p.turn.Done += 300 * us }, "P50; P90; P99; P99.9; P50 of what is added to a turn"},
		"one turn shorter than it was": {func(p *pair, i int) {
			if i == 17 {
				p.turn.Done -= 200 * us
			}
		}, "turns said to be shorter than the server held them"},
		"halved": {func(p *pair, _ int) { p.turn.Done = p.turn.Sent + (p.turn.Done-p.turn.Sent)/2 }, "P50; P90; P99; P99.9; turns said to be shorter than the server held them"},
	} {
		pairs := exact(1000)
		for i := range pairs {
			tt.bend(&pairs[i], i)
		}
		got := wrong(durations(pairs, histogram(t, pairs)))
		if got != tt.want {
			t.Errorf("%s: wrong %q, want %q", name, got, tt.want)
		}
	}
	if got := excess(exact(1000), 0.99); got != 80*us {
		t.Errorf("excess %v, want the way there and back, 80 µs", got)
	}
}

func TestTurnsLostAreFound(t *testing.T) {
	pairs := exact(1000)
	if got := wrong(durations(pairs, histogram(t, pairs[1:]))); !strings.HasPrefix(got, "turns answered") {
		t.Errorf("wrong %q", got)
	}
}

func TestAlignFindsTheClock(t *testing.T) {
	pairs := exact(1000)
	for i := range pairs {
		if i%4 == 0 { // some wait, on one side alone
			pairs[i].turn.Done += time.Duration(i) * us
			pairs[i].call.arrived += time.Duration(i) * us
		}
	}
	if got := align(pairs); got != 3*time.Second {
		t.Errorf("the clock is behind by %v, want 3 s", got)
	}
}

// Lateness that cstest does not own up to is found by the server's clock.
func TestLatenessThatIsNoLag(t *testing.T) {
	for _, tt := range []struct {
		late, lag time.Duration
		ok        bool
	}{{0, 0, true}, {900 * us, 900 * us, true}, {900 * us, 0, false}, {200 * us, 0, true}} {
		pairs := exact(1000)
		for i := range pairs {
			p := &pairs[i]
			p.turn.Lag = tt.lag
			p.turn.Sent += tt.late
			p.turn.Done += tt.late
			p.call.arrived += tt.late
			p.call.due += tt.late
			p.call.written += tt.late
		}
		checks := lateness(pairs)
		if got := checks[1].OK; got != tt.ok {
			t.Errorf("%v late, %v said: %v, want %v: %+v", tt.late, tt.lag, got, tt.ok, checks[1])
		}
	}
}

func TestSpacingAgainstThePlan(t *testing.T) {
	at := func(change func(i int, d time.Duration) time.Duration) Check {
		var pairs []pair
		sched := schedule(t)
		i := 0
		for _, intended := range sched.Starts() {
			pairs = append(pairs, pair{turn: measure.Turn{Intended: intended}, call: call{arrived: change(i, intended)}})
			i++
		}
		return spacing(pairs, 10)
	}
	if c := at(func(_ int, d time.Duration) time.Duration { return d + 300*us }); !c.OK || c.Measured.String() != "0.0000" {
		t.Errorf("as planned: %+v", c)
	}
	if c := at(func(_ int, d time.Duration) time.Duration { return d.Truncate(20 * ms) }); c.OK {
		t.Errorf("in bursts: %+v", c)
	}
	if c := at(func(i int, _ time.Duration) time.Duration { return time.Duration(i) * 500 * us }); c.OK {
		t.Errorf("evenly: %+v", c)
	}
	if c := spacing(exact(50), 10); c.OK || c.Measured.String() != "5 arrivals" {
		t.Errorf("too few: %+v", c)
	}
}

// schedule is one of 2,000 Poisson starts a second for 10 s.
func schedule(t *testing.T) load.Schedule {
	t.Helper()
	return load.NewSchedule(&scenario.Load{Arrivals: scenario.ArrivalsPoisson, Stages: []scenario.Stage{{
		Name: "steady", For: 10e9, Starts: &scenario.RateRamp{From: 2000, To: 2000},
	}}}, seed)
}

func TestMatchByTrace(t *testing.T) {
	sched := schedule(t)
	calls := map[[16]byte]call{}
	var all []measure.Turn
	for k, at := range sched.Starts() {
		if k >= 100 {
			break
		}
		all = append([]measure.Turn{{Intended: at}}, all...)
		if k != 7 {
			calls[load.TraceID(seed, k, 0)] = call{arrived: time.Duration(k)}
		}
	}
	pairs := match(sched, seed, all, calls)
	if len(pairs) != 99 {
		t.Fatalf("%d pairs, want 99: the server did not see turn 7", len(pairs))
	}
	for i, p := range pairs {
		if want := time.Duration(i); i < 7 && p.call.arrived != want || i >= 7 && p.call.arrived != want+1 {
			t.Fatalf("pair %d is with call %d", i, p.call.arrived)
		}
	}
}

// What became of a turn is held against what was done to it, one by one: two
// mistakes that cancel out in the sums are found.
func TestToldTurnByTurn(t *testing.T) {
	snap := measure.NewSnapshot(&measure.Plan{})
	pairs := exact(10)
	pairs[3].call.outcome, pairs[3].turn.Outcome = measure.ServerError, measure.OK
	pairs[4].call.outcome, pairs[4].turn.Outcome = measure.OK, measure.ServerError
	snap.Counts[measure.OK], snap.Counts[measure.ServerError] = 9, 1
	for _, p := range pairs[:9] {
		snap.Timings[measure.Response].Record(p.turn.Done)
	}
	if got := wrong(told("x", pairs, snap, 10)); got != "turns whose outcome is another" {
		t.Errorf("wrong %q", got)
	}
	if got := wrong(told("x", pairs, snap, 11)); !strings.HasPrefix(got, "turns the server saw") {
		t.Errorf("wrong %q", got)
	}
}

func TestAccesses(t *testing.T) {
	base := time.UnixMilli(1_700_000_000_000)
	log := "1700000000.250 200 00-000102030405060708090a0b0c0d0e0f-0000000000000001-01\n1700000001.000 503 00-100102030405060708090a0b0c0d0e0f-0000000000000001-01\n1700000001.000 200 -\n"
	calls, err := accesses([]byte(log), base)
	if err != nil || len(calls) != 2 {
		t.Fatalf("%v, %v", calls, err)
	}
	id := [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	if c := calls[id]; c.written != 250*ms || c.outcome != measure.OK {
		t.Errorf("%+v", c)
	}
	id[0] = 0x10
	if c := calls[id]; c.written != time.Second || c.outcome != measure.ServerError {
		t.Errorf("%+v", c)
	}
	if _, err := accesses([]byte("nonsense\n"), base); err == nil {
		t.Error("takes nonsense")
	}
}
