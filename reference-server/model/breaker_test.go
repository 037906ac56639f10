package model

import (
	"testing"
	"time"
)

func times(n int, f func()) {
	for range n {
		f()
	}
}

func wantState(t *testing.T, b *Breaker, what, want string) {
	t.Helper()
	if got := b.State(); got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func ratioBreaker() *Breaker {
	return newBreaker(Options{Breaker: "ratio", BreakerOpen: 10 * time.Second, BreakerFailures: 0.5, BreakerSlow: 0.6})
}

func TestNoBreaker(t *testing.T) {
	b := newBreaker(Options{Breaker: "off"})
	b.record(FaultConfig, true)
	b.Close()
	if wantState(t, b, "off", "off"); !b.allow() {
		t.Error("it refuses")
	}
}

func TestRatioBreakerOpensAtItsShare(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := ratioBreaker()
		times(19, func() { b.record(FaultTimeout, false) })
		wantState(t, b, "19 failures are too few", "closed")
		b.record(FaultTimeout, false)
		wantState(t, b, "20 failures", "open")

		b = ratioBreaker()
		times(11, func() { b.record(FaultNone, false) })
		times(10, func() { b.record(FaultTransient, false) })
		wantState(t, b, "10 of 21", "closed")
		b.record(FaultGarbage, false)
		wantState(t, b, "11 of 22", "open")

		b = ratioBreaker()
		times(30, func() { b.record(FaultPermanent, false) }) // the request was at fault
		wantState(t, b, "permanent", "closed")
		times(60, func() { b.record(FaultCancelled, true); b.record(FaultStarved, true) })
		wantState(t, b, "what says nothing", "closed")
		b.record(FaultConfig, false)
		wantState(t, b, "a key that is not taken", "open")

		b = ratioBreaker()
		times(19, func() { b.record(FaultTimeout, false) })
		time.Sleep(11 * time.Second)
		b.record(FaultTimeout, false)
		wantState(t, b, "long ago", "closed")
	})
}

func TestSlowCallsOpenTheBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := ratioBreaker()
		times(9, func() { b.record(FaultNone, false) })
		times(13, func() { b.record(FaultNone, true) })
		wantState(t, b, "13 of 22", "closed") // 0.59
		b.record(FaultNone, true)
		wantState(t, b, "14 of 23", "open") // 0.61
		if b.slow.IsOpen() {
			t.Error("the sensor stays open")
		}
		b.Close()
		wantState(t, b, "closed by hand", "closed")
		b.record(FaultNone, true)
		wantState(t, b, "one more slow call", "closed")
	})
}

// Open for 10 s, a fifth more or less; then four good calls of five close it.
func TestBreakerOpensAndProbes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := ratioBreaker()
		times(20, func() { b.record(FaultTimeout, false) })
		time.Sleep(8*time.Second - 1)
		if b.allow() {
			t.Error("a call before 8 s")
		}
		time.Sleep(4*time.Second + 1)
		if !b.allow() {
			t.Fatal("no call after 12 s")
		}
		wantState(t, b, "the first call", "half-open")
		b.record(FaultCancelled, false) // gives its permit back
		for range 4 {
			if !b.allow() {
				t.Fatal("no permit for another call")
			}
			b.record(FaultNone, false)
		}
		wantState(t, b, "four of five", "closed")
	})
	bubble(t, func(t *testing.T) {
		b := ratioBreaker()
		b.record(FaultConfig, false)
		time.Sleep(12 * time.Second)
		for range 2 {
			if !b.allow() {
				t.Fatal("no permit")
			}
			b.record(FaultTimeout, false)
		}
		wantState(t, b, "two failures", "open")
	})
}

func TestConsecutiveBreaker(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := newBreaker(Options{Breaker: "consecutive", BreakerConsecutive: 3, BreakerOpen: 10 * time.Second})
		times(2, func() { b.record(FaultTimeout, true) })
		b.record(FaultNone, true)
		times(2, func() { b.record(FaultTimeout, true) })
		wantState(t, b, "two in a row", "closed")
		b.record(FaultTimeout, true)
		wantState(t, b, "three", "open")
		time.Sleep(10*time.Second - 1)
		if b.allow() {
			t.Error("a call before 10 s")
		}
		time.Sleep(time.Nanosecond)
		if !b.allow() {
			t.Fatal("no call after 10 s")
		}
		b.record(FaultNone, false)
		wantState(t, b, "one good call", "closed")
		b = newBreaker(Options{Breaker: "consecutive"})
		b.record(FaultTimeout, false)
		wantState(t, b, "none in a row is one", "open")
	})
}
