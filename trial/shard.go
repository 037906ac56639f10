package trial

import (
	"context"
	"io"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
)

// Relay passes turns on one by one, beside the load.
type Relay interface {
	// Lane wraps what turns are recorded with.
	Lane(load.Lane) load.Lane
	// End passes on what waits, and gives how many of each selection were dropped.
	End() map[measure.Selection]int64
}

// NewRelay makes a Relay of some selections, in measure's binary form.
type NewRelay func(which []measure.Selection, send func(measure.Selection, []byte) error) Relay

// RunShard is a shard process: it reads its crew.Job from in, says what happens on
// out, and ends with the load, when it is told to, or when in ends, for its
// parent is gone then. Its error is one that it could not tell its parent.
func RunShard(ctx context.Context, in io.Reader, out io.Writer, relay NewRelay) error {
	p := crew.NewParent(in, out)
	err := runShard(ctx, p, relay, (*attempt).openDriver)
	if err != nil && p.Fail(err) == nil {
		return nil // the parent tells it
	}
	return err
}

func runShard(ctx context.Context, p *crew.Parent, newRelay NewRelay, open func(*attempt) (driver.Driver, error)) error {
	job, err := p.Job()
	if err != nil {
		return err
	}
	sc, err := scenario.Parse("scenario.yaml", []byte(job.Scenario), scenario.Options{Dir: job.Dir, AnyPath: true})
	if err != nil {
		return err
	}
	sc.Guard.Abort = nil // it is about the whole load, which the parent sees
	now, graceful, release := p.Stops(ctx)
	defer release()
	o := Options{
		Scenario: sc, RunID: job.RunID, Shard: job.Shard, Shards: job.Shards,
		Observe: func(l *Live) { _ = p.Second(l.Counters(), l.Last) }, // a parent that is gone ends the load
	}
	t := newAttempt(&o)
	t.servers.Target, t.local, t.member = job.Target, job.Local, true
	t.base = time.Now().Add(time.Until(time.Unix(0, job.StartsAt))) // keeps the monotonic clock
	d, err := open(t)
	if err != nil {
		return err
	}
	var relay Relay
	if len(job.Turns) > 0 {
		relay = newRelay(job.Turns, p.Turns)
		t.lane = relay.Lane
	}
	l := t.newLocalLoader(d)
	if err := p.Ready(); err != nil {
		return err
	}
	done := t.drive(load.Stops{Starting: graceful, Now: now}, l)
	if done.Crash != nil && len(done.Facts.Interrupted) == 0 {
		done.Facts.Interrupted = reason.Reasons{reason.New(reason.ShardPanicked)}
	}
	e := crew.Ending{Facts: done.Facts, Warnings: done.Warnings, Crash: done.Crash}
	if relay != nil {
		e.Untold = relay.End()
	}
	return p.End(e)
}
