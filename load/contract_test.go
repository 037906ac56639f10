package load

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// limiter is a target's own rate limit.
type limiter func(at time.Duration) bool

func bucketOf(rate, burst, filled float64) limiter {
	level, last := filled, time.Duration(0)
	return func(at time.Duration) bool {
		level = min(level+(at-last).Seconds()*rate, burst)
		last = at
		if level < 1 {
			return false
		}
		level--
		return true
	}
}

func windowOf(rate int, phase time.Duration) limiter {
	window, used := time.Duration(-1), 0
	return func(at time.Duration) bool {
		if w := (at + phase) / time.Second; w != window {
			window, used = w, 0
		}
		used++
		return used <= rate
	}
}

// trafficOf gives the arrivals of a minute.
func trafficOf(rate float64, poisson bool) []time.Duration {
	random := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	for at := 0.0; at < 60; {
		all = append(all, time.Duration(at*1e9))
		if poisson {
			at += random.ExpFloat64() / rate
		} else {
			at += 1 / rate
		}
	}
	return all
}

// audit has a target with limit serve arrivals and gives how many turns it
// accepted, and how many refusals are held against it. A refusal takes the time
// given, and up to half of it more.
func audit(b *contract, limit limiter, arrivals []time.Duration, refusing time.Duration) (accepted, owed int) {
	type step struct {
		at, sent time.Duration
		number   int // of the refused arrival; -1: an arrival
	}
	random := rand.New(rand.NewPCG(5, 6))
	var steps []step
	for i, at := range arrivals {
		steps = append(steps, step{at, at, -1})
		if limit(at) {
			accepted++
		} else {
			steps = append(steps, step{at + refusing + time.Duration(random.Int64N(int64(refusing)/2+1)), at, i})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	for _, s := range steps {
		switch {
		case s.number < 0:
			b.send(s.at)
		case b.refuse(int64(s.number), s.sent):
			owed++
		}
	}
	return accepted, owed
}

// A contract of 50/s is kept by whoever serves 50/s, in any phase and with any
// burst; what is served less is held against the target one by one.
func TestContractTellsAKeptOneFromABrokenOne(t *testing.T) {
	limits := map[string]func(rate float64) limiter{
		"a second's burst, full":  func(r float64) limiter { return bucketOf(r, r, r) },
		"a second's burst, empty": func(r float64) limiter { return bucketOf(r, r, 0) },
		"a burst of ten seconds":  func(r float64) limiter { return bucketOf(r, 10*r, 10*r) },
		"a burst of five turns":   func(r float64) limiter { return bucketOf(r, 5, 2) },
		"seconds from 0.0":        func(r float64) limiter { return windowOf(int(r), 0) },
		"seconds from 0.3":        func(r float64) limiter { return windowOf(int(r), 300*time.Millisecond) },
		"seconds from 0.7":        func(r float64) limiter { return windowOf(int(r), 700*time.Millisecond) },
	}
	for name, limit := range limits {
		for _, load := range []float64{55, 80, 400} {
			for _, poisson := range []bool{false, true} {
				for _, refusing := range []time.Duration{0, 2 * time.Millisecond, 300 * time.Millisecond} {
					arrivals := trafficOf(load, poisson)
					accepted, owed := audit(newContract(50, 1), limit(50), arrivals, refusing)
					// At random little above the rate whole seconds are asked less than it: what a
					// target does not save up then it is partly told to owe.
					most := 0.002
					if load == 55 && poisson {
						most = 0.02
					}
					if share := float64(owed) / float64(accepted); share > most {
						t.Errorf("%s at %v/s (Poisson %v, refusals take %v) keeps 50/s: %d of %d held against it", name, load, poisson, refusing, owed, accepted)
					}
					if load == 55 || name == "a burst of ten seconds" {
						continue
					}
					// The rate missed in a minute, less what a full bucket gave at first.
					accepted, owed = audit(newContract(50, 1), limit(48), arrivals, refusing)
					missed := 50*60 - accepted
					if owed < missed-15 || owed > missed+60 {
						t.Errorf("%s at %v/s (Poisson %v, refusals take %v) serves 48/s: %d held against it, %d missed", name, load, poisson, refusing, owed, missed)
					}
				}
			}
		}
	}
	// Nothing was refused: little is saved up.
	b := newContract(50, 1)
	accepted, owed := audit(b, bucketOf(1e9, 1e9, 1e9), trafficOf(20, true), 0)
	if held := b.level(b.sent, time.Minute, b.back); owed != 0 || accepted == 0 || held > 2*b.margin()+5 {
		t.Errorf("%d owed of %d accepted, %.1f tokens saved up without a refusal", owed, accepted, held)
	}
	var none *contract
	none.send(0)
	none.recall(0)
	if none.refuse(0, 0) || newContract(0, 1) != nil {
		t.Error("no contract covers a turn")
	}
}

// What came back is counted as it was, in whatever order it came.
func TestContractCountsWhatCameBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newContract(10, 1)
		var open []int64
		came := map[int64]bool{}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			if len(open) == 0 || rapid.Bool().Draw(t, "send") {
				open = append(open, b.send(0))
				continue
			}
			i := rapid.IntRange(0, len(open)-1).Draw(t, "which")
			n := open[i]
			open = slices.Delete(open, i, i+1)
			later := int64(0)
			for m := range came {
				if m > n {
					later++
				}
			}
			if got := b.backAfter(n); got != later {
				t.Fatalf("%d came back after turn %d of %d, want %d", got, n, b.sent, later)
			}
			if came[n] = true; rapid.Bool().Draw(t, "refused") {
				b.refuse(n, 0)
			} else {
				b.recall(n)
			}
			if b.back != int64(len(came)) {
				t.Fatalf("%d are back, want %d", b.back, len(came))
			}
		}
	})
}

// Of several shards each sees what the target accepted of its own only.
func TestContractOfSeveralShards(t *testing.T) {
	limit, random := bucketOf(200, 200, 200), rand.New(rand.NewPCG(3, 4))
	shards := []*contract{newContract(50, 4), newContract(50, 4), newContract(50, 4), newContract(50, 4)}
	owed, accepted := 0, 0
	for _, at := range trafficOf(320, true) {
		b := shards[random.IntN(4)]
		n := b.send(at)
		if limit(at) {
			accepted++
		} else if b.refuse(n, at) {
			owed++
		}
	}
	if owed > accepted/500 {
		t.Errorf("%d of %d held against a target that keeps 200/s", owed, accepted)
	}
}

// The whole way through a load: a bucket that keeps 50/s at 80/s, and one that
// serves 2 % less; a slow model behind it; and one that refuses all.
func TestContractInALoad(t *testing.T) {
	for name, tt := range map[string]struct {
		limit        limiter
		least, most  int // refusals held against it
		least2xx     int
		model, check time.Duration // how long an answer and a refusal take
	}{
		"kept":                     {bucketOf(50, 50, 50), 0, 0, 3000, 0, 0},
		"kept, with a slow model":  {bucketOf(50, 50, 50), 0, 0, 3000, 2 * time.Second, time.Millisecond},
		"2 % less":                 {bucketOf(49, 49, 49), 40, 60, 2900, 200 * time.Millisecond, time.Millisecond},
		"refused, one and all":     {func(time.Duration) bool { return false }, 2990, 3000, 0, 0, 0},
		"refused for ten seconds":  {downFrom(bucketOf(50, 50, 50)), 450, 500, 2500, 0, 0},
		"nothing refused at all":   {func(time.Duration) bool { return true }, 0, 0, 4800, 0, 0},
		"a window, a slow refusal": {windowOf(50, 400*time.Millisecond), 0, 0, 3000, 0, 100 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sc := open(80, time.Minute)
				sc.SLA.RateLimited = scenario.RateLimited{Policy: "contract", Contract: 50}
				f := newFake()
				f.answer = func(at time.Duration, _ *driver.User, _ *driver.Turn, reply *driver.Reply) time.Duration {
					f.mu.Lock()
					defer f.mu.Unlock()
					if tt.limit(at) {
						return tt.model
					}
					reply.Status = 429
					return tt.check
				}
				b, _ := drive(t, always(), sc, f, nil)
				owed, good := 0, b.outcomes()[measure.OK]
				for _, turn := range b.turns {
					if turn.Outcome == measure.RateLimited && !turn.Excluded {
						owed++
					}
				}
				if owed < tt.least || owed > tt.most || good < tt.least2xx {
					t.Errorf("%d refusals held against it, %d answered; want %d to %d, %d answered", owed, good, tt.least, tt.most, tt.least2xx)
				}
			})
		})
	}
}

func downFrom(limit limiter) limiter {
	return func(at time.Duration) bool {
		ok := limit(at)
		return ok && (at < 20*time.Second || at >= 30*time.Second)
	}
}

// Any rate above none is a contract, two shards are several, and none draws nothing.
func TestContractAtItsBounds(t *testing.T) {
	if newContract(0, 1) != nil || newContract(0.5, 1) == nil {
		t.Error("30 a minute are a contract, 0 are none")
	}
	if one, two := newContract(10, 1), newContract(10, 2); one.spread != 0 || two.spread != 3 {
		t.Errorf("margin per root of a turn: %v alone, %v of two shards", one.spread, two.spread)
	}
	var none *contract
	if n := none.send(0); n != 0 || none.refuse(0, 0) {
		t.Errorf("no contract numbers a turn %d", n)
	}
	// The place that remembers a refused turn is used again 65,536 turns later.
	b := newContract(1000, 1)
	b.refuse(b.send(0), 0)
	if b.returns[0]&1 == 0 {
		t.Fatal("a refused turn is not remembered")
	}
	for b.sent <= backBits {
		b.send(0)
	}
	if b.returns[0]&1 != 0 {
		t.Error("a turn that was sent is taken for the refused one 65,536 before it")
	}
}
