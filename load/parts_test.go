package load

import (
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
)

func TestQueueGivesTheEarliestFirst(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		in := map[*conversation]time.Duration{}
		for i, due := range rapid.SliceOf(rapid.Int64Range(0, 20)).Draw(t, "due") {
			c := &conversation{k: int64(i % 7)}
			q.push(time.Duration(due), c)
			in[c] = time.Duration(due)
			if rapid.IntRange(0, 3).Draw(t, "take") == 0 {
				takeFirst(t, &q, in)
			}
		}
		q.remove(func(c *conversation) bool { return c.k == 3 }, func(c *conversation) { delete(in, c) })
		if q.len() != len(in) {
			t.Fatalf("%d are left, want %d", q.len(), len(in))
		}
		for q.len() > 0 {
			takeFirst(t, &q, in)
		}
	})
}

// takeFirst checks that nothing left in the queue comes before what it gives.
func takeFirst(t *rapid.T, q *queue, in map[*conversation]time.Duration) {
	due, c := q.pop()
	if in[c] != due {
		t.Fatalf("due %v, want %v", due, in[c])
	}
	delete(in, c)
	for other, at := range in {
		if at < due || at == due && other.k < c.k {
			t.Fatalf("%v of %d came before %v of %d", due, c.k, at, other.k)
		}
	}
}

// A bucket never lets more through than its rate and a second's worth, and
// refuses nothing that is inside.
func TestBucketKeepsItsRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.IntRange(1, 1000).Draw(t, "rate")
		b := newBucket(float64(rate))
		tokens, last, at := float64(rate), time.Duration(0), time.Duration(0)
		for _, gap := range rapid.SliceOfN(rapid.Int64Range(0, int64(50*time.Millisecond)), 0, 300).Draw(t, "gaps") {
			at += time.Duration(gap)
			tokens = min(tokens+(at-last).Seconds()*float64(rate), float64(rate))
			last = at
			next, ok := b.take(at)
			// A token's thousandth is the clock's rounding.
			if ok && tokens < 0.999 || !ok && tokens > 1.001 {
				t.Fatalf("at %v with %.4f tokens: %v", at, tokens, ok)
			}
			if ok {
				tokens--
			} else if next <= at {
				t.Fatalf("refused at %v until %v", at, next)
			}
		}
	})
	var none *bucket
	if _, ok := none.take(0); !ok || newBucket(0) != nil {
		t.Error("no limit refuses")
	}
}

func TestAlarmIsKicked(t *testing.T) {
	a := newAlarm(time.Now(), false)
	defer a.close()
	a.wake() // before the wait
	a.wait(time.Hour)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 100 {
			a.wake()
		}
	}()
	<-done // whatever order the kicks came in, one of them is still to be seen
	a.wait(time.Hour)
	a.wait(-time.Hour) // what is past is not waited for
}

func TestAlarmWaitsUntilItIsTime(t *testing.T) {
	base := time.Now()
	a := newAlarm(base, false)
	defer a.close()
	for due := time.Millisecond; due < 20*time.Millisecond; due += 3 * time.Millisecond {
		for time.Since(base) < due {
			a.wait(due) // may return early, but not for ever
		}
	}
}

func TestTicksOfTheHypervisor(t *testing.T) {
	before := parseTicks([]byte("cpu  100 0 100 700 0 0 0 100 0 0\ncpu0 1 2 3 4 5 6 7 8\n"))
	after := parseTicks([]byte("cpu  150 0 100 710 0 0 0 140 0 0\n"))
	if got := after.share(before); got != 0.4 {
		t.Errorf("steal %v, want 40 of 100 ticks", got)
	}
	for _, bad := range []string{"", "cpu", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu a b c d e f g h i"} {
		if got := parseTicks([]byte(bad)); got != (ticks{}) {
			t.Errorf("%q is %v", bad, got)
		}
	}
	if got := before.share(after); got != 0 {
		t.Errorf("time that runs backwards steals %v", got)
	}
}

func TestHealthIsToldEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.answer = takes(time.Second)
		live := &Live{}
		var told []measure.GeneratorSecond
		var watched []int64
		_, s := drive(t, always(), open(10, 5*time.Second), f, func(o *Options) {
			o.Live = live
			o.Second = func(second measure.GeneratorSecond) {
				told = append(told, second)
				watched = append(watched, live.InFlight(), live.Started())
			}
		})
		// Starts at 0 … 4.9 s, each a second in flight: until 5.9 s.
		if len(told) != 6 || len(s.Generator.Seconds) != 6 || told[5].Second != 5 {
			t.Fatalf("%d seconds told, %d kept; want 6", len(told), len(s.Generator.Seconds))
		}
		for i, second := range told[1:5] {
			if second.InFlight < 10 || second.InFlight > 11 {
				t.Errorf("second %d: %d in flight, want 10", i+1, second.InFlight)
			}
		}
		if watched[3] < 20 || watched[3] > 21 {
			t.Errorf("%d started after 2 s, want 20", watched[3])
		}
		if live.InFlight() != 0 || live.awaiting.Load() != 0 || live.Conversations() != 0 || live.Planned() != 50 || live.Started() != 50 {
			t.Errorf("in the end %d in flight, %d awaiting, %d under way, %d started of %d",
				live.InFlight(), live.awaiting.Load(), live.Conversations(), live.Started(), live.Planned())
		}
	})
}

// tally is a lane that only counts.
type tally struct {
	book
	turns, late int
}

func (l *tally) Started(time.Duration)         {}
func (l *tally) Ended(measure.ConversationEnd) {}
func (l *tally) Record(t *measure.Turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turns++
	if t.Lag > 0 {
		l.late++
	}
}

// The seed's burst, in fake time: all of it is issued, when it was planned.
func TestBurstOfAHundredThousandIn5s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(20000, 5*time.Second)
		f := newFake()
		l := &tally{}
		s, err := Run(always(), Options{Scenario: sc, Seed: 1, Driver: &slow{f}, Lanes: []Lane{l}, Base: f.base, plain: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Planned != 100_000 || s.Started != 100_000 || l.turns != 100_000 || l.late != 0 || s.Generator.MaxInFlight < 6000 || s.Generator.MaxInFlight > 6001 {
			t.Errorf("started %d of %d, %d turns, %d late, %d at once; want all of 100000 on time, 6000 at once",
				s.Started, s.Planned, l.turns, l.late, s.Generator.MaxInFlight)
		}
	})
}

// slow answers after 0.3 s, so that no more goroutines are alive than the race
// detector can follow, and remembers nothing.
type slow struct{ *fake }

func (s *slow) Open(*driver.User) driver.Line {
	return (&clocked{base: s.base, after: 300 * time.Millisecond}).line()
}
