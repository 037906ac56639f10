// Package load decides who talks when, and has them talk: a schedule of starts
// or users, conversations of several turns, each turn through a driver, judged
// and recorded. Everything about conversation k derives from hash(seed, k).
package load

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Lane is where turns are recorded. All methods must be safe for concurrent
// use and must not keep what they are given.
type Lane interface {
	// Started counts a conversation by when it was intended to start.
	Started(intended time.Duration)
	// Dropped counts a start that never became a conversation of so many turns.
	Dropped(intended time.Duration, turns int, outcome measure.Outcome)
	Record(turn *measure.Turn)
	Failed(failure *measure.Failure)
	Ended(end measure.ConversationEnd, dialog *measure.Dialog)
}

// Options are what a load is made of.
type Options struct {
	Scenario *scenario.Scenario
	Seed     uint64
	RunID    string // ${run.id}; ${conversation.id} derives from it
	Driver   driver.Driver
	Lanes    []Lane    // at least one; about as many as cores
	Base     time.Time // t = 0, the same as the driver's; may lie ahead
	Shard    int       // of Shards
	Shards   int       // 0 and 1: all of the load
	Live     *Live     // counters to be watched; may be nil
	// Second is called once a second with the generator's health; may be nil.
	Second func(measure.GeneratorSecond)
	// Abort is asked once a second; what it answers ends the load at once. May be nil.
	Abort func() reason.Reasons
	// plain: no timer but the runtime's, for tests in fake time.
	plain bool
}

// Stops end a load before its plan. When Starting is done no conversation
// starts any more, and those begun may end within the drain. When Now is done
// turns in flight are interrupted.
type Stops struct{ Starting, Now context.Context }

// Summary is what a load says of itself; the turns are with the lanes.
type Summary struct {
	Planned   int64 // starts intended until the load ended
	Started   int64
	Elapsed   time.Duration // from t = 0 to the end of the last turn
	Generator measure.Generator
	Incidents []measure.Incident
	Repeats   *measure.Repeats // nil where they are not looked for
	Samples   []measure.Sample // of what the target said in failures, as it said it
	Ends      *measure.Ends    // nil where there is no mock LLM to be asked about them
	// Interrupted is why the load ended before its plan; empty when it did not.
	Interrupted reason.Reasons
	// Crash is the panic that ended the load; nil without one. The turn it was in is not recorded.
	Crash *Crash
}

// mostIdle is how many goroutines are kept for turns to come.
const mostIdle = 512

// run is a load under way.
type run struct {
	o        Options
	script   *Script
	schedule Schedule
	live     *Live
	alarm    *alarm
	guard    *bucket
	contract *contract
	sessions *sessions
	repeats  *repeats
	endings  *endings
	samples  measure.Samples
	most     int64 // turns awaiting the target
	shared   bool  // connections are: waiting for one is not our lag
	keep     bool  // a closed model's user keeps its channel from one conversation to the next
	users    int64
	counted  bool         // a closed model's users begin so many conversations, no more
	due      atomic.Int64 // of these still to begin

	stopping atomic.Bool                    // no starts any more
	ended    atomic.Bool                    // no turns any more
	aborted  atomic.Pointer[reason.Reasons] // why
	crash    atomic.Pointer[Crash]          // the panic that did it, if one did
	ending   reason.Reasons                 // why the load ended before its plan
	last     atomic.Int64

	mu      sync.Mutex
	queue   queue
	armed   time.Duration // when the scheduler wakes
	idle    []*worker
	workers int
	waiting []*conversation // for a slot among those in flight, first come first served
	waiters atomic.Int64
	free    []*conversation

	alive atomic.Int64 // conversations under way, or users not done
	done  sync.WaitGroup
}

// Run drives the load until its plan, its drain or one of stops ends it, and
// returns when every goroutine of its own has ended. Errors are those of the
// options; what the target does is in the lanes.
//
// One goroutine, Run's own, walks the schedule. A turn under way has a
// goroutine, drawn from those that have nothing to do; a conversation whose
// user thinks has none: stacks shrink only when garbage is collected, and a
// load that allocates nothing collects none.
func Run(stops Stops, o Options) (*Summary, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	health := r.watch()
	if r.schedule.Open() {
		r.walk(stops, r.schedule.cursor())
	} else {
		r.enterUsers()
		r.walk(stops, &cursor{s: r.schedule})
	}
	r.done.Wait()
	s := &Summary{
		Planned: r.live.Planned(), Started: r.live.Started(),
		Elapsed: time.Duration(r.last.Load()),
	}
	s.Generator = health.end()
	s.Repeats, s.Ends, s.Samples = r.repeats.told(), r.endings.told(), r.samples.Told()
	s.Generator.Traffic = sentTo(r.o.Driver)
	s.Incidents = r.sessions.incidents(r.script.namesDialog)
	r.alarm.close()
	s.Interrupted, s.Crash = r.ending, r.crash.Load()
	s.Generator.Asked = r.schedule.Asked()
	if len(r.ending) == 0 {
		s.Generator.Planned = r.schedule.Len() // walked anew: what was issued is held against it
	}
	return s, nil
}

func sentTo(d driver.Driver) measure.Traffic {
	n := d.Traffic()
	t := measure.Traffic{Resent: n.Resent, FullHandshakes: n.FullHandshakes, ResumedHandshakes: n.ResumedHandshakes}
	t.Sockets = measure.Sockets{
		Opened: n.SocketsOpened, Reopened: n.SocketsReopened, LateAnswers: n.LateAnswers, RepeatedAnswers: n.RepeatedAnswers, Unsolicited: n.Unsolicited,
		Redialled: n.SocketsRedialled, RedialsFailed: n.RedialsFailed, RedialTotal: n.RedialTotal, RedialLongest: n.RedialLongest,
	}
	for _, a := range n.Addresses {
		t.Addresses = append(t.Addresses, measure.AddressTurns(a))
	}
	return t
}

func newRun(o Options) (*run, error) {
	switch {
	case o.Scenario == nil || o.Driver == nil:
		return nil, errors.New("load: a scenario and a driver are needed")
	case len(o.Lanes) == 0:
		return nil, errors.New("load: at least one lane is needed")
	case o.Shards > 1 && (o.Shard < 0 || o.Shard >= o.Shards):
		return nil, errors.New("load: the shard must be between 0 and the number of shards less one")
	}
	script, err := NewScript(o.Scenario, o.Seed, o.RunID)
	if err != nil {
		return nil, err
	}
	o.Shards = max(o.Shards, 1)
	if o.Live == nil {
		o.Live = new(Live)
	}
	part := 1 / float64(o.Shards)
	schedule := NewSchedule(&o.Scenario.Load, o.Seed).Shard(o.Shard, o.Shards)
	r := &run{
		o: o, script: script, schedule: schedule, live: o.Live,
		alarm:    newAlarm(o.Base, o.plain),
		guard:    newBucket(float64(o.Scenario.Guard.MaxTurns) * part),
		contract: newContract(float64(o.Scenario.SLA.RateLimited.Contract)*part, o.Shards),
		sessions: newSessions(),
		repeats:  newRepeats(o.Scenario),
		endings:  newEndings(o.Scenario),
		most:     Part(int64(o.Scenario.Load.MaxInFlight), o.Shard, o.Shards),
		shared:   o.Scenario.Target.Connections == scenario.Shared || o.Scenario.Target.HTTP != "" && o.Scenario.Target.HTTP != scenario.HTTP1,
		keep:     o.Scenario.Target.Connections != scenario.PerConversation,
		users:    int64(schedule.Users()),
	}
	if n, counted := schedule.Due(); counted {
		r.counted = true
		r.due.Store(n)
	}
	if r.most <= 0 {
		r.most = 1 << 40
	}
	return r, nil
}

// walk is the scheduler: it lets every start and every later turn go ahead when
// it is intended, until the load is over.
func (r *run) walk(stops Stops, starts *cursor) {
	k, at, more := starts.next()
	drain := time.Duration(r.o.Scenario.Load.Drain)
	limit := r.schedule.Total() + drain
	for _, ctx := range []context.Context{stops.Starting, stops.Now} {
		defer context.AfterFunc(ctx, r.alarm.wake)()
	}
	for {
		now := r.now()
		for more && at <= now {
			r.resume(at)
			r.start(k, at, now)
			k, at, more = starts.next()
		}
		r.resume(now)
		switch {
		case stops.Now.Err() != nil:
			r.ending = reason.Reasons{reason.New(reason.ToEndNow)}
			limit = 0
		case r.aborted.Load() != nil:
			r.ending = *r.aborted.Load()
			limit = 0
		case stops.Starting.Err() != nil && !r.stopping.Load():
			r.ending = reason.Reasons{reason.New(reason.ToStartNoMore)}
			more = false
			r.stopping.Store(true)
			limit = min(limit, now+drain)
			r.sendHome()
		}
		if !more && r.alive.Load() == 0 || now >= limit {
			break
		}
		wake := limit
		if more {
			wake = min(wake, at)
		}
		r.alarm.wait(r.arm(wake))
	}
	r.cutOff()
}

// arm tells when the scheduler has to wake: at wake, or earlier when a queued
// turn is due. From then on whoever queues an earlier one kicks.
func (r *run) arm(wake time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if due, ok := r.queue.first(); ok {
		wake = min(wake, due)
	}
	r.armed = wake
	return wake
}

// start issues conversation k, or drops it.
func (r *run) start(k int64, at, now time.Duration) {
	r.live.planned.Add(1)
	if _, ok := r.guard.take(now); !ok {
		r.drop(k, at, measure.DroppedGenerator, capped)
		return
	}
	if !r.acquire() {
		r.drop(k, at, measure.DroppedTarget, full)
		return
	}
	r.alive.Add(1)
	r.live.conversations.Add(1)
	r.live.started.Add(1)
	r.live.enter(at)
	r.mu.Lock()
	c := r.fresh()
	c.k, c.intended, c.state = k, at, issued
	c.admitted, c.number = now, r.contract.send(now)
	r.hand(c)
	r.mu.Unlock()
}

// Why a start was dropped before anything was sent.
const (
	capped = "start beyond guard.max_turns"
	full   = "load.max_in_flight turns wait for the target"
)

// drop counts conversation k as never begun.
func (r *run) drop(k int64, at time.Duration, outcome measure.Outcome, why string) {
	lane := r.o.Lanes[0]
	lane.Dropped(at, len(r.script.choose(k).turns), outcome)
	lane.Failed(&measure.Failure{Outcome: outcome, Message: why, At: at})
}

// resume lets every queued turn go ahead that is due by now.
func (r *run) resume(now time.Duration) {
	for {
		r.mu.Lock()
		due, ok := r.queue.first()
		if !ok || due > now {
			r.mu.Unlock()
			return
		}
		_, c := r.queue.pop()
		r.mu.Unlock()
		if r.admit(c, now) {
			r.mu.Lock()
			r.hand(c)
			r.mu.Unlock()
		}
	}
}

func (r *run) now() time.Duration { return time.Since(r.o.Base) }
