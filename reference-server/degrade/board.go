package degrade

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	boardKey   = "degrade:switch"
	boardEvery = time.Second // how often each process looks
	boardLimit = 500 * time.Millisecond
)

// Board keeps the switch in Redis, where every process and the next one see it.
// Safe for concurrent use.
type Board struct {
	redis redis.UniversalClient
	put   *redis.Script
}

// NewBoard keeps the switch in this Redis.
func NewBoard(rdb redis.UniversalClient) *Board {
	return &Board{rdb, redis.NewScript(`
local v = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if v ~= tonumber(ARGV[1]) then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1`)}
}

// posted is a switch as Redis keeps it.
type posted struct {
	Mode      string `redis:"mode"`
	Tier      string `redis:"tier"`
	Scope     string `redis:"scope"`
	Reason    string `redis:"reason"`
	ExpiresMS int64  `redis:"expires_ms"` // Unix
	Version   int64  `redis:"version"`
}

var errBoard = errors.New("what Redis keeps is no switch")

// read gives the switch that Redis keeps; its version is 0 when there is none.
func (b *Board) read(ctx context.Context) (Switch, error) {
	got := b.redis.HGetAll(ctx, boardKey)
	var p posted
	if err := got.Err(); err != nil {
		return Switch{}, err
	}
	if len(got.Val()) == 0 {
		return Switch{}, nil
	}
	if err := got.Scan(&p); err != nil {
		return Switch{}, fmt.Errorf("%w: %w", errBoard, err)
	}
	sw := Switch{Mode: p.Mode, Scope: p.Scope, Reason: p.Reason, Expires: time.UnixMilli(p.ExpiresMS), Version: p.Version}
	if wrong := sw.Check(p.Tier); wrong != "" || p.Version <= 0 {
		return Switch{}, fmt.Errorf("%w: %s", errBoard, wrong)
	}
	return sw, nil
}

// write replaces the switch if its version is still this one; ok is false when it
// is not.
func (b *Board) write(ctx context.Context, sw Switch, version int64) (ok bool, err error) {
	n, err := b.put.Run(ctx, b.redis, []string{boardKey}, version, "mode", sw.Mode, "tier", sw.Tier, "scope", sw.Scope, "reason", sw.Reason,
		"expires_ms", sw.Expires.UnixMilli(), "version", sw.Version).Int()
	return n == 1, err
}

// SetSwitch replaces the switch if its version is still the given one. Without
// Redis it holds in this process until the others can be told.
func (w *Watch) SetSwitch(ctx context.Context, sw Switch, version int64) bool {
	w.setting.Lock()
	defer w.setting.Unlock()
	w.syncSwitch(ctx)
	if w.version() != version {
		return false
	}
	sw.Version = version + 1
	if w.hooks.Board != nil {
		ctx, cancel := context.WithTimeout(ctx, boardLimit)
		defer cancel()
		ok, err := w.hooks.Board.write(ctx, sw, version)
		w.shared.Store(err == nil)
		if err == nil && !ok {
			return false
		}
	}
	w.hand.Store(&sw)
	return true
}

// SwitchShared says whether the other processes know the switch, too.
func (w *Watch) SwitchShared() bool { return w.hooks.Board == nil || w.shared.Load() }

// sharing follows the switch of all processes until ctx ends.
func (w *Watch) sharing(ctx context.Context) {
	tick := time.NewTicker(boardEvery)
	defer tick.Stop()
	for {
		w.setting.Lock()
		w.syncSwitch(ctx)
		w.setting.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// syncSwitch takes over what Redis has, or gives it what it lacks: a switch set
// while Redis was away, or one that it lost. While it is away, or has nonsense, the
// last one known here holds.
func (w *Watch) syncSwitch(ctx context.Context) {
	b := w.hooks.Board
	if b == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, boardLimit)
	defer cancel()
	theirs, err := b.read(ctx)
	if err != nil {
		w.shared.Store(false)
		return
	}
	shared := true
	switch ours := w.hand.Load(); {
	case theirs.Version >= w.version():
		if theirs.Version > 0 && (ours == nil || *ours != theirs) {
			w.hand.Store(&theirs)
		}
	default:
		shared, err = b.write(ctx, *ours, theirs.Version)
		shared = shared && err == nil
	}
	w.shared.Store(shared)
}
