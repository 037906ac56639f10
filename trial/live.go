package trial

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/observe"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/trial/servers"
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
	Facts *measure.Facts
	// Observed is what was seen of other systems until now.
	Observed []measure.Observed
	Stopping bool
}

// view is the sink that shows a run to whoever observes it.
type view struct {
	observe func(*Live)
	load    loader
	seen    *observe.Watch
	frame   Live          // what is the same in each
	mock    *servers.Mock // nil where there is none to ask

	open   context.Context // while the load lasts
	close  context.CancelFunc
	asked  sync.WaitGroup
	asking atomic.Bool
	told   atomic.Pointer[measure.Facts]

	warnings reason.Reasons
	crash    *load.Crash // of whoever observes
}

func (t *attempt) newView(l loader) *view {
	v := &view{observe: t.observe, load: l, seen: t.observed, mock: t.servers.Mock}
	v.frame = Live{Total: t.scenario.TotalDuration(), Plan: t.plan, Counters: l.Counters}
	if t.observe != nil && !t.member {
		if s := load.NewSchedule(&t.scenario.Load, t.scenario.Seed).Shard(t.shard, max(t.shards, 1)); s.Open() {
			v.frame.Planned = s.PerSecond()
		}
	}
	v.open, v.close = context.WithCancel(context.Background())
	return v
}

// take shows an interval. An observer who panics is not told again; the load and
// its record go on.
func (v *view) take(c *cut) {
	if v.observe == nil || v.crash != nil {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			v.crash = &load.Crash{Value: fmt.Sprint(r), Stack: string(debug.Stack())}
			v.warnings = append(v.warnings, reason.New(reason.ViewPanicked))
		}
	}()
	l := v.frame
	l.Elapsed, l.Last, l.SoFar, l.Health, l.Facts = c.elapsed, c.last, c.soFar, v.load.Health(), v.told.Load()
	l.Observed = v.seen.Told()
	v.observe(&l)
	v.ask()
}

// askWithin is how long the mock LLM may take to tell of the run so far.
const askWithin = 2 * time.Second

// ask has the mock LLM tell of the run so far, beside the load: the next to be
// shown has its answer. One that is not answered yet is not asked again.
func (v *view) ask() {
	if v.mock == nil || v.asking.Swap(true) {
		return
	}
	v.asked.Go(func() {
		defer v.asking.Store(false)
		ctx, cancel := context.WithTimeout(v.open, askWithin)
		defer cancel()
		var f measure.Facts
		if v.mock.Facts(ctx, &f) == nil { // else the next may come; the end tells
			v.told.Store(&f)
		}
	})
}

// stop ends what is still asked.
func (v *view) stop() {
	v.close()
	v.asked.Wait()
}
