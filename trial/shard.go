package trial

import (
	"context"
	"io"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
)

// RunShard is a shard process: it reads its crew.Job from in, says what happens on
// out, and ends with the load, when it is told to, or when in ends, for its
// parent is gone then. Its error is one that it could not tell its parent.
func RunShard(ctx context.Context, in io.Reader, out io.Writer) error {
	p := crew.NewParent(in, out)
	err := runShard(ctx, p, (*attempt).openDriver)
	if err != nil && p.Fail(err) == nil {
		return nil // the parent tells it
	}
	return err
}

func runShard(ctx context.Context, p *crew.Parent, open func(*attempt) (driver.Driver, error)) error {
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
	l := t.newLocalLoader(d)
	if err := p.Ready(); err != nil {
		return err
	}
	done := t.drive(load.Stops{Starting: graceful, Now: now}, l)
	if done.Crash != nil && len(done.Facts.Interrupted) == 0 {
		done.Facts.Interrupted = reason.Reasons{reason.New(reason.ShardPanicked)}
	}
	return p.End(crew.Ending{Facts: done.Facts, Warnings: done.Warnings, Crash: done.Crash})
}
