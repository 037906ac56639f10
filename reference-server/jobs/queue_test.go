package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
)

// clock is a time that a test turns.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func testQueue(t *testing.T, answer Answer) (*Queue, *miniredis.Miniredis, *clock) {
	t.Helper()
	m := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: m.Addr(), MaxRetries: -1, DialerRetries: 1})
	t.Cleanup(func() { rdb.Close() })
	c := &clock{at: time.Unix(1_800_000_000, 0)}
	return New(rdb, answer, slog.New(slog.NewTextHandler(io.Discard, nil)), c.now), m, c
}

// echo answers with the text of the job.
func echo(_ context.Context, job Job) ([]byte, string) { return fmt.Appendf(nil, "%q", job.Text), "" }

func jobID(n int) string { return fmt.Sprintf("%032x", n) }

func testJob(n int) Job {
	return Job{ID: jobID(n), DialogID: jobID(1000 + n), Text: fmt.Sprint("text ", n)}
}

func submit(t *testing.T, q *Queue, job Job) {
	t.Helper()
	if err := q.Submit(t.Context(), job); err != nil {
		t.Fatal(err)
	}
}

// run works off the queue until the test ends.
func run(t *testing.T, q *Queue) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { q.Run(ctx) })
	t.Cleanup(func() { stop(); running.Wait() })
}

// ended waits for the end of a job as its owner does.
func ended(t *testing.T, q *Queue, id string) Status {
	t.Helper()
	for {
		status, err := q.Await(t.Context(), id, time.Second)
		if err != nil {
			t.Fatal(err)
		}
		if status.State.Final() {
			return status
		}
	}
}

func TestAJobGoesFromQueuedToDone(t *testing.T) {
	q, _, _ := testQueue(t, echo)
	submit(t, q, testJob(1))
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Queued {
		t.Errorf("%+v %v, want queued", s, err)
	}
	if n := q.Length(t.Context()); n != 1 {
		t.Errorf("length %d, want 1", n)
	}
	run(t, q)
	s := ended(t, q, jobID(1))
	if got, want := string(s.JSON(jobID(1))), `{"job":"`+jobID(1)+`","status":"done","result":"text 1"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := q.Status(t.Context(), jobID(2)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a job that never was: %v", err)
	}
}

// A result may hold any text, that of another state included.
func TestTheStateIsNotReadFromTheResult(t *testing.T) {
	q, _, _ := testQueue(t, func(context.Context, Job) ([]byte, string) {
		return []byte(`{"status":"cancelled","error":"failed "}`), ""
	})
	submit(t, q, testJob(1))
	run(t, q)
	if s := ended(t, q, jobID(1)); s.State != Done || string(s.Result) != `{"status":"cancelled","error":"failed "}` {
		t.Errorf("%s %s, want done with its result", s.State, s.Result)
	}
}

func TestFinalStatusesAreReadBackAsTheyWereWritten(t *testing.T) {
	for _, c := range []struct {
		status Status
		json   string
	}{
		{Status{State: Done, Result: []byte(`{"a":1}`)}, `{"job":"x","status":"done","result":{"a":1}}`},
		{Status{State: Failed, Code: "shed"}, `{"job":"x","status":"failed","error":{"code":"shed"}}`},
		{Status{State: Cancelled}, `{"job":"x","status":"cancelled"}`},
	} {
		back := decodeFinal(c.status.encode())
		if got := string(back.JSON("x")); back.State != c.status.State || got != c.json {
			t.Errorf("%s came back as %s %s, want %s", c.status.State, back.State, got, c.json)
		}
	}
	for _, nonsense := range []string{"", " ", "running ", "queued x", `{"status":"done"}`} {
		s := decodeFinal(nonsense)
		if s.State != Failed || s.Code != CodeInternal {
			t.Errorf("%q is read as %s %s, want failed, internal", nonsense, s.State, s.Code)
		}
	}
}

func TestACancelledJobStaysCancelled(t *testing.T) {
	entered := make(chan struct{})
	q, _, _ := testQueue(t, func(ctx context.Context, _ Job) ([]byte, string) {
		close(entered)
		<-ctx.Done()
		return []byte(`"too late"`), ""
	})
	submit(t, q, testJob(1))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { q.Run(ctx) })
	<-entered
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Running {
		t.Errorf("%+v %v, want running", s, err)
	}
	if s, err := q.Cancel(t.Context(), jobID(1)); err != nil || s.State != Cancelled {
		t.Errorf("%+v %v, want cancelled", s, err)
	}
	stop()
	running.Wait() // the worker has written its end, which comes second
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Cancelled {
		t.Errorf("%+v %v, want cancelled", s, err)
	}
	if n := q.Length(t.Context()); n != 0 {
		t.Errorf("%d left on the stream", n)
	}
	if _, err := q.Cancel(t.Context(), jobID(9)); !errors.Is(err, ErrUnknown) {
		t.Errorf("a job that never was: %v", err)
	}
}

func TestAJobThatHasEndedIsNotRunAgain(t *testing.T) {
	q, _, _ := testQueue(t, func(context.Context, Job) ([]byte, string) {
		t.Error("it was run")
		return nil, CodeInternal
	})
	submit(t, q, testJob(1))
	if err := q.end(jobID(1), Status{State: Done, Result: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	q.work(t.Context(), "1-1", testJob(1), true)
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Done || string(s.Result) != "1" {
		t.Errorf("%+v %v, want done as it was", s, err)
	}
}

func TestAJobThatKillsItsWorkersIsSetAside(t *testing.T) {
	runs := 0
	q, m, c := testQueue(t, func(context.Context, Job) ([]byte, string) { runs++; return []byte("1"), "" })
	job := testJob(1)
	job.QueuedMS = c.now().UnixMilli()
	for i := range maxTries + 1 {
		m.Del(endKey(job.ID)) // its worker died before it wrote this
		q.work(t.Context(), fmt.Sprintf("1-%d", i+1), job, true)
	}
	s := decodeFinal(must(t)(m.Get(endKey(job.ID))))
	if s.State != Failed || s.Code != CodeDeadLetter || runs != maxTries {
		t.Errorf("%s %s after %d runs, want failed, dead-letter after %d", s.State, s.Code, runs, maxTries)
	}
	if list, err := m.List(deadKey); err != nil || len(list) != 1 || list[0] != job.ID {
		t.Errorf("dead letters %v %v, want the job", list, err)
	}
}

func must(t *testing.T) func(string, error) string {
	return func(s string, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func TestAJobThatWaitedTooLongIsNotBegun(t *testing.T) {
	runs := 0
	q, m, c := testQueue(t, func(context.Context, Job) ([]byte, string) { runs++; return []byte("1"), "" })
	old, young := testJob(1), testJob(2)
	old.QueuedMS = c.now().UnixMilli()
	c.turn(time.Second)
	young.QueuedMS = c.now().UnixMilli()
	c.turn(expireAfter)
	q.work(t.Context(), "1-1", old, true)
	q.work(t.Context(), "1-2", young, true)
	if s := decodeFinal(must(t)(m.Get(endKey(old.ID)))); s.State != Failed || s.Code != CodeExpired {
		t.Errorf("the old one: %s %s, want failed, expired", s.State, s.Code)
	}
	if s := decodeFinal(must(t)(m.Get(endKey(young.ID)))); s.State != Done || runs != 1 {
		t.Errorf("the young one: %s after %d runs, want done after 1", s.State, runs)
	}
}

// A panic in a turn ends its job, not the process, and others go on.
func TestAPanicEndsTheJobOnly(t *testing.T) {
	q, _, _ := testQueue(t, func(ctx context.Context, job Job) ([]byte, string) {
		if job.ID == jobID(1) {
			panic("in the turn")
		}
		return echo(ctx, job)
	})
	submit(t, q, testJob(1))
	submit(t, q, testJob(2))
	run(t, q)
	if s := ended(t, q, jobID(1)); s.State != Failed || s.Code != CodeInternal {
		t.Errorf("%+v, want failed, internal", s)
	}
	if s := ended(t, q, jobID(2)); s.State != Done {
		t.Errorf("%+v, want done", s)
	}
}

func TestALongQueueIsRefused(t *testing.T) {
	q, m, _ := testQueue(t, echo)
	q.meanNS.Store(int64(longest)) // each worker has one job ahead, a minute long
	for i := range workers {
		if _, err := m.XAdd(streamKey, "*", []string{"job", fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	submit(t, q, testJob(1)) // a minute, and no more
	err := q.Submit(t.Context(), testJob(2))
	var full *FullError
	if !errors.As(err, &full) || full.Over != longest/workers {
		t.Errorf("%v, want a queue that is full by %v", err, longest/workers)
	}
	if _, err := q.Status(t.Context(), jobID(2)); !errors.Is(err, ErrUnknown) {
		t.Errorf("the refused one: %v", err)
	}
}

// What is on the stream and is no job is taken off it.
func TestNonsenseOnTheStreamIsDropped(t *testing.T) {
	q, m, _ := testQueue(t, echo)
	for _, bad := range []string{"", "{", "[]", `{"id":"x"}`, `{"id":"` + jobID(1) + `","dialog_id":"x"}`} {
		if _, err := m.XAdd(streamKey, "*", []string{"job", bad}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.XAdd(streamKey, "*", []string{"other", "field"}); err != nil {
		t.Fatal(err)
	}
	submit(t, q, testJob(7))
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { q.Run(ctx) })
	if s := ended(t, q, jobID(7)); s.State != Done {
		t.Errorf("%+v, want done", s)
	}
	stop()
	running.Wait()
	if n := q.Length(t.Context()); n != 0 {
		t.Errorf("%d left on the stream", n)
	}
}

func TestWithoutRedisNothingIsSaidOfJobs(t *testing.T) {
	q, m, _ := testQueue(t, echo)
	submit(t, q, testJob(1))
	m.Close()
	if err := q.Submit(t.Context(), testJob(2)); !errors.Is(err, dialog.ErrState) {
		t.Errorf("submit: %v", err)
	}
	if _, err := q.Await(t.Context(), jobID(1), time.Second); !errors.Is(err, dialog.ErrState) {
		t.Errorf("await: %v", err)
	}
	if n := q.Length(t.Context()); n != -1 {
		t.Errorf("length %d, want -1", n)
	}
}

// Jobs of one dialog run one after the other, as they were queued.
func TestJobsOfOneDialogRunInOrder(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	at := 0
	q, _, _ := testQueue(t, func(_ context.Context, job Job) ([]byte, string) {
		mu.Lock()
		defer mu.Unlock()
		if at++; at != 1 {
			t.Error("two at once")
		}
		seen = append(seen, job.ID)
		at--
		return []byte("1"), ""
	})
	for n := range 20 {
		job := testJob(n)
		job.DialogID = jobID(1000)
		submit(t, q, job)
	}
	run(t, q)
	for n := range 20 {
		ended(t, q, jobID(n))
	}
	for n, id := range seen {
		if id != jobID(n) {
			t.Errorf("place %d is that of %s", n, id)
		}
	}
	q.order.mu.Lock()
	defer q.order.mu.Unlock()
	if n := len(q.order.last); n > 1 {
		t.Errorf("%d dialogs remembered", n)
	}
}

// A message whose worker died is taken over by another server.
func TestAStuckJobIsTakenOver(t *testing.T) {
	q, m, c := testQueue(t, echo)
	other := New(q.redis, echo, q.log, c.now)
	submit(t, q, testJob(1))
	dead := reader{queue: other, reclaimed: c.now()}
	m.SetTime(c.now())
	if got := dead.next(t.Context(), 1); len(got) != 1 {
		t.Fatalf("%d messages, want the job", len(got))
	}
	r := reader{queue: q, reclaimed: c.now()}
	c.turn(stuckAfter - time.Second)
	m.SetTime(c.now())
	if got := r.next(t.Context(), 8); len(got) != 0 {
		t.Errorf("taken over a second early")
	}
	c.turn(reclaimEach)
	m.SetTime(c.now())
	got := r.next(t.Context(), 8)
	if len(got) != 1 {
		t.Fatalf("%d messages taken over, want 1", len(got))
	}
	job, ok := decode(got[0])
	q.work(t.Context(), got[0].ID, job, ok)
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Done {
		t.Errorf("%+v %v, want done", s, err)
	}
}
