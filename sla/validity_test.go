package sla

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func late(d, response time.Duration) func(*measure.Turn) {
	return func(t *measure.Turn) { t.Lag, t.Done = d, t.Intended+response }
}

func TestTaintedSeconds(t *testing.T) {
	b := newBench(t, p99, judged(10*time.Second))
	b.turns(0, 20, late(11*ms, 100*ms)) // tainted
	b.turns(1, 2, late(10*ms, 100*ms))  // few turns
	b.turns(5, 1, nil)
	b.turns(5, 1, late(11*ms, 100*ms))  // few turns, and one of them late
	b.turns(2, 20, late(10*ms, 100*ms)) // at the limit
	b.turns(3, 198, nil)                // 2 of 200 are above rank 198
	b.turns(3, 2, late(time.Second, time.Second))
	b.turns(4, 197, nil) // 3 of 200 are not
	b.turns(4, 3, late(time.Second, time.Second))
	r := b.evaluate()
	if want := []int{0, 4, 5}; !slices.Equal(r.Generator.Tainted, want) {
		t.Errorf("tainted %v, want %v", r.Generator.Tainted, want)
	}
	if r.Generator.LagP99 < time.Second-time.Millisecond || len(r.Generator.Reasons) != 0 {
		t.Errorf("%+v", r.Generator)
	}
	// 2 % of a latency budget of 1 s is 20 ms.
	wide := scenario.SLA{Latency: map[string]unit.Duration{"p99": unit.Duration(2 * time.Second), "p95": unit.Duration(time.Second)}}
	for lag, want := range map[time.Duration]int{20 * ms: 0, 20*ms + 1: 1} {
		b = newBench(t, wide, judged(10*time.Second))
		b.turns(0, 50, late(lag, 100*ms))
		if got := len(b.evaluate().Generator.Tainted); got != want {
			t.Errorf("lag %v: %d tainted, want %d", lag, got, want)
		}
	}
}

// A strained generator must not blame the target, and a failing target must not
// hide behind a strained generator.
func TestTaintedRunsAreInvalidOnlyWhenTheyDecide(t *testing.T) {
	slow := late(50*ms, time.Second)
	for _, c := range []struct {
		name    string
		length  int
		tainted int
		change  func(*measure.Turn)
		rest    func(*measure.Turn)
		want    Verdict
	}{
		{"it fails only where the generator was late", 60, 4, slow, nil, Invalid},
		{"three seconds may be tainted", 60, 3, slow, nil, Fail},
		{"5 % of a longer run may be", 200, 10, slow, nil, Fail},
		{"not more", 200, 11, slow, nil, Invalid},
		{"it fails without them too", 60, 10, slow, taking(time.Second), Fail},
		{"a pass stays a pass", 60, 60, late(50*ms, 100*ms), nil, Pass},
		{"nothing can be said without them", 15, 14, slow, nil, Invalid},
		{"or little", 60, 57, slow, nil, Invalid},
		{"or next to nothing", 60, 59, slow, taking(time.Second), Invalid},
		{"or nothing", 60, 60, slow, nil, Invalid},
	} {
		b := newBench(t, p99, judged(time.Duration(c.length)*time.Second))
		for s := range c.length {
			if s < c.tainted {
				b.turns(s, 100, c.change)
			} else {
				b.turns(s, 100, c.rest)
			}
		}
		r := b.evaluate()
		if r.Verdict != c.want || len(r.Generator.Tainted) != c.tainted {
			t.Errorf("%s: %v with %d tainted, want %v with %d: %q", c.name, r.Verdict, len(r.Generator.Tainted), c.want, c.tainted, r.Reasons)
		}
	}
	b := newBench(t, seconds99, judged(60*time.Second))
	for s := range 60 {
		b.turns(s, 100, nil)
		if s < 5 {
			b.turns(s, 100, func(t *measure.Turn) { t.Lag, t.Outcome = time.Second, measure.Timeout })
		}
	}
	r := b.evaluate()
	want := "availability-seconds cannot be seen to fail without the 5 of 60 seconds in which the generator was late"
	if r.Verdict != Invalid || !slices.Contains(says(r.Generator.Reasons), want) {
		t.Errorf("%v %q", r.Verdict, r.Generator.Reasons)
	}
}

// The rate has no part in whether a generator was strained.
func TestTaintedAtLowRates(t *testing.T) {
	for _, rate := range []int{1, 5, 19, 200} {
		b := newBench(t, p99, judged(600*time.Second))
		for s := range 600 {
			if s%10 == 3 {
				b.turns(s, rate, late(50*ms, time.Second))
			} else {
				b.turns(s, rate, nil)
			}
		}
		if r := b.evaluate(); r.Verdict != Invalid || len(r.Generator.Tainted) != 60 {
			t.Errorf("%d/s: %v with %d tainted: %q", rate, r.Verdict, len(r.Generator.Tainted), r.Reasons)
		}
	}
}

// A generator that is stopped half of the time makes turns late, and cuts those
// that were in flight; whatever the pattern that is no fail.
func TestStoppedGeneratorIsInvalid(t *testing.T) {
	for _, c := range []struct{ on, off time.Duration }{{time.Second, time.Second}, {3 * time.Second, 3 * time.Second}, {10 * time.Second, 10 * time.Second}, {400 * ms, 600 * ms}} {
		both := scenario.SLA{Availability: 0.99, Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms)}}
		b := newBench(t, both, judged(60*time.Second))
		b.s.Target.Timeout = unit.Duration(3 * time.Second)
		awake := func(at time.Duration) time.Duration { // when what is due at a time can be done
			if in := at % (c.on + c.off); in >= c.on {
				return at - in + c.on + c.off
			}
			return at
		}
		for at := time.Duration(0); at < 60*time.Second; at += 20 * ms {
			turn := measure.Turn{Intended: at, Sent: awake(at), Tier: measure.TierLLM, Memory: measure.Verified}
			turn.Lag = turn.Sent - at
			if turn.Done = awake(turn.Sent + 200*ms); turn.Done-turn.Sent >= 3*time.Second {
				turn.Outcome = measure.Timeout
			}
			b.rec.Lane(0).Started(at)
			b.rec.Lane(0).Record(&turn)
			b.rec.Lane(0).Ended(measure.Complete, nil)
		}
		if r := b.evaluate(); r.Verdict != Invalid {
			t.Errorf("stopped for %v, running for %v: %v %q", c.off, c.on, r.Verdict, r.Reasons)
		}
	}
}

// Where one objective fails without the strained seconds, so does the run.
func TestOneFailThatIsNotStrainedIsAFail(t *testing.T) {
	for _, c := range []struct {
		name string
		rest func(*measure.Turn)
		sla  scenario.SLA
		want Verdict
	}{
		{"latency fails by strain, answers do everywhere", as(measure.Timeout), scenario.SLA{Availability: 0.9, Latency: p99.Latency}, Fail},
		{"conversations hang on strained seconds", nil, scenario.SLA{Objectives: []scenario.Objective{{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.999}}}, Invalid},
		{"foreign content is not made by strain", as(measure.Integrity), scenario.SLA{Latency: p99.Latency}, Fail},
	} {
		b := newBench(t, c.sla, judged(60*time.Second))
		for s := range 60 {
			if s >= 20 && s < 30 {
				b.turns(s, 100, func(t *measure.Turn) { late(50*ms, time.Second)(t); t.Outcome = measure.Timeout })
			} else {
				b.turns(s, 100, nil)
				b.turns(s, 20, c.rest)
			}
		}
		if r := b.evaluate(); r.Verdict != c.want {
			t.Errorf("%s: %v %q, want %v", c.name, r.Verdict, r.Reasons, c.want)
		}
	}
}

func TestStartsNotIssued(t *testing.T) {
	for _, c := range []struct {
		own, target int
		stopped     string
		want        Verdict
		reasons     int
	}{{1, 0, "", Pass, 0}, {2, 0, "", Invalid, 1}, {12, 0, "", Invalid, 2}, {12, 0, "interrupted", Incomplete, 1}, {0, 8, "", Pass, 0}} {
		b := newBench(t, scenario.SLA{Availability: 0.9}, judged(10*time.Second))
		for second := range 10 {
			b.turns(second, 100, nil)
		}
		for range c.own {
			b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
		}
		for range c.target {
			b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedTarget)
		}
		b.facts.Interrupted = saying(c.stopped)
		r := b.evaluate()
		if r.Verdict != c.want || len(r.Generator.Reasons) != c.reasons {
			t.Errorf("%d dropped by us, %d by the target, stopped %q: %v %q", c.own, c.target, c.stopped, r.Verdict, r.Generator.Reasons)
		}
	}
}

// What the recorder counts as planned is issued or dropped by itself: only the
// schedule knows of a start that never came up.
func TestStartsThatNeverCameUp(t *testing.T) {
	for _, c := range []struct {
		name      string
		scheduled int64
		change    func(*measure.Facts)
		want      Verdict
		reason    string
		warns     string
	}{
		{"all came up", 1010, nil, Pass, "", ""},
		{"not known", 0, nil, Pass, "", ""},
		{"1 % did not", 1020, nil, Pass, "", "1,020"},
		{"more did not", 1021, nil, Invalid, "only 1,000 of 1,011 planned starts were issued, through the generator's own fault", "1,021"},
		{"one too many came up", 1009, nil, Pass, "", "1,009"},
		{"it was stopped", 2000, func(f *measure.Facts) { f.Interrupted = saying("a signal") }, Incomplete, "the load ended before its plan: a signal", ""},
		{"it was aborted", 2000, func(f *measure.Facts) { f.Aborted = saying("a rule") }, Inconclusive, "the load ended before its plan: a rule", ""},
		{"its record has a gap", 2000, func(f *measure.Facts) { f.Gaps = 1 }, Inconclusive, "1 stretches of the journal could not be read: what they held is missing", ""},
	} {
		b := newBench(t, scenario.SLA{Availability: 0.9}, judged(10*time.Second))
		for second := range 10 {
			b.turns(second, 100, nil)
		}
		for range 10 {
			b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedTarget)
		}
		b.facts.Generator = measure.Generator{Cores: 2, Planned: c.scheduled}
		if c.change != nil {
			c.change(b.facts)
		}
		r := b.evaluate()
		if got := strings.Join(says(r.Reasons), "; "); r.Verdict != c.want || got != c.reason {
			t.Errorf("%s: %v %q, want %v %q", c.name, r.Verdict, got, c.want, c.reason)
		}
		want := ""
		if c.warns != "" {
			want = "counts are not conserved: starts of the schedule = issued + dropped does not hold: " + c.warns + " against 1,010"
		}
		if got := strings.Join(says(r.Warnings), "; "); got != want {
			t.Errorf("%s: warnings %q, want %q", c.name, got, want)
		}
	}
}
