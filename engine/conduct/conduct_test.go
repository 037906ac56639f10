package conduct

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/engine"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
)

// fake is an engine of a test: each shard is a function.
type fake struct {
	shards  int
	shard   func(f *fake, i int)
	pending reason.Reasons

	out     Out
	at      chan struct{} // closed once told
	told    time.Time
	drained chan struct{}
	cleaned bool
	running sync.WaitGroup
	ctx     context.Context
	stop    context.CancelFunc
}

func newFake(shards int, shard func(f *fake, i int)) *fake {
	f := &fake{shards: shards, shard: shard, at: make(chan struct{}), drained: make(chan struct{})}
	f.ctx, f.stop = context.WithCancel(context.Background())
	return f
}

func (f *fake) Start(_ context.Context, out Out) error {
	f.out = out
	for i := range f.shards {
		f.running.Go(func() { f.shard(f, i) })
	}
	return nil
}

func (f *fake) Look(context.Context) (reason.Reasons, error) { return f.pending, nil }

func (f *fake) Tell(_ context.Context, at time.Time) error {
	f.told = at
	close(f.at)
	return nil
}

func (f *fake) Drain() { close(f.drained) }

func (f *fake) Clean(context.Context) error {
	f.cleaned = true
	f.stop()
	f.running.Wait()
	return nil
}

func (f *fake) says(i int, s engine.Status) {
	s.Shard = result.Shard{I: i, N: f.shards}
	f.out.Line(-1, []byte("2026-11-11T00:00:00Z "+s.Line()))
}

// drives is a shard that sends a turn in each of so many seconds, and ends.
func drives(seconds int) func(f *fake, i int) {
	return func(f *fake, i int) {
		f.says(i, engine.Status{Ready: true})
		select {
		case <-f.at:
		case <-f.ctx.Done():
			return
		}
		time.Sleep(time.Until(f.told))
		log := measure.NewPieces(lines{f.out, i}, result.Shard{I: i, N: f.shards}.String())
		j, _ := measure.NewJournal(log, measure.Header{}, trial.Plan(sale))
		r := measure.NewRecorder(trial.Plan(sale), 1)
		for s := range seconds {
			at := time.Duration(s) * time.Second
			r.Lane(0).Record(&measure.Turn{Intended: at, Sent: at, Done: at + 10*time.Millisecond, Tier: measure.TierLLM})
			select {
			case <-time.After(time.Second):
			case <-f.ctx.Done():
				return
			}
			cut, _ := r.Cut(time.Duration(s+1) * time.Second)
			_ = j.AppendInterval(cut)
		}
		_ = j.Close()
		f.says(i, engine.Status{Ended: true})
	}
}

// lines passes what is written on, line by line.
type lines struct {
	out   Out
	shard int
}

func (l lines) Write(b []byte) (int, error) {
	for line := range strings.SplitSeq(strings.TrimSuffix(string(b), "\n"), "\n") {
		l.out.Line(l.shard, []byte(line))
	}
	return len(b), nil
}

var sale = parse(`version: 1
name: sale
target: {url: http://127.0.0.1:9, api: custom, request: {path: /, body: {text: "${turn.text}"}}, response: {answer: reply}}
load: {arrivals: constant, drain: 5s, stages: [{name: steady, for: 4s, starts: 10/s}]}
conversations: [{name: talk, turns: [{say: hi}]}]
checks: {memory: off}
sla: {latency: {p90: 5s}}
`)

func parse(text string) *scenario.Scenario {
	s, err := scenario.Parse("sale.yaml", []byte(text), scenario.Options{})
	if err != nil {
		panic(err)
	}
	return s
}

// conducted is what a run of a fake came to.
type conducted struct {
	*Done
	err     error
	took    time.Duration
	notices []string
	shown   []int64 // turns, by frame
}

func conductFake(t *testing.T, f *fake, change func(*Options)) (c conducted, dir string) {
	t.Helper()
	dir = t.TempDir()
	begun := time.Now()
	o := Options{
		Scenario: sale, Shards: f.shards, Cluster: f, LogDir: dir, StartTimeout: time.Minute,
		Notice:  func(r reason.Reason) { c.notices = append(c.notices, r.String()) },
		Observe: func(l *trial.Live) { c.shown = append(c.shown, l.SoFar.Turns()) },
	}
	graceful, cancel := context.WithCancel(t.Context())
	defer cancel()
	if change != nil {
		change(&o)
	}
	c.Done, c.err = Run(t.Context(), graceful, o)
	c.took = time.Since(begun)
	if !f.cleaned {
		t.Error("nobody cleaned up")
	}
	if c.Done != nil {
		t.Cleanup(func() { _ = c.Logs.Close() })
	}
	return c, dir
}

func TestAllShardsDriveAndAreGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, dir := conductFake(t, newFake(3, drives(4)), nil)
		if c.err != nil {
			t.Fatal(c.err)
		}
		if n := len(c.Logs.Streams()); n != 3 || len(c.Warnings) != 0 {
			t.Errorf("%d journals, warnings %v", n, c.Warnings)
		}
		for _, s := range c.Logs.Streams() {
			if j, err := s.Journal(); err != nil || !j.Closed || j.Snapshot.Turns() != 4 {
				t.Errorf("shard %s: %+v, %v", s.Shard, j, err)
			}
		}
		if c.took < 9*time.Second || c.took > 11*time.Second { // 5 s of lead, 4 s of load
			t.Errorf("it took %v", c.took)
		}
		if last := c.shown[len(c.shown)-1]; last != 12 || !slices.IsSorted(c.shown) || len(c.shown) < 3 {
			t.Errorf("turns shown: %v", c.shown)
		}
		for i := range 3 {
			if text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("shard-%d.log", i))); err != nil || !strings.Contains(string(text), "ended 0\n") {
				t.Errorf("log of shard %d: %q, %v", i, text, err)
			}
		}
	})
}

func TestShardThatEndsBeforeTheLoadEndsAll(t *testing.T) {
	for name, end := range map[string]func(f *fake){
		"by itself":     func(f *fake) { f.says(1, engine.Status{Ended: true, Code: 64}) },
		"by the engine": func(f *fake) { f.out.Gone(1, "Killed") },
		"all of them":   func(f *fake) { f.out.AllGone("job cancelled") },
	} {
		synctest.Test(t, func(t *testing.T) {
			c, _ := conductFake(t, newFake(2, func(f *fake, i int) {
				if i == 0 {
					drives(4)(f, i)
					return
				}
				f.out.Line(1, []byte("cstest: no such file"))
				end(f)
			}), nil)
			var lost *LostError
			if !errors.As(c.err, &lost) || lost.Code != map[string]int{"by itself": 64}[name] {
				t.Errorf("%s: %v", name, c.err)
			}
			if name == "by the engine" && c.err.Error() != "shard 1/2 ended before the load began, and nothing was sent: Killed; its last words: cstest: no such file" {
				t.Errorf("%s: %v", name, c.err)
			}
		})
	}
}

func TestShardsThatAreNotReadyInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(2, func(f *fake, i int) {
			if i == 0 {
				drives(4)(f, i)
			}
		})
		f.pending = reason.Reasons{reason.Said("0/4 nodes are available")}
		c, _ := conductFake(t, f, nil)
		if !errors.Is(c.err, ErrNotReady) || !strings.HasSuffix(c.err.Error(), "1 of 2 shards were ready after 1 min (--start-timeout), and nothing was sent: 0/4 nodes are available") {
			t.Errorf("%v", c.err)
		}
		if len(c.notices) != 6 || c.notices[0] != "1 of 2 shards are ready: 0/4 nodes are available" { // every 10 s
			t.Errorf("%q", c.notices)
		}
	})
}

func TestShardThatNeverEndsIsNotWaitedForForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := conductFake(t, newFake(2, func(f *fake, i int) {
			if i == 0 {
				drives(4)(f, i)
				return
			}
			f.says(i, engine.Status{Ready: true})
			<-f.ctx.Done()
		}), nil)
		// Lead, plan, drain and a minute.
		if want := 74 * time.Second; c.err != nil || c.took < want-time.Second || c.took > want+time.Second || len(c.Logs.Streams()) != 1 {
			t.Errorf("%v after %v", c.err, c.took)
		}
		if len(c.Warnings) != 1 || c.Warnings[0].Code != reason.ShardsNotWaitedFor {
			t.Errorf("warnings %v", c.Warnings)
		}
	})
}

func TestInterruptDrainsAllShards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(2, func(f *fake, i int) {
			f.says(i, engine.Status{Ready: true})
			<-f.drained
			f.says(i, engine.Status{Ended: true, Code: 143})
		})
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(7*time.Second, stop)
		done, err := Run(t.Context(), ctx, Options{Scenario: sale, Shards: 2, Cluster: f, LogDir: t.TempDir(), StartTimeout: time.Minute, Notice: func(reason.Reason) {}})
		if err != nil {
			t.Fatal(err)
		}
		if err := done.Logs.Close(); err != nil || !f.cleaned {
			t.Errorf("%v, cleaned %v", err, f.cleaned)
		}
		if after := time.Since(f.told); after < 1900*time.Millisecond || after > 2100*time.Millisecond {
			t.Errorf("it ended %v after t = 0", after)
		}
	})
}

// llm is a mock LLM of a test.
type llm struct {
	base          time.Time
	ttl           time.Duration
	armed, free   int
	refuse, quiet error
}

func (l *llm) Arm(_ context.Context, base time.Time, ttl time.Duration) error {
	l.armed++
	l.base, l.ttl = base, ttl
	return l.refuse
}

func (l *llm) Facts(_ context.Context, f *measure.Facts) error {
	f.Storms = []measure.Storm{{Name: "storm"}}
	return l.quiet
}

func (l *llm) Release() { l.free++ }

func TestMockIsArmedOnceAndGivenBack(t *testing.T) {
	for _, c := range []struct {
		l    llm
		told bool
	}{{llm{}, true}, {llm{refuse: errors.New("owned by another")}, false}, {llm{quiet: errors.New("gone")}, true}} {
		synctest.Test(t, func(t *testing.T) {
			f := newFake(2, drives(4))
			got, _ := conductFake(t, f, func(o *Options) { o.Mock = &c.l })
			if c.l.armed != 1 || c.l.free != 1 || c.told == f.told.IsZero() || (got.err == nil) != c.told {
				t.Errorf("armed %d, given back %d, told %v: %v", c.l.armed, c.l.free, f.told, got.err)
			}
			if c.told && (!c.l.base.Equal(f.told) || c.l.ttl != 74*time.Second) {
				t.Errorf("armed for %v and %v, told %v", c.l.base, c.l.ttl, f.told)
			}
			if c.told && (got.Facts != nil) != (c.l.quiet == nil) {
				t.Errorf("facts %v, %v", got.Facts, got.Warnings)
			}
		})
	}
}
