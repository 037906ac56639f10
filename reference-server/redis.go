package refserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/gray"
	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/unit"
)

// embeddedTimeout is the least time of one operation where no knob says
// otherwise.
const embeddedTimeout = unit.Duration(250 * time.Millisecond)

// openRedis connects to the Redis of the configuration, or to one in this process.
func (s *Server) openRedis(set *knobs.Settings) error {
	var opt *redis.Options
	if s.cfg.Redis == "" {
		e, err := startEmbedded(set.RedisAwayAt.D(), set.RedisAwayFor.D())
		if err != nil {
			return err
		}
		s.embedded = e
		opt = &redis.Options{Addr: e.mini.Addr(), PoolTimeout: set.RedisTimeout.D()}
		s.log.Info("embedded Redis: volatile, single lock, no capacity claims")
	} else {
		if set.RedisAwayFor > 0 {
			return errors.New("knob redis.away_for: only the embedded Redis goes away when told")
		}
		o, err := dialog.RedisOptions(s.cfg.Redis)
		if err != nil {
			return err
		}
		opt = o
	}
	o := storeOptions(set, &s.background, s.sawRedis)
	o.Trips = &s.trips
	o.MarkLife = func() time.Duration { return markLife(s.knobs.Load(), s.gray.Settings(gray.Gray)) }
	o.Erased = func(list dialog.Erasures) {
		s.desk.Forget(list)
		s.backflow.Forget(list)
	}
	s.redis = dialog.Connect(opt, o)
	s.store, s.pulse = dialog.NewStore(s.redis, o), dialog.NewPulse(s.redis)
	return nil
}

func (s *Server) redisKind() string {
	if s.embedded != nil {
		return "embedded"
	}
	return "external"
}

// embedded is a miniredis in this process. Its keys only age when told so,
// which costs a walk over all of them: the walk comes once a second, and less
// often as it gets longer.
type embedded struct {
	mini  *miniredis.Miniredis
	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// startEmbedded starts one that goes away for an outage after a time; 0 is never.
func startEmbedded(at, outage time.Duration) (*embedded, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("embedded Redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &embedded{mini: m, stop: stop}
	e.tasks.Go(func() { e.age(ctx) })
	if outage > 0 {
		e.tasks.Go(func() { e.goAway(ctx, at, outage) })
	}
	return e, nil
}

// goAway closes the port and every connection, as a Redis does whose machine is
// gone, and comes back with what it held.
func (e *embedded) goAway(ctx context.Context, at, outage time.Duration) {
	if !pause(ctx, at) {
		return
	}
	e.mini.Close()
	if !pause(ctx, outage) {
		return
	}
	for e.mini.Restart() != nil { // another process may have the port for a moment
		if !pause(ctx, 50*time.Millisecond) {
			return
		}
	}
}

// pause tells whether d went by before ctx was done.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// age drives the clock of the TTLs. At most 1 % of the time goes into it.
func (e *embedded) age(ctx context.Context) {
	last, wait := time.Now(), time.Second
	for {
		if !pause(ctx, wait) {
			return
		}
		now := time.Now()
		e.mini.FastForward(now.Sub(last))
		last = now
		wait = min(max(time.Second, 100*time.Since(now)), time.Minute)
	}
}

func (e *embedded) close() {
	if e == nil {
		return
	}
	e.stop()
	e.tasks.Wait()
	e.mini.Close()
}
