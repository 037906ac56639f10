package jobs

import (
	"context"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	maxTries    = 3
	stuckAfter  = 30 * time.Second // a job whose worker is silent that long is taken over
	expireAfter = longest + stuckAfter*maxTries
	reclaimEach = 10 * time.Second
	pollFirst   = 20 * time.Millisecond
	pollLongest = 500 * time.Millisecond
	deadLimit   = 1000
	endPause    = 50 * time.Millisecond // before the end of a job is written again, doubled up to endSlow
	endSlow     = time.Second
)

// LongestQueued is how long after a job was queued its last attempt may begin.
const LongestQueued = expireAfter

// Run takes jobs off the queue until ctx ends, and finishes those begun.
func (q *Queue) Run(ctx context.Context) {
	slots := make(chan struct{}, workers)
	var all sync.WaitGroup
	defer all.Wait()
	r := reader{queue: q, reclaimed: q.now()}
	pause := pollFirst // longer and longer while there is nothing to do
	for ctx.Err() == nil {
		batch := r.next(ctx, cap(slots)-len(slots))
		for _, m := range batch {
			slots <- struct{}{}
			job, ok := decode(m)
			before, ended := q.order.join(job.DialogID)
			all.Go(func() {
				defer func() { <-slots }()
				defer ended()
				<-before
				q.work(ctx, m.ID, job, ok)
			})
		}
		if len(batch) > 0 {
			pause = pollFirst
			continue
		}
		select {
		case <-ctx.Done():
		case <-q.wake:
			pause = pollFirst
		case <-time.After(pause):
			pause = min(2*pause, pollLongest)
		}
	}
}

// reader takes messages off the stream for one server.
type reader struct {
	queue     *Queue
	grouped   bool // the consumer group is there
	reclaimed time.Time
}

// next reads up to n messages, without waiting for any: new ones, and at times
// those whose worker has died.
func (r *reader) next(ctx context.Context, n int) []redis.XMessage {
	rdb, name := r.queue.redis, r.queue.name
	if !r.grouped {
		err := rdb.XGroupCreateMkStream(ctx, streamKey, group, "0").Err()
		r.grouped = err == nil || strings.HasPrefix(err.Error(), "BUSYGROUP")
	}
	if !r.grouped || n <= 0 {
		return nil
	}
	var batch []redis.XMessage
	res, err := rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{streamKey, ">"}, Count: int64(n), Block: -1}).Result()
	switch {
	case err == nil && len(res) > 0:
		batch = res[0].Messages
	case err != nil && strings.HasPrefix(err.Error(), "NOGROUP"):
		r.grouped = false // Redis came back empty
	}
	if now := r.queue.now(); now.Sub(r.reclaimed) >= reclaimEach {
		r.reclaimed = now
		old, _, _ := rdb.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: streamKey, Group: group, Consumer: name, MinIdle: stuckAfter, Start: "0", Count: int64(n)}).Result()
		batch = append(batch, old...)
	}
	return batch
}

// work runs a job and takes it off the stream. Its end is written first: where Redis
// refuses that, the job stays on the stream, to be taken over.
func (q *Queue) work(ctx context.Context, message string, job Job, ok bool) {
	if ok {
		status, over := q.outcome(ctx, job)
		if !over && !q.settle(ctx, job.ID, status) {
			return
		}
	}
	q.remove(message)
}

// outcome is what becomes of a job that this server has taken; over: it had ended
// before. A panic ends the job, not the process.
func (q *Queue) outcome(ctx context.Context, job Job) (status Status, over bool) {
	defer func() {
		if v := recover(); v != nil {
			q.log.Error("panic", "job", job.ID, "value", v, "stack", string(debug.Stack()))
			status, over = Status{State: Failed, Code: CodeInternal}, false
		}
	}()
	tries, ended := q.begin(ctx, job.ID)
	switch {
	case ended:
		return Status{}, true
	case tries > maxTries:
		q.deadLetter(ctx, job.ID)
		return Status{State: Failed, Code: CodeDeadLetter}, false
	case q.now().Sub(time.UnixMilli(job.QueuedMS)) > expireAfter:
		return Status{State: Failed, Code: CodeExpired}, false
	}
	return q.run(ctx, job), false
}

// settle writes the end of a job until Redis takes it: the answer is there, and nobody
// should have to make it again. false: the server goes down before. The worker is kept
// meanwhile, so that no more jobs are begun whose end could not be written either.
func (q *Queue) settle(ctx context.Context, id string, status Status) bool {
	for pause := endPause; ; pause = min(2*pause, endSlow) {
		err := q.end(id, status)
		if err == nil {
			return true
		}
		q.log.Warn("the end of a job is not written yet", "job", id, "err", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

// begin counts an attempt, and says whether the job has ended already.
func (q *Queue) begin(ctx context.Context, id string) (tries int64, ended bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteTimeout)
	defer cancel()
	tries, _ = q.redis.Incr(ctx, triesKey(id)).Result()
	_ = q.redis.Expire(ctx, triesKey(id), life).Err()
	n, _ := q.redis.Exists(ctx, endKey(id)).Result()
	return tries, n > 0
}

// deadLetter lists a job that ended none of its workers' attempts, for people to look
// at.
func (q *Queue) deadLetter(ctx context.Context, id string) {
	ctx = context.WithoutCancel(ctx)
	_ = q.redis.LPush(ctx, deadKey, id).Err()
	_ = q.redis.LTrim(ctx, deadKey, 0, deadLimit-1).Err()
}

// run answers a job's turn. Only Cancel interrupts it.
func (q *Queue) run(ctx context.Context, job Job) Status {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	q.mu.Lock()
	q.running[job.ID] = cancel
	q.mu.Unlock()
	defer func() {
		q.mu.Lock()
		delete(q.running, job.ID)
		q.mu.Unlock()
	}()
	_ = q.redis.SetXX(ctx, stateKey(job.ID), string(Running), life).Err()
	start := q.now()
	result, code := q.answer(ctx, job)
	q.meanNS.Store((q.meanNS.Load()*15 + int64(q.now().Sub(start))) / 16)
	if code != "" {
		return Status{State: Failed, Code: code}
	}
	return Status{State: Done, Result: result}
}

// remove takes a message off the stream.
func (q *Queue) remove(message string) {
	ctx, cancel := context.WithTimeout(context.Background(), noteTimeout)
	defer cancel()
	p := q.redis.Pipeline()
	p.XAck(ctx, streamKey, group, message)
	p.XDel(ctx, streamKey, message)
	_, _ = p.Exec(ctx)
}
