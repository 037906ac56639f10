package load

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// A number of conversations is met exactly, whatever chance had for the plan, and
// shards have it together.
func TestLimitedScheduleHasExactlySoMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		load := drawLoad(t)
		room := expected(NewSchedule(load, 1))
		if room < 1 {
			t.Skip("no room for one")
		}
		n := rapid.Int64Range(1, int64(room)).Draw(t, "n")
		load.Conversations = unit.Count(n)
		whole := NewSchedule(load, rapid.Uint64().Draw(t, "seed"))
		all := starts(whole)
		if int64(len(all)) != n || whole.Len() != n || whole.Asked() != n {
			t.Fatalf("%d starts, Len says %d, asked for %d; want %d", len(all), whole.Len(), whole.Asked(), n)
		}
		for i, s := range all {
			if s.k != int64(i) || s.at >= whole.Total() || i > 0 && s.at < all[i-1].at {
				t.Fatalf("start %d is number %d at %v", i, s.k, s.at)
			}
		}
		shards := rapid.SampledFrom([]int{2, 3, 16}).Draw(t, "shards")
		var union []start
		for i := range shards {
			union = append(union, starts(whole.Shard(i, shards))...)
		}
		slices.SortFunc(union, func(a, b start) int { return int(a.k - b.k) })
		if !slices.Equal(union, all) {
			t.Fatalf("%d shards are not the plan of one", shards)
		}
	})
}

// Of bursts the increment behind the last start is often too small to be seen beside
// the sum of those before it.
func TestLimitedBurstsHaveTheirLastStart(t *testing.T) {
	load := &scenario.Load{Arrivals: scenario.ArrivalsGamma, Shape: 0.0625, Conversations: 33, Stages: []scenario.Stage{stageOf(2750*time.Millisecond, 1, 23)}}
	for seed := range uint64(1000) {
		if all := starts(NewSchedule(load, seed)); len(all) != 33 || all[32].at >= 2750*time.Millisecond {
			t.Fatalf("seed %d: %d starts, the last at %v; want 33 within 2.75 s", seed, len(all), all[len(all)-1].at)
		}
	}
}

// Where chance has enough of them, the first n are those of the load without a limit.
func TestLimitTakesTheFirstStarts(t *testing.T) {
	load := &scenario.Load{Arrivals: "poisson", Stages: []scenario.Stage{stageOf(100*time.Second, 10, 10)}}
	free := starts(NewSchedule(load, 5))
	load.Conversations = 300
	if got := starts(NewSchedule(load, 5)); !slices.Equal(got, free[:300]) {
		t.Error("a limit that chance has room for moved starts")
	}
}

// With as many as the stages start on average, half of the plans have to be drawn
// together: then the starts are uniform in the stages, as those of a Poisson
// process with that number are.
func TestLimitAtTheMeanKeepsTheStartsUniform(t *testing.T) {
	load := &scenario.Load{Arrivals: "poisson", Conversations: 100, Stages: []scenario.Stage{stageOf(10*time.Second, 10, 10)}}
	var tenth [10]float64
	stretched := 0
	const plans = 2000
	for seed := range uint64(plans) {
		s := NewSchedule(load, seed)
		if s.stretched() == 1 {
			continue
		}
		stretched++
		for _, at := range s.Starts() {
			tenth[at/time.Second]++
		}
	}
	if stretched < plans*45/100 || stretched > plans*55/100 {
		t.Fatalf("%d of %d plans are stretched; half of them have too few starts", stretched, plans)
	}
	want := float64(stretched) * 10
	chi := 0.0
	for _, n := range tenth {
		chi += (n - want) * (n - want) / want
	}
	if chi > 27.88 { // 9 degrees of freedom, 0.1 %
		t.Errorf("starts by tenth of the stage %v, want %.0f each (χ² = %.1f)", tenth, want, chi)
	}
}

func TestUsersOfShardsBeginExactlySoMany(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.IntRange(1, 40).Draw(t, "users")
		n := rapid.Int64Range(1, 1_000_000_000).Draw(t, "n")
		shards := rapid.IntRange(1, 50).Draw(t, "shards")
		s := NewSchedule(&scenario.Load{Conversations: unit.Count(n), Stages: []scenario.Stage{usersOf(time.Second, users, users)}}, 1)
		var sum int64
		for i := range shards {
			part, counted := s.Shard(i, shards).Due()
			own := inShard(int64(users), int64(i), int64(shards))
			if !counted || part < 0 || own == 0 && part != 0 {
				t.Fatalf("shard %d of %d with %d users has %d", i, shards, own, part)
			}
			if even := float64(n) * float64(own) / float64(users); math.Abs(float64(part)-even) > 1 {
				t.Fatalf("shard %d of %d has %d, an even part is %.1f", i, shards, part, even)
			}
			sum += part
		}
		if sum != n {
			t.Fatalf("%d shards begin %d, want %d", shards, sum, n)
		}
	})
	if n, counted := NewSchedule(&scenario.Load{Stages: []scenario.Stage{usersOf(time.Second, 2, 2)}}, 1).Due(); counted {
		t.Errorf("users without a number have %d to begin", n)
	}
}

// The load is over as soon as the last of them has ended, not when its stages are.
func TestLoadEndsWhenItsConversationsHaveEnded(t *testing.T) {
	for name, c := range map[string]struct {
		sc      *scenario.Scenario
		change  func(*Options)
		n       int64
		elapsed time.Duration
		planned int64
	}{
		// 20/s: the hundredth starts at 4.95 s and takes 100 ms.
		"open":            {open(20, time.Minute), nil, 100, 5050 * time.Millisecond, 100},
		"a shard of open": {open(20, time.Minute), func(o *Options) { o.Shard, o.Shards = 1, 3 }, 33, 97*50*time.Millisecond + 100*time.Millisecond, 33},
		// Seven users take 15 rounds of 100 ms for 100, two of them in the last.
		"closed": {closed(7, time.Minute), nil, 100, 1500 * time.Millisecond, 0},
		// Shard 1 of 3 has users 1 and 4, and 100·5/7 − 100·3/7 of the conversations.
		"a shard of closed": {closed(7, time.Minute), func(o *Options) { o.Shard, o.Shards = 1, 3 }, 29, 1500 * time.Millisecond, 0},
		// Who waits for its turn is sent home with the last that begins.
		"pacing":           {paced(closed(7, time.Hour), 10*time.Second), nil, 100, 140*time.Second + 100*time.Millisecond, 0},
		"fewer than users": {closed(200, time.Minute), nil, 100, 100 * time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.sc.Load.Conversations = 100
				f := newFake()
				f.answer = takes(100 * time.Millisecond)
				b, s := drive(t, always(), c.sc, f, c.change)
				if int64(len(b.started)) != c.n || s.Planned != c.n || int64(b.ends[measure.Complete]) != c.n || s.Generator.Asked != c.n {
					t.Errorf("%d of %d began, %d are complete, %d were asked for; want %d", len(b.started), s.Planned, b.ends[measure.Complete], s.Generator.Asked, c.n)
				}
				if s.Elapsed != c.elapsed || s.Generator.Planned != c.planned || len(s.Interrupted) != 0 {
					t.Errorf("until %v, %d planned, interrupted %v; want %v, %d", s.Elapsed, s.Generator.Planned, s.Interrupted, c.elapsed, c.planned)
				}
			})
		})
	}
}

// A target too slow for them has fewer begin; the summary tells how many were asked for.
func TestTooSlowATargetLeavesConversationsUnbegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := closed(5, 10*time.Second)
		sc.Load.Conversations = 100
		f := newFake()
		f.answer = takes(time.Second)
		_, s := drive(t, always(), sc, f, nil)
		if s.Planned != 50 || s.Generator.Asked != 100 {
			t.Errorf("%d begun of %d, want 50 of 100", s.Planned, s.Generator.Asked)
		}
	})
}

// What is foreseen of users has as many conversations.
func TestForesightKnowsTheNumber(t *testing.T) {
	for name, sc := range map[string]*scenario.Scenario{"open": open(20, time.Minute, say("一", "二")...), "closed": closed(7, time.Minute, say("一", "二")...)} {
		sc.Load.Conversations = 100
		turns, err := Foresee(sc, 100*time.Millisecond, 1)
		if err != nil {
			t.Fatal(err)
		}
		n, ended := 0, 0
		for turn := range turns {
			n++
			if turn.Last {
				ended++
			}
		}
		if n != 200 || ended != 100 {
			t.Errorf("%s: %d turns of %d conversations, want 200 of 100", name, n, ended)
		}
	}
}

func paced(sc *scenario.Scenario, pacing time.Duration) *scenario.Scenario {
	sc.Load.Pacing = unit.Duration(pacing)
	return sc
}
