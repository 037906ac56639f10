package backflow

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

// redisLimit bounds whatever is asked of Redis here.
const redisLimit = 2 * time.Second

// Live are the knobs, which may change while the server runs.
type Live struct {
	Max        int           // questions kept; 0: none are
	Rate       float64       // questions asked again, a second, by all servers; 0: none are kept
	PerHour    int           // and in an hour; 0: without a bound
	AtOnce     int           // by this server
	Hold       time.Duration // for which the model must have been well
	LiveMax    float64       // users' turns a second at this server above which nothing is asked; 0: without a bound
	Life       time.Duration // of a question
	DraftAfter int           // users who asked before a draft is shown
}

// Options are what a flow works with.
type Options struct {
	Redis   redis.UniversalClient
	Live    func() Live
	World   func() World
	Accept  func([]Entry) // told of the accepted entries, whenever they change; nil: nobody is
	Metrics prometheus.Registerer
	Log     *slog.Logger
	Now     func() time.Time
	CatchUp func(context.Context) error // makes sure that Forget has heard of every dialog that was erased; nil: nothing does

	Stuck time.Duration // after which a question is taken over from a server that is silent; 0: 30 s
}

// Result is what came of asking a question again.
type Result struct {
	End   End    // empty: nothing yet, it is tried again later
	Ill   bool   // the model did not answer: nothing is asked for a while
	Fault string // of the model, in a word; empty: it was not asked
	Noted bool   // the answer is in the dialog
	Draft string // the answer, where it is fit for the FAQ; empty: it is not
	Key   string // the same for questions that are the same
}

// Replay asks a question again. Done twice, its effect must be that of once. wanted
// says whether the question is still to be answered: not once it was erased.
type Replay func(ctx context.Context, q Question, wanted func(context.Context) (bool, error)) Result

// Flow is the backflow of all servers that share a Redis. Safe for concurrent use.
type Flow struct {
	redis   redis.UniversalClient
	scripts scripts
	live    func() Live
	world   func() World
	accept  func([]Entry)
	log     *slog.Logger
	now     func() time.Time
	name    string // of this server among the consumers
	stuck   time.Duration
	metrics *metrics
	outbox  outbox
	behind  atomic.Bool // the last attempt to write failed
	catchUp func(context.Context) error
	gate    gate
	paused  atomic.Pointer[string]

	mu        sync.Mutex
	illUntil  time.Time
	illFor    time.Duration
	edit      int64 // of the shelf, as last read
	editKnown bool
}

// New makes a flow; nothing is written or asked before Run.
func New(o Options) *Flow {
	f := &Flow{
		redis: o.Redis, scripts: newScripts(), live: o.Live, world: o.World, accept: o.Accept, log: o.Log, now: o.Now, stuck: o.Stuck, catchUp: o.CatchUp,
		name: "srv-" + dialog.RandomHex(4), outbox: outbox{wake: make(chan struct{}, 1)},
	}
	if f.stuck <= 0 {
		f.stuck = stuckAfter
	}
	if f.now == nil {
		f.now = time.Now
	}
	f.pause(pausedModel)
	f.metrics = newMetrics(o.Metrics, f)
	return f
}

// Run writes what is recorded and asks again what waits, until ctx ends.
func (f *Flow) Run(ctx context.Context, replay Replay) {
	var all sync.WaitGroup
	all.Go(func() { f.writing(ctx) })
	all.Go(func() { f.replaying(ctx, replay) })
	all.Go(func() { f.reading(ctx) })
	all.Wait()
	f.flush()
}

// Erase removes the questions of a dialog, and what came of them for drafts. The
// error wraps dialog.ErrState: some may be left.
func (f *Flow) Erase(ctx context.Context, dialogID string) error {
	f.outbox.forget(func(q Question) bool { return q.DialogID == dialogID })
	return f.eraseStored(ctx, dialogID)
}

// Forget drops what waits here of dialogs that were erased, by any server.
func (f *Flow) Forget(list dialog.Erasures) {
	f.outbox.forget(func(q Question) bool { return list.Cover(q.DialogID, q.Asked()) })
}

// eraseStored is Erase of what Redis has.
func (f *Flow) eraseStored(ctx context.Context, dialogID string) error {
	gone, err := f.scripts.erase.Run(ctx, f.redis, []string{streamKey, countsKey, indexKey(dialogID), draftsKey}, dialogID).Int64()
	if err != nil {
		return stateError(err)
	}
	f.metrics.ends[Erased].Add(float64(gone))
	return nil
}

// State is where the backflow stands: of all servers, but for Outbox, Lost and Paused.
type State struct {
	In      int64
	Ends    map[End]int64
	Waiting int64
	Outbox  int    // on the way to Redis
	Lost    int64  // for which there was no place on the way
	Paused  string // why nothing is asked; empty: it is
}

// Conserved says whether every question that came in is still there or has ended.
func (s State) Conserved() bool {
	sum := s.Waiting
	for _, n := range s.Ends {
		sum += n
	}
	return sum == s.In
}

// State reads it, as of one moment. The error wraps dialog.ErrState.
func (f *Flow) State(ctx context.Context) (State, error) {
	s := State{Ends: map[End]int64{}, Paused: *f.paused.Load()}
	s.Outbox, s.Lost = f.outbox.length()
	p := f.redis.TxPipeline()
	counts, waiting := p.HGetAll(ctx, countsKey), p.XLen(ctx, streamKey)
	if _, err := p.Exec(ctx); err != nil {
		return s, stateError(err)
	}
	s.Waiting = waiting.Val()
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(counts.Val()[name], 10, 64)
		return n
	}
	s.In = number("in")
	for _, e := range Ends {
		s.Ends[e] = number(string(e))
	}
	return s, nil
}

func (f *Flow) pause(reason string) { f.paused.Store(&reason) }

func stateError(err error) error { return fmt.Errorf("%w: %w", dialog.ErrState, err) }
