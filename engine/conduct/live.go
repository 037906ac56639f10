package conduct

import (
	"io"
	"sync"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/trial/crew"
)

// live adds up what the shards tell of each second, to be shown while they run.
// It is for watching alone: what is judged is read back from the journals. Safe
// for concurrent use.
type live struct {
	observe func(*trial.Live) // nil: nobody watches
	frame   trial.Live

	mu      sync.Mutex
	follow  map[string]*follower // by shard and writer
	last    *measure.Snapshot    // since it was shown last
	soFar   *measure.Snapshot
	running sync.WaitGroup
	closed  bool
}

// follower reads one journal as it comes.
type follower struct {
	to   *io.PipeWriter
	next int64 // the byte to come
}

func newLive(s *scenario.Scenario, observe func(*trial.Live)) *live {
	plan := trial.Plan(s)
	l := &live{
		observe: observe, frame: trial.Live{Total: s.TotalDuration(), Plan: plan},
		follow: map[string]*follower{}, last: measure.NewSnapshot(plan), soFar: measure.NewSnapshot(plan),
	}
	if schedule := load.NewSchedule(&s.Load, s.Seed); schedule.Open() {
		l.frame.Planned = schedule.PerSecond()
	}
	l.frame.Counters = l.counters
	return l
}

// take passes a piece on to who reads its journal. A stretch that comes again is
// left out; one that is missing leaves the reader to find the next record.
func (l *live) take(p measure.Piece) {
	if l.observe == nil {
		return
	}
	name := p.Shard + " " + p.Writer
	l.mu.Lock()
	f := l.follow[name]
	if f == nil && !l.closed {
		from, to := io.Pipe()
		f = &follower{to: to}
		l.follow[name] = f
		l.running.Go(func() {
			// What cannot be read is not shown: merging tells of it.
			err := measure.FollowJournal(from, l.interval)
			_ = from.CloseWithError(err)
		})
	}
	l.mu.Unlock()
	end := p.Offset + int64(len(p.Bytes))
	if f == nil || end <= f.next {
		return
	}
	_, _ = f.to.Write(p.Bytes[max(f.next-p.Offset, 0):]) // a reader that gave up is not shown
	f.next = end
}

func (l *live) interval(s *measure.Snapshot) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.Add(s)
}

// show passes what came since it was called last to who watches.
func (l *live) show(since time.Duration, facts *measure.Facts) {
	l.mu.Lock()
	if l.observe == nil || since < 0 || l.last.Elapsed == 0 {
		l.mu.Unlock()
		return // nothing came
	}
	last := l.last
	l.last = measure.NewSnapshot(l.frame.Plan)
	err := l.soFar.Add(last)
	shown := l.frame
	shown.Elapsed, shown.Last, shown.SoFar, shown.Facts = min(since, l.soFar.Elapsed), last, l.soFar, facts
	l.mu.Unlock()
	if err == nil {
		l.observe(&shown)
	}
}

// counters are as far as the journals tell: what is in flight they do not.
func (l *live) counters() crew.Counters {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := l.soFar.Started
	for _, n := range l.soFar.Conversations {
		open -= n
	}
	return crew.Counters{Started: l.soFar.Started, Conversations: max(open, 0)}
}

func (l *live) close() {
	l.mu.Lock()
	l.closed = true
	for _, f := range l.follow {
		_ = f.to.Close()
	}
	l.mu.Unlock()
	l.running.Wait()
}
