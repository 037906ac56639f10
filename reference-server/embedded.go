package refserver

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/cstest/cstest/unit"
)

// embeddedTimeout is the least time of one operation where no knob says
// otherwise.
const embeddedTimeout = unit.Duration(250 * time.Millisecond)

// embedded is a miniredis in this process. Its keys only age when told so,
// which costs a walk over all of them: the walk comes once a second, and less
// often as it gets longer.
type embedded struct {
	mini *miniredis.Miniredis
	stop context.CancelFunc
	done chan struct{}
}

func startEmbedded() (*embedded, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("embedded Redis: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	e := &embedded{mini: m, stop: stop, done: make(chan struct{})}
	go e.age(ctx)
	return e, nil
}

// age drives the clock of the TTLs. At most 1 % of the time goes into it.
func (e *embedded) age(ctx context.Context) {
	defer close(e.done)
	last, wait := time.Now(), time.Second
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
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
	<-e.done
	e.mini.Close()
}
