package trial

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/unit"
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

func runShard(ctx context.Context, p *crew.Parent, open func(*attempt) error) error {
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
	t := &attempt{
		Options: Options{Scenario: sc, RunID: job.RunID, Shard: job.Shard, Shards: job.Shards},
		plan:    Plan(sc), servers: &servers.Set{Target: job.Target}, local: job.Local, member: true,
	}
	t.fill()
	start := time.Unix(0, job.StartsAt)
	t.base = time.Now().Add(time.Until(start))                       // keeps the monotonic clock
	t.Observe = func(l *Live) { _ = p.Second(l.Counters(), l.Last) } // a parent that is gone ends the load
	if err := open(t); err != nil {
		return err
	}
	recorder := measure.NewRecorder(t.plan, runtime.GOMAXPROCS(0))
	t.source = recorder
	if err := p.Ready(); err != nil {
		return err
	}
	done := &Done{Facts: &measure.Facts{}}
	t.drive(now, graceful, recorder, done)
	if done.Crash != nil && len(done.Facts.Interrupted) == 0 {
		done.Facts.Interrupted = reason.Reasons{reason.New(reason.ShardPanicked)}
	}
	return p.End(crew.Ending{Facts: done.Facts, Warnings: done.Warnings, Crash: done.Crash})
}

// openDriver makes the driver of this process's part of the load.
func (t *attempt) openDriver() (err error) {
	connections := expectedConnections(t.Scenario, t.Shards)
	target := t.servers.Target
	target.Pool = unit.Count(load.Part(int64(target.Pool), t.Shard, t.Shards))
	t.driver, err = driver.New(&target, driver.Options{
		Base: t.base, RunID: t.RunID, Secrets: t.Scenario.Secret, Dir: t.Scenario.Dir(), Sources: t.sources(connections),
	})
	if err != nil {
		return fmt.Errorf("driver: %w", err)
	}
	if target.Connections == scenario.Shared || target.Agents != nil {
		err = t.driver.Prepare(int(target.Pool))
	}
	return err
}

// sources is how many loopback addresses this process's connections come from:
// none but the usual one unless the target is here and there are many.
func (t *attempt) sources(connections int) int {
	if !t.local {
		return 1
	}
	return driver.SourcesFor(connections * max(t.Shards, 1))
}

// localLoad runs the load in this process.
func (t *attempt) localLoad(ctx, graceful context.Context, recorder *measure.Recorder, w *watch) (*load.Summary, error) {
	lanes := make([]load.Lane, recorder.Lanes())
	for i := range lanes {
		lanes[i] = recorder.Lane(i)
	}
	return load.Run(load.Stops{Starting: graceful, Now: ctx}, load.Options{
		Scenario: t.Scenario, Seed: t.Scenario.Seed, RunID: t.RunID, Driver: t.driver, Lanes: lanes, Base: t.base,
		Shard: t.Shard, Shards: t.Shards, Live: &t.live,
		Second: w.second, Abort: w.abort,
	})
}
