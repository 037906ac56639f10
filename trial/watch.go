package trial

import (
	"errors"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// source is where intervals come from: the recorder of this process, or a crew.
type source interface {
	// Await returns when all that was recorded up to an offset can be cut, or
	// when it has taken too long: what comes later belongs to the next interval.
	Await(until time.Duration)
	// Cut gives what was recorded since the last cut. With an error it gives what
	// it could.
	Cut(elapsed time.Duration) (*measure.Snapshot, error)
}

// cut is an interval as it was taken.
type cut struct {
	elapsed time.Duration
	last    *measure.Snapshot // the interval; whoever gets it may keep it until the next
	soFar   *measure.Snapshot // everything up to it
}

// sink takes every interval, in the watch's goroutine; it must not block.
type sink func(*cut)

// watch cuts an interval a second from its source, adds it up, and passes it to
// its sinks in their order.
type watch struct {
	base     time.Time
	source   source
	sinks    []sink
	redact   func(string) string // of what a target said
	snapshot *measure.Snapshot
	warnings reason.Reasons
}

func newWatch(base time.Time, from source, plan *measure.Plan, redact func(string) string) *watch {
	return &watch{base: base, source: from, redact: redact, snapshot: measure.NewSnapshot(plan)}
}

// start begins to watch; what it returns cuts the last interval and ends it. The
// snapshot is nobody else's from there on.
func (w *watch) start() (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for next := w.base.Add(time.Second); ; next = next.Add(time.Second) {
			timer := time.NewTimer(time.Until(next))
			select {
			case <-timer.C:
				w.source.Await(next.Sub(w.base))
				w.cut()
			case <-done:
				timer.Stop()
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		w.cut()
	}
}

// cut takes what was recorded since the last one.
func (w *watch) cut() {
	elapsed := max(0, time.Since(w.base))
	last, err := w.source.Cut(elapsed)
	// A cut that failed gives what it could: snapshot and sinks have the same.
	redactFailures(last, w.redact)
	if err := errors.Join(err, w.snapshot.Add(last)); err != nil {
		w.warnings = append(w.warnings, reason.New(reason.RecordingFailed, err))
	}
	c := &cut{elapsed: elapsed, last: last, soFar: w.snapshot}
	for _, take := range w.sinks {
		take(c)
	}
}
