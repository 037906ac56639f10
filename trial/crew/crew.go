// Package crew spreads a load over shard processes: it starts them, gives each its
// Job, adds up what they tell, passes stops on, and ends them.
package crew

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/usage"
)

// Options are a crew's.
type Options struct {
	Executable string // cstest itself
	LogDir     string // of the processes' standard error; empty: it is dropped
	Redact     func(string) string
	Plan       *measure.Plan
	Shards     int
	Job        Job // but for its shard
	// Turns takes the turns that the Job's selections ask for. It is called from
	// several goroutines, and what it waits for the shards wait for.
	Turns func(measure.Selection, []measure.Turn)
}

// Crew are the shard processes of a load.
type Crew struct {
	members []*member
	pending *pending
	turns   func(measure.Selection, []measure.Turn)
	read    sync.WaitGroup
	ended   chan *member // each, as it does
	aborted atomic.Bool
	killing atomic.Bool // they were told to end at once, and did not
}

// Name is what shard i of n is called among the processes of a run.
func Name(i, n int) string { return "shard " + shardOf(i, n) }

// shardOf is a shard as --shard has it.
func shardOf(i, n int) string { return fmt.Sprintf("%d/%d", i, n) }

type member struct {
	name     string
	shard    string // as --shard has it: "0/2"
	cmd      *exec.Cmd
	log      io.Closer // of its standard error
	in       io.WriteCloser
	f        *framer
	counters atomic.Pointer[Counters]
	ready    chan error
	err      error     // why it ended without telling how, once read is done
	at       time.Time // when it was gone
	late     bool      // it did not end at once and was killed
	ending   *Ending   // what it told at the end, nil where it did not
}

// Start starts a process for each shard and gives each its job.
func Start(ctx context.Context, o Options) (*Crew, error) {
	c := &Crew{pending: newPending(o.Plan, o.Shards), turns: o.Turns, ended: make(chan *member, o.Shards)}
	for i := range o.Shards {
		m, err := c.start(&o, i)
		if err != nil {
			c.end()
			return nil, err
		}
		c.members = append(c.members, m)
	}
	for _, m := range c.members {
		select {
		case err := <-m.ready:
			if err != nil {
				c.end()
				return nil, err
			}
		case <-ctx.Done():
			c.end()
			return nil, ctx.Err()
		}
	}
	return c, nil
}

func (c *Crew) start(o *Options, i int) (*member, error) {
	cmd := exec.Command(o.Executable, "run-shard")
	cmd.Env = os.Environ()
	log, err := o.shardLog(i)
	if err != nil {
		return nil, err
	}
	pipes, err := servers.StartPiped(cmd, "shard process", log, log)
	if err != nil {
		return nil, err
	}
	m := &member{name: Name(i, o.Shards), shard: shardOf(i, o.Shards), cmd: cmd, log: log, in: pipes.In, f: &framer{w: pipes.In}, ready: make(chan error, 2)}
	m.counters.Store(&Counters{})
	c.read.Go(func() {
		m.err = c.awaitExit(m, c.follow(i, m, pipes.Out))
		m.ready <- m.err // nobody hears it once it was ready
		c.pending.gone(i)
		m.counters.Store(&Counters{Started: m.counters.Load().Started})
		c.ended <- m
	})
	job := o.Job
	job.Shard, job.Shards = i, o.Shards
	return m, m.f.sendJSON(frameJob, job)
}

// shardLog is where shard i's standard error goes, without secrets: never to
// this process's own, which may be drawn on. What a person must know the shard
// says in a frame.
func (o *Options) shardLog(i int) (io.WriteCloser, error) {
	if o.LogDir == "" {
		return servers.NewLog(io.Discard, o.Redact), nil
	}
	return servers.OpenLog(o.LogDir, fmt.Sprintf("shard-%d", i), o.Redact)
}

// awaitExit waits for a member that says no more to exit; err is why, nil when it
// said all. It gives what is to be said of that.
func (c *Crew) awaitExit(m *member, err error) error {
	if err != nil {
		_ = m.in.Close() // the request to end, for one that is still there
		defer time.AfterFunc(memberWithin, func() { _ = m.cmd.Process.Kill() }).Stop()
	}
	_ = m.cmd.Wait() // how it ended is in ProcessState
	_ = m.log.Close()
	m.at = time.Now()
	switch {
	case err == nil:
		return nil
	case c.killing.Load():
		m.late = true
		return nil
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, os.ErrClosed):
		return reason.Err(reason.New(reason.ShardEnded, m.shard, m.cmd.ProcessState))
	}
	return fmt.Errorf("%s: %w", m.name, err)
}

// follow takes what member i says until it has said all.
func (c *Crew) follow(i int, m *member, out io.Reader) error {
	for {
		kind, payload, err := readFrame(out)
		if err != nil {
			return err
		}
		switch kind {
		case frameReady:
			m.ready <- nil
		case frameInterval:
			s, err := measure.DecodeSnapshot(payload, c.pending.plan)
			if err != nil {
				return err
			}
			c.pending.add(i, s)
		case frameCounters:
			var n Counters
			if json.Unmarshal(payload, &n) == nil {
				m.counters.Store(&n)
			}
		case frameTurns:
			if err := c.hear(payload); err != nil {
				return err
			}
		case frameEnding:
			e := &Ending{Facts: &measure.Facts{}}
			if err := json.Unmarshal(payload, e); err != nil {
				return err
			}
			m.ending = e
			return nil
		case frameError:
			return errors.New(string(payload))
		}
	}
}

// hear passes on the turns of a frame.
func (c *Crew) hear(payload []byte) error {
	if len(payload) == 0 || c.turns == nil {
		return nil // nobody asked
	}
	turns, err := measure.DecodeTurns(payload[1:])
	if err == nil {
		c.turns(measure.Selection(payload[0]), turns)
	}
	return err
}

// Told is what the members of a crew told at the end, all together.
type Told struct {
	Facts    *measure.Facts
	Warnings reason.Reasons // each says whose it is
	Crash    *load.Crash    // the first
	Untold   map[measure.Selection]int64
}

// Told is what the members told at the end of a load that began at base.
func (c *Crew) Told(base time.Time) Told {
	told := Told{Facts: &measure.Facts{}, Untold: map[measure.Selection]int64{}}
	for _, m := range c.members {
		if m.late {
			told.Warnings = append(told.Warnings, reason.New(reason.ShardKilled, m.shard))
		}
		if m.ending == nil {
			told.Facts.Processes = append(told.Facts.Processes, m.process(base))
			continue
		}
		told.Facts = measure.MergeFacts(told.Facts, m.ending.Facts)
		for _, w := range m.ending.Warnings {
			told.Warnings = append(told.Warnings, reason.New(reason.ShardSays, m.shard, w))
		}
		if told.Crash == nil {
			told.Crash = m.ending.Crash
		}
		for which, n := range m.ending.Untold {
			told.Untold[which] += n
		}
	}
	return told
}

// process is what the system knows of a member that told nothing at its end; the
// load began at base.
func (m *member) process(base time.Time) measure.Process {
	p := measure.Process{Name: "cstest " + m.name}
	if !m.late { // that one was asked to
		p.Ended, p.Exit = max(1, m.at.Sub(base)), m.cmd.ProcessState.String()
	}
	p.CPU, p.MaxRSS = usage.Of(m.cmd.ProcessState)
	return p
}

// Run waits for the load to end and passes the stops on. When a member ends
// before its plan, a part of the load is missing: the others start no more
// conversations, and notice is told at once.
func (c *Crew) Run(ctx, graceful context.Context, notice func(reason.Reason)) error {
	defer context.AfterFunc(graceful, func() { c.tell(frameStop) })()
	defer context.AfterFunc(ctx, c.now)()
	for range c.members {
		m := <-c.ended
		switch {
		case m.err != nil:
			notice(reason.New(reason.Warning, reason.Of(m.err)))
		case m.ending != nil && len(m.ending.Facts.Interrupted) > 0:
			notice(reason.New(reason.Warning, reason.New(reason.ShardSays, m.shard, m.ending.Facts.Interrupted)))
		default:
			continue
		}
		c.tell(frameStop)
	}
	c.end()
	var lost reason.Reasons
	for _, m := range c.members {
		if m.err != nil {
			lost = append(lost, reason.Of(m.err)...)
		}
	}
	return lost.Err()
}

func (c *Crew) tell(kind byte) {
	for _, m := range c.members {
		_ = m.f.send(kind, nil) // one that is gone needs no telling
	}
}

// now has the load end at once.
func (c *Crew) now() {
	c.tell(frameNow)
	time.AfterFunc(memberWithin, c.kill)
}

// memberWithin is how long a shard process may take to end at once.
const memberWithin = time.Second

// kill ends those who do not.
func (c *Crew) kill() {
	c.killing.Store(true)
	for _, m := range c.members {
		_ = m.cmd.Process.Kill() // mostly gone already
	}
}

// end closes the members' standard input, which ends them, and waits.
func (c *Crew) end() {
	for _, m := range c.members {
		_ = m.in.Close()
	}
	c.read.Wait()
}

// Abort ends the load at once, when there is a reason.
func (c *Crew) Abort(why reason.Reasons) {
	if len(why) == 0 || c.aborted.Swap(true) {
		return
	}
	c.now()
}

// Counters are the live ones, by shard. A shard that is gone has nothing in flight.
func (c *Crew) Counters() []Counters {
	list := make([]Counters, len(c.members))
	for i, m := range c.members {
		list[i] = *m.counters.Load()
	}
	return list
}

// Cut gives what the members told since the last cut. It is a Recorder's Cut, but
// that the members know how far the load had come: 0 when none has told.
func (c *Crew) Cut(time.Duration) (*measure.Snapshot, error) { return c.pending.cut() }

// Await returns when every member told up to a time, or within has passed. It is
// for one goroutine.
func (c *Crew) Await(until, within time.Duration) { c.pending.await(until, within) }
