// Package trial is one run as a whole: it brings up what the scenario needs,
// tries one real turn, arms the mock LLM, drives the load, gathers the facts
// and has them judged. It is what run, tune, capacity and selftest share.
package trial

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial/crew"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/usage"
)

// Options are one trial's.
type Options struct {
	Scenario    *scenario.Scenario
	Executable  string   // cstest itself, to run the bundled servers with
	LogDir      string   // of the bundled servers
	Journal     string   // path of the journal; empty: none is kept
	RunID       string   // ${run.id} and the journal's; empty: a new one
	About       any      // for the journal: what a report needs beside the measurements
	AllowTarget []string // hosts, addresses or prefixes that may be loaded though public
	Shard       int      // of Shards
	Shards      int      // 0 and 1: all of the load
	Processes   int      // over how many processes this one spreads the load; up to 1: none but itself
	Resolved    string   // the scenario as text, for them
	Dir         string   // where its data tables are
	StartAt     time.Time
	// Observe is called about once a second while the load runs. It must not
	// block and must not keep what Live points to beyond the next call.
	Observe func(*Live)
	// Armed is called when t = 0 is fixed, some time before it.
	Armed func(base time.Time)
	// Signal tells the number of the signal that ended the run, 0 without one.
	Signal func() int
	// Notice is called with what a person should know at once.
	Notice func(reason.Reason)
	// Redact takes secrets out of a text that others wrote: what a target said when
	// it failed, a server's log. It is called from several goroutines. Nil: texts
	// are kept as they are.
	Redact func(string) string
}

func (o *Options) fill() {
	if o.RunID == "" && o.Scenario != nil {
		o.RunID = NewRunID(o.Scenario.Name, time.Now())
	}
	if o.Notice == nil {
		o.Notice = func(reason.Reason) {}
	}
	if o.Redact == nil {
		o.Redact = func(s string) string { return s }
	}
}

// Done is everything a trial found out.
type Done struct {
	Started  time.Time // t = 0, wall clock
	Snapshot *measure.Snapshot
	Facts    *measure.Facts
	Result   sla.Result
	Warnings reason.Reasons
	// Crash is a panic in cstest itself that ended the load or its view; nil without one.
	Crash *load.Crash
	// JournalErr is why the journal is not whole; the rest of Done is.
	JournalErr error
}

// leadTime is how long before t = 0 the mock is told of it.
const leadTime = 300 * time.Millisecond

// perChild is how long a shard process may take to be ready.
const perChild = 250 * time.Millisecond

// perConnection is how long one that is opened beforehand may take.
const perConnection = 2 * time.Millisecond

// Run runs the trial. When graceful is done, no conversation starts any more
// and those begun may end within the drain; when ctx is, everything ends at
// once. What the target does is never an error, but for a target that cannot
// be used at all: that is a *TargetError before the load began.
func Run(ctx, graceful context.Context, o Options) (*Done, error) {
	o.fill()
	t, err := prepare(ctx, graceful, o)
	if err != nil {
		return nil, err
	}
	defer t.servers.Stop(ctx)
	done := &Done{Facts: &measure.Facts{}}
	if err := t.openJournal(); err != nil {
		return nil, err
	}
	ended := false
	defer func() {
		if !ended {
			_ = t.journal.Abandon() // there is a worse error
		}
	}()
	if err := t.arm(ctx); err != nil {
		return nil, err
	}
	done.Started = t.base
	if o.Armed != nil {
		o.Armed(t.base)
	}
	_ = t.journal.AppendNote(NoteStarted, t.base.UTC().Format(time.RFC3339Nano)) // its first error is final, and told at the end
	if err := t.load(ctx, graceful, done); err != nil {
		return nil, err
	}
	t.gather(ctx, done)
	done.Warnings = done.Warnings.Map(o.Redact)
	for i := range done.Facts.Incidents {
		done.Facts.Incidents[i].What = done.Facts.Incidents[i].What.Map(o.Redact)
	}
	done.Facts.Interrupted = done.Facts.Interrupted.Map(o.Redact)
	done.Result = sla.Evaluate(o.Scenario, done.Snapshot, done.Facts)
	t.closeJournal(done)
	ended = true
	return done, nil
}

// attempt is a trial under way.
type attempt struct {
	Options
	servers *servers.Set
	local   bool // the target runs on this machine
	member  bool // this process is a shard of its parent's crew
	plan    *measure.Plan
	base    time.Time
	driver  driver.Driver
	source  interface {
		Cut(elapsed time.Duration) (*measure.Snapshot, error)
	}
	planned []int64          // starts, per second; nil in the closed model
	crew    *crew.Crew       // nil when the load runs in this process
	journal *measure.Journal // nil where none is kept: it takes everything
	live    load.Live

	identity *identity              // of a target that is not ours; nil where it is
	clocks   func() (reading, bool) // nil where nobody watches them
	reserve  []*os.File             // descriptors that the load cannot take
}

// prepare does everything that can go wrong before there is a result: the
// address, the servers, and one real turn.
func prepare(ctx, graceful context.Context, o Options) (_ *attempt, err error) {
	s := o.Scenario
	t := &attempt{Options: o, plan: Plan(s), clocks: readClocks}
	if err := t.plan.Check(); err != nil {
		return nil, err
	}
	if err := checkDescriptors(s, max(o.Shards, o.Processes)); err != nil {
		return nil, err
	}
	if s.Target.Bundled == nil {
		if t.local, err = checkAddress(ctx, &s.Target, o.AllowTarget); err != nil {
			return nil, err
		}
	} else {
		t.local = true
	}
	if t.servers, err = startServers(ctx, s, &o); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.servers.Stop(ctx)
		}
	}()
	if t.servers.MockURL() != "" && s.LLM.Listen != "" {
		o.Notice(reason.New(reason.MockListens, t.servers.MockURL()))
	}
	if schedule := load.NewSchedule(&s.Load, s.Seed).Shard(o.Shard, max(o.Shards, 1)); schedule.Open() && o.Observe != nil {
		t.planned = schedule.PerSecond()
	}
	if err := t.firstTurn(ctx, graceful); err != nil {
		return nil, err
	}
	if s.Target.Bundled == nil {
		t.identifyTarget(ctx)
	}
	return t, nil
}

// identifyTarget notes who the target says it is, before the load.
func (t *attempt) identifyTarget(ctx context.Context) {
	i := newIdentity(&t.servers.Target)
	if i == nil {
		return
	}
	if who, ok := i.ask(ctx); ok {
		i.first, t.identity = who, i
	}
}

// Plan is what the recorder of a scenario's runs must know.
func Plan(s *scenario.Scenario) *measure.Plan {
	schedule := load.NewSchedule(&s.Load, s.Seed)
	stages := schedule.Stages()
	return &measure.Plan{
		Stages:  stages,
		Slots:   load.Slots(s),
		Budgets: sla.Budgets(s.Objectives(), stages, s.SLA),
		Drain:   s.Load.Drain.D(),
	}
}

// arm fixes t = 0, and tells the mock its faults and when that is.
func (t *attempt) arm(ctx context.Context) (err error) {
	s := t.Scenario
	t.base = time.Now().Add(leadTime + time.Duration(t.Processes)*perChild + time.Duration(t.servers.Target.Pool)*perConnection)
	if t.StartAt.After(t.base) {
		t.base = time.Now().Add(time.Until(t.StartAt)) // keeps the monotonic clock
	}
	if m := t.servers.Mock; m != nil {
		ttl := time.Until(t.base) + s.TotalDuration() + s.Load.Drain.D() + time.Minute
		if err := errors.Join(m.Reset(ctx), m.Arm(ctx, s.LLM, s.Seed, s.Checks.Memory == "on", ttl), m.Epoch(ctx, t.base)); err != nil {
			return fmt.Errorf("arm the mock LLM: %w", err)
		}
	}
	for _, c := range t.servers.Children() {
		c.LoadStarts()
	}
	return nil
}

// load runs the load, in this process or over several.
func (t *attempt) load(ctx, graceful context.Context, done *Done) (err error) {
	if t.Processes > 1 {
		if err = t.startCrew(ctx); err != nil {
			return err
		}
		t.drive(ctx, graceful, nil, done)
		return nil
	}
	if err := t.openDriver(); err != nil {
		return err
	}
	recorder := measure.NewRecorder(t.plan, runtime.GOMAXPROCS(0))
	t.source = recorder
	t.drive(ctx, graceful, recorder, done)
	return nil
}

// startCrew starts the shard processes, which are the source of what is cut.
func (t *attempt) startCrew(ctx context.Context) (err error) {
	t.crew, err = crew.Start(ctx, crew.Options{
		Executable: t.Executable, LogDir: t.LogDir, Redact: t.Redact, Plan: t.plan, Shards: t.Processes,
		Job: crew.Job{
			Scenario: t.Resolved, Dir: t.Dir, Target: t.servers.Target, Local: t.local, RunID: t.RunID, StartsAt: t.base.UnixNano(),
		},
	})
	t.source = t.crew
	return err
}

// drive runs the load and cuts an interval a second.
func (t *attempt) drive(ctx, graceful context.Context, recorder *measure.Recorder, done *Done) {
	w := newWatch(t)
	before, _ := usage.Own()
	stopWatch := w.start()
	stopAsking := t.identity.watch(t.base)
	t.reserveDescriptors()
	var err error
	var interrupted reason.Reasons
	ended := time.Duration(0)
	if t.crew != nil {
		err = t.crew.Run(ctx, graceful, t.Notice)
		told := t.crew.Told(t.base)
		done.Facts = measure.MergeFacts(done.Facts, told.Facts)
		done.Warnings, done.Crash = append(done.Warnings, told.Warnings...), told.Crash
		interrupted = w.abort()
	} else {
		var summary *load.Summary
		if summary, err = t.localLoad(ctx, graceful, recorder, w); err == nil {
			done.Facts.Generator, interrupted, done.Crash = summary.Generator, summary.Interrupted, summary.Crash
			ended = summary.Elapsed
		}
		_ = t.driver.Close() // every connection is ours to drop
	}
	t.releaseDescriptors()
	stopAsking()
	stopWatch()
	done.Snapshot = w.snapshot // nobody else's from here on
	done.Snapshot.Elapsed = max(done.Snapshot.Elapsed, ended)
	done.Warnings = append(done.Warnings, w.warnings...)
	f := done.Facts
	switch {
	case len(f.Interrupted) > 0: // in a shard, and it told why
	case done.Crash != nil && len(interrupted) > 0:
		f.Interrupted = interrupted
	case err != nil:
		done.Warnings = append(done.Warnings, reason.New(reason.LoadFailed, reason.Of(err)))
		f.Interrupted = reason.Of(err)
	case ctx.Err() != nil || graceful.Err() != nil:
		if !t.member { // its parent knows why it passed that on
			f.Interrupted = reason.Reasons{reason.New(reason.SignalEnded)}
		}
	case len(interrupted) > 0:
		f.Aborted = interrupted
	}
	t.recordIncidents(w, done)
	f.Generator.SharedHost = t.local
	name := "cstest"
	if t.member {
		name += " " + crew.Name(t.Shard, t.Shards)
	}
	cpu, rss := usage.Own()
	f.Processes = append(f.Processes, measure.Process{Name: name, CPU: cpu - before, MaxRSS: rss})
}

// recordIncidents notes what happened to the run as a whole.
func (t *attempt) recordIncidents(w *watch, done *Done) {
	f := done.Facts
	f.Incidents = append(f.Incidents, w.incidents...)
	if i, ok := t.identity.incident(); ok {
		f.Incidents = append(f.Incidents, i)
	}
	if warning, ok := t.identity.warning(); ok {
		done.Warnings = append(done.Warnings, warning)
	}
	if done.Crash == nil {
		done.Crash = w.crash
	}
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
	f.ExternalTarget = t.Scenario.Target.Bundled == nil
	if m := t.servers.Mock; m != nil {
		if err := m.Facts(ctx, f); err != nil {
			done.Warnings = append(done.Warnings, reason.New(reason.MockUnheard, err))
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
