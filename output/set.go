package output

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/result"
)

// About is what every output says of the run.
type About struct {
	RunID, Scenario, Version, Target string
	Tags                             map[string]string
	Plan                             *measure.Plan
	Base                             time.Time // t = 0, once it is known
}

// Labels are those of every series.
func (a *About) Labels() []Label { return []Label{{"run_id", a.RunID}, {"scenario", a.Scenario}} }

// labels are those of the run's own series, beside the ones of every series.
func (a *About) labels() []Label {
	list := []Label{{"version", a.Version}, {"target", a.Target}}
	seen := map[string]bool{}
	for _, tag := range slices.Sorted(maps.Keys(a.Tags)) {
		if name := labelName(tag); !seen[name] { // two tags may differ in what a label cannot hold
			seen[name] = true
			list = append(list, Label{name, a.Tags[tag]})
		}
	}
	return list
}

// Sink tells one other of a run. Its methods are called from one goroutine.
type Sink interface {
	// Take tells of a second. It may take its time until ctx is done.
	Take(ctx context.Context, s *Second) error
	// Turns tells of turns, which are not to be kept; none comes to a sink that is
	// opened for seconds only.
	Turns(ctx context.Context, turns []Turn) error
	// End tells of the verdict, and ends the sink. Nil is none.
	End(ctx context.Context, doc *result.Document) error
}

// PartError is the error of turns of which so many were not taken.
type PartError struct {
	Turns int64
	Err   error
}

// Error says why.
func (e *PartError) Error() string { return e.Err.Error() }

// Unwrap gives why.
func (e *PartError) Unwrap() error { return e.Err }

// Feed is a sink and what it wants.
type Feed struct {
	Spec Spec
	Sink Sink
	// Turns is which turns are told one by one.
	Turns measure.Selection
	// Linger is how long End may take.
	Linger time.Duration
}

// How many seconds and turns may wait for a sink, and how many turns are told at once.
const (
	secondsWaiting = 120
	turnsWaiting   = 4096
	turnsAtOnce    = 512
)

// flushWithin is how long what waits may take once the load is over.
const flushWithin = 10 * time.Second

// stuckAfter is how long a sink may take to notice that its time is over.
const stuckAfter = time.Second

// Set are the outputs of a run. Its methods are for one goroutine at a time, but for
// Lane and what that makes, Selections, Tell and Missed.
type Set struct {
	about   *About
	feeds   []*feed
	history history
}

// feed is a Feed at work.
type feed struct {
	Feed
	seconds chan *Second
	turns   chan Turn
	over    chan struct{} // closed when nothing comes any more
	done    chan struct{}
	cancel  context.CancelFunc
	ctx     context.Context

	sent, lost, turnsSent, turnsLost, failed atomic.Int64
	// What the sink is being told, so that what became of it is known of one that does
	// not come back.
	secondsNow, turnsNow atomic.Int64
	stuck                bool // it did not; nothing more is asked of it

	mu  sync.Mutex
	err error // the first
}

// Open starts the outputs of a run that begins at base. Nil without any; a nil Set takes everything.
func Open(about *About, feeds []Feed) *Set {
	if len(feeds) == 0 {
		return nil
	}
	s := &Set{about: about, history: history{plan: about.Plan}}
	for _, f := range feeds {
		g := newFeed(f)
		s.feeds = append(s.feeds, g)
		go g.run()
	}
	return s
}

func newFeed(f Feed) *feed {
	g := &feed{Feed: f, seconds: make(chan *Second, secondsWaiting), over: make(chan struct{}), done: make(chan struct{})}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	if f.Turns != measure.NoTurns {
		g.turns = make(chan Turn, turnsWaiting)
	}
	return g
}

// Begin says when the load begins.
func (s *Set) Begin(base time.Time) {
	if s != nil {
		s.about.Base, s.history.base = base, base // nobody has been told of anything that would have them look
	}
}

// Take tells every output of a second. It never waits.
func (s *Set) Take(l *Live) {
	if s == nil {
		return
	}
	second := s.history.next(l)
	for _, f := range s.feeds {
		select {
		case f.seconds <- second:
		default:
			f.lost.Add(1)
		}
	}
}

// Flush has the outputs tell what still waits, for at most flushWithin, and gives
// what became of all of it. Nothing may be told afterwards but the end. A sink that does
// not come back even then, as a pipe that nobody reads, is left where it is.
func (s *Set) Flush() []result.Output {
	if s == nil {
		return nil
	}
	expired := time.AfterFunc(flushWithin, func() {
		for _, f := range s.feeds {
			f.cancel()
		}
	})
	defer expired.Stop()
	for _, f := range s.feeds {
		close(f.over)
	}
	limit, cancel := context.WithTimeout(context.Background(), flushWithin+stuckAfter)
	defer cancel()
	var list []result.Output
	for _, f := range s.feeds {
		select {
		case <-f.done:
		case <-limit.Done():
			select {
			case <-f.done: // it was another that took so long
			default:
				f.stuck = true
				f.fail(errStuck)
			}
		}
		list = append(list, f.told())
	}
	return list
}

// errStuck is the error of a sink that does not come back.
var errStuck = reason.Errorf("it takes nothing, and does not say why")

// End tells the outputs of the verdict, at once; nil is none. It gives what went wrong
// with it, and ends when hurry is done.
func (s *Set) End(hurry context.Context, doc *result.Document) error {
	if s == nil {
		return nil
	}
	errs := make([]error, len(s.feeds))
	var ending sync.WaitGroup
	for i, f := range s.feeds {
		if f.stuck {
			continue // that was told
		}
		ending.Go(func() {
			ctx, cancel := context.WithTimeout(hurry, max(f.Linger, flushWithin))
			defer cancel()
			errs[i] = f.Spec.Wrong(f.Sink.End(ctx, doc))
		})
	}
	ending.Wait()
	return errors.Join(errs...)
}

// Wrong is err as what went wrong with an output; nil of nil.
func (s Spec) Wrong(err error) error {
	if err == nil {
		return nil
	}
	return reason.Errorf("--out %s: %w", s, err)
}

// told is what became of what the feed was to tell.
func (f *feed) told() result.Output {
	o := result.Output{
		Kind: f.Spec.Kind, To: f.Spec.Shown(), Seconds: f.sent.Load(), SecondsDropped: f.lost.Load() + int64(len(f.seconds)) + f.secondsNow.Load(),
		Turns: f.turnsSent.Load(), TurnsDropped: f.turnsLost.Load() + int64(len(f.turns)) + f.turnsNow.Load(), Failed: f.failed.Load(),
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		o.Error = f.err.Error()
	}
	return o
}

// run tells the sink of what comes until there is nothing more.
func (f *feed) run() {
	defer close(f.done)
	batch := make([]Turn, 0, turnsAtOnce)
	for {
		select {
		case <-f.ctx.Done():
			return
		case s := <-f.seconds:
			f.second(s)
		case t := <-f.turns:
			batch = f.batch(append(batch[:0], t))
		case <-f.over:
			f.rest(batch)
			return
		}
	}
}

// rest tells what still waits.
func (f *feed) rest(batch []Turn) {
	for f.ctx.Err() == nil {
		select {
		case s := <-f.seconds:
			f.second(s)
		case t := <-f.turns:
			batch = f.batch(append(batch[:0], t))
		default:
			return
		}
	}
}

func (f *feed) second(s *Second) {
	f.secondsNow.Store(1)
	err := f.Sink.Take(f.ctx, s)
	f.secondsNow.Store(0)
	if err != nil {
		f.fail(err)
		f.lost.Add(1)
		return
	}
	f.sent.Add(1)
}

// batch tells of turns: the first, and those that wait already.
func (f *feed) batch(turns []Turn) []Turn {
	for more := true; more && len(turns) < turnsAtOnce; {
		select {
		case t := <-f.turns:
			turns = append(turns, t)
		default:
			more = false
		}
	}
	f.turnsNow.Store(int64(len(turns)))
	err := f.Sink.Turns(f.ctx, turns)
	f.turnsNow.Store(0)
	lost := int64(0)
	if err != nil {
		f.fail(err)
		lost = int64(len(turns))
		if part, ok := errors.AsType[*PartError](err); ok {
			lost = min(max(part.Turns, 0), lost)
		}
	}
	f.turnsLost.Add(lost)
	f.turnsSent.Add(int64(len(turns)) - lost)
	return turns
}

func (f *feed) fail(err error) {
	f.failed.Add(1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}
