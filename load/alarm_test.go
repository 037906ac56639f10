package load

import (
	"testing"
	"time"
)

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
