package dialog

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
)

// Turns that hold every connection say nothing about Redis.
func TestPulseHasConnectionsOfItsOwn(t *testing.T) {
	m := miniredis.RunT(t)
	rdb := Connect(&redis.Options{Addr: m.Addr()}, StoreOptions{Timeout: 50 * time.Millisecond, Pool: 1})
	defer rdb.Close()
	held := rdb.Conn()
	defer held.Close()
	if err := held.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := rdb.Ping(t.Context()).Err(); !errors.Is(err, redis.ErrPoolTimeout) {
		t.Fatalf("%v, but the connection was held", err)
	}
	p := NewPulse(rdb)
	defer p.Close()
	if err := p.Feel(t.Context()); err != nil {
		t.Error(err)
	}
}

// A Redis that takes connections and says nothing fails each time, also when the
// questions before still wait.
func TestPulseOfASilentRedis(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	rdb := Connect(&redis.Options{Addr: ln.Addr().String()}, StoreOptions{Timeout: 50 * time.Millisecond, Pool: 1})
	defer rdb.Close()
	p := NewPulse(rdb)
	defer p.Close()
	errs := make(chan error)
	for range 3 * pulseConns {
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			errs <- p.Feel(ctx)
		}()
	}
	for range 3 * pulseConns {
		if <-errs == nil {
			t.Error("a Redis that says nothing is felt")
		}
	}
}
