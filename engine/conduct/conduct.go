package conduct

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

// Options are one load's.
type Options struct {
	Scenario     *scenario.Scenario
	Shards       int
	Cluster      Cluster
	LogDir       string        // a log of each shard is kept there
	StartTimeout time.Duration // how long all shards may take to be ready
	// Mock is armed for the load, and heard after it; nil where none is named.
	Mock Mock
	// Observe is called about once a second while the load runs, as trial.Options has it.
	Observe func(*trial.Live)
	// Armed is called when t = 0 is fixed, before the first Observe. May be nil.
	Armed  func(base time.Time)
	Notice func(reason.Reason)
}

// Mock is the mock LLM of a load, armed once for all shards.
type Mock interface {
	// Arm gives it the scenario's faults, for t = 0 at base and for at most ttl from now.
	Arm(ctx context.Context, base time.Time, ttl time.Duration) error
	// Facts are what it saw of the load.
	Facts(ctx context.Context, f *measure.Facts) error
	// Release gives it back as it was.
	Release()
}

// Done is what a load on many machines left.
type Done struct {
	Base     time.Time      // t = 0
	Logs     *measure.Spool // the journals; the caller closes it
	Facts    *measure.Facts // what the mock LLM told; nil without one
	Warnings reason.Reasons
}

// How long before t = 0 shards are told of it, and how long after the end of the
// plan those may take that are still to come.
const (
	leadTime      = 5 * time.Second
	perConnection = 2 * time.Millisecond
	graceTime     = time.Minute
	pendingEvery  = 10 * time.Second // the reasons why shards do not run are told again
)

// Run runs the load. When graceful is done, shards start no more conversations;
// when ctx is, what came until then is all. It errs where no load was sent: shards
// that are not ready in time (ErrNotReady), or end before they are (*LostError).
func Run(ctx, graceful context.Context, o Options) (_ *Done, err error) {
	l := newLive(o.Scenario, o.Observe)
	g, err := newGather(o.LogDir, o.Shards, l)
	if err != nil {
		return nil, err
	}
	c := &conductor{Options: o, gather: g, live: l, done: &Done{Logs: g.spool}}
	if err := o.Cluster.Start(ctx, g); err != nil {
		return nil, errors.Join(err, g.close(), g.spool.Close())
	}
	err = c.conduct(ctx, graceful)
	cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), graceTime)
	defer cancel()
	if cerr := o.Cluster.Clean(cleanup); cerr != nil {
		c.warn(reason.New(reason.EngineNotCleaned, cerr))
	}
	if gerr := g.close(); err == nil {
		err = gerr
	}
	if err != nil {
		return nil, errors.Join(err, g.spool.Close())
	}
	l.show(time.Since(c.done.Base), c.done.Facts) // what came while it was cleaned up
	return c.done, nil
}

// conductor is a load under way.
type conductor struct {
	Options
	gather *gather
	live   *live
	done   *Done
	told   reason.Reasons // why shards do not run, as it was told last
	toldAt time.Time
}

func (c *conductor) warn(r reason.Reason) {
	c.done.Warnings = append(c.done.Warnings, r)
	c.Notice(r)
}

func (c *conductor) conduct(ctx, graceful context.Context) error {
	if err := c.assemble(graceful); err != nil {
		return err
	}
	lead := leadTime + time.Duration(c.Scenario.Target.Pool)*perConnection
	base := time.Now().Add(lead)
	c.done.Base = base
	if c.Armed != nil {
		c.Armed(base)
	}
	end := lead + c.Scenario.TotalDuration() + c.Scenario.Load.Drain.D()
	if c.Mock != nil {
		defer c.Mock.Release()
		if err := c.Mock.Arm(graceful, base, end+graceTime); err != nil {
			return err
		}
	}
	if err := c.Cluster.Tell(graceful, base); err != nil {
		return err
	}
	c.Notice(reason.New(reason.EngineStarts, int64(c.Shards), time.Until(base).Round(100*time.Millisecond)))
	if err := c.follow(ctx, graceful, time.Now().Add(end-lead+time.Until(base)+graceTime)); err != nil {
		return err
	}
	for _, l := range c.gather.ends() {
		c.warn(reason.New(reason.ShardGone, shardName(l.shard, c.Shards), l.how))
	}
	c.hear(ctx)
	return nil
}

// hear asks the mock LLM what it saw.
func (c *conductor) hear(ctx context.Context) {
	if c.Mock == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	var f measure.Facts
	if err := c.Mock.Facts(ctx, &f); err != nil {
		c.warn(reason.New(reason.MockUnheard, err))
		return
	}
	c.done.Facts = &f
}

// ErrNotReady is the error of shards that were not all ready in time.
var ErrNotReady = errors.New("not all shards are ready")

// LostError is of a shard that ended before the load: nothing was sent.
type LostError struct {
	Why  reason.Reason
	Code int // of the shard's exit, 0 where it is not known
}

// Error says which shard and what it said.
func (e *LostError) Error() string { return e.Why.String() }

// Unwrap gives the reason, for who tells it in another language.
func (e *LostError) Unwrap() error { return reason.Err(e.Why) }

// assemble waits until every shard is ready.
func (c *conductor) assemble(graceful context.Context) error {
	begun := time.Now()
	limit := time.NewTimer(c.StartTimeout)
	defer limit.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		s := c.gather.state()
		switch {
		case s.err != nil:
			return s.err
		case s.lost >= 0:
			why := reason.New(reason.ShardLostBefore, shardName(s.lost, c.Shards), orUnknown(s.how), s.said)
			if s.said == "" {
				why = reason.New(reason.ShardLostSilent, shardName(s.lost, c.Shards), orUnknown(s.how))
			}
			return &LostError{Why: why, Code: s.code}
		case s.allGone:
			return &LostError{Why: reason.New(reason.EngineGone, orUnknown(s.how))}
		case s.ready == c.Shards:
			return nil
		}
		select {
		case <-graceful.Done():
			return context.Canceled
		case <-limit.C:
			return c.notReady(s, time.Since(begun))
		case <-c.gather.changed:
		case <-tick.C:
			why, err := c.Cluster.Look(graceful)
			if err != nil {
				return err
			}
			c.pending(s, why, time.Since(begun))
		}
	}
}

// notReady is the error of a start that did not come about.
func (c *conductor) notReady(s state, after time.Duration) error {
	return fmt.Errorf("%w: %w", ErrNotReady, reason.Err(reason.New(reason.ShardsNotReady, int64(s.ready), int64(c.Shards), after.Round(time.Second), c.why())))
}

func (c *conductor) why() reason.Reasons {
	if len(c.told) == 0 {
		return reason.Reasons{reason.New(reason.EngineSilent)}
	}
	return c.told
}

// pending tells why shards do not run, when that changes and now and then.
func (c *conductor) pending(s state, why reason.Reasons, after time.Duration) {
	same := len(why) == len(c.told)
	for i := range why {
		same = same && reason.Compare(why[i], c.told[i]) == 0
	}
	if same && time.Since(c.toldAt) < pendingEvery || len(why) == 0 && after < pendingEvery {
		return
	}
	c.told, c.toldAt = why, time.Now()
	c.Notice(reason.New(reason.ShardsPending, int64(s.ready), int64(c.Shards), c.why()))
}

// follow shows the load until every shard is over, or until one that is not
// would be too late.
func (c *conductor) follow(ctx, graceful context.Context, until time.Time) error {
	limit := time.NewTimer(time.Until(until))
	defer limit.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	stop := graceful.Done()
	for {
		s := c.gather.state()
		switch {
		case s.err != nil:
			return s.err
		case s.over == c.Shards, s.allGone:
			c.live.show(time.Since(c.done.Base), nil)
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-stop:
			stop = nil
			c.Notice(reason.New(reason.ShardsDrain))
			c.Cluster.Drain()
		case <-limit.C:
			c.warn(reason.New(reason.ShardsNotWaitedFor, int64(c.Shards-s.over), graceTime))
			return nil
		case <-c.gather.changed:
		case <-tick.C:
			if _, err := c.Cluster.Look(ctx); err != nil {
				return err
			}
			c.live.show(time.Since(c.done.Base), nil)
		}
	}
}

func shardName(i, n int) string { return fmt.Sprintf("%d/%d", i, n) }

func orUnknown(how string) string {
	if how == "" {
		return "?"
	}
	return how
}
