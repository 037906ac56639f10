// Package trial is one run as a whole: it brings up what the scenario needs,
// tries one real turn, arms the mock LLM, drives the load and gathers the
// facts, to be judged by package result. It is what run, tune, capacity and selftest share.
package trial

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/trial/host"
)

// Options are one trial's.
type Options struct {
	Scenario    *scenario.Scenario
	Executable  string        // cstest itself, to run the bundled servers with
	LogDir      string        // of the bundled servers
	Journal     string        // path of the journal; empty: none is kept
	JournalTo   measure.File  // takes the journal in place of a file; Journal names it then
	RunID       string        // ${run.id} and the journal's; empty: a new one
	About       *result.About // for the journal; nil where none is kept
	AllowTarget []string      // hosts, addresses or prefixes that may be loaded though public
	Shard       int           // of Shards
	Shards      int           // 0 and 1: all of the load
	Processes   int           // over how many processes this one spreads the load; up to 1: none but itself
	Resolved    string        // the scenario as text, for them
	Dir         string        // where its data tables are
	StartAt     time.Time
	// Observe is called about once a second while the load runs. It must not
	// block and must not keep what Live points to beyond the next call.
	Observe func(*Live)
	// Armed is called when t = 0 is fixed, some time before it.
	Armed func(base time.Time)
	// Lane wraps each of those the turns of this process are recorded with, for who wants
	// every turn beside the sums. Nil: they are as they are.
	Lane func(load.Lane) load.Lane
	// Turns is told of those of shard processes, one by one. Nil: nobody is.
	Turns Listener
	// Signal tells the number of the signal that ended the run, 0 without one.
	Signal func() int
	// Notice is called with what a person should know at once.
	Notice func(reason.Reason)
	// Redact takes secrets out of a text that others wrote: what a target said when
	// it failed, a server's log. It is called from several goroutines. Nil: texts
	// are kept as they are.
	Redact func(string) string
}

// Listener is told of the turns of shard processes, one by one while they happen. Its
// methods are called from several goroutines, and none may wait: the shards wait for them.
type Listener interface {
	// Selections are which turns shard processes are to tell of, each by itself.
	Selections() []measure.Selection
	// Tell tells of turns of a selection that a shard process recorded.
	Tell(which measure.Selection, turns []measure.Turn)
	// Missed says how many of a selection a shard process could not tell.
	Missed(which measure.Selection, n int64)
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
	Warnings reason.Reasons
	// Crash is a panic in cstest itself that ended the load or its view; nil without one.
	Crash *load.Crash
	// JournalErr is why the journal is not whole; the rest of Done is.
	JournalErr error
}

// Run runs the trial. When graceful is done, no conversation starts any more
// and those begun may end within the drain; when ctx is, everything ends at
// once. What the target does is never an error, but for a target that cannot
// be used at all: that is a *TargetError before the load began.
func Run(ctx, graceful context.Context, o Options) (*Done, error) {
	t, err := prepare(ctx, graceful, &o)
	if err != nil {
		return nil, err
	}
	defer t.servers.Stop(ctx)
	if t.journal, err = openJournal(&o, t.plan); err != nil {
		return nil, err
	}
	ended := false
	defer func() {
		if !ended {
			_ = t.journal.Abandon() // there is a worse error
		}
	}()
	t.base = startTime(&o, int(t.servers.Target.Pool))
	if err := t.arm(ctx); err != nil {
		return nil, err
	}
	if o.Armed != nil {
		o.Armed(t.base)
	}
	_ = t.journal.AppendNote(result.NoteStarted, t.base.UTC().Format(time.RFC3339Nano)) // its first error is final, and told at the end
	l, err := t.newLoader(ctx, &o)
	if err != nil {
		return nil, err
	}
	done := t.drive(load.Stops{Starting: graceful, Now: ctx}, l)
	t.gather(ctx, done)
	t.putBack(done, o.Notice)
	done.redact(o.Redact)
	closeJournal(t.journal, &o, done)
	ended = true
	return done, nil
}

// redact takes secrets out of what others said.
func (d *Done) redact(redact func(string) string) {
	d.Warnings = d.Warnings.Map(redact)
	for i := range d.Facts.Incidents {
		d.Facts.Incidents[i].What = d.Facts.Incidents[i].What.Map(redact)
	}
	if r := d.Facts.Repeats; r != nil {
		for i := range r.Answers {
			r.Answers[i].Text = redact(r.Answers[i].Text)
		}
	}
	d.Facts.Samples = measure.Redacted(d.Facts.Samples, redact, sampleMask(redact))
	d.Facts.Interrupted = d.Facts.Interrupted.Map(redact)
}

// prepare does everything that can go wrong before there is a result: the
// address, the servers, and one real turn.
func prepare(ctx, graceful context.Context, o *Options) (_ *attempt, err error) {
	t, s := newAttempt(o), o.Scenario
	t.clocks = readClocks
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
	if t.servers, err = startServers(ctx, s, o); err != nil {
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
	if err := firstTurn(ctx, graceful, o, &t.servers.Target); err != nil {
		return nil, err
	}
	if t.observed, err = t.newObserved(ctx, o.Notice); err != nil {
		return nil, err
	}
	if what, many := t.manySources(); many && !t.member {
		o.Notice(what)
	}
	if !t.member {
		t.host = host.New(t.local && s.Target.Bundled == nil, portOf(t.servers.Target.URL))
	}
	if s.Target.Bundled == nil {
		t.identity = identifyTarget(ctx, &t.servers.Target)
	}
	return t, nil
}

// portOf is the port that a URL leads to; 0 where it says none that is known.
func portOf(target string) int {
	u, err := url.Parse(target)
	if err != nil {
		return 0
	}
	if n, err := strconv.Atoi(u.Port()); err == nil {
		return n
	}
	return map[string]int{"http": 80, "ws": 80, "https": 443, "wss": 443}[u.Scheme]
}

// Plan is what the recorder of a scenario's runs must know.
func Plan(s *scenario.Scenario) *measure.Plan {
	schedule := load.NewSchedule(&s.Load, s.Seed)
	stages := schedule.Stages()
	return &measure.Plan{
		Stages:   stages,
		Slots:    load.Slots(s),
		Budgets:  sla.Budgets(s.Objectives(), stages, s.SLA),
		Groups:   s.SLA.Groups,
		Patience: sla.Patience(s.Objectives()),
		Drain:    s.Load.Drain.D(),
	}
}

// How long before t = 0 the mock is told of it, a shard process may take to be
// ready, and a connection that is opened beforehand may take.
const (
	leadTime      = 300 * time.Millisecond
	perChild      = 250 * time.Millisecond
	perConnection = 2 * time.Millisecond
)

// startTime is t = 0: as soon as everybody can be ready, with pool connections
// opened before, or when it was asked for.
func startTime(o *Options, pool int) time.Time {
	base := time.Now().Add(leadTime + time.Duration(o.Processes)*perChild + time.Duration(pool)*perConnection)
	if o.StartAt.After(base) {
		base = time.Now().Add(time.Until(o.StartAt)) // keeps the monotonic clock
	}
	return base
}

// arm tells the mock its faults and when t = 0 is.
func (t *attempt) arm(ctx context.Context) error {
	s := t.scenario
	if m := t.servers.Mock; m != nil {
		t.armedFor = time.Until(t.base) + s.TotalDuration() + s.Load.Drain.D() + time.Minute
		if err := m.Prepare(ctx, s, t.base, t.armedFor, load.TracePrefix(s.Seed)); err != nil {
			return unusable(err)
		}
	}
	t.servers.LoadStarts(ctx)
	return nil
}
