package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// RunShard is a shard process: it reads its Job from in, says what happens on
// out, and ends with the load, when it is told to, or when in ends, for its
// parent is gone then.
func RunShard(ctx context.Context, in io.Reader, out io.Writer) error {
	f := &framer{w: out}
	err := runShard(ctx, in, f)
	if err != nil {
		_ = f.send(frameError, []byte(err.Error())) // nobody may be there to hear it
	}
	return err
}

func runShard(ctx context.Context, in io.Reader, f *framer) error {
	kind, payload, err := readFrame(in)
	if err != nil || kind != frameJob {
		return fmt.Errorf("no job: %w", err)
	}
	var job Job
	if err := json.Unmarshal(payload, &job); err != nil {
		return err
	}
	sc, err := scenario.Parse("scenario.yaml", []byte(job.Scenario), scenario.Options{Dir: job.Dir, AnyPath: true})
	if err != nil {
		return err
	}
	hard, now := context.WithCancel(ctx)
	defer now()
	graceful, stop := context.WithCancel(hard)
	defer stop()
	go func() {
		for {
			switch kind, _, err := readFrame(in); {
			case err != nil || kind == frameNow:
				now()
				return
			case kind == frameStop:
				stop()
			}
		}
	}()
	t := &attempt{
		Options: Options{Scenario: sc, Shard: job.Shard, Shards: job.Shards},
		plan:    Plan(sc), servers: &servers{target: job.Target}, local: job.Local,
	}
	t.fill()
	start := time.Unix(0, job.StartsAt)
	t.base = time.Now().Add(time.Until(start)) // keeps the monotonic clock
	t.Observe = func(l *Live) {
		b, _ := l.Last.AppendBinary(nil) // it never errs
		_ = errors.Join(f.send(frameInterval, b), f.sendJSON(frameCounters, l.Counters()))
	}
	if err := t.openDriver(); err != nil {
		return err
	}
	recorder := measure.NewRecorder(t.plan, runtime.GOMAXPROCS(0))
	t.source = recorder
	if err := f.send(frameReady, nil); err != nil {
		return err
	}
	done := &Done{Facts: &measure.Facts{}}
	t.drive(hard, graceful, recorder, done)
	return f.sendJSON(frameFacts, done.Facts)
}

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
	err      error // how it ended, once read is done
}

// startCrew starts a process for each shard and gives each its job.
func startCrew(ctx context.Context, t *attempt, resolved string) (*crew, error) {
	c := &crew{pending: newPending(t.plan)}
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
		m.err = c.follow(m, out)
		m.ready <- errors.Join(errors.New("it ended"), m.err)
		_ = cmd.Wait() // how it ended is in m.err
	})
	job := Job{
		Scenario: resolved, Dir: t.Dir, Target: t.servers.target, Local: t.local,
		Shard: i, Shards: t.Processes, StartsAt: t.base.UnixNano(),
	}
	return m, m.f.sendJSON(frameJob, job)
}

// follow takes what a member says until it has said all.
func (c *crew) follow(m *member, out io.Reader) error {
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
			c.pending.add(s)
		case frameCounters:
			var n Counters
			if json.Unmarshal(payload, &n) == nil {
				m.counters.Store(&n)
			}
		case frameFacts:
			facts := &measure.Facts{}
			if err := json.Unmarshal(payload, facts); err != nil {
				return err
			}
			c.pending.addFacts(facts)
			return nil
		case frameError:
			return errors.New(string(payload))
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

// openDriver makes the driver of this process's part of the load.
func (t *attempt) openDriver() (err error) {
	connections := expectedConnections(t.Scenario, t.Shards)
	t.driver, err = driver.New(&t.servers.target, driver.Options{
		Base: t.base, Secrets: t.Scenario.Secret, Dir: t.Scenario.Dir(), Sources: t.sources(connections),
	})
	if err != nil {
		return fmt.Errorf("driver: %w", err)
	}
	if t.servers.target.Connections == "shared" || t.servers.target.Agents != nil {
		err = t.driver.Prepare(int(t.servers.target.Pool) / max(t.Shards, 1))
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
		Scenario: t.Scenario, Seed: t.Scenario.Seed, Driver: t.driver, Lanes: lanes, Base: t.base,
		Shard: t.Shard, Shards: t.Shards, Secrets: t.Scenario.Secret, Live: &t.live,
		Second: w.second, Abort: w.abort,
	})
}
