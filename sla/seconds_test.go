package sla

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"pgregory.net/rapid"
)

var seconds99 = scenario.SLA{Availability: 0.99}

// fill records good and bad turns second by second.
func (b *bench) fill(counts ...[2]int) {
	for second, c := range counts {
		b.turns(second, c[0], nil)
		b.turns(second, c[1], as(measure.Timeout))
	}
}

func TestCensusOfSeconds(t *testing.T) {
	const slot = 100 // seconds, so that one may be bad
	for _, c := range []struct {
		name     string
		counts   [][2]int // of the first seconds; the others have 20 good turns
		bad, not int
		verdict  Verdict
	}{
		{"exactly 95 % is good", [][2]int{{19, 1}, {95, 5}}, 0, 0, Pass},
		{"under 95 % is bad", [][2]int{{18, 2}, {94, 6}}, 2, 0, Fail},
		{"one bad second of any length is allowed", [][2]int{{0, 20}}, 1, 0, Pass},
		{"one dead second at a low rate is one", [][2]int{{1, 0}, {0, 1}, {1, 0}}, 1, 0, Pass},
		{"two bad turns among few make a second bad", [][2]int{{17, 2}, {1, 2}}, 2, 0, Fail},
		{"all bad does", [][2]int{{0, 1}, {0, 1}}, 2, 0, Fail},
		{"one does not, and is not good either", [][2]int{{18, 1}, {1, 1}}, 0, 0, Inconclusive},
		{"as many such as may be bad", [][2]int{{18, 1}}, 0, 0, Pass},
		{"one of each", [][2]int{{18, 1}, {0, 1}}, 1, 0, Inconclusive},
		{"empty ones are unknown", [][2]int{{0, 0}, {0, 0}}, 0, 2, Pass},
		{"and leave no room for a bad one", [][2]int{{0, 0}, {0, 1}}, 1, 1, Inconclusive},
		{"half seen to be good is enough", make([][2]int, 50), 0, 50, Pass},
		{"less is not", make([][2]int, 51), 0, 51, Inconclusive},
		{"unknown ones are no excuse", append(make([][2]int, 90), [2]int{0, 1}, [2]int{0, 1}), 2, 90, Fail},
		{"nothing was asked", make([][2]int, slot), 0, slot, Inconclusive},
	} {
		b := newBench(t, seconds99, judged(slot*time.Second))
		b.fill(c.counts...)
		for second := len(c.counts); second < slot; second++ {
			b.turns(second, 20, nil)
		}
		r := b.evaluate()
		o := find(t, r, "availability-seconds")
		want := SecondsCount{Total: slot, Bad: c.bad, Unknown: c.not, Budget: 1, PerHour: 36, Scaled: true}
		for _, n := range c.counts {
			if n[1] == 1 && n[0] > 0 && n[0] < 19 {
				want.Doubtful++
			}
		}
		r.Seconds.PerHour = math.Round(r.Seconds.PerHour*1e6) / 1e6
		if r.Seconds != want || o.Verdict != c.verdict || o.Bad != int64(c.bad) || o.N != int64(slot-c.not) || o.Target != 1 || o.Unit != "s" {
			t.Errorf("%s: %+v, %v (%d of %d); want %+v, %v", c.name, r.Seconds, o.Verdict, o.Bad, o.N, want, c.verdict)
		}
	}
}

func TestAllowedSeconds(t *testing.T) {
	for _, c := range []struct {
		target      float64
		seconds     int
		want, above int
	}{{0.99, 3600, 36, 36}, {0.99, 110, 1, 2}, {0.99, 100, 1, 1}, {0.99, 101, 1, 2}, {0.99, 99, 0, 1}, {0.999, 3600, 3, 4}, {1, 3600, 0, 0}, {0.95, 60, 3, 3}, {0.99, 0, 0, 0}} {
		if got, above := allowance(c.target, c.seconds); got != c.want || above != c.above {
			t.Errorf("%v of %d s allows %d, or %d; want %d and %d", c.target, c.seconds, got, above, c.want, c.above)
		}
	}
}

// A run that is too short for one second to be 1 % of it passes only without a bad
// one; and no run passes by rounding up what is allowed.
func TestRunsTooShortForABadSecond(t *testing.T) {
	for _, c := range []struct {
		length, bad int
		want        Verdict
		reason      string
	}{
		{5, 0, Pass, "pass: 0 of 5 s under 95 % answered, 0 allowed (scaled; 36 per hour)"},
		{5, 1, Inconclusive, "inconclusive: 1 of 5 s under 95 % answered is more than 1 %, but by less than a whole second (it takes 100 s to allow one)"},
		{5, 2, Fail, "fail: 2 of 5 s under 95 % answered, 0 allowed (scaled; 36 per hour)"},
		{37, 1, Inconclusive, ""},
		{99, 1, Inconclusive, ""},
		{100, 1, Pass, ""},
		{100, 2, Fail, ""},
		{150, 1, Pass, ""},
		{150, 2, Inconclusive, ""},
		{150, 3, Fail, ""},
		{400, 4, Pass, "pass: 4 of 400 s under 95 % answered, 4 allowed"},
		{400, 5, Fail, "fail: 5 of 400 s under 95 % answered, 4 allowed"},
	} {
		b := newBench(t, seconds99, judged(time.Duration(c.length)*time.Second))
		for second := range c.length {
			b.turns(second, 1, nil)
			if second < c.bad {
				b.turns(second, 2, as(measure.Timeout))
			}
		}
		if o := find(t, b.evaluate(), "availability-seconds"); o.Verdict != c.want || c.reason != "" && o.Reason.String() != c.reason {
			t.Errorf("%d of %d s bad: %v %q, want %v %q", c.bad, c.length, o.Verdict, o.Reason, c.want, c.reason)
		}
	}
}

// waiting makes turns of users who wait for an answer.
func (b *bench) waiting(from, to time.Duration, n int, outcome measure.Outcome) {
	for range n {
		b.rec.Lane(0).Started(from)
		b.rec.Lane(0).Record(&measure.Turn{Intended: from, Sent: from, Done: to, Outcome: outcome, Tier: measure.TierLLM, Memory: measure.Verified})
		b.rec.Lane(0).Ended(measure.Complete, nil)
	}
}

// A target that hangs is down for as long as it does, whether its users go on
// asking (open) or wait (closed), and whether it answers in the end or not.
func TestHangs(t *testing.T) {
	both := scenario.SLA{Availability: 0.99, Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms)}}
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	for _, c := range []struct {
		name    string
		sla     scenario.SLA
		hang    func(b *bench) // from 10 s to 25 s
		bad     int
		unknown int
		cause   string
		verdict Verdict
	}{
		{"closed, timed out in the end", both, func(b *bench) { b.waiting(sec(10.2), sec(25), 10, measure.Timeout) }, 15, 0, "timeout", Fail},
		{"closed, timed out every 3 s", both, func(b *bench) {
			for s := 10.0; s < 25; s += 3 {
				b.waiting(sec(s), sec(s+3), 10, measure.Timeout)
			}
		}, 15, 0, "timeout", Fail},
		{"closed, answered in the end", both, func(b *bench) { b.waiting(sec(10.2), sec(25), 10, measure.OK) }, 14, 0, "late", Fail},
		{"open, answered in the end", both, func(b *bench) {
			for s := 10.2; s < 25; s++ {
				b.waiting(sec(s), sec(25), 10, measure.OK)
			}
		}, 14, 0, "late", Fail},
		{"open, timed out after 3 s", both, func(b *bench) {
			for s := 10.2; s < 25; s++ {
				b.waiting(sec(s), sec(s+3), 10, measure.Timeout)
			}
		}, 15, 0, "timeout", Fail},
		{"answered in the end, and nobody said how soon: 10 s", seconds99, func(b *bench) { b.waiting(sec(10.2), sec(25), 10, measure.OK) }, 4, 10, "late", Fail},
		{"one turn is lost while others are answered", both, func(b *bench) {
			b.waiting(sec(10.2), sec(25), 1, measure.Timeout)
			for second := 10; second < 25; second++ {
				b.turns(second, 20, nil)
			}
		}, 0, 0, "", Pass},
		{"one is lost, and the next is answered late in the hang", both, func(b *bench) {
			b.waiting(sec(10.2), sec(25), 1, measure.Timeout)
			b.turns(20, 1, nil)
		}, 10, 4, "timeout", Fail},
	} {
		b := newBench(t, c.sla, judged(30*time.Second))
		for second := range 30 {
			if second < 10 || second >= 25 {
				b.turns(second, 20, nil)
			}
		}
		c.hang(b)
		r := b.evaluate()
		o := find(t, r, "availability-seconds")
		if r.Seconds.Bad != c.bad || r.Seconds.Unknown != c.unknown || o.Verdict != c.verdict {
			t.Errorf("%s: %+v, %v %q; want %d bad, %d unknown, %v", c.name, r.Seconds, o.Verdict, o.Reason, c.bad, c.unknown, c.verdict)
		}
		if c.cause == "" && len(r.Outages) > 0 || c.cause != "" && (len(r.Outages) != 1 || r.Outages[0].Cause != c.cause || r.Outages[0].Length != time.Duration(c.bad)*time.Second) {
			t.Errorf("%s: outages %v, want one of %d s by %s", c.name, r.Outages, c.bad, c.cause)
		}
	}
}

// One more good turn never makes seconds worse, one more bad turn never better.
func TestSecondsAreMonotone(t *testing.T) {
	const length = 12
	rank := map[Verdict]int{Pass: 0, Inconclusive: 1, Fail: 2}
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.SampledFrom([]unit.Share{0.5, 0.9, 0.99, 1}).Draw(t, "target")
		sla := scenario.SLA{Availability: target, Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms)}}
		draw := func(good bool) measure.Turn {
			turn := measure.Turn{Intended: time.Duration(rapid.IntRange(0, length*1000-1).Draw(t, "at")) * ms, Tier: measure.TierLLM, Memory: measure.Verified}
			turn.Sent, turn.Done = turn.Intended, turn.Intended+100*ms
			if !good {
				turn.Outcome = rapid.SampledFrom([]measure.Outcome{measure.Timeout, measure.Shed, measure.Censored}).Draw(t, "outcome")
				turn.Done = turn.Intended + time.Duration(rapid.IntRange(0, 8000).Draw(t, "wait"))*ms
			}
			return turn
		}
		base := rapid.SliceOfN(rapid.Custom(func(*rapid.T) measure.Turn { return draw(rapid.Bool().Draw(t, "good")) }), 0, 40).Draw(t, "turns")
		of := func(more ...measure.Turn) (Judged, SecondsCount) {
			b := newBench(t, sla, judged(length*time.Second))
			for _, turn := range slices.Concat(base, more) {
				b.rec.Lane(0).Record(&turn)
			}
			r := b.evaluate()
			return find(t, r, "availability-seconds"), r.Seconds
		}
		was, n := of()
		if better, m := of(draw(true)); rank[better.Verdict] > rank[was.Verdict] || m.Bad > n.Bad {
			t.Fatalf("a good turn more: %v %+v, then %v %+v", was.Verdict, n, better.Verdict, m)
		}
		if worse, m := of(draw(false)); rank[worse.Verdict] < rank[was.Verdict] || m.Bad < n.Bad {
			t.Fatalf("a bad turn more: %v %+v, then %v %+v", was.Verdict, n, worse.Verdict, m)
		}
	})
}

func TestSecondsOfJudgedStagesOnly(t *testing.T) {
	b := newBench(t, seconds99, measure.Stage{Name: "warmup", End: 2 * time.Second}, judged(300*time.Second), measure.Stage{Name: "after", End: 10 * time.Second})
	b.turns(0, 30, as(measure.Timeout))
	b.turns(5, 30, nil)
	b.turns(305, 30, as(measure.Timeout))
	b.turns(400, 30, as(measure.Timeout)) // in the drain
	r := b.evaluate()
	r.Seconds.PerHour = 0
	if want := (SecondsCount{Total: 300, Unknown: 299, Budget: 3}); r.Seconds != want || len(r.Outages) != 0 {
		t.Errorf("%+v, outages %v; want %+v", r.Seconds, r.Outages, want)
	}
	o := find(t, r, "availability-seconds")
	if o.Reason.String() != "inconclusive: 0 of 1 s under 95 % answered, and nothing was asked in 299 of 300 s" {
		t.Errorf("%q", o.Reason)
	}
	// Of a load that ended early, the seconds that it came to.
	b = newBench(t, seconds99, judged(100*time.Second))
	b.turns(0, 20, nil)
	b.end = 13_200 * ms
	b.facts.Interrupted = saying("stopped")
	if r := b.evaluate(); r.Seconds.Total != 14 || r.Seconds.Unknown != 13 {
		t.Errorf("stopped at 13.2 s: %+v", r.Seconds)
	}
	b = newBench(t, seconds99, judged(100*time.Second))
	b.fill(slices.Repeat([][2]int{{18, 1}}, 100)...)
	if o := find(t, b.evaluate(), "availability-seconds"); o.Reason.String() != "inconclusive: 0 of 100 s under 95 % answered and 100 with one bad turn among too few to tell, 1 allowed" {
		t.Errorf("%q", o.Reason)
	}
	b = newBench(t, seconds99, judged(100*time.Second))
	b.fill([2]int{0, 20}, [2]int{0, 20}, [2]int{20, 0})
	if o := find(t, b.evaluate(), "availability-seconds"); o.Reason.String() != "fail: 2 of 3 s under 95 % answered, 1 allowed (scaled; 36 per hour)" {
		t.Errorf("%q", o.Reason)
	}
}

func TestOutages(t *testing.T) {
	b := newBench(t, seconds99, judged(20*time.Second))
	for second := range 20 {
		switch {
		case second >= 3 && second < 6:
			b.turns(second, 10, nil)
			b.turns(second, 8, as(measure.Timeout))
			b.turns(second, 9, as(measure.TransportError))
			b.turns(second, 50, as(measure.Degraded))
			b.rec.Lane(0).Dropped(time.Duration(second)*time.Second, 1, measure.DroppedTarget)
		case second == 7: // nobody saw that the outage went on
		case second == 6 || second == 8:
			b.turns(second, 30, as(measure.Shed))
		default:
			b.turns(second, 30, nil)
		}
	}
	r := b.evaluate()
	want := []Outage{{3 * time.Second, 4 * time.Second, "shed"}, {8 * time.Second, time.Second, "shed"}}
	if !slices.Equal(r.Outages, want) || r.Seconds.Bad != 5 || r.Seconds.Unknown != 1 {
		t.Errorf("outages %v of %+v, want %v", r.Outages, r.Seconds, want)
	}
	// Two stages that are judged, and one between them that is not: two outages.
	b = newBench(t, seconds99, judged(10*time.Second), measure.Stage{Name: "pause", End: 5 * time.Second}, judged(10*time.Second))
	for second := 8; second < 17; second++ {
		b.turns(second, 30, as(measure.Shed))
	}
	r = b.evaluate()
	want = []Outage{{8 * time.Second, 2 * time.Second, "shed"}, {15 * time.Second, 2 * time.Second, "shed"}}
	if !slices.Equal(r.Outages, want) || r.Seconds.Bad != 4 || r.Seconds.Total != 20 {
		t.Errorf("outages %v of %+v, want %v", r.Outages, r.Seconds, want)
	}
	b = newBench(t, scenario.SLA{}, judged(20*time.Second))
	for second := range 20 {
		b.turns(second, 30, nil)
	}
	b.turns(4, 30, as(measure.TransportError))
	b.turns(9, 10, as(measure.Timeout))
	b.turns(9, 10, as(measure.ServerError))
	r = b.evaluate()
	want = []Outage{{4 * time.Second, time.Second, "transport_error"}, {9 * time.Second, time.Second, "server_error"}}
	if !slices.Equal(r.Outages, want) || r.Seconds != (SecondsCount{}) {
		t.Errorf("without an objective: outages %v, %+v; want %v", r.Outages, r.Seconds, want)
	}
}
