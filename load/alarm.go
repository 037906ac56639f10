package load

import (
	"sync/atomic"
	"time"
)

// alarm wakes the scheduler: at a time, or when it is kicked. Only the scheduler
// may call wait; wake is safe for concurrent use.
//
// The runtime waits for its timers in epoll_wait, whole milliseconds at a time,
// so an idle process is up to a millisecond late. A descriptor that becomes
// readable at the time ends the same wait to the microsecond; but a busy process
// may not look at its descriptors for longer than at its timers. So the clock
// has both, a descriptor and a deadline for reading it.
type alarm struct {
	base   time.Time
	clock  *clockFile // nil in fake time, and where there is none
	kicked atomic.Bool
	timer  *time.Timer
	kick   chan struct{}
}

// shortest is the least that is waited: what is due within it goes in one wake,
// of which each costs some 10 µs of CPU.
const shortest = 200 * time.Microsecond

// newAlarm counts from base. Plain leaves the runtime's timer alone, as fake
// time wants it.
func newAlarm(base time.Time, plain bool) *alarm {
	a := &alarm{base: base}
	if !plain {
		if clock, err := openClock(); err == nil { // else a millisecond late is better than not at all
			a.clock = clock
			return a
		}
	}
	a.timer, a.kick = time.NewTimer(time.Hour), make(chan struct{}, 1)
	return a
}

// wait returns at offset due, or earlier when it was kicked, now or since the
// last wait; it may return early for no reason.
func (a *alarm) wait(due time.Duration) {
	d := time.Until(a.base.Add(due))
	if d <= 0 {
		return
	}
	if a.clock == nil {
		a.timer.Reset(d)
		select {
		case <-a.timer.C:
		case <-a.kick:
		}
		return
	}
	d = max(d, shortest)
	a.clock.set(d)
	// A kick from here on ends the wait: it sets the clock after this does.
	if !a.kicked.Swap(false) {
		a.clock.wait(time.Now().Add(d))
	}
}

// wake makes the scheduler look again.
func (a *alarm) wake() {
	if a.clock != nil {
		if !a.kicked.Swap(true) {
			a.clock.set(1)
		}
		return
	}
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

func (a *alarm) close() {
	if a.clock != nil {
		a.clock.close()
		return
	}
	a.timer.Stop()
}
