package sla

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func late(d, response time.Duration) func(*measure.Turn) {
	return func(t *measure.Turn) { t.Lag, t.Done = d, t.Intended+response }
}

func TestTaintedSeconds(t *testing.T) {
	b := newBench(t, p99, judged(10*time.Second))
	b.turns(0, 20, late(11*ms, 100*ms)) // tainted
	b.turns(1, 19, late(11*ms, 100*ms)) // too few turns
	b.turns(2, 20, late(10*ms, 100*ms)) // at the limit
	b.turns(3, 198, nil)                // 2 of 200 are above rank 198
	b.turns(3, 2, late(time.Second, time.Second))
	b.turns(4, 197, nil) // 3 of 200 are not
	b.turns(4, 3, late(time.Second, time.Second))
	r := b.evaluate()
	if want := []int{0, 4}; !slices.Equal(r.Generator.Tainted, want) {
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
	want := "availability-seconds fails only with the 5 of 60 seconds in which the generator was late"
	if r.Verdict != Invalid || !slices.Contains(says(r.Generator.Reasons), want) {
		t.Errorf("%v %q", r.Verdict, r.Generator.Reasons)
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
		b.turns(1, 1000, nil)
		for range c.own {
			b.rec.Lane(0).Dropped(time.Second, measure.DroppedGenerator)
		}
		for range c.target {
			b.rec.Lane(0).Dropped(time.Second, measure.DroppedTarget)
		}
		b.facts.Interrupted = saying(c.stopped)
		r := b.evaluate()
		if r.Verdict != c.want || len(r.Generator.Reasons) != c.reasons {
			t.Errorf("%d dropped by us, %d by the target, stopped %q: %v %q", c.own, c.target, c.stopped, r.Verdict, r.Generator.Reasons)
		}
	}
}

func TestLittlesLaw(t *testing.T) {
	for inFlight, warns := range map[float64]bool{10: false, 10.4: false, 10.6: true, 9.6: false, 9.4: true, 0: false} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		for s := range 10 {
			b.turns(s, 100, nil) // 100/s x 100 ms
		}
		b.facts.Generator.InFlightMean = inFlight
		r := b.evaluate()
		if math.Abs(r.LittlesLaw.RateTimesMean-10) > 1e-9 || r.LittlesLaw.InFlightMean != inFlight {
			t.Errorf("%+v", r.LittlesLaw)
		}
		if inFlight > 0 && math.Abs(r.LittlesLaw.ErrorShare-(inFlight/10-1)) > 1e-9 {
			t.Errorf("%+v", r.LittlesLaw)
		}
		if got := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.HasPrefix(w, "Little's law is off by") }); got != warns {
			t.Errorf("%v in flight: warnings %q", inFlight, r.Warnings)
		}
	}
}

// With less than a turn in flight on average the law says nothing.
func TestLittlesLawIsSilentOfTinyLoads(t *testing.T) {
	for inFlight, warns := range map[float64]bool{0.05: false, 0.9: false, 1.1: true} {
		b := newBench(t, scenario.SLA{}, judged(10*time.Second))
		for s := range 10 {
			b.turns(s, 1, nil) // 1/s x 100 ms
		}
		b.facts.Generator.InFlightMean = inFlight
		got := slices.ContainsFunc(b.evaluate().Warnings, func(r reason.Reason) bool { return r.Code == reason.LittlesLawOff })
		if got != warns {
			t.Errorf("%v in flight against 0.1: warns %t", inFlight, got)
		}
	}
}

func TestWarnings(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 1000, nil)
	b.turns(2, 1, as(measure.ClientError))
	b.turns(2, 1, taking(2*time.Hour))
	b.facts.Generator = measure.Generator{SharedHost: true, Cores: 2}
	b.rec.Lane(0).Ended(measure.Broken)
	r := b.evaluate()
	for _, want := range []string{"1 turns got an unexpected 4xx: the scenario may be wrong",
		"2 durations were longer than 1 h and are shown as 1 h", "the target runs on the generator's machine: they share its 2 cores",
		"counts are not conserved: conversations issued = conversations ended does not hold: 1,002 against 1,003"} {
		if !slices.Contains(says(r.Warnings), want) {
			t.Errorf("no %q in %q", want, r.Warnings)
		}
	}
	quiet := newBench(t, scenario.SLA{}, judged(10*time.Second))
	quiet.turns(1, 1000, nil)
	quiet.facts.Generator.Cores = 2
	if r := quiet.evaluate(); len(r.Warnings) != 0 {
		t.Errorf("%q", r.Warnings)
	}
	open := newBench(t, scenario.SLA{}, judged(10*time.Second))
	open.turns(1, 1000, nil)
	open.rec.Lane(0).Started(time.Second)
	if r := open.evaluate(); len(r.Warnings) != 0 {
		t.Errorf("while conversations are open: %q", r.Warnings)
	}
}

func TestConserved(t *testing.T) {
	good := func() *measure.Snapshot {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, 10, nil)
		b.turns(2, 2, as(measure.Timeout))
		b.rec.Lane(0).Dropped(time.Second, measure.DroppedTarget)
		b.rec.Lane(0).Dropped(2*time.Second, measure.DroppedGenerator)
		return b.snap()
	}
	if why := unconserved(good(), nil); why.Code != "" {
		t.Fatal(why)
	}
	for want, change := range map[string]func(*measure.Snapshot){
		"planned starts":                 func(s *measure.Snapshot) { s.Planned++ },
		"conversations issued":           func(s *measure.Snapshot) { s.Conversations[0]-- },
		"starts by second":               func(s *measure.Snapshot) { s.Seconds[1].Starts++ },
		"dropped starts by second":       func(s *measure.Snapshot) { s.Seconds[1].Outcomes[measure.DroppedTarget]-- },
		"turns by second":                func(s *measure.Snapshot) { s.Seconds[1].Outcomes[measure.OK]++ },
		"turns by turn":                  func(s *measure.Snapshot) { s.Slots[1].Turns++ },
		"response times does":            func(s *measure.Snapshot) { s.ByOutcome[measure.OK].Record(1) },
		"turns = lags":                   func(s *measure.Snapshot) { s.Timings[measure.Lag].Record(1) },
		"tiers":                          func(s *measure.Snapshot) { s.Tiers[0]++ },
		"response times of answers":      func(s *measure.Snapshot) { s.Timings[measure.Response].Record(1) },
		"answered turns = service times": func(s *measure.Snapshot) { s.Timings[measure.Service].Record(1) },
	} {
		s := good()
		change(s)
		if why := unconserved(s, nil); !strings.Contains(why.String(), want) {
			t.Errorf("%s: %v", want, why)
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
		b.turns(1, 1000, nil)
		for range 10 {
			b.rec.Lane(0).Dropped(time.Second, measure.DroppedTarget)
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

func TestBurns(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.99}
	b := newBench(t, sla, judged(60*time.Second))
	for s := range 40 {
		b.turns(s, 98, nil)
		b.turns(s, 2, func(t *measure.Turn) {
			if s >= 36 {
				t.Outcome = measure.Timeout
			}
		})
	}
	b.turns(40, 100, as(measure.Timeout)) // the second that has not ended
	b.end = 40 * time.Second
	got := map[string]Burn{}
	for _, burn := range Burns(b.s, b.snap()) {
		got[burn.Objective+" "+burn.Window.String()] = burn
	}
	for key, want := range map[string]Burn{
		"availability 5s": {Rate: 8.0 / 500 / 0.01, N: 500}, "latency-p99 30s": {Rate: 8.0 / 3000 / 0.01, N: 3000}, "latency-p99 5m0s": {Rate: 8.0 / 4000 / 0.01, N: 4000},
	} {
		if g := got[key]; math.Abs(g.Rate-want.Rate) > 1e-9 || g.N != want.N {
			t.Errorf("%s: %+v, want %+v", key, g, want)
		}
	}
	if len(got) != 6 {
		t.Errorf("%d burn rates, want 2 objectives x 3 windows: %v", len(got), got)
	}
	if list := Burns(b.s, measure.NewSnapshot(b.rec.Plan())); len(list) != 0 {
		t.Errorf("burn without turns: %v", list)
	}
}

// Shards added in any order give the same result.
func TestMergeOrderDoesNotMatter(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.99, FullQuality: 0.95}
	b := newBench(t, sla, judged(30*time.Second))
	rng := rand.New(rand.NewPCG(1, 2))
	var shards []*measure.Snapshot
	for range 5 {
		for s := range 30 {
			b.turns(s, 10+rng.IntN(30), func(t *measure.Turn) {
				t.Done = t.Intended + time.Duration(rng.ExpFloat64()*float64(100*ms))
				t.Outcome = measure.Outcome(rng.IntN(200) / 16 % int(measure.Integrity))
			})
		}
		s, err := b.rec.Cut(30 * time.Second)
		if err != nil {
			t.Fatal(err)
		}
		shards = append(shards, s)
	}
	judge := func(order []int) Result {
		total := measure.NewSnapshot(b.rec.Plan())
		for _, i := range order {
			if err := total.Add(shards[i]); err != nil {
				t.Fatal(err)
			}
		}
		return Evaluate(b.s, total, b.facts)
	}
	want := judge([]int{0, 1, 2, 3, 4})
	for range 10 {
		if got := judge(rng.Perm(5)); !equal(want, got) {
			t.Fatalf("another order, another result:\n%+v\n%+v", want, got)
		}
	}
}

// A simulated run of turns that are exactly as good as the target is called
// failing in at most 5 % of runs, and passing in at most 5 %.
func TestFalseVerdicts(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 7))
	const runs, n = 1000, 5000
	// 5 % and three standard deviations of the simulation.
	most := 0.05*runs + 3*math.Sqrt(runs*0.05*0.95)
	for _, c := range []struct {
		name  string
		turns int
		draw  func(bad func() bool) []bool
	}{
		{"independent turns", 1, func(bad func() bool) []bool { return []bool{bad()} }},
		{"dialogs good or bad as a whole", 3, func(bad func() bool) []bool { b := bad(); return []bool{b, b, b} }},
		{"turns that take after the one before", 3, func(bad func() bool) []bool {
			list := []bool{bad()}
			for range 2 {
				// AR(1): with probability 0.6 the same as before, else drawn anew.
				if rng.Float64() < 0.6 {
					list = append(list, list[len(list)-1])
				} else {
					list = append(list, bad())
				}
			}
			return list
		}},
	} {
		failed, passed := 0, 0
		for range runs {
			var bad, total int64
			for total < n {
				for _, b := range c.draw(func() bool { return rng.Float64() < 0.01 }) {
					total++
					if b {
						bad++
					}
				}
			}
			switch Infer(bad, total, 0.01, 0.95, float64(c.turns)) {
			case Fail:
				failed++
			case Pass:
				passed++
			}
		}
		if float64(failed) > most || float64(passed) > most {
			t.Errorf("%s, exactly at the target: %d of %d fail, %d pass; at most %.0f should", c.name, failed, runs, passed, most)
		}
	}
}

// The interval of a quantile holds the true one at least as often as it says.
func TestQuantileIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(20261111, 9))
	const runs, n = 400, 1000
	held := 0
	for range runs {
		h := measure.NewHistogram()
		for range n {
			h.Record(time.Duration(rng.ExpFloat64() * float64(100*ms)))
		}
		i := QuantileInterval(h, 0.99, 0.95, 1)
		truth := time.Duration(-math.Log(0.01) * float64(100*ms))
		if i.Lower <= truth && truth <= i.Upper {
			held++
		}
	}
	if least := 0.95*runs - 3*math.Sqrt(runs*0.05*0.95); float64(held) < least {
		t.Errorf("the interval held the quantile in %d of %d runs, want at least %.0f", held, runs, least)
	}
}

func BenchmarkEvaluateAnHour(b *testing.B) {
	sla := scenario.SLA{Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms), "p95": unit.Duration(300 * ms)}, Availability: 0.99, FullQuality: 0.95,
		Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(30 * time.Second)}}
	run := newBench(b, sla, judged(time.Hour))
	run.facts.Storms = []measure.Storm{{Name: "storm", Start: 1000 * time.Second, End: 1020 * time.Second}}
	for s := range 3600 {
		run.turns(s, 60, nil)
	}
	snap := run.snap()
	b.ReportAllocs()
	for b.Loop() {
		Evaluate(run.s, snap, run.facts)
	}
}
