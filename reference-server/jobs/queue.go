package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	streamKey = "jobs:{q}"
	deadKey   = "jobs:{q}:dead"
	group     = "workers"

	workers      = 64
	life         = time.Hour   // of a status
	longest      = time.Minute // a longer queue is refused
	lookAgain    = 250 * time.Millisecond
	noteTimeout  = time.Second // for what is written of a job beside its turn
	firstMean    = 200 * time.Millisecond
	waitersLimit = 100_000
)

// LongestWait is how long Await waits at most.
const LongestWait = 10 * time.Second

// ErrUnknown is for a job that is not kept any more.
var ErrUnknown = errors.New("no such job")

// FullError refuses a job: those before it take longer than a minute.
type FullError struct {
	Over time.Duration // how much longer
}

// Error says so.
func (e *FullError) Error() string { return "the queue is longer than a minute" }

// Answer runs the turn of a job. A code says that it failed, and why. Turns are
// idempotent by turn_id, so a job that is taken over after its commit gets the
// answer that was committed.
type Answer func(ctx context.Context, job Job) (result []byte, code string)

// Queue is the jobs of all servers that share a Redis. Safe for concurrent use.
type Queue struct {
	redis  redis.UniversalClient
	answer Answer
	log    *slog.Logger
	now    func() time.Time
	name   string // of this server among the consumers
	wake   chan struct{}
	order  order

	mu      sync.Mutex
	running map[string]context.CancelFunc
	waiters map[string]chan struct{} // closed when the job ends here

	meanNS atomic.Int64 // moving mean of a job's run time
	done   atomic.Int64 // jobs that ended so through this server
	failed atomic.Int64
	gone   atomic.Int64 // cancelled
}

// New makes a queue; nothing is taken off it before Run.
func New(rdb redis.UniversalClient, answer Answer, log *slog.Logger, now func() time.Time) *Queue {
	q := &Queue{
		redis: rdb, answer: answer, log: log, now: now, name: "srv-" + dialog.RandomHex(4), wake: make(chan struct{}, 1),
		running: map[string]context.CancelFunc{}, waiters: map[string]chan struct{}{},
	}
	q.meanNS.Store(int64(firstMean))
	return q
}

func stateKey(id string) string { return "job:{" + id + "}" }
func endKey(id string) string   { return "job:{" + id + "}:end" }
func triesKey(id string) string { return "job:{" + id + "}:tries" }

// dialogKey is a set of the jobs of a dialog with their messages, for its erasure.
func dialogKey(dialogID string) string { return "jobd:{" + dialogID + "}" }

// Submit queues a job. Errors: *FullError; dialog.ErrErased: so was its dialog, and the
// job is not there; else wrapping dialog.ErrState.
func (q *Queue) Submit(ctx context.Context, job Job) error {
	waiting, err := q.redis.XLen(ctx, streamKey).Result()
	if err != nil {
		return stateError(err)
	}
	if wait := time.Duration(waiting) * time.Duration(q.meanNS.Load()) / workers; wait > longest {
		return &FullError{wait - longest}
	}
	job.QueuedMS = q.now().UnixMilli()
	p := q.redis.Pipeline()
	p.Set(ctx, stateKey(job.ID), string(Queued), life)
	added := p.XAdd(ctx, &redis.XAddArgs{Stream: streamKey, Values: []any{"job", []byte(job.encode())}})
	if _, err := p.Exec(ctx); err != nil {
		return stateError(err)
	}
	p = q.redis.Pipeline()
	p.SAdd(ctx, dialogKey(job.DialogID), job.ID+" "+added.Val())
	p.Expire(ctx, dialogKey(job.DialogID), life)
	look := dialog.LookIn(ctx, p, job.DialogID) // last: what is erased after it finds the job
	if _, err := p.Exec(ctx); err != nil {
		q.log.Warn("a job will not be found when its dialog is erased", "job", job.ID, "err", err)
	} else if erased, err := look.Erased(ctx, q.redis); err != nil || erased {
		if err == nil {
			err = q.Erase(ctx, job.DialogID)
		}
		return cmp.Or(err, dialog.ErrErased)
	}
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

// Status reads where a job stands. Errors: ErrUnknown, else wrapping
// dialog.ErrState.
func (q *Queue) Status(ctx context.Context, id string) (Status, error) {
	p := q.redis.Pipeline()
	end, state := p.Get(ctx, endKey(id)), p.Get(ctx, stateKey(id))
	if _, err := p.Exec(ctx); err != nil && !dialog.IsNil(err) {
		return Status{}, stateError(err)
	}
	switch {
	case end.Err() == nil:
		return decodeFinal(end.Val()), nil
	case state.Err() != nil:
		return Status{}, ErrUnknown
	case State(state.Val()) == Running:
		return Status{State: Running}, nil
	}
	return Status{State: Queued}, nil
}

// Await is Status, after waiting for the end of the job if that takes no longer
// than wait. It returns the error of ctx when that ends first.
func (q *Queue) Await(ctx context.Context, id string, wait time.Duration) (Status, error) {
	until := q.now().Add(min(wait, LongestWait))
	ended := q.waiter(id)
	defer q.forget(id, ended)
	for {
		status, err := q.Status(ctx, id)
		left := until.Sub(q.now())
		if err != nil || left <= 0 || status.State.Final() {
			return status, err
		}
		select {
		case <-ended:
			ended = nil
		case <-ctx.Done():
			return Status{}, ctx.Err()
		case <-time.After(min(left, lookAgain)): // it may run on another server
		}
	}
}

// Cancel ends a job; one that has ended stays as it ended. Errors are those of
// Status.
func (q *Queue) Cancel(ctx context.Context, id string) (Status, error) {
	if _, err := q.Status(ctx, id); err != nil {
		return Status{}, err
	}
	if err := q.end(id, Status{State: Cancelled}); err != nil {
		return Status{}, err
	}
	q.interrupt(id)
	return q.Status(ctx, id)
}

// Erase cancels the jobs of a dialog and removes what they asked and what they were
// answered; their ids still say that they have ended. The error wraps
// dialog.ErrState: some may be left.
func (q *Queue) Erase(ctx context.Context, dialogID string) error {
	known, err := q.redis.SMembers(ctx, dialogKey(dialogID)).Result()
	if err != nil {
		return stateError(err)
	}
	p := q.redis.Pipeline()
	for _, item := range known {
		id, message, _ := strings.Cut(item, " ")
		q.stop(ctx, id)
		p.Set(ctx, endKey(id), Status{State: Cancelled}.encode(), life)
		p.XDel(ctx, streamKey, message)
		p.SRem(ctx, dialogKey(dialogID), item)
	}
	if len(known) == 0 {
		return nil
	}
	if _, err := p.Exec(ctx); err != nil {
		return stateError(err)
	}
	return nil
}

// interrupt stops the turn of a job that runs here; ran says whether one does.
func (q *Queue) interrupt(id string) (ran bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	stop, ran := q.running[id]
	if ran {
		stop()
	}
	return ran
}

// stop interrupts a job and waits for its end, a second at most.
func (q *Queue) stop(ctx context.Context, id string) {
	ended := q.waiter(id)
	defer q.forget(id, ended)
	if !q.interrupt(id) {
		return
	}
	timer := time.NewTimer(noteTimeout)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Length is the number of jobs on the queue, -1 when Redis does not say.
func (q *Queue) Length(ctx context.Context) int64 {
	n, err := q.redis.XLen(ctx, streamKey).Result()
	if err != nil {
		return -1
	}
	return n
}

func (q *Queue) waiter(id string) chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if ch, ok := q.waiters[id]; ok {
		return ch
	}
	ch := make(chan struct{})
	if len(q.waiters) < waitersLimit {
		q.waiters[id] = ch
	}
	return ch
}

// forget drops the channel of one who no longer waits; others who wait on it
// look for themselves.
func (q *Queue) forget(id string, ch chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.waiters[id] == ch {
		delete(q.waiters, id)
	}
}

// end gives a job its final status, unless it has one. After an error, which wraps
// dialog.ErrState, it may have none: whoever called sees to it that it is called again.
func (q *Queue) end(id string, status Status) error {
	ctx, cancel := context.WithTimeout(context.Background(), noteTimeout)
	defer cancel()
	first, err := q.redis.SetNX(ctx, endKey(id), status.encode(), life).Result()
	if err != nil {
		return stateError(err)
	}
	if first {
		q.ended(status.State).Add(1)
	}
	q.mu.Lock()
	if ch, ok := q.waiters[id]; ok {
		close(ch)
		delete(q.waiters, id)
	}
	q.mu.Unlock()
	return nil
}

// Ended counts the jobs that this server brought to a final state.
func (q *Queue) Ended(s State) int64 { return q.ended(s).Load() }

func (q *Queue) ended(s State) *atomic.Int64 {
	switch s {
	case Done:
		return &q.done
	case Cancelled:
		return &q.gone
	case Failed, Queued, Running:
	}
	return &q.failed
}

func stateError(err error) error { return fmt.Errorf("%w: %w", dialog.ErrState, err) }
