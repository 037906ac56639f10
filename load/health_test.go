package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/measure"
)

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

// Turns in flight are counted from when they were intended: a generator that is
// late sees them in flight all that time, as their response times do. What an
// agent does after the answer is in neither.
func TestInFlightCountsFromTheIntendedStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(10, 5*time.Second, say("一", "二")...)
		sc.Load.MaxInFlight = 25 // turns wait for a place as well
		f := newFake()
		f.base = f.base.Add(-2 * time.Second) // the first two seconds' starts are late
		f.answer = takes(300 * time.Millisecond)
		f.deal = 700 * time.Millisecond
		b, s := drive(t, always(), sc, f, nil)
		sum := time.Duration(0)
		for _, turn := range b.turns {
			sum += turn.Done - turn.Intended
		}
		want := sum.Seconds() / s.Elapsed.Seconds()
		if got := s.Generator.InFlightMean; len(b.turns) < 60 || got < 0.999*want || got > 1.001*want || want < 5 {
			t.Errorf("%.3f turns in flight on average over %d, want %.3f", got, len(b.turns), want)
		}
	})
}
