package trial

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
)

// Live is a run at an instant, for those who watch it.
type Live struct {
	Elapsed  time.Duration
	Total    time.Duration // end of the last stage
	Plan     *measure.Plan
	Last     *measure.Snapshot // the interval just cut
	SoFar    *measure.Snapshot // everything up to it
	Counters func() crew.Counters
	Health   []measure.GeneratorSecond
	Planned  []int64 // starts planned, per second; nil in the closed model
	// Facts is what the mock LLM told last, about a second ago; nil where it told
	// nothing yet.
	Facts    *measure.Facts
	Stopping bool
}

// watch cuts an interval a second, adds it up, and passes it on.
type watch struct {
	t        *attempt
	snapshot *measure.Snapshot
	warnings reason.Reasons
	planned  []int64

	mu     sync.Mutex
	health []measure.GeneratorSecond

	breach breach
	reason atomic.Pointer[reason.Reasons]

	open   context.Context // while the load lasts
	close  context.CancelFunc
	asked  sync.WaitGroup
	asking atomic.Bool
	told   atomic.Pointer[measure.Facts]

	drift     drift
	incidents []measure.Incident
	crash     *load.Crash // of whoever was told
}

func newWatch(t *attempt) *watch {
	w := &watch{t: t, snapshot: measure.NewSnapshot(t.plan), planned: t.planned}
	w.breach.rule = t.Scenario.Guard.Abort
	w.drift.read = t.clocks
	w.open, w.close = context.WithCancel(context.Background())
	return w
}

// start begins to watch; what it returns ends it.
func (w *watch) start() (stop func()) {
	if w.drift.read != nil {
		w.drift.look(0) // what comes is compared with now
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for next := w.t.base.Add(time.Second); ; next = next.Add(time.Second) {
			timer := time.NewTimer(time.Until(next))
			select {
			case <-timer.C:
				if w.t.crew != nil {
					w.t.crew.Await(next.Sub(w.t.base), lateWithin)
				}
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
		w.close()
		w.asked.Wait()
	}
}

// lateWithin is how long a shard process may take to tell of its second: what
// comes later belongs to the next.
const lateWithin = 500 * time.Millisecond

// cut takes what was recorded since the last one.
func (w *watch) cut() {
	elapsed := max(0, time.Since(w.t.base))
	last, err := w.t.source.Cut(elapsed)
	// A cut that failed gives what it could: snapshot and journal have the same.
	redactFailures(last, w.t.Redact)
	if err := errors.Join(err, w.snapshot.Add(last)); err != nil {
		w.warnings = append(w.warnings, reason.New(reason.RecordingFailed, err))
	}
	if why := w.breach.add(last); len(why) > 0 {
		w.reason.Store(&why)
		if w.t.crew != nil {
			w.t.crew.Abort(why)
		}
	}
	for _, c := range w.t.servers.Children() {
		c.Sample()
	}
	_ = w.t.journal.AppendInterval(last) // its first error is final, and told at the end
	if w.drift.read != nil {
		w.incidents = append(w.incidents, w.drift.look(elapsed)...)
	}
	if w.t.Observe != nil && w.crash == nil {
		w.show(elapsed, last)
	}
}

// show tells whoever watches. One who panics is not told again; the load and
// its record go on.
func (w *watch) show(elapsed time.Duration, last *measure.Snapshot) {
	defer func() {
		if v := recover(); v != nil {
			w.crash = &load.Crash{Value: fmt.Sprint(v), Stack: string(debug.Stack())}
			w.warnings = append(w.warnings, reason.New(reason.ViewPanicked))
		}
	}()
	w.mu.Lock()
	health := w.health
	w.mu.Unlock()
	w.t.Observe(&Live{
		Elapsed: elapsed, Total: w.t.Scenario.TotalDuration(), Plan: w.t.plan, Last: last, SoFar: w.snapshot,
		Counters: w.t.counters, Health: health, Planned: w.planned, Facts: w.told.Load(),
	})
	w.ask()
}

// askWithin is how long the mock LLM may take to tell of the run so far.
const askWithin = 2 * time.Second

// ask has the mock LLM tell of the run so far, beside the load: the next to be
// shown has its answer. One that is not answered yet is not asked again.
func (w *watch) ask() {
	if w.t.servers.Mock == nil || w.asking.Swap(true) {
		return
	}
	w.asked.Go(func() {
		defer w.asking.Store(false)
		ctx, cancel := context.WithTimeout(w.open, askWithin)
		defer cancel()
		var f measure.Facts
		if w.t.servers.Mock.Facts(ctx, &f) == nil { // else the next may come; the end tells
			w.told.Store(&f)
		}
	})
}

// second keeps the generator's health.
func (w *watch) second(s measure.GeneratorSecond) {
	w.mu.Lock()
	w.health = append(w.health, s)
	w.mu.Unlock()
}

// abort tells the load why it must end, when it must.
func (w *watch) abort() reason.Reasons {
	if why := w.reason.Load(); why != nil {
		return *why
	}
	return nil
}

// counters are the live ones, of this process or of all.
func (t *attempt) counters() (sum crew.Counters) {
	if t.crew != nil {
		for _, c := range t.crew.Counters() {
			sum = sum.Plus(c)
		}
		return sum
	}
	return crew.Counters{InFlight: t.live.InFlight(), Conversations: t.live.Conversations(), Started: t.live.Started()}
}

// breach is the abort rule: the share of turns that were not answered stays at
// Bad or above for a whole time.
type breach struct {
	rule  *scenario.Abort
	since time.Duration // end of the last interval that was well, or that saw nothing
}

// add takes an interval and gives the reason to abort, or nothing.
func (b *breach) add(last *measure.Snapshot) reason.Reasons {
	if b.rule == nil || last == nil || last.Elapsed == 0 { // nobody told yet
		return nil
	}
	turns := last.Turns()
	bad := turns - last.Answered()
	if turns == 0 || float64(bad) < float64(b.rule.Bad)*float64(turns) {
		b.since = last.Elapsed
		return nil
	}
	if last.Elapsed-b.since < b.rule.For.D() {
		return nil
	}
	return reason.Reasons{reason.New(reason.GuardAbort, b.rule.Bad, b.rule.For, last.Elapsed.Round(time.Second))}
}
