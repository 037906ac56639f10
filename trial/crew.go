package trial

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
	"syscall"
	"time"

	"github.com/cstest/cstest/measure"
)

// crew are the shard processes of a load.
type crew struct {
	members []*member
	pending *pending
	read    sync.WaitGroup
	aborted atomic.Bool
}

type member struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	f        *framer
	counters atomic.Pointer[Counters]
	ready    chan error
	err      error   // why it ended without telling how, once read is done
	ending   *ending // what it told at the end, nil where it did not
}

// startCrew starts a process for each shard and gives each its job.
func startCrew(ctx context.Context, t *attempt, resolved string) (*crew, error) {
	c := &crew{pending: newPending(t.plan, t.Processes)}
	for i := range t.Processes {
		m, err := c.start(t, i, resolved)
		if err != nil {
			c.end()
			return nil, err
		}
		c.members = append(c.members, m)
	}
	for i, m := range c.members {
		select {
		case err := <-m.ready:
			if err != nil {
				c.end()
				return nil, fmt.Errorf("shard process %d of %d: %w", i, t.Processes, err)
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
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the parent passes Ctrl-C on
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start shard process: %w", err)
	}
	m := &member{cmd: cmd, in: in, f: &framer{w: in}, ready: make(chan error, 1)}
	m.counters.Store(&Counters{})
	c.read.Go(func() {
		m.err = c.follow(i, m, out)
		c.pending.gone(i)
		m.ready <- errors.Join(errors.New("it ended"), m.err)
		_ = cmd.Wait() // how it ended is in m.err
	})
	job := Job{
		Scenario: resolved, Dir: t.Dir, Target: t.servers.target, Local: t.local,
		Shard: i, Shards: t.Processes, StartsAt: t.base.UnixNano(),
	}
	return m, m.f.sendJSON(frameJob, job)
}

// follow takes what member i says until it has said all.
func (c *crew) follow(i int, m *member, out io.Reader) error {
	for {
		kind, payload, err := readFrame(out)
		if err != nil {
			return fmt.Errorf("a shard process ended before its load did: %w", err)
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
func (c *crew) told(done *Done) {
	for i, m := range c.members {
		if m.ending == nil {
			continue
		}
		done.Facts = measure.MergeFacts(done.Facts, m.ending.Facts)
		for _, w := range m.ending.Warnings {
			done.Warnings = append(done.Warnings, fmt.Sprintf("shard %d/%d: %s", i, len(c.members), w))
		}
		if done.Crash == nil {
			done.Crash = m.ending.Crash
		}
	}
}

// run waits for the load to end and passes the stops on.
func (c *crew) run(ctx, graceful context.Context) error {
	tell := func(kind byte) func() {
		return func() {
			for _, m := range c.members {
				_ = m.f.send(kind, nil) // one that is gone needs no telling
			}
		}
	}
	defer context.AfterFunc(graceful, tell(frameStop))()
	defer context.AfterFunc(ctx, func() {
		tell(frameNow)()
		time.AfterFunc(memberWithin, c.kill)
	})()
	c.read.Wait()
	var errs []error
	for _, m := range c.members {
		errs = append(errs, m.err)
	}
	c.end()
	return errors.Join(errs...)
}

// memberWithin is how long a shard process may take to end at once.
const memberWithin = time.Second

// kill ends those who do not.
func (c *crew) kill() {
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
func (c *crew) abort(reason string) {
	if reason == "" || c.aborted.Swap(true) {
		return
	}
	for _, m := range c.members {
		_ = m.f.send(frameNow, nil)
	}
}

func (c *crew) counters() Counters {
	var sum Counters
	for _, m := range c.members {
		sum = sum.plus(*m.counters.Load())
	}
	return sum
}
