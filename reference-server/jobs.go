package refserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/trace"
)

const (
	jobStream    = "jobs:{q}"
	jobDead      = "jobs:{q}:dead"
	jobGroup     = "workers"
	jobWorkers   = 64
	jobTries     = 3
	jobLife      = time.Hour        // of a result
	jobMaxWait   = time.Minute      // a longer queue is refused, an older job not begun
	jobStuck     = 30 * time.Second // a job whose worker is silent that long is taken over
	jobReclaim   = 10 * time.Second
	jobPoll      = 20 * time.Millisecond
	jobPollMax   = 500 * time.Millisecond
	jobLongPoll  = 10 * time.Second
	jobDeadLimit = 1000
	jobBusy      = 10 * time.Second // a job waits for another turn of its dialog
)

// job is a queued turn. The text is masked before it is queued.
type job struct {
	ID       string `json:"id"`
	Tenant   string `json:"tenant"`
	UID      string `json:"uid"`
	DialogID string `json:"dialog_id"`
	New      bool   `json:"new"` // the dialog begins with this turn
	TurnID   string `json:"turn_id"`
	Text     string `json:"text"`
	Hash     string `json:"hash"`
	PII      int    `json:"pii"`
	Trace    string `json:"trace"`
	AtMS     int64  `json:"at"`
}

// jobState is where a job stands.
type jobState string

// The states. All but the first two are final.
const (
	jobQueued    jobState = "queued"
	jobRunning   jobState = "running"
	jobDone      jobState = "done"
	jobFailed    jobState = "failed"
	jobCancelled jobState = "cancelled"
)

func (s jobState) final() bool { return s != jobQueued && s != jobRunning }

// jobView is a job as its owner sees it; body is final where state is.
type jobView struct {
	state jobState
	body  []byte
}

func viewOf(id string, state jobState) jobView {
	return jobView{state, wire.JSON(nil).Object("").String("job", id).String("status", string(state)).EndObject()}
}

// jobs runs queued turns from a Redis stream with a consumer group. The final
// state of a job is a key that is only set if it is not there yet, so there is
// exactly one, whoever comes first: a worker, a worker that took over, the
// owner who cancels. Safe for concurrent use.
type jobs struct {
	srv  *Server
	me   string
	wake chan struct{}

	mu      sync.Mutex
	running map[string]context.CancelFunc
	waiters map[string]chan struct{} // closed when the job ends here
	lastOf  map[string]chan struct{} // by dialog: closed when the latest job of it has ended

	meanNS atomic.Int64 // moving mean of a job's run time
}

func newJobs(s *Server) *jobs {
	j := &jobs{srv: s, me: "srv-" + dialog.RandomHex(4), wake: make(chan struct{}, 1), running: map[string]context.CancelFunc{}, waiters: map[string]chan struct{}{}, lastOf: map[string]chan struct{}{}}
	j.meanNS.Store(int64(200 * time.Millisecond))
	return j
}

func jobKey(id string) string    { return "job:{" + id + "}" }
func jobEndKey(id string) string { return "job:{" + id + "}:end" }

// async queues a turn: 202 with the place of the job, or 503 when the queue is
// longer than a minute.
func (s *Server) async(x *exchange) error {
	t, err := s.open(x)
	if err != nil {
		return err
	}
	x.turn = t
	t.read()
	rdb, ctx := s.store.Redis, x.r.Context()
	n, err := rdb.XLen(ctx, jobStream).Result()
	if err != nil {
		return problemState
	}
	if wait := time.Duration(n) * time.Duration(s.jobs.meanNS.Load()) / jobWorkers; wait > jobMaxWait {
		return &problem{status: http.StatusServiceUnavailable, code: "queue-full", detail: "the queue is longer than a minute", retry: wait - jobMaxWait}
	}
	j := job{ID: s.ids.Mint(dialog.IDJob, t.who.Owner), Tenant: t.who.Tenant, UID: t.who.UID, DialogID: t.req.dialogID, TurnID: t.req.turnID, Text: t.text,
		Hash: t.hash, PII: t.ans.piiIn, Trace: "00-" + t.tr.ID + "-" + dialog.RandomHex(8) + "-" + t.tr.Flags, AtMS: time.Now().UnixMilli()}
	if j.DialogID == "" {
		j.DialogID, j.New = s.ids.Mint(dialog.IDDialog, t.who.Owner), true
	}
	payload, err := json.Marshal(j)
	if err != nil {
		return err
	}
	p := rdb.Pipeline()
	p.Set(ctx, jobKey(j.ID), string(jobQueued), jobLife)
	p.XAdd(ctx, &redis.XAddArgs{Stream: jobStream, Values: []any{"job", payload}})
	if _, err := p.Exec(ctx); err != nil {
		return problemState
	}
	select {
	case s.jobs.wake <- struct{}{}:
	default:
	}
	// The place includes a long poll: whoever follows it waits here, not there.
	place := "/v1/jobs/" + j.ID
	h := x.w.Header()
	h.Set("Location", place+"?wait="+jobLongPoll.String())
	h.Set("Retry-After", "0")
	x.send(http.StatusAccepted, wire.JSON(nil).Object("").String("job", j.ID).String("status", string(jobQueued)).String("url", place).
		String("dialog_id", j.DialogID).String("turn_id", j.TurnID).String("trace_id", t.tr.ID).EndObject())
	return nil
}

// jobGet shows a job, waiting for its end with ?wait=.
func (s *Server) jobGet(x *exchange) error {
	id, err := x.owned(dialog.IDJob)
	if err != nil {
		return err
	}
	wait, err := time.ParseDuration(firstOf(x.r.URL.Query().Get("wait"), "0s"))
	if err != nil || wait < 0 {
		return problemFields("wait: want a duration such as 5s")
	}
	view, err := s.jobs.await(x.r.Context(), id, min(wait, jobLongPoll))
	if err != nil {
		return err
	}
	x.send(http.StatusOK, view.body)
	return nil
}

func firstOf(s, other string) string {
	if s != "" {
		return s
	}
	return other
}

// jobDelete cancels a job; one that has ended stays as it ended.
func (s *Server) jobDelete(x *exchange) error {
	id, err := x.owned(dialog.IDJob)
	if err != nil {
		return err
	}
	if _, err := s.jobs.look(x.r.Context(), id); err != nil {
		return err
	}
	s.jobs.end(id, viewOf(id, jobCancelled))
	s.jobs.mu.Lock()
	if cancel := s.jobs.running[id]; cancel != nil {
		cancel()
	}
	s.jobs.mu.Unlock()
	view, err := s.jobs.look(x.r.Context(), id)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, view.body)
	return nil
}

// look reads the state of a job. Errors are *problem.
func (j *jobs) look(ctx context.Context, id string) (jobView, error) {
	p := j.srv.store.Redis.Pipeline()
	end, state := p.Get(ctx, jobEndKey(id)), p.Get(ctx, jobKey(id))
	if _, err := p.Exec(ctx); err != nil && !dialog.IsNil(err) {
		return jobView{}, problemState
	}
	if b, err := end.Bytes(); err == nil {
		return jobView{jobDone, b}, nil // done, failed or cancelled: the body says which
	}
	if state.Err() != nil {
		return jobView{}, problemNotFound
	}
	if jobState(state.Val()) == jobRunning {
		return viewOf(id, jobRunning), nil
	}
	return viewOf(id, jobQueued), nil
}

// await is look, after waiting for the end of the job if that takes no longer
// than wait.
func (j *jobs) await(ctx context.Context, id string, wait time.Duration) (jobView, error) {
	until := time.Now().Add(wait)
	ended := j.waiter(id)
	defer j.forget(id, ended)
	for {
		view, err := j.look(ctx, id)
		left := time.Until(until)
		if err != nil || left <= 0 || view.state.final() {
			return view, err
		}
		select {
		case <-ended:
			ended = nil
		case <-ctx.Done():
			return jobView{}, problemGone
		case <-time.After(min(left, 250*time.Millisecond)): // it may run on another server
		}
	}
}

func (j *jobs) waiter(id string) chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if ch, ok := j.waiters[id]; ok {
		return ch
	}
	ch := make(chan struct{})
	if len(j.waiters) < 100_000 {
		j.waiters[id] = ch
	}
	return ch
}

// forget drops the channel of one who no longer waits; others who wait on it
// look for themselves.
func (j *jobs) forget(id string, ch chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.waiters[id] == ch {
		delete(j.waiters, id)
	}
}

// end gives a job its final state, unless it has one.
func (j *jobs) end(id string, view jobView) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = j.srv.store.Redis.SetNX(ctx, jobEndKey(id), view.body, jobLife).Err()
	j.mu.Lock()
	if ch, ok := j.waiters[id]; ok {
		close(ch)
		delete(j.waiters, id)
	}
	j.mu.Unlock()
}

// run takes jobs off the queue until ctx ends, and finishes those begun.
func (j *jobs) run(ctx context.Context) {
	rdb := j.srv.store.Redis
	slots := make(chan struct{}, jobWorkers)
	var all sync.WaitGroup
	defer all.Wait()
	grouped, reclaimed := false, time.Now()
	pause := jobPoll // longer and longer while there is nothing to do
	for ctx.Err() == nil {
		if !grouped {
			err := rdb.XGroupCreateMkStream(ctx, jobStream, jobGroup, "0").Err()
			grouped = err == nil || strings.HasPrefix(err.Error(), "BUSYGROUP")
		}
		var batch []redis.XMessage
		if free := cap(slots) - len(slots); grouped && free > 0 {
			res, err := rdb.XReadGroup(ctx, &redis.XReadGroupArgs{Group: jobGroup, Consumer: j.me, Streams: []string{jobStream, ">"}, Count: int64(free), Block: -1}).Result()
			if err == nil && len(res) > 0 {
				batch = res[0].Messages
			} else if err != nil && strings.HasPrefix(err.Error(), "NOGROUP") {
				grouped = false // Redis came back empty
			}
			if time.Since(reclaimed) >= jobReclaim {
				reclaimed = time.Now()
				old, _, _ := rdb.XAutoClaim(ctx, &redis.XAutoClaimArgs{Stream: jobStream, Group: jobGroup, Consumer: j.me, MinIdle: jobStuck, Start: "0", Count: int64(free)}).Result()
				batch = append(batch, old...)
			}
		}
		for _, m := range batch {
			slots <- struct{}{}
			q, ok := decodeJob(m)
			before, ended := j.inOrder(q.DialogID)
			all.Go(func() {
				defer func() { <-slots }()
				defer ended()
				<-before
				j.guarded(ctx, m.ID, q, ok)
			})
		}
		if len(batch) > 0 {
			pause = jobPoll
			continue
		}
		select {
		case <-ctx.Done():
		case <-j.wake:
			pause = jobPoll
		case <-time.After(pause):
			pause = min(2*pause, jobPollMax)
		}
	}
}

// decodeJob reads a job; ok is false for anything that is none.
func decodeJob(m redis.XMessage) (q job, ok bool) {
	raw, _ := m.Values["job"].(string)
	err := json.Unmarshal([]byte(raw), &q)
	return q, err == nil && dialog.IsID(q.ID) && dialog.IsID(q.DialogID)
}

// inOrder makes the jobs of a dialog run one after the other, as they were
// queued: before is closed when the one before has ended; ended must be called.
func (j *jobs) inOrder(dialogID string) (before <-chan struct{}, ended func()) {
	mine := make(chan struct{})
	j.mu.Lock()
	last := j.lastOf[dialogID]
	j.lastOf[dialogID] = mine
	j.mu.Unlock()
	if last == nil {
		last = make(chan struct{})
		close(last)
	}
	return last, func() {
		j.mu.Lock()
		if j.lastOf[dialogID] == mine {
			delete(j.lastOf, dialogID)
		}
		j.mu.Unlock()
		close(mine)
	}
}

// guarded runs a job; a panic ends the job, not the process.
func (j *jobs) guarded(ctx context.Context, message string, q job, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			j.srv.log.Error("panic", "job", q.ID, "value", v, "stack", string(debug.Stack()))
			j.fail(q, problemInternal.code)
			j.done(message)
		}
	}()
	if !ok {
		j.done(message)
		return
	}
	j.one(ctx, message, q)
}

// one runs a job and takes it off the stream.
func (j *jobs) one(ctx context.Context, message string, q job) {
	rdb := j.srv.store.Redis
	begin, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	tries, _ := rdb.Incr(begin, jobKey(q.ID)+":tries").Result()
	_ = rdb.Expire(begin, jobKey(q.ID)+":tries", jobLife).Err()
	ended, _ := rdb.Exists(begin, jobEndKey(q.ID)).Result()
	cancel()
	switch {
	case ended > 0:
		j.done(message)
		return
	case tries > jobTries:
		_ = rdb.LPush(context.WithoutCancel(ctx), jobDead, q.ID).Err()
		_ = rdb.LTrim(context.WithoutCancel(ctx), jobDead, 0, jobDeadLimit-1).Err()
		j.fail(q, "dead-letter")
	case time.Since(time.UnixMilli(q.AtMS)) > jobMaxWait+jobStuck*jobTries:
		j.fail(q, "expired")
	default:
		j.answer(ctx, q)
	}
	j.done(message)
}

func (j *jobs) fail(q job, code string) {
	j.end(q.ID, jobView{jobFailed, wire.JSON(nil).Object("").String("job", q.ID).String("status", string(jobFailed)).
		Object("error").String("code", code).EndObject().EndObject()})
}

func (j *jobs) done(message string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p := j.srv.store.Redis.Pipeline()
	p.XAck(ctx, jobStream, jobGroup, message)
	p.XDel(ctx, jobStream, message)
	_, _ = p.Exec(ctx)
}

// answer runs the turn of a job. Turns are idempotent by turn_id, so a job that
// is taken over after its commit gets the answer that was committed.
func (j *jobs) answer(ctx context.Context, q job) {
	s := j.srv
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	j.mu.Lock()
	j.running[q.ID] = cancel
	j.mu.Unlock()
	defer func() {
		j.mu.Lock()
		delete(j.running, q.ID)
		j.mu.Unlock()
	}()
	_ = s.store.Redis.SetXX(ctx, jobKey(q.ID), string(jobRunning), jobLife).Err()
	start := time.Now()
	t := &turn{srv: s, set: s.set.Load(), start: start, tr: trace.From(q.Trace), who: identity{Owner: dialog.Owner{Tenant: q.Tenant, UID: q.UID}, role: roleUser}, text: q.Text,
		clean: dialog.StripMarks(q.Text), hash: q.Hash, newDialog: q.New}
	t.req = request{dialogID: q.DialogID, turnID: q.TurnID}
	t.ans.piiIn, t.ans.job, t.ans.group = q.PII, q.ID, group(q.UID, t.set)
	body, err := j.runTurn(ctx, t)
	took := int64(time.Since(start))
	j.meanNS.Store((j.meanNS.Load()*15 + took) / 16)
	var p *problem
	switch {
	case err == nil:
		if t.replay == nil {
			s.count(t)
		}
		j.end(q.ID, jobView{jobDone, wire.JSON(nil).Object("").String("job", q.ID).String("status", string(jobDone)).Raw("result", body).EndObject()})
	case errors.As(err, &p):
		j.fail(q, p.code)
	default:
		s.log.Error("internal", "trace_id", t.tr.ID, "err", err.Error())
		j.fail(q, problemInternal.code)
	}
}

// runTurn runs a job's turn. One that meets another turn of its dialog, of
// another server or not of a job at all, waits for that.
func (j *jobs) runTurn(ctx context.Context, t *turn) ([]byte, error) {
	until := time.Now().Add(jobBusy)
	for {
		body, err := t.run(ctx)
		if !errors.Is(err, problemBusy) || time.Now().After(until) {
			return body, err
		}
		select {
		case <-ctx.Done():
			return nil, problemGone
		case <-time.After(twinPoll):
		}
		t.start = time.Now()
	}
}

// prefersAsync reads RFC 7240.
func prefersAsync(r *http.Request) bool {
	for _, h := range r.Header.Values("Prefer") {
		for p := range strings.SplitSeq(h, ",") {
			if strings.EqualFold(strings.TrimSpace(p), "respond-async") {
				return true
			}
		}
	}
	return false
}

// depth is the number of jobs on the queue, -1 when Redis does not say.
func (j *jobs) depth(ctx context.Context) float64 {
	n, err := j.srv.store.Redis.XLen(ctx, jobStream).Result()
	if err != nil {
		return -1
	}
	return float64(n)
}
