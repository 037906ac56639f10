package refserver

import (
	"context"
	"testing"
	"time"
)

// fault is what is done to Redis while turns are held.
type fault struct {
	name  string
	knobs map[string]string
	do    func(t *testing.T, k *talker, way *deafRedis)
	// loses: what Redis held may be gone, tickets too.
	loses bool
	// unkept: some answers cannot be kept meanwhile, and say so.
	unkept bool
}

// tries are how many end before, and while, something is wrong with Redis.
const tries = 25

// several does something to Redis a few times, between turns.
func several(times int, do func(s *Server, way *deafRedis)) func(*testing.T, *talker, *deafRedis) {
	return func(_ *testing.T, k *talker, way *deafRedis) {
		for range times {
			k.more(tries)
			do(k.server, way)
		}
	}
}

// during has something wrong with Redis for a while, a few times.
func during(times int, begin, end func(way *deafRedis)) func(*testing.T, *talker, *deafRedis) {
	return func(_ *testing.T, k *talker, way *deafRedis) {
		for range times {
			k.more(tries)
			begin(way)
			k.more(tries)
			end(way)
		}
	}
}

// dialogKeys are the lists of dialogs, as somebody beside the server sees them.
func dialogKeys(s *Server) []string {
	keys, _ := s.redis.Keys(context.Background(), "dlg:{*}").Result()
	return keys
}

func faults() []fault {
	ctx := context.Background()
	return []fault{
		{name: "none", do: several(3, func(*Server, *deafRedis) {})},
		{name: "a pool of two", knobs: map[string]string{"redis.pool": "2"}, do: several(3, func(*Server, *deafRedis) {})},
		{name: "four times what is let in", knobs: map[string]string{"chat.max_in_flight": "2"}, do: several(6, func(*Server, *deafRedis) {})},
		{name: "replies lost", unkept: true, do: during(4, func(way *deafRedis) { way.deaf.Store(true) }, func(way *deafRedis) { way.deaf.Store(false) })},
		{name: "connections cut", do: several(6, func(_ *Server, way *deafRedis) { way.cut() })},
		{name: "slow", do: during(3, func(way *deafRedis) { way.delay.Store(int64(70 * time.Millisecond)) }, func(way *deafRedis) { way.delay.Store(0) })},
		{name: "away", unkept: true, do: during(2, func(way *deafRedis) { way.shut(true) }, func(way *deafRedis) { way.shut(false) })},
		{name: "emptied", loses: true, do: several(3, func(s *Server, _ *deafRedis) { s.redis.FlushAll(ctx) })},
		{name: "tails lost", loses: true, do: several(4, func(s *Server, _ *deafRedis) {
			for _, key := range dialogKeys(s) {
				s.redis.RPop(ctx, key)
			}
		})},
		{name: "fronts lost", loses: true, do: several(4, func(s *Server, _ *deafRedis) {
			for _, key := range dialogKeys(s) {
				s.redis.LPop(ctx, key)
			}
		})},
		{name: "keys of the wrong type", loses: true, do: several(3, func(s *Server, _ *deafRedis) {
			for _, key := range dialogKeys(s) {
				s.redis.Set(ctx, key, "x", time.Minute)
			}
		})},
		{name: "leases deleted", do: several(6, func(s *Server, _ *deafRedis) {
			keys, _ := s.redis.Keys(ctx, "dlg:{*}:lease").Result()
			for _, key := range keys {
				s.redis.Del(ctx, key)
			}
		})},
	}
}
