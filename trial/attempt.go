package trial

import (
	"context"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/observe"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/trial/host"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/usage"
)

// attempt is a trial under way.
type attempt struct {
	scenario *scenario.Scenario
	runID    string
	shard    int  // of shards
	shards   int  // 0 and 1: all of the load
	member   bool // this process is a shard of its parent's crew
	redact   func(string) string
	observe  func(*Live)               // nil where nobody looks
	lane     func(load.Lane) load.Lane // wraps those of this process; nil: they are as they are

	plan     *measure.Plan
	servers  *servers.Set
	local    bool // the target runs on this machine
	base     time.Time
	journal  *measure.Journal       // nil where none is kept: it takes everything
	identity *identity              // of a target that is not ours; nil where it is
	clocks   func() (reading, bool) // nil where nobody watches them
	armedFor time.Duration          // the mock LLM keeps its faults
	observed *observe.Watch         // nil where nothing is to be seen
	host     *host.Watch            // of this machine; nil in a crew, whose parent watches it
}

// newAttempt is an attempt for which nothing was started yet; o is filled.
func newAttempt(o *Options) *attempt {
	o.fill()
	return &attempt{
		scenario: o.Scenario, runID: o.RunID, shard: o.Shard, shards: o.Shards, redact: o.Redact, observe: o.Observe, lane: o.Lane,
		plan: Plan(o.Scenario), servers: &servers.Set{Target: o.Scenario.Target},
	}
}

// drive has l run the load, and watches it.
func (t *attempt) drive(stops load.Stops, l loader) *Done {
	before, _ := usage.Own()
	rule := &abortRule{rule: t.scenario.Guard.Abort, abort: l.Abort}
	clocks := &drift{read: t.clocks}
	view := t.newView(l)
	w := newWatch(t.base, l, t.plan, t.redact)
	fuses := newFuses(t.scenario.Guard.Abort, t.observed, l.Abort)
	w.sinks = []sink{rule.take, fuses.take, t.sampleChildren, t.keep, clocks.take, view.take, t.look}

	clocks.take(&cut{}) // what comes is compared with now
	if t.host != nil {
		t.host.Begin()
	}
	t.observed.Start(t.base)
	stopWatch := w.start()
	stopAsking := t.identity.watch(t.base)
	reserve := takeReserve()
	e := l.Run(stops)
	reserve.release()
	stopAsking()
	stopWatch()
	view.stop()
	t.observed.Stop()

	done := &Done{Started: t.base, Snapshot: w.snapshot, Facts: e.facts, Crash: e.crash}
	done.Snapshot.Elapsed = max(done.Snapshot.Elapsed, e.elapsed)
	done.Warnings = append(append(e.warnings, w.warnings...), view.warnings...)
	if what, many := t.manySources(); many {
		done.Warnings = append(done.Warnings, what)
	}
	if done.Crash == nil {
		done.Crash = view.crash
	}
	done.Facts.Incidents = append(done.Facts.Incidents, clocks.incidents...)
	if t.host != nil {
		done.Facts.Host = t.host.Told()
	}
	done.Facts.Observed = append(done.Facts.Observed, t.observed.Told()...)
	t.recordIdentity(done)
	t.recordEnd(done, &e, stops)
	done.Facts.Generator.SharedHost = t.local
	done.Facts.Processes = append(done.Facts.Processes, t.ownProcess(before))
	return done
}

// look reads the pressure on this machine.
func (t *attempt) look(c *cut) {
	if t.host != nil {
		t.host.Look(c.elapsed)
	}
}

// keep journals an interval, and what others were seen to do in it. The journal's first error is final, and told at the end.
func (t *attempt) keep(c *cut) {
	_ = t.journal.AppendObserved(t.observed.News())
	_ = t.journal.AppendInterval(c.last)
}

// sampleChildren reads what the bundled servers have used by now.
func (t *attempt) sampleChildren(*cut) {
	for _, c := range t.servers.Children() {
		c.Sample()
	}
}

// recordEnd notes why the load ended before its plan, when it did.
func (t *attempt) recordEnd(done *Done, e *ending, stops load.Stops) {
	f := done.Facts
	switch {
	case len(f.Interrupted) > 0: // in a shard, and it told why
	case e.crash != nil && len(e.aborted) > 0:
		f.Interrupted = e.aborted
	case e.err != nil:
		done.Warnings = append(done.Warnings, reason.New(reason.LoadFailed, reason.Of(e.err)))
		f.Interrupted = reason.Of(e.err)
	case stops.Now.Err() != nil || stops.Starting.Err() != nil:
		if !t.member { // its parent knows why it passed that on
			f.Interrupted = reason.Reasons{reason.New(reason.SignalEnded)}
		}
	case len(e.aborted) > 0:
		f.Aborted = e.aborted
	}
}

// recordIdentity notes whether other servers answered than the one before the load.
func (t *attempt) recordIdentity(done *Done) {
	if i, ok := t.identity.incident(); ok {
		done.Facts.Incidents = append(done.Facts.Incidents, i)
	}
	if warning, ok := t.identity.warning(); ok {
		done.Warnings = append(done.Warnings, warning)
	}
}

// ownProcess is what this process used since it had used before.
func (t *attempt) ownProcess(before time.Duration) measure.Process {
	name := "cstest"
	if t.member {
		name += " " + crew.Name(t.shard, t.shards)
	}
	cpu, rss := usage.Own()
	return measure.Process{Name: name, CPU: cpu - before, MaxRSS: rss}
}

// gatherWithin is how long the others may take to tell; hurried when the user
// wants out.
const (
	gatherWithin = 10 * time.Second
	hurried      = 300 * time.Millisecond
)

// gather asks everybody else what they know of the run.
func (t *attempt) gather(hurry context.Context, done *Done) {
	ctx, cancel := context.WithTimeout(context.Background(), gatherWithin)
	defer cancel()
	defer context.AfterFunc(hurry, func() { time.AfterFunc(hurried, cancel) })()
	f := done.Facts
	f.ExternalTarget = t.scenario.Target.Bundled == nil
	if m := t.servers.Mock; m != nil {
		if err := m.Facts(ctx, f); err != nil {
			done.Warnings = append(done.Warnings, reason.New(reason.MockUnheard, err))
		} else if err := m.Client(ctx, f, load.TracePrefix(t.scenario.Seed)); err != nil {
			done.Warnings = append(done.Warnings, reason.New(reason.ClientUnheard, err))
		}
	}
	if t.servers.Bundled() {
		if err := t.servers.State(ctx, &f.Target); err != nil {
			done.Warnings = append(done.Warnings, reason.New(reason.ServerUnheard, err))
		}
	}
	for _, c := range t.servers.Children() {
		p := c.Figures(t.base)
		if p.Exit != "" {
			done.Warnings = append(done.Warnings, reason.New(reason.ProcessEnded, p.Name, p.Ended, p.Exit))
		}
		f.Processes = append(f.Processes, p)
	}
}
