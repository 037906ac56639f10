package backflow

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
)

// onEachRedis runs f on a miniredis and on a real one.
func onEachRedis(t *testing.T, f func(t *testing.T, rdb *redis.Client)) {
	t.Run("miniredis", func(t *testing.T) { f(t, connect(t, miniredis.RunT(t).Addr())) })
	t.Run("redis-server", func(t *testing.T) { f(t, connect(t, redistest.Start(t).Addr)) })
}

func connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

var quick = Live{Max: 10_000, Rate: 100_000, AtOnce: 4, Life: time.Hour, DraftAfter: 2}

// newFlow is one server's, which finds the model well and no users.
func newFlow(rdb *redis.Client, change func(*Options)) *Flow {
	o := Options{
		Redis: rdb, Live: func() Live { return quick }, World: func() World { return World{Model: time.Now().Add(-time.Hour)} },
		Metrics: prometheus.NewRegistry(), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Stuck: 50 * time.Millisecond,
	}
	if change != nil {
		change(&o)
	}
	return New(o)
}

func waitFor(t testing.TB, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !done(); {
		if time.Now().After(end) {
			t.Fatalf("it did not happen: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// state reads where the flow stands, which must add up.
func state(t testing.TB, f *Flow) State {
	t.Helper()
	s, err := f.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !s.Conserved() {
		t.Errorf("in %d is not %v and %d waiting", s.In, s.Ends, s.Waiting)
	}
	return s
}
