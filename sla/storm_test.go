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

// stormy is a run of 60 s with 100 turns a second and a storm from 10 s to 20 s.
func stormy(t testing.TB, change func(b *bench, second int)) *bench {
	sla := scenario.SLA{
		Latency: p99.Latency, FullQuality: 0.95,
		Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(15 * time.Second)},
	}
	b := newBench(t, sla, judged(60*time.Second))
	b.facts.Storms = []measure.Storm{{Name: "storm", Kind: "status", Start: 10 * time.Second, End: 20 * time.Second}}
	for second := range 60 {
		change(b, second)
	}
	return b
}

func degraded(t *measure.Turn) { t.Outcome, t.Tier = measure.Degraded, measure.TierFAQ }

func seconds(d *time.Duration) float64 {
	if d == nil {
		return -1
	}
	return d.Seconds()
}

func TestRecovery(t *testing.T) {
	for _, c := range []struct {
		name             string
		change           func(b *bench, second int)
		latency, quality Verdict
		lat, qual        float64 // of the storm's result; -1 is nil
	}{
		{"at once", func(b *bench, s int) { b.turns(s, 100, nil) }, Pass, Pass, 0, 0},
		{"degraded for 12 s after", func(b *bench, s int) {
			if s >= 10 && s < 32 {
				b.turns(s, 100, degraded)
				return
			}
			b.turns(s, 100, nil)
			// 4 of 5 s must be good before 5 s hold 95 %: see below.
		}, Pass, Fail, 0, 16},
		{"degraded for 8 s after", func(b *bench, s int) {
			if s >= 10 && s < 28 {
				b.turns(s, 100, degraded)
				return
			}
			b.turns(s, 100, nil)
		}, Pass, Pass, 0, 12},
		{"slow for 1 s after", func(b *bench, s int) {
			if s >= 10 && s < 21 {
				b.turns(s, 100, taking(time.Second))
				return
			}
			b.turns(s, 100, nil)
		}, Pass, Pass, 5, 0},
		{"slow for 2 s after", func(b *bench, s int) {
			if s >= 10 && s < 22 {
				b.turns(s, 100, taking(time.Second))
				return
			}
			b.turns(s, 100, nil)
		}, Fail, Pass, 6, 0},
		{"never", func(b *bench, s int) {
			if s >= 10 {
				b.turns(s, 100, taking(time.Second))
				return
			}
			b.turns(s, 100, nil)
		}, Fail, Pass, -1, 0},
		{"relapses within 10 s", func(b *bench, s int) {
			if s == 25 {
				b.turns(s, 100, taking(time.Second))
				return
			}
			b.turns(s, 100, nil)
		}, Fail, Pass, 10, 0},
		{"too few turns to see", func(b *bench, s int) {
			if s >= 20 {
				b.turns(s, 1, nil)
				return
			}
			b.turns(s, 100, nil)
		}, Inconclusive, Inconclusive, -1, -1},
		{"few turns for a while", func(b *bench, s int) {
			if s >= 20 && s < 28 {
				return
			}
			b.turns(s, 100, nil)
		}, Inconclusive, Pass, 8, 8},
		{"the load ends too soon", func(b *bench, s int) {
			if s < 25 {
				b.turns(s, 100, nil)
			}
		}, Inconclusive, Inconclusive, -1, -1},
	} {
		b := stormy(t, c.change)
		r := b.evaluate()
		lat, qual := find(t, r, "recovery-latency"), find(t, r, "recovery-quality")
		if lat.Verdict != c.latency || qual.Verdict != c.quality {
			t.Errorf("%s: latency %v %q, quality %v %q; want %v and %v", c.name, lat.Verdict, lat.Reason, qual.Verdict, qual.Reason, c.latency, c.quality)
		}
		if got := r.Storms[0]; seconds(got.Latency) != c.lat || seconds(got.Quality) != c.qual {
			t.Errorf("%s: recovered after %v s and %v s, want %v and %v", c.name, seconds(got.Latency), seconds(got.Quality), c.lat, c.qual)
		}
		if lat.Unit != "s" || lat.Target != 5 || lat.N != 1 || qual.Target != 15 {
			t.Errorf("%s: %+v", c.name, lat)
		}
	}
}

func TestRecoveryReasons(t *testing.T) {
	late := stormy(t, func(b *bench, s int) {
		if s >= 10 && s < 24 {
			b.turns(s, 100, taking(time.Second))
			return
		}
		b.turns(s, 100, nil)
	})
	o := find(t, late.evaluate(), "recovery-latency")
	if o.Reason.String() != "fail: recovered 8 s after the end of storm > 5 s" || o.Measured != 8 {
		t.Errorf("%q, %v", o.Reason, o.Measured)
	}
	never := stormy(t, func(b *bench, s int) { b.turns(s, 100, taking(time.Second)) })
	o = find(t, never.evaluate(), "recovery-latency")
	if o.Reason.String() != "fail: not recovered 40 s after the end of storm, 5 s allowed" || o.Bad != 1 {
		t.Errorf("%q", o.Reason)
	}
	calm := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	o = find(t, calm.evaluate(), "recovery-latency")
	if o.Reason.String() != "pass: recovered 0 s after the end of storm ≤ 5 s" {
		t.Errorf("%q", o.Reason)
	}
	quiet := stormy(t, func(*bench, int) {})
	o = find(t, quiet.evaluate(), "recovery-latency")
	if o.Reason.String() != "inconclusive: too few turns after storm, or too little time, to see recovery hold for 10 s" {
		t.Errorf("%q", o.Reason)
	}
	calm = stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	calm.facts.Storms, calm.facts.LLMKnown = nil, true
	if o = find(t, calm.evaluate(), "recovery-latency"); o.Verdict != NotVerified || o.Reason.String() != `not verified: storm "storm" did not happen` {
		t.Errorf("%v %q", o.Verdict, o.Reason)
	}
}

// Of several storms of one name the worst decides, and each is seen up to the next.
func TestSeveralStorms(t *testing.T) {
	b := stormy(t, func(b *bench, s int) {
		if s >= 40 && s < 48 {
			b.turns(s, 100, taking(time.Second))
			return
		}
		b.turns(s, 100, nil)
	})
	b.facts.Storms = []measure.Storm{
		{Name: "other", Start: 50 * time.Second, End: 51 * time.Second},
		{Name: "storm", Start: 30 * time.Second, End: 40 * time.Second},
		{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second},
	}
	r := b.evaluate()
	if len(r.Storms) != 3 || r.Storms[0].Start != 10*time.Second || seconds(r.Storms[0].Latency) != 0 || seconds(r.Storms[1].Latency) != -1 {
		t.Errorf("%+v", r.Storms)
	}
	if o := find(t, r, "recovery-latency"); o.N != 2 || o.Bad != 1 || o.Verdict != Fail {
		t.Errorf("%+v", o)
	}
}

func TestFullQualityLeavesTheStormOut(t *testing.T) {
	// The storm lasts from 10 s to 20 s and recovery may take 15 s more. A bad second
	// right after it is seen in the 5 s windows that it lies in.
	for _, c := range []struct {
		second int
		bad, n int64
	}{{9, 100, 5000}, {10, 0, 5000}, {19, 0, 5000}, {20, 0, 4500}, {29, 0, 3600}, {30, 100, 5000}, {34, 100, 5000}, {35, 100, 5000}} {
		b := stormy(t, func(b *bench, s int) {
			if s == c.second {
				b.turns(s, 100, degraded)
				return
			}
			b.turns(s, 100, nil)
		})
		o := find(t, b.evaluate(), "full-quality")
		if o.Bad != c.bad || o.N != c.n {
			t.Errorf("degraded at %d s: %d bad of %d, want %d of %d", c.second, o.Bad, o.N, c.bad, c.n)
		}
		if !strings.Contains(o.Reason.String(), "outside storms and recovery (whole run 1.67 %)") {
			t.Errorf("%q", o.Reason)
		}
	}
	b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms[0].Start, b.facts.Storms[0].End = 10_500*ms, 20_500*ms
	snap := b.snap()
	if o := find(t, Evaluate(b.s, snap, b.facts), "full-quality"); o.N != 4900 {
		t.Errorf("begun seconds are judged: %d of 4900", o.N)
	}
	b.facts.Storms[0].Start, b.facts.Storms[0].End = 10*time.Second+200*time.Microsecond, 20*time.Second+200*time.Microsecond
	if o := find(t, Evaluate(b.s, snap, b.facts), "full-quality"); o.N != 5000 {
		t.Errorf("a storm owns the second that it ends 0.2 ms into: %d of 5000", o.N)
	}
	b.s.SLA.Recovery = nil
	b = benchOf(t, b.s, judged(60*time.Second))
	b.turns(12, 100, degraded)
	b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
	if o := find(t, b.evaluate(), "full-quality"); o.N != 100 || o.Bad != 100 {
		t.Errorf("without recovery to judge it the storm is left out: %d of %d", o.Bad, o.N)
	}
}

// A server that recovered and then degraded again is judged for it, whether the
// time that recovery had was over or not.
func TestRelapseInTheTimeForRecovery(t *testing.T) {
	for _, c := range []struct {
		name     string
		degraded func(s int) bool
		verdict  Verdict
		n, bad   int64
	}{
		{"none", func(s int) bool { return s >= 10 && s < 20 }, Pass, 5000, 0},
		{"within the time allowed", func(s int) bool { return s >= 10 && s < 20 || s >= 31 && s < 47 }, Fail, 5000, 1600},
		{"to the end", func(s int) bool { return s >= 10 && s < 20 || s >= 31 }, Fail, 5000, 2900},
		{"slow recovery, then a relapse", func(s int) bool { return s >= 10 && s < 22 || s >= 40 && s < 46 }, Fail, 4400, 600},
		{"no recovery: all that is allowed is left out", func(s int) bool { return s >= 10 }, Fail, 2200, 1200},
	} {
		b := stormy(t, func(b *bench, s int) {
			if c.degraded(s) {
				b.turns(s, 100, degraded)
				return
			}
			b.turns(s, 100, nil)
		})
		b.s.SLA.Recovery.Quality = unit.Duration(28 * time.Second)
		r := b.evaluate()
		if o := find(t, r, "full-quality"); o.Verdict != c.verdict || o.N != c.n || o.Bad != c.bad || r.Verdict != c.verdict {
			t.Errorf("%s: %v, %d of %d, run %v; want %v, %d of %d: %v", c.name, o.Verdict, o.Bad, o.N, r.Verdict, c.verdict, c.bad, c.n, r.Reasons)
		}
	}
}

func TestDetectByCalls(t *testing.T) {
	b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms[0].Start = 10_400 * ms
	b.facts.LLMKnown, b.facts.LLMCalls = true, 5000
	for s := range 60 {
		c := measure.CallSecond{Second: s, Calls: 100, Probes: 50, Backflow: 70}
		if s >= 13 && s < 20 {
			c.Calls = 20
		} else if s >= 10 && s < 13 {
			c.Calls = 110
		}
		b.facts.Calls = append(b.facts.Calls, c)
	}
	got := b.evaluate().Storms[0]
	if seconds(got.Detect) != 2.6 || !got.CallsKnown || got.CallsPerTurn != (2*110+7*20)/900.0 {
		t.Errorf("detected after %v s, %v calls per turn", seconds(got.Detect), got.CallsPerTurn)
	}
	for i := range b.facts.Calls {
		b.facts.Calls[i].Calls = 21
	}
	b2 := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b2.facts = b.facts
	if got := b2.evaluate().Storms[0]; got.Detect != nil {
		t.Errorf("21 calls for 100 turns are few: detected after %v", got.Detect)
	}
}

func TestDetectByAnswers(t *testing.T) {
	for _, c := range []struct {
		until int
		want  float64
	}{{0, 0}, {13, 3}, {19, 9}, {20, -1}, {23, -1}} {
		b := stormy(t, func(b *bench, s int) {
			if s >= 10 && s < c.until {
				b.turns(s, 94, nil)
				b.turns(s, 6, as(measure.Timeout))
				return
			}
			b.turns(s, 95, nil)
			b.turns(s, 5, as(measure.Timeout))
		})
		got := b.evaluate().Storms[0]
		if seconds(got.Detect) != c.want || got.CallsKnown {
			t.Errorf("bad until %d s: detected after %v s, want %v", c.until, seconds(got.Detect), c.want)
		}
	}
	b := stormy(t, func(b *bench, s int) {
		if s < 10 {
			b.turns(s, 100, nil)
		}
	})
	if got := b.evaluate().Storms[0]; got.Detect != nil {
		t.Error("nothing was sent in the storm, but it was detected")
	}
}

func TestMetastable(t *testing.T) {
	slow := taking(time.Second)
	for _, c := range []struct {
		name   string
		open   bool
		change func(b *bench, second int)
		want   bool
	}{
		{"never back at the same rate", true, func(b *bench, s int) {
			if s >= 10 {
				b.turns(s, 100, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}, true},
		{"back after 30 s", true, func(b *bench, s int) {
			if s >= 10 && s < 50 {
				b.turns(s, 100, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}, false},
		{"94 % is not back", true, func(b *bench, s int) {
			b.turns(s, 94, nil)
			b.turns(s, 6, slow)
		}, true},
		{"95 % is", true, func(b *bench, s int) {
			b.turns(s, 95, nil)
			b.turns(s, 5, slow)
		}, false},
		{"the rate fell, so nothing is known", true, func(b *bench, s int) {
			if s >= 20 {
				b.turns(s, 80, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}, false},
		{"the rate rose, so nothing is known", true, func(b *bench, s int) {
			if s >= 20 {
				b.turns(s, 120, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}, false},
		{"users who wait ask less", false, func(b *bench, s int) {
			if s >= 20 {
				b.turns(s, 20, slow)
			} else {
				b.turns(s, 100, nil)
			}
		}, true},
		{"bad for the time recovery has", true, func(b *bench, s int) {
			if s >= 10 && s < 38 {
				b.turns(s, 100, slow)
			} else if s < 38 {
				b.turns(s, 100, nil)
			}
		}, false},
	} {
		b := stormy(t, c.change)
		if !c.open {
			b.s.Load.Stages[0].Starts = nil
		}
		r := b.evaluate()
		if r.Storms[0].Metastable != c.want {
			t.Errorf("%s: metastable %v", c.name, r.Storms[0].Metastable)
		}
		if says := slices.ContainsFunc(says(r.Reasons), func(s string) bool { return strings.HasPrefix(s, "storm storm: metastable") }); says != c.want || c.want && r.Verdict != Fail {
			t.Errorf("%s: %v %q", c.name, r.Verdict, r.Reasons)
		}
	}
}

func TestStormsOfOnesOwnTarget(t *testing.T) {
	b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms = nil
	b.s.LLM = &scenario.LLM{Faults: []scenario.Fault{{Name: "storm", Kind: "status", At: unit.Duration(15 * time.Second), For: unit.Duration(5 * time.Second)}}}
	r := b.evaluate()
	if len(r.Storms) != 1 || r.Storms[0].Start != 15*time.Second || r.Storms[0].End != 20*time.Second {
		t.Errorf("%+v", r.Storms)
	}
	// Open to the end, and one that has not begun when the clock stood at 12 s.
	b = stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
	b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second}, {Name: "storm", Start: 15 * time.Second, End: 16 * time.Second}}
	b.end = 12 * time.Second
	r = b.evaluate()
	if len(r.Storms) != 1 || r.Storms[0].End != 60*time.Second || r.Storms[0].Latency != nil {
		t.Errorf("%+v", r.Storms)
	}
}

// What the rate is has no part in how long recovery took.
func TestRecoveryAtAnyRate(t *testing.T) {
	for _, rate := range []int{2, 5, 9, 12, 100, 5000} {
		for _, lasts := range []int{0, 7, 20} {
			sla := scenario.SLA{FullQuality: 0.95, Recovery: &scenario.Recovery{After: "storm", Quality: unit.Duration(10 * time.Second)}}
			b := newBench(t, sla, judged(100*time.Second))
			b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20*time.Second + 200*time.Microsecond}}
			for s := range 100 {
				if s >= 10 && s < 20+lasts {
					b.turns(s, rate, degraded)
				} else {
					b.turns(s, rate, nil)
				}
			}
			r := b.evaluate()
			got, o := seconds(r.Storms[0].Quality), find(t, r, "recovery-quality")
			switch {
			case lasts == 0 && (got != 0 || o.Verdict != Pass):
				t.Errorf("%d/s, back at once: %v s, %v", rate, got, o.Verdict)
			// The trailing share forgets the bad turns when they are out of its window.
			case lasts > 0 && (got < float64(lasts) || got > float64(lasts)+window):
				t.Errorf("%d/s, back after %d s: %v s", rate, lasts, got)
			case lasts == 20 && o.Verdict != Fail:
				t.Errorf("%d/s, back after %d s of 10 s: %v %q", rate, lasts, o.Verdict, o.Reason)
			}
		}
	}
}

// A lack of recovery is refuted by three bad turns in a window, not by fewer: one
// or two of few are more than is allowed, and as little as there can be.
func TestRecoveryIsNotRefutedByFewTurns(t *testing.T) {
	for _, c := range []struct {
		every int // seconds to the next bad turn
		want  Verdict
	}{{2, Fail}, {3, Inconclusive}} {
		b := newBench(t, scenario.SLA{Recovery: &scenario.Recovery{After: "storm", Quality: unit.Duration(5 * time.Second)}}, judged(200*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := 20; s < 200; s += c.every {
			b.turns(s, 1, degraded)
		}
		if o := find(t, b.evaluate(), "recovery-quality"); o.Verdict != c.want {
			t.Errorf("a turn every %d s: %v %q", c.every, o.Verdict, o.Reason)
		}
	}
}

// One bad turn of few does not keep a recovery from being seen, as it would if it
// were held against a share of 95 %; two in a window do.
func TestOneBadTurnOfFewIsNoRelapse(t *testing.T) {
	for together, want := range map[int]float64{1: 0, 2: 13} {
		b := newBench(t, scenario.SLA{}, judged(100*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := 20; s < 100; s++ {
			b.turns(s, 2, nil)
		}
		b.turns(28, together, degraded)
		if got := seconds(b.evaluate().Storms[0].Quality); got != want {
			t.Errorf("%d bad of 12: recovered after %v s, want %v", together, got, want)
		}
	}
}

// Turns with long silence between them show nothing that lasts.
func TestRecoveryIsNotSeenThroughSilence(t *testing.T) {
	for _, c := range []struct {
		every int
		want  float64
	}{{5, 0}, {6, -1}} {
		b := newBench(t, scenario.SLA{}, judged(100*time.Second))
		b.facts.Storms = []measure.Storm{{Name: "storm", Start: 10 * time.Second, End: 20 * time.Second}}
		for s := 20; s < 100; s += c.every {
			b.turns(s, 100, nil)
		}
		if got := seconds(b.evaluate().Storms[0].Quality); got != c.want {
			t.Errorf("a second of turns every %d s: recovered after %v s, want %v", c.every, got, c.want)
		}
	}
}

// One storm's recovery is not measured through another.
func TestOverlappingStorms(t *testing.T) {
	at := func(start, end int) measure.Storm {
		return measure.Storm{Name: "storm", Start: time.Duration(start) * time.Second, End: time.Duration(end) * time.Second}
	}
	for _, c := range []struct {
		name   string
		other  measure.Storm
		bad    [2]int // seconds
		reason string
		meta   bool
	}{
		{"apart", at(40, 45), [2]int{40, 45}, "pass: recovered 0 s after the end of storm ≤ 5 s", false},
		{"the other goes on", at(15, 50), [2]int{10, 50}, "inconclusive: other went on when storm ended, so recovery from it alone was not seen", false},
		{"the other is inside", at(12, 18), [2]int{10, 20}, "pass: recovered 0 s after the end of storm ≤ 5 s", false},
		{"both end together", at(12, 20), [2]int{10, 20}, "pass: recovered 0 s after the end of storm ≤ 5 s", false},
		{"the other comes before recovery held", at(25, 60), [2]int{20, 60}, "inconclusive: too few turns after storm, or too little time, to see recovery hold for 10 s", false},
	} {
		b := stormy(t, func(b *bench, s int) {
			if s >= c.bad[0] && s < c.bad[1] {
				b.turns(s, 100, taking(time.Second))
			} else {
				b.turns(s, 100, nil)
			}
		})
		c.other.Name = "other"
		b.facts.Storms = append(b.facts.Storms, c.other)
		r := b.evaluate()
		i := slices.IndexFunc(r.Storms, func(s StormResult) bool { return s.Name == "storm" })
		if o := find(t, r, "recovery-latency"); o.Reason.String() != c.reason || r.Storms[i].Metastable != c.meta {
			t.Errorf("%s: %q, metastable %v", c.name, o.Reason, r.Storms[i].Metastable)
		}
	}
}

// Few calls say that the server noticed only where it makes more of them without
// a storm, and where it answers.
func TestDetectAgainstTheTimeBefore(t *testing.T) {
	const end = -1
	for _, c := range []struct {
		name          string
		before, after int64 // calls in a second of 100 turns
		answered      int   // of 100 in the storm from its 4th second on
		want          float64
	}{
		{"sparing", 100, 0, 100, 3},
		{"at the limit", 100, 20, 100, 3},
		{"over it", 100, 21, 100, end},
		{"by what is usual: a cache answers nine of ten", 10, 2, 100, 3},
		{"and not by the turns", 10, 3, 100, end},
		{"calls were never made", 0, 0, 100, end},
		{"the server hangs", 100, 0, 94, end},
		{"95 % is an answer", 100, 0, 95, 3},
	} {
		b := stormy(t, func(b *bench, s int) {
			if s < 13 || s >= 20 {
				b.turns(s, 100, nil)
				return
			}
			b.turns(s, c.answered, nil)
			b.turns(s, 100-c.answered, as(measure.Timeout))
		})
		b.facts.LLMKnown = true
		for s := range 60 {
			calls := c.before
			if s >= 13 && s < 20 {
				calls = c.after
			}
			b.facts.Calls = append(b.facts.Calls, measure.CallSecond{Second: s, Calls: calls})
		}
		if got := b.evaluate().Storms[0]; seconds(got.Detect) != c.want {
			t.Errorf("%s: detected after %v s, want %v", c.name, seconds(got.Detect), c.want)
		}
	}
	// It failed before: nothing tells when it noticed the storm.
	b := stormy(t, func(b *bench, s int) {
		if s < 12 {
			b.turns(s, 100, as(measure.Timeout))
		} else {
			b.turns(s, 100, nil)
		}
	})
	if got := b.evaluate().Storms[0]; got.Detect != nil {
		t.Errorf("detected after %v", *got.Detect)
	}
}

// A storm that ends 0.2 ms into a second does not own it, and one shorter than a
// second has those it lies in.
func TestCallsPerTurnInAStorm(t *testing.T) {
	for _, c := range []struct {
		start, end time.Duration
		want       float64
	}{
		{10 * time.Second, 20 * time.Second, 2},
		{10*time.Second + 200*time.Microsecond, 20*time.Second + 200*time.Microsecond, 2},
		{10_300 * ms, 19_700 * ms, 2},
		{9_300 * ms, 20_700 * ms, 2},
		{9_500 * ms, 10_500 * ms, 1.5},
		{10_200 * ms, 10_700 * ms, 2},
	} {
		b := stormy(t, func(b *bench, s int) { b.turns(s, 100, nil) })
		b.facts.LLMKnown = true
		b.facts.Storms[0].Start, b.facts.Storms[0].End = c.start, c.end
		for s := range 60 {
			calls := int64(100)
			if s >= 10 && s < 20 {
				calls = 200
			}
			b.facts.Calls = append(b.facts.Calls, measure.CallSecond{Second: s, Calls: calls})
		}
		if got := b.evaluate().Storms[0]; got.CallsPerTurn != c.want || !got.CallsKnown {
			t.Errorf("from %v to %v: %v calls per turn, want %v", c.start, c.end, got.CallsPerTurn, c.want)
		}
	}
}
