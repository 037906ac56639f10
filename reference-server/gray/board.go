package gray

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/knobs"
)

const (
	boardKey   = "gray:{g}:release"
	boardEvery = time.Second // how often each server looks
	boardLimit = 500 * time.Millisecond
)

// board keeps the release in Redis, where every server and the next one see it.
type board struct {
	redis redis.UniversalClient
	put   *redis.Script
}

func newBoard(rdb redis.UniversalClient) board {
	return board{rdb, redis.NewScript(`
local v = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if v ~= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'release', ARGV[3])
return 1`)}
}

// read gives the release that Redis keeps; nil: there is none.
func (b board) read(ctx context.Context, set *knobs.Settings) (*Release, error) {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	text, err := b.redis.HGet(ctx, boardKey, "release").Result()
	if errors.Is(err, redis.Nil) {
		return nil, nil //nolint:nilnil // none is an answer
	}
	if err != nil {
		return nil, err
	}
	return decodeRelease(text, set)
}

// write replaces the release if its version is still this one; ok is false when it is
// not.
func (b board) write(ctx context.Context, r Release, version int64) (ok bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	n, err := b.put.Run(ctx, b.redis, []string{boardKey}, version, r.Version, r.encode()).Int()
	return n == 1, err
}

// sync takes over what Redis has, or gives it what it lacks: a release that was
// changed while Redis was away, or one that it lost. While it is away, or has
// nonsense, the last one known here holds. mu is held.
func (r *Releases) sync(ctx context.Context) {
	theirs, err := r.board.read(ctx, r.knobs.Load())
	if err != nil {
		r.shared.Store(false)
		return
	}
	ours := r.release.Load()
	var has, have int64
	if theirs != nil {
		has = theirs.Version
	}
	if ours != nil {
		have = ours.Version
	}
	shared := true
	switch {
	case has > have, has == have && has > 0 && theirs.encode() != ours.encode():
		r.adopt(theirs)
	case have > has:
		ok, err := r.board.write(ctx, *ours, has)
		shared = ok && err == nil
	}
	r.shared.Store(shared)
}

// Run follows the release of all servers and judges it, until ctx ends.
func (r *Releases) Run(ctx context.Context) {
	tick := time.NewTicker(boardEvery)
	defer tick.Stop()
	for {
		r.mu.Lock()
		r.sync(ctx)
		r.mu.Unlock()
		r.look(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
