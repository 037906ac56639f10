package load

import (
	"context"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

type start struct {
	k  int64
	at time.Duration
}

func starts(s Schedule) []start {
	var all []start
	for k, at := range s.Starts() {
		all = append(all, start{k, at})
	}
	return all
}

func stageOf(length time.Duration, from, to float64) scenario.Stage {
	return scenario.Stage{Name: "s", For: unit.Duration(length), Starts: &scenario.RateRamp{From: unit.Rate(from), To: unit.Rate(to)}}
}

func usersOf(length time.Duration, from, to int) scenario.Stage {
	return scenario.Stage{Name: "s", For: unit.Duration(length), Users: &scenario.CountRamp{From: unit.Count(from), To: unit.Count(to)}}
}

func drawLoad(t *rapid.T) *scenario.Load {
	load := &scenario.Load{Arrivals: rapid.SampledFrom([]scenario.Arrivals{scenario.ArrivalsConstant, scenario.ArrivalsPoisson, scenario.ArrivalsGamma}).Draw(t, "arrivals")}
	if load.Arrivals == scenario.ArrivalsGamma {
		load.Shape = rapid.Float64Range(0.05, 100).Draw(t, "shape")
	}
	for range rapid.IntRange(1, 5).Draw(t, "stages") {
		load.Stages = append(load.Stages, stageOf(
			time.Duration(rapid.Int64Range(1, 20_000).Draw(t, "length"))*time.Millisecond,
			rapid.Float64Range(0, 200).Draw(t, "from"), rapid.Float64Range(0, 200).Draw(t, "to")))
	}
	return load
}

// The judge holds what was issued against the schedule itself, where the load
// went by it.
func TestSummaryTellsWhatTheScheduleHas(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	third := func(o *Options) { o.Shard, o.Shards = 1, 3 }
	for _, c := range []struct {
		name   string
		load   *scenario.Scenario
		stops  Stops
		change func(*Options)
		want   int64
	}{
		{"a whole load", open(50, 10*time.Second), always(), nil, 500},
		{"a shard: 1, 4, … 499", open(50, 10*time.Second), always(), third, 167},
		{"starts that are dropped are planned", open(50, 10*time.Second), always(), func(o *Options) { o.Scenario.Load.MaxInFlight = 1 }, 500},
		{"a load that was stopped", open(50, 10*time.Second), Stops{Starting: ended, Now: context.Background()}, nil, 0},
		{"a closed load", closed(5, 10*time.Second), always(), nil, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake()
			f.answer = takes(100 * time.Millisecond)
			b, s := drive(t, c.stops, c.load, f, c.change)
			if s.Generator.Planned != c.want {
				t.Errorf("%s: %d planned, want %d", c.name, s.Generator.Planned, c.want)
			}
			var dropped int64
			for _, n := range b.dropped {
				dropped += int64(n)
			}
			if issued := int64(len(b.started)) + dropped; c.want > 0 && issued != c.want {
				t.Errorf("%s: %d issued or dropped, want %d", c.name, issued, c.want)
			}
		})
	}
}

func TestShardsTogetherAreTheSchedule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := NewSchedule(drawLoad(t), rapid.Uint64().Draw(t, "seed"))
		want := starts(whole)
		n := rapid.SampledFrom([]int{1, 2, 3, 7, 16, 64}).Draw(t, "shards")
		var union []start
		for i := range n {
			shard := starts(whole.Shard(i, n))
			if int64(len(shard)) != whole.Shard(i, n).Len() {
				t.Fatalf("shard %d of %d has %d starts and says %d", i, n, len(shard), whole.Shard(i, n).Len())
			}
			union = append(union, shard...)
		}
		slices.SortFunc(union, func(a, b start) int { return int(a.k - b.k) })
		if !slices.Equal(union, want) {
			t.Fatalf("%d shards have %d starts together, the schedule %d", n, len(union), len(want))
		}
	})
}

func TestStartsComeInOrderInsideTheStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load := drawLoad(t)
		s := NewSchedule(load, rapid.Uint64().Draw(t, "seed"))
		last := time.Duration(0)
		var sum int64
		for k, at := range s.Starts() {
			if at < last || at >= s.Total() || k != sum {
				t.Fatalf("start %d (the %dth) at %v after %v, of %v", k, sum, at, last, s.Total())
			}
			last = at
			sum++
		}
		if load.Arrivals == "constant" && math.Abs(float64(sum)-expected(s)) > 1 {
			t.Fatalf("%d constant starts, expected %v", sum, expected(s))
		}
		var seconds int64
		for _, n := range s.PerSecond() {
			seconds += n
		}
		if seconds != sum || s.Len() != sum {
			t.Fatalf("the seconds have %d starts, Len says %d; there are %d", seconds, s.Len(), sum)
		}
	})
}

// The area under the rate up to the start before k must be k: the inverse is
// checked against the rate itself, integrated numerically.
func TestConstantStartsInvertTheCumulativeRate(t *testing.T) {
	load := &scenario.Load{Arrivals: "constant", Stages: []scenario.Stage{
		stageOf(10*time.Second, 5, 5), stageOf(time.Second, 5, 150), stageOf(4*time.Second, 150, 150),
		stageOf(2*time.Second, 150, 0), stageOf(3*time.Second, 0, 0), stageOf(3*time.Second, 0, 30),
	}}
	s := NewSchedule(load, 1)
	if expected(s) != 50+77.5+600+150+45 || s.Len() != 923 {
		t.Fatalf("%v expected, %d starts; want 922.5, 923", expected(s), s.Len())
	}
	const step = 50 * time.Microsecond
	area, at := 0.0, time.Duration(0)
	for k, when := range s.Starts() {
		for ; at+step <= when; at += step {
			area += s.Level(at+step/2) * step.Seconds()
		}
		here := area + s.Level(at)*(when-at).Seconds()
		if math.Abs(here-float64(k)) > 0.02 {
			t.Fatalf("start %d at %v has %.3f starts' area before it", k, when, here)
		}
	}
}

// Kolmogorov–Smirnov: by the time-rescaling theorem Λ(t_k) − Λ(t_{k−1}) of a
// Poisson process are exponential of mean 1, whatever the rate (Brown et al.,
// Neural Computation 14, 2002). Critical value at 1 %: 1.628/√n.
func TestPoissonInterArrivalsPassKolmogorovSmirnov(t *testing.T) {
	load := &scenario.Load{Arrivals: "poisson", Stages: []scenario.Stage{
		stageOf(20*time.Second, 100, 100), stageOf(10*time.Second, 100, 900), stageOf(10*time.Second, 900, 0),
	}}
	rejected := 0
	for seed := range uint64(40) {
		s := NewSchedule(load, seed)
		var gaps []float64
		last := 0.0
		for _, at := range s.Starts() {
			x := s.cumulative(at)
			gaps = append(gaps, x-last)
			last = x
		}
		slices.Sort(gaps)
		n, worst := float64(len(gaps)), 0.0
		for i, g := range gaps {
			p := 1 - math.Exp(-g)
			worst = max(worst, math.Abs(p-float64(i)/n), math.Abs(float64(i+1)/n-p))
		}
		if worst > 1.628/math.Sqrt(n) {
			rejected++
		}
		if dev := math.Abs(n - expected(s)); dev > 4*math.Sqrt(expected(s)) {
			t.Errorf("seed %d: %v starts, expected %v ± %v", seed, n, expected(s), math.Sqrt(expected(s)))
		}
	}
	// At 1 % each, more than 4 of 40 is a chance of 1 in 20,000.
	if rejected > 4 {
		t.Errorf("%d of 40 seeds rejected at 1 %%", rejected)
	}
}

// cumulative is Λ(t), written anew for the test.
func (s Schedule) cumulative(t time.Duration) float64 {
	sum, sec := 0.0, t.Seconds()
	for _, r := range s.ramps {
		d := math.Min(math.Max(sec-r.start, 0), r.length)
		sum += r.from*d + (r.to-r.from)/r.length*d*d/2
	}
	return sum
}

func TestSeedsDecideTheSchedule(t *testing.T) {
	load := &scenario.Load{Arrivals: "poisson", Stages: []scenario.Stage{stageOf(10*time.Second, 50, 50)}}
	if !slices.Equal(starts(NewSchedule(load, 3)), starts(NewSchedule(load, 3))) {
		t.Error("one seed gave two schedules")
	}
	if slices.Equal(starts(NewSchedule(load, 3)), starts(NewSchedule(load, 4))) {
		t.Error("two seeds gave one schedule")
	}
}

func TestUsersAreActiveWhileTheirNumberIsPlanned(t *testing.T) {
	load := &scenario.Load{Stages: []scenario.Stage{
		usersOf(10*time.Second, 0, 10), usersOf(5*time.Second, 10, 10), usersOf(10*time.Second, 10, 4), usersOf(time.Second, 8, 8),
	}}
	s := NewSchedule(load, 1)
	if s.Users() != 10 || s.Open() || s.Len() != 0 || s.Total() != 26*time.Second {
		t.Fatalf("users %d, open %v, %d starts, %v", s.Users(), s.Open(), s.Len(), s.Total())
	}
	if got, want := s.Windows(0), []Window{{500 * time.Millisecond, 26 * time.Second}}; !slices.Equal(got, want) {
		t.Errorf("user 0 is active in %v, want %v", got, want)
	}
	// User 6 leaves at 10 − 0.6·t = 6.5, and comes back for the last second.
	if got, want := s.Windows(6), []Window{{6500 * time.Millisecond, 20833333333}, {25 * time.Second, 26 * time.Second}}; !slices.Equal(got, want) {
		t.Errorf("user 6 is active in %v, want %v", got, want)
	}
	// At every instant as many are active as the level says, rounded.
	for at := time.Duration(1); at < s.Total(); at += 37 * time.Millisecond {
		active := 0
		for u := range s.Users() {
			for _, w := range s.Windows(u) {
				if at >= w.Start && at < w.End {
					active++
				}
			}
		}
		if want := int(math.Floor(s.Level(at) + 0.5)); active != want {
			t.Fatalf("%d users active at %v, want %d", active, at, want)
		}
	}
	if got := s.PerSecond(); len(got) != 26 || got[5] != 5 || got[12] != 10 || got[25] != 8 {
		t.Errorf("preview %v", got)
	}
}

func TestStagesOfNoLengthOrNoLoadAreNothing(t *testing.T) {
	open := NewSchedule(&scenario.Load{Arrivals: "constant", Stages: []scenario.Stage{
		stageOf(0, 5, 9), stageOf(time.Second, 0, 0), stageOf(time.Second, 10, 10), stageOf(0, 0, 1), stageOf(time.Second, 0, 0),
	}}, 1)
	if all := starts(open); len(all) != 10 || all[0].at != time.Second || all[9].at != 1900*time.Millisecond {
		t.Errorf("starts %v, want ten from 1s", all)
	}
	closed := NewSchedule(&scenario.Load{Stages: []scenario.Stage{usersOf(0, 5, 9), usersOf(time.Second, 2, 2), usersOf(0, 0, 3)}}, 1)
	if got := closed.Windows(1); !slices.Equal(got, []Window{{0, time.Second}}) || len(closed.Windows(2)) != 0 {
		t.Errorf("windows %v, %v", got, closed.Windows(2))
	}
	if none := NewSchedule(&scenario.Load{}, 1); none.Total() != 0 || none.Len() != 0 || none.Users() != 0 || len(none.PerSecond()) != 0 {
		t.Error("a load without stages is something")
	}
}

func TestConversationNumbersOfUsersDoNotCollide(t *testing.T) {
	seen := map[int64]bool{}
	for user := range int64(7) {
		for loop := range int64(20) {
			k := conversationOf(user, loop, 7)
			if seen[k] {
				t.Fatalf("user %d loop %d has the number of another", user, loop)
			}
			seen[k] = true
		}
	}
}

func BenchmarkScheduleConstant(b *testing.B) { benchmarkSchedule(b, "constant") }
func BenchmarkSchedulePoisson(b *testing.B)  { benchmarkSchedule(b, "poisson") }

func benchmarkSchedule(b *testing.B, arrivals string) {
	load := &scenario.Load{Arrivals: scenario.Arrivals(arrivals), Stages: []scenario.Stage{stageOf(1000*time.Hour, 100, 20000)}}
	c := NewSchedule(load, 1).cursor()
	b.ReportAllocs()
	for b.Loop() {
		if _, _, ok := c.next(); !ok {
			b.Fatal("the schedule ended")
		}
	}
}

// expected is the mean number of starts of a schedule, Λ(T); of a shard, its part.
func expected(s Schedule) float64 { return s.area() / float64(s.shards) }
