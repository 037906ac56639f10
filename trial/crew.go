package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/trial/servers"
	"github.com/cstest/cstest/usage"
)

// crew are the shard processes of a load.
type crew struct {
	members []*member
	pending *pending
	read    sync.WaitGroup
	ended   chan *member // each, as it does
	aborted atomic.Bool
	killing atomic.Bool // they were told to end at once, and did not
}

// shardOf is a shard as --shard has it.
func shardOf(i, n int) string { return fmt.Sprintf("%d/%d", i, n) }

func shardName(i, n int) string { return "shard " + shardOf(i, n) }

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
	ending   *ending   // what it told at the end, nil where it did not
}

// startCrew starts a process for each shard and gives each its job.
func startCrew(ctx context.Context, t *attempt, resolved string) (*crew, error) {
	c := &crew{pending: newPending(t.plan, t.Processes), ended: make(chan *member, t.Processes)}
	for i := range t.Processes {
		m, err := c.start(t, i, resolved)
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

func (c *crew) start(t *attempt, i int, resolved string) (*member, error) {
	cmd := exec.Command(t.Executable, "run-shard")
	cmd.Env = os.Environ()
	log, err := t.shardLog(i)
	if err != nil {
		return nil, err
	}
	cmd.Stderr = log
	cmd.SysProcAttr = servers.OwnGroup() // the parent passes Ctrl-C on
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, log.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start shard process: %w", err), log.Close())
	}
	m := &member{name: shardName(i, t.Processes), shard: shardOf(i, t.Processes), cmd: cmd, log: log, in: in, f: &framer{w: in}, ready: make(chan error, 2)}
	m.counters.Store(&Counters{})
	c.read.Go(func() {
		m.err = c.awaitExit(m, c.follow(i, m, out))
		m.ready <- m.err // nobody hears it once it was ready
		c.pending.gone(i)
		m.counters.Store(&Counters{Started: m.counters.Load().Started})
		c.ended <- m
	})
	job := Job{
		Scenario: resolved, Dir: t.Dir, Target: t.servers.Target, Local: t.local, RunID: t.RunID,
		Shard: i, Shards: t.Processes, StartsAt: t.base.UnixNano(),
	}
	return m, m.f.sendJSON(frameJob, job)
}

// shardLog is where shard i's standard error goes, without secrets: never to
// this process's own, which may be drawn on. What a person must know the shard
// says in a frame.
func (t *attempt) shardLog(i int) (io.WriteCloser, error) {
	if t.LogDir == "" {
		return servers.NewLog(io.Discard, t.Redact), nil
	}
	if err := os.MkdirAll(t.LogDir, 0o755); err != nil {
		return nil, fmt.Errorf("log directory of %s: %w", shardName(i, t.Processes), err)
	}
	file, err := os.Create(filepath.Join(t.LogDir, fmt.Sprintf("shard-%d.log", i)))
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", shardName(i, t.Processes), err)
	}
	return servers.NewLog(file, t.Redact), nil
}

// awaitExit waits for a member that says no more to exit; err is why, nil when it
// said all. It gives what is to be said of that.
func (c *crew) awaitExit(m *member, err error) error {
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
func (c *crew) follow(i int, m *member, out io.Reader) error {
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
		case frameEnding:
			e := &ending{Facts: &measure.Facts{}}
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

// told is what the members told at the end, all together: their facts, their
// warnings by shard, and the first crash.
func (c *crew) told(base time.Time, done *Done) {
	for _, m := range c.members {
		if m.late {
			done.Warnings = append(done.Warnings, reason.New(reason.ShardKilled, m.shard))
		}
		if m.ending == nil {
			done.Facts.Processes = append(done.Facts.Processes, m.process(base))
			continue
		}
		done.Facts = measure.MergeFacts(done.Facts, m.ending.Facts)
		for _, w := range m.ending.Warnings {
			done.Warnings = append(done.Warnings, reason.New(reason.ShardSays, m.shard, w))
		}
		if done.Crash == nil {
			done.Crash = m.ending.Crash
		}
	}
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

// run waits for the load to end and passes the stops on. When a member ends
// before its plan, a part of the load is missing: the others start no more
// conversations, and notice is told at once.
func (c *crew) run(ctx, graceful context.Context, notice func(reason.Reason)) error {
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

func (c *crew) tell(kind byte) {
	for _, m := range c.members {
		_ = m.f.send(kind, nil) // one that is gone needs no telling
	}
}

// now has the load end at once.
func (c *crew) now() {
	c.tell(frameNow)
	time.AfterFunc(memberWithin, c.kill)
}

// memberWithin is how long a shard process may take to end at once.
const memberWithin = time.Second

// kill ends those who do not.
func (c *crew) kill() {
	c.killing.Store(true)
	for _, m := range c.members {
		_ = m.cmd.Process.Kill() // mostly gone already
	}
}

// end closes the members' standard input, which ends them, and waits.
func (c *crew) end() {
	for _, m := range c.members {
		_ = m.in.Close()
	}
	c.read.Wait()
}

// abort ends the load at once, when there is a reason.
func (c *crew) abort(why reason.Reasons) {
	if len(why) == 0 || c.aborted.Swap(true) {
		return
	}
	c.now()
}

func (c *crew) counters() Counters {
	var sum Counters
	for _, m := range c.members {
		sum = sum.plus(*m.counters.Load())
	}
	return sum
}
