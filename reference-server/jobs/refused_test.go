package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
	"github.com/cstest/cstest/reference-server/dialog"
)

// refusals is a log that tells when the end of a job could not be written.
type refusals chan struct{}

func (r refusals) Write(line []byte) (int, error) {
	if strings.Contains(string(line), "the end of a job is not written yet") {
		r <- struct{}{}
	}
	return len(line), nil
}

// G6: a job whose end Redis refuses ends all the same, once, when Redis takes it again;
// its answer is not made a second time.
func TestAJobEndsThoughItsEndIsRefused(t *testing.T) {
	for _, c := range []struct {
		name string
		// start gives a Redis, and what makes it refuse to write and take it back.
		start func(t *testing.T) (addr string, refuse, accept func())
	}{
		{"an error", func(t *testing.T) (string, func(), func()) {
			m := miniredis.RunT(t)
			return m.Addr(), func() { m.SetError("OOM command not allowed when used memory > 'maxmemory'.") }, func() { m.SetError("") }
		}},
		{"out of memory", func(t *testing.T) (string, func(), func()) {
			s := redistest.Start(t)
			return s.Addr, func() { s.Tell(t, "CONFIG", "SET", "maxmemory", "1") }, func() { s.Tell(t, "CONFIG", "SET", "maxmemory", "0") }
		}},
		{"read-only", func(t *testing.T) (string, func(), func()) {
			s := redistest.Start(t)
			return s.Addr, func() { s.Tell(t, "REPLICAOF", "127.0.0.1", "1") }, func() { s.Tell(t, "REPLICAOF", "NO", "ONE") }
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, refuse, accept := c.start(t)
			rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
			t.Cleanup(func() { rdb.Close() })
			const n = 8
			var mu sync.Mutex
			answers := map[string]int{}
			entered, leave := make(chan struct{}, n), make(chan struct{})
			answer := func(_ context.Context, job Job) ([]byte, string) {
				mu.Lock()
				answers[job.ID]++
				mu.Unlock()
				entered <- struct{}{}
				<-leave
				return []byte("1"), ""
			}
			refused := make(refusals, 1000)
			q := New(rdb, answer, slog.New(slog.NewTextHandler(refused, nil)), time.Now)
			for i := range n {
				submit(t, q, testJob(i))
			}
			run(t, q)
			for range n {
				<-entered
			}
			refuse()
			if _, err := q.Cancel(t.Context(), jobID(0)); !errors.Is(err, dialog.ErrState) {
				t.Errorf("cancelled, and Redis does not know: %v", err)
			}
			close(leave)
			for range n {
				<-refused
			}
			accept()
			for i := range n {
				if s := ended(t, q, jobID(i)); s.State != Done || string(s.Result) != "1" || answers[jobID(i)] != 1 {
					t.Errorf("job %d: %s %q, answered %d times", i, s.State, s.Result, answers[jobID(i)])
				}
			}
			if got := q.Ended(Done) + q.Ended(Failed) + q.Ended(Cancelled); got != n || q.Ended(Done) != n {
				t.Errorf("%d ends, %d of them done; want %d", got, q.Ended(Done), n)
			}
			for end := time.Now().Add(10 * time.Second); q.Length(t.Context()) != 0; time.Sleep(time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("%d left on the stream", q.Length(t.Context()))
				}
			}
		})
	}
}

// A server that goes down before Redis takes the end of its job leaves the job to
// another.
func TestAJobOfAServerThatCouldNotEndItIsTakenOver(t *testing.T) {
	q, m, c := testQueue(t, echo)
	submit(t, q, testJob(1))
	m.SetTime(c.now())
	first := reader{queue: q, reclaimed: c.now()}
	got := first.next(t.Context(), 1)
	if len(got) != 1 {
		t.Fatalf("%d messages, want the job", len(got))
	}
	down, stop := context.WithCancel(t.Context())
	q.answer = func(context.Context, Job) ([]byte, string) {
		m.SetError("READONLY You can't write against a read only replica.")
		stop()
		return []byte("1"), ""
	}
	job, ok := decode(got[0])
	q.work(down, got[0].ID, job, ok)
	m.SetError("")
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Running || q.Length(t.Context()) != 1 {
		t.Fatalf("%+v %v, %d on the stream; want it running, and there", s, err, q.Length(t.Context()))
	}
	other := New(q.redis, echo, q.log, c.now)
	second := reader{queue: other, reclaimed: c.now()}
	c.turn(stuckAfter + reclaimEach)
	m.SetTime(c.now())
	got = second.next(t.Context(), 8)
	if len(got) != 1 {
		t.Fatalf("%d messages taken over, want 1", len(got))
	}
	job, ok = decode(got[0])
	other.work(t.Context(), got[0].ID, job, ok)
	if s, err := q.Status(t.Context(), jobID(1)); err != nil || s.State != Done || string(s.Result) != `"text 1"` {
		t.Errorf("%+v %v, want done", s, err)
	}
	if n := q.Length(t.Context()); n != 0 || fmt.Sprint(q.Ended(Done), other.Ended(Done)) != "0 1" {
		t.Errorf("%d on the stream; ended here %d, there %d", n, q.Ended(Done), other.Ended(Done))
	}
}
