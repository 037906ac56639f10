package trial

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/unit"
)

// loader runs a load, in this process or over a crew of them, and is the source
// of what is cut of it. But for Run, its methods may be called while it runs.
type loader interface {
	source
	// Run runs the load to its end. It is called once.
	Run(stops load.Stops) ending
	// Abort has the load end at once. The first reason is the one that is told.
	Abort(why reason.Reasons)
	// Counters are the live ones.
	Counters() crew.Counters
	// Health is the generator's, of every second so far; nil where it is not known.
	Health() []measure.GeneratorSecond
}

// ending is what a load tells at its end.
type ending struct {
	facts    *measure.Facts
	warnings reason.Reasons
	crash    *load.Crash
	aborted  reason.Reasons // why it was aborted, or by itself ended before its plan
	elapsed  time.Duration  // 0 where it is not known
	err      error          // why it could not be run, or not all of it
}

// newLoader makes the one of the two that o asks for.
func (t *attempt) newLoader(ctx context.Context, o *Options) (loader, error) {
	if o.Processes > 1 {
		return t.newCrewLoader(ctx, o)
	}
	d, err := t.openDriver()
	if err != nil {
		return nil, err
	}
	return t.newLocalLoader(d), nil
}

// localLoader runs the load in this process.
type localLoader struct {
	*measure.Recorder
	options load.Options
	aborted atomic.Pointer[reason.Reasons]

	mu     sync.Mutex
	health []measure.GeneratorSecond
}

func (t *attempt) newLocalLoader(d driver.Driver) *localLoader {
	l := &localLoader{Recorder: measure.NewRecorder(t.plan, runtime.GOMAXPROCS(0))}
	lanes := make([]load.Lane, l.Lanes())
	for i := range lanes {
		lanes[i] = l.Lane(i)
		if t.lane != nil {
			lanes[i] = t.lane(lanes[i])
		}
	}
	l.options = load.Options{
		Scenario: t.scenario, Seed: t.scenario.Seed, RunID: t.runID, Driver: d, Lanes: lanes, Base: t.base,
		Shard: t.shard, Shards: t.shards, Live: &load.Live{}, Second: l.second,
		Abort: func() reason.Reasons { return reasonsOf(&l.aborted) },
	}
	return l
}

// Run runs the load and closes its driver.
func (l *localLoader) Run(stops load.Stops) ending {
	defer l.options.Driver.Close() // every connection is ours to drop
	summary, err := load.Run(stops, l.options)
	if err != nil {
		return ending{facts: &measure.Facts{}, err: err}
	}
	return ending{
		facts: &measure.Facts{Generator: summary.Generator, Incidents: summary.Incidents, Repeats: summary.Repeats, Ends: summary.Ends, Samples: summary.Samples}, crash: summary.Crash,
		aborted: summary.Interrupted, elapsed: summary.Elapsed,
	}
}

// Abort has the load end within a second.
func (l *localLoader) Abort(why reason.Reasons) { l.aborted.CompareAndSwap(nil, &why) }

// Await returns at once: what was recorded here is at hand.
func (l *localLoader) Await(time.Duration) {}

// Counters are this process's.
func (l *localLoader) Counters() crew.Counters {
	n := l.options.Live
	return crew.Counters{InFlight: n.InFlight(), Conversations: n.Conversations(), Started: n.Started()}
}

// second keeps the generator's health.
func (l *localLoader) second(s measure.GeneratorSecond) {
	l.mu.Lock()
	l.health = append(l.health, s)
	l.mu.Unlock()
}

// Health is this process's.
func (l *localLoader) Health() []measure.GeneratorSecond {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health
}

// crewLoader runs the load over shard processes.
type crewLoader struct {
	crew    *crew.Crew
	base    time.Time
	notice  func(reason.Reason)
	turns   Listener // nil: nobody is told
	aborted atomic.Pointer[reason.Reasons]
}

// newCrewLoader starts the shard processes.
func (t *attempt) newCrewLoader(ctx context.Context, o *Options) (*crewLoader, error) {
	options := crew.Options{
		Executable: o.Executable, LogDir: o.LogDir, Redact: t.redact, Plan: t.plan, Shards: o.Processes,
		Job: crew.Job{
			Scenario: o.Resolved, Dir: o.Dir, Target: t.servers.Target, Local: t.local, RunID: t.runID, StartsAt: t.base.UnixNano(),
		},
	}
	if o.Turns != nil {
		options.Job.Turns, options.Turns = o.Turns.Selections(), o.Turns.Tell
	}
	c, err := crew.Start(ctx, options)
	if err != nil {
		return nil, err
	}
	return &crewLoader{crew: c, base: t.base, notice: o.Notice, turns: o.Turns}, nil
}

// Run waits for the shards to end, and adds up what they tell.
func (l *crewLoader) Run(stops load.Stops) ending {
	err := l.crew.Run(stops.Now, stops.Starting, l.notice)
	told := l.crew.Told(l.base)
	if l.turns != nil {
		for which, n := range told.Untold {
			l.turns.Missed(which, n)
		}
	}
	return ending{facts: told.Facts, warnings: told.Warnings, crash: told.Crash, aborted: reasonsOf(&l.aborted), err: err}
}

// Abort ends every shard.
func (l *crewLoader) Abort(why reason.Reasons) {
	l.aborted.CompareAndSwap(nil, &why)
	l.crew.Abort(why)
}

// lateWithin is how long a shard process may take to tell of its second.
const lateWithin = 500 * time.Millisecond

// Await waits for every shard to have told of its second.
func (l *crewLoader) Await(until time.Duration) { l.crew.Await(until, lateWithin) }

// Cut gives what the shards told since the last cut.
func (l *crewLoader) Cut(elapsed time.Duration) (*measure.Snapshot, error) {
	return l.crew.Cut(elapsed)
}

// Counters are all shards' together.
func (l *crewLoader) Counters() (sum crew.Counters) {
	for _, c := range l.crew.Counters() {
		sum = sum.Plus(c)
	}
	return sum
}

// Health is not known: the shards tell of theirs at the end.
func (l *crewLoader) Health() []measure.GeneratorSecond { return nil }

func reasonsOf(p *atomic.Pointer[reason.Reasons]) reason.Reasons {
	if why := p.Load(); why != nil {
		return *why
	}
	return nil
}

// openDriver makes the driver of this process's part of the load.
func (t *attempt) openDriver() (driver.Driver, error) {
	connections := expectedConnections(t.scenario, t.shards)
	target := t.servers.Target
	target.Pool = unit.Count(load.Part(int64(target.Pool), t.shard, t.shards))
	d, err := driver.New(&target, driver.Options{
		Base: t.base, RunID: t.runID, Secrets: t.scenario.Secret, Upload: t.scenario.Upload, Dir: t.scenario.Dir(),
		Sources: t.sources(connections), OwnAddress: driver.PerAddress / max(t.shards, 1),
		Forged: t.scenario.ForgedHeaders(),
	})
	if err != nil {
		return nil, fmt.Errorf("driver: %w", err)
	}
	if target.Connections == scenario.Shared || target.Agents != nil {
		if err := d.Prepare(int(target.Pool)); err != nil {
			return nil, errors.Join(err, d.Close())
		}
	}
	return d, nil
}

// sources is how many loopback addresses this process's connections come from:
// none but the usual one unless the target is here and there are many.
func (t *attempt) sources(connections int) int {
	if !t.local || t.scenario.Target.Sources == scenario.SourcesOff {
		return 1
	}
	return driver.SourcesFor(connections * max(t.shards, 1))
}

// manySources says, where it is so, that connections come from more addresses
// than the one turn before the load did.
func (t *attempt) manySources() (reason.Reason, bool) {
	n := t.sources(expectedConnections(t.scenario, t.shards))
	if n <= 1 || !loopback(t.servers.Target.URL) {
		return reason.Reason{}, false
	}
	return reason.New(reason.ManySources, driver.PerAddress, n), true
}

// loopback tells whether a URL names this machine by a loopback address of IPv4,
// or by the name that stands for it.
func loopback(target string) bool {
	u, err := url.Parse(target)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && a.Is4() && a.IsLoopback()
}
