package backflow

import (
	"context"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	stuckAfter  = 30 * time.Second // a question whose server is silent that long is taken over
	maxTries    = 5
	lookAgain   = 200 * time.Millisecond
	sweepEach   = 5 * time.Second
	sweepBatch  = 200
	idleLongest = 500 * time.Millisecond
)

// replaying asks again what waits, until ctx ends, and waits for what was begun.
func (f *Flow) replaying(ctx context.Context, replay Replay) {
	var all sync.WaitGroup
	defer all.Wait()
	r := reader{flow: f, claimed: f.now()}
	running, freed := make(chan struct{}, 1024), make(chan struct{}, 1)
	var swept time.Time
	for ctx.Err() == nil {
		now, live := f.now(), f.live()
		if now.Sub(swept) >= sweepEach {
			swept = now
			f.sweep(ctx, live, now)
		}
		reason := f.gate.closed(f.world(), live, now)
		if reason == openGate && f.ill(now) {
			reason = pausedFault
		}
		wait := lookAgain
		if reason == openGate && len(running) < min(live.AtOnce, cap(running)) {
			var m redis.XMessage
			var ok bool
			m, ok, wait, reason = f.next(ctx, &r, live)
			if ok {
				running <- struct{}{}
				all.Go(func() {
					defer func() {
						<-running
						select {
						case freed <- struct{}{}:
						default:
						}
					}()
					f.work(ctx, m, live, replay)
				})
				wait = 0
			}
		}
		f.pause(reason)
		if wait > 0 {
			select {
			case <-ctx.Done():
			case <-freed:
			case <-time.After(min(wait, idleLongest)):
			}
		}
	}
}

// next takes a question that may be asked now; else for how long to wait, and why
// where there is a reason.
func (f *Flow) next(ctx context.Context, r *reader, live Live) (m redis.XMessage, ok bool, wait time.Duration, reason string) {
	n, err := f.redis.XLen(ctx, streamKey).Result()
	switch {
	case err != nil:
		return m, false, idleLongest, pausedRedis
	case n == 0:
		return m, false, idleLongest, openGate
	}
	wait, err = f.permit(ctx, live)
	switch {
	case err != nil:
		return m, false, idleLongest, pausedRedis
	case wait == noBudget:
		return m, false, idleLongest, pausedBudget
	case wait > 0:
		return m, false, wait, openGate
	}
	if reason = f.gate.closed(f.world(), live, f.now()); reason == openGate {
		if m, ok = r.next(ctx); ok {
			return m, true, 0, openGate
		}
	}
	f.giveBack(ctx) // the model is ill since a moment ago, or what waits is with other servers
	return m, false, idleLongest, reason
}

// reader takes questions off the stream for one server.
type reader struct {
	flow    *Flow
	grouped bool // the consumer group is there
	claimed time.Time
}

// next takes one question: at times one whose server has died, else a new one.
func (r *reader) next(ctx context.Context) (redis.XMessage, bool) {
	rdb, name := r.flow.redis, r.flow.name
	if !r.grouped {
		err := rdb.XGroupCreateMkStream(ctx, streamKey, group, "0").Err()
		r.grouped = err == nil || strings.HasPrefix(err.Error(), "BUSYGROUP")
	}
	if !r.grouped {
		return redis.XMessage{}, false
	}
	if now := r.flow.now(); now.Sub(r.claimed) >= r.flow.stuck/3 {
		old, _, err := rdb.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: streamKey, Group: group, Consumer: name, MinIdle: r.flow.stuck, Start: "0", Count: 1}).Result()
		if err == nil && len(old) > 0 {
			return old[0], true // there may be more
		}
		r.claimed = now
	}
	res, err := rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: group, Consumer: name, Streams: []string{streamKey, ">"}, Count: 1, Block: -1}).Result()
	switch {
	case err == nil && len(res) > 0 && len(res[0].Messages) > 0:
		return res[0].Messages[0], true
	case err != nil && strings.HasPrefix(err.Error(), "NOGROUP"):
		r.grouped = false // Redis came back empty
	}
	return redis.XMessage{}, false
}

// work asks a question again. What does not end stays with this server's name until
// it is taken over, by this one or another.
func (f *Flow) work(ctx context.Context, m redis.XMessage, live Live, replay Replay) {
	defer func() {
		if v := recover(); v != nil { // costs this attempt, not the process
			f.log.Error("panic", "backflow", m.ID, "value", v, "stack", string(debug.Stack()))
		}
	}()
	q, ok := decode(m)
	switch {
	case !ok, f.tries(ctx, m.ID) > maxTries:
		f.finish(m.ID, q, Result{End: Dead})
		return
	case f.now().Sub(q.Asked()) > live.Life:
		f.finish(m.ID, q, Result{End: Expired})
		return
	}
	res := replay(ctx, q, func(ctx context.Context) (bool, error) {
		there, err := f.redis.XRange(ctx, streamKey, m.ID, m.ID).Result()
		return len(there) > 0, err
	})
	if res.Fault != "" {
		f.metrics.call(res.Fault)
		f.sawModel(res.Ill)
	}
	if res.End == "" {
		return
	}
	f.finish(m.ID, q, res)
}

// tries is how often a question was taken up, this time included.
func (f *Flow) tries(ctx context.Context, id string) int64 {
	list, err := f.redis.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: streamKey, Group: group, Start: id, End: id, Count: 1}).Result()
	if err != nil || len(list) == 0 {
		return 1
	}
	return list[0].RetryCount
}

// finish takes a question off the stream and counts its end, in one step. If it is
// gone, somebody else has counted it. Without a reply it is asked once more, later,
// which has no further effect.
func (f *Flow) finish(id string, q Question, res Result) {
	ctx, cancel := context.WithTimeout(context.Background(), redisLimit)
	defer cancel()
	keys, args := []string{streamKey, countsKey}, []any{id, string(res.End)}
	if res.End == Replayed && res.Draft != "" {
		draft := draftID(res.Key)
		keys = append(keys, draftsKey, draftKey(draft), indexKey(q.DialogID), rejectedKey)
		args = append(args, draft, q.DialogID, contribution{User: userHash(q), Question: q.Text, Answer: res.Draft, AtMS: f.now().UnixMilli()}.encode(),
			answersPerDraft, draftsMost, draftLife.Milliseconds())
	}
	ended, err := f.scripts.finish.Run(ctx, f.redis, keys, args...).Int64()
	if err != nil || ended == 0 {
		return
	}
	f.metrics.ends[res.End].Inc()
	if res.Noted {
		f.metrics.notes.Inc()
	}
}

// sweep takes off what is too old to be asked.
func (f *Flow) sweep(ctx context.Context, live Live, now time.Time) {
	if live.Life <= 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, redisLimit)
	defer cancel()
	before := strconv.FormatInt(now.Add(-live.Life).UnixMilli(), 10)
	for {
		n, err := f.scripts.expire.Run(ctx, f.redis, []string{streamKey, countsKey}, before, sweepBatch).Int64()
		if err != nil {
			return
		}
		f.metrics.ends[Expired].Add(float64(n))
		if n < sweepBatch {
			return
		}
	}
}

// sawModel hears whether the model answered a question.
func (f *Flow) sawModel(ill bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ill {
		f.illFor = 0
		return
	}
	f.illFor = min(max(2*f.illFor, faultFirst), faultLonger)
	f.illUntil = f.now().Add(f.illFor)
}

func (f *Flow) ill(now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return now.Before(f.illUntil)
}
