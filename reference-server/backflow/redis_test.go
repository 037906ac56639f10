package backflow

import (
	"io"
	"log/slog"
	"net"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
)

// onEachRedis runs f on a miniredis and on a real one.
func onEachRedis(t *testing.T, f func(t *testing.T, rdb *redis.Client)) {
	t.Run("miniredis", func(t *testing.T) { f(t, connect(t, miniredis.RunT(t).Addr())) })
	t.Run("redis-server", func(t *testing.T) { f(t, connect(t, realRedis(t))) })
}

func connect(t testing.TB, addr string) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, ContextTimeoutEnabled: true, Protocol: 2, DisableIdentity: true})
	t.Cleanup(func() { rdb.Close() })
	return rdb
}

// realRedis starts a redis-server of its own, or skips.
func realRedis(t *testing.T) string {
	t.Helper()
	return startRedis(t, "", "").addr
}

// redisServer is a real one.
type redisServer struct {
	addr string
	kill func()
}

// startRedis starts one, at addr unless empty; in dir it writes down whatever it is
// told, and begins with that.
func startRedis(t *testing.T, dir, addr string) redisServer {
	t.Helper()
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	if addr == "" {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = ln.Addr().String()
		ln.Close()
	}
	_, port, _ := net.SplitHostPort(addr)
	args := []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", t.TempDir(), "--appendonly", "no"}
	if dir != "" {
		args = []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--appendonly", "yes", "--appendfsync", "always"}
	}
	cmd := exec.Command(bin, args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	kill := func() { once.Do(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) }
	t.Cleanup(kill)
	c := redis.NewClient(&redis.Options{Addr: addr})
	defer c.Close()
	for end := time.Now().Add(10 * time.Second); c.Ping(t.Context()).Err() != nil; {
		if time.Now().After(end) {
			t.Fatal("redis-server does not answer")
		}
		time.Sleep(20 * time.Millisecond) // another process: nothing to wait on
	}
	return redisServer{addr, kill}
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
