package load

import "time"

// alarm wakes the scheduler: at a time, or when it is kicked. Only the scheduler
// may call at; wake is safe for concurrent use.
type alarm struct {
	base    time.Time
	timer   *time.Timer
	precise chan struct{}
	kick    chan struct{}
}

func newAlarm(base time.Time, _ bool) *alarm {
	t := time.NewTimer(time.Hour)
	return &alarm{base: base, timer: t, kick: make(chan struct{}, 1), precise: make(chan struct{}, 1)}
}

// at gives the channel that speaks at offset due.
func (a *alarm) at(due time.Duration) <-chan time.Time {
	a.timer.Reset(max(time.Until(a.base.Add(due)), 0))
	return a.timer.C
}

// wake makes the scheduler look again.
func (a *alarm) wake() {
	select {
	case a.kick <- struct{}{}:
	default:
	}
}

func (a *alarm) close() { a.timer.Stop() }
