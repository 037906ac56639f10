package gray

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/reference-server/knobs"
	"github.com/cstest/cstest/reference-server/wire"
)

// State is where a release stands.
type State string

// The states. Without a release users are parted all the same, by the knob
// gray.share, and have the same knobs.
const (
	Running    State = "running"
	Promoted   State = "promoted"
	RolledBack State = "rolled_back"
)

// Who changed a release.
const (
	ByOperator = "operator"
	ByBudget   = "budget"
	ByKnobs    = "knobs" // the server was started with it
)

// maxShare is the largest share that a release with knobs may have: the rest must be
// there to compare it with.
const maxShare = 0.5

const maxReason = 200

// Release is a set of knobs on its way to everybody. It is never changed once made.
type Release struct {
	Version int64             `json:"version"`
	State   State             `json:"state"`
	Share   float64           `json:"share"`
	Knobs   map[string]string `json:"knobs"` // of the group
	Reason  string            `json:"reason"`
	By      string            `json:"by"`
	AtMS    int64             `json:"at"` // Unix, of the last change
	// All are knobs that were promoted, and hold for everybody; Undo what the last
	// promotion replaced.
	All  map[string]string `json:"all"`
	Undo map[string]string `json:"undo"`
}

func (r Release) encode() string {
	j := wire.JSON(nil).Object("").Int("version", r.Version).String("state", string(r.State)).Float("share", r.Share, -1).
		String("reason", r.Reason).String("by", r.By).Int("at", r.AtMS)
	for _, part := range []struct {
		name   string
		values map[string]string
	}{{"knobs", r.Knobs}, {"all", r.All}, {"undo", r.Undo}} {
		j = j.Object(part.name)
		for _, k := range slices.Sorted(maps.Keys(part.values)) {
			j = j.String(k, part.values[k])
		}
		j = j.EndObject()
	}
	return string(j.EndObject())
}

var errRelease = errors.New("what Redis keeps is no release")

// decodeRelease reads what encode wrote, and nothing that these knobs cannot be.
func decodeRelease(text string, set *knobs.Settings) (*Release, error) {
	var r Release
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		return nil, fmt.Errorf("%w: %w", errRelease, err)
	}
	if r.Version <= 0 || !slices.Contains([]State{Running, Promoted, RolledBack}, r.State) || r.Share < 0 || r.Share > maxShare {
		return nil, errRelease
	}
	for _, values := range []map[string]string{r.Knobs, r.All} {
		if _, err := set.ForGroup(values); err != nil {
			return nil, fmt.Errorf("%w: %w", errRelease, err)
		}
	}
	return &r, nil
}

// Why a release cannot be changed.
var (
	ErrStale   = errors.New("the release was changed in between")
	ErrNothing = errors.New("no release is running")
)

// FieldError is a value that a release cannot have.
type FieldError struct{ What string }

// Error says what is wanted.
func (e *FieldError) Error() string { return e.What }

// Options are what releases work with.
type Options struct {
	Redis   redis.UniversalClient
	Knobs   *knobs.Live
	Metrics prometheus.Registerer
	Log     *slog.Logger
	Now     func() time.Time
}

// Releases is the release of all servers that share a Redis, as this one knows it.
// Safe for concurrent use.
type Releases struct {
	knobs   *knobs.Live
	log     *slog.Logger
	now     func() time.Time
	board   board
	counts  counts
	metrics *metrics

	release atomic.Pointer[Release] // nil: Redis has none
	seen    atomic.Pointer[view]
	shared  atomic.Bool // the other servers know it

	mu      sync.Mutex // held while the release changes
	applied map[string]string
	judge   judge
}

// New makes releases; nothing is read before Run.
func New(o Options) *Releases {
	r := &Releases{knobs: o.Knobs, log: o.Log, now: o.Now, board: newBoard(o.Redis), counts: counts{redis: o.Redis}}
	if r.now == nil {
		r.now = time.Now
	}
	r.metrics = newMetrics(o.Metrics, r)
	return r
}

// Current is the release that holds; without one, it is what the knobs say.
func (r *Releases) Current() Release { return r.current(r.knobs.Load(), r.release.Load()) }

func (r *Releases) current(set *knobs.Settings, rel *Release) Release {
	if rel != nil {
		return *rel
	}
	now := Release{Share: float64(set.GrayShare)}
	if own, err := knobs.ParseGroup(set.GrayKnobs); err == nil && len(own) > 0 {
		now.State, now.Knobs, now.By = Running, own, ByKnobs
	}
	return now
}

// Shared says whether the other servers know the release, too.
func (r *Releases) Shared() bool { return r.shared.Load() }

// Start begins a release, or changes share or knobs of one that runs. Who is in the
// group stays in when the share grows. Errors: ErrStale, *FieldError.
func (r *Releases) Start(ctx context.Context, version int64, share float64, values map[string]string, reason string) error {
	switch {
	case share <= 0 || share > maxShare:
		return &FieldError{"share: want more than 0% and at most 50%; what is good for more is promoted"}
	case len(values) == 0:
		return &FieldError{"knobs: want an object of the knobs that the group has in place of everybody's"}
	case reason == "" || len(reason) > maxReason:
		return &FieldError{"reason: say why, in 1 to 200 bytes"}
	}
	if _, err := r.knobs.Load().ForGroup(values); err != nil {
		return &FieldError{err.Error()}
	}
	return r.change(ctx, version, func(now Release) (Release, error) {
		return Release{State: Running, Share: share, Knobs: maps.Clone(values), Reason: reason, By: ByOperator, All: now.All}, nil
	})
}

// Promote makes the group's knobs everybody's. Errors: ErrStale, ErrNothing.
func (r *Releases) Promote(ctx context.Context, version int64, reason string) error {
	return r.change(ctx, version, func(now Release) (Release, error) {
		if now.State != Running {
			return Release{}, ErrNothing
		}
		before := r.knobs.Load().Values()
		next := now
		next.State, next.By, next.Reason = Promoted, ByOperator, reason
		next.All, next.Undo = maps.Clone(now.All), map[string]string{}
		if next.All == nil {
			next.All = map[string]string{}
		}
		for name, v := range now.Knobs {
			next.Undo[name], next.All[name] = before[name], v
		}
		return next, nil
	})
}

// Rollback gives the group everybody's knobs again, or everybody those from before a
// promotion. Errors: ErrStale, ErrNothing.
func (r *Releases) Rollback(ctx context.Context, version int64, reason, by string) error {
	return r.change(ctx, version, func(now Release) (Release, error) {
		if now.State != Running && now.State != Promoted {
			return Release{}, ErrNothing
		}
		next := now
		if now.State == Promoted {
			next.All = maps.Clone(now.All)
			maps.Copy(next.All, now.Undo)
		}
		next.State, next.By, next.Reason, next.Undo = RolledBack, by, reason, nil
		return next, nil
	})
}

// change replaces the release if its version is still the given one. Without Redis
// it holds on this server until the others can be told.
func (r *Releases) change(ctx context.Context, version int64, to func(Release) (Release, error)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sync(ctx)
	now := r.Current()
	if now.Version != version {
		return ErrStale
	}
	next, err := to(now)
	if err != nil {
		return err
	}
	next.Version, next.AtMS = version+1, r.now().UnixMilli()
	ok, err := r.board.write(ctx, next, version)
	r.shared.Store(err == nil)
	if err == nil && !ok {
		return ErrStale
	}
	r.adopt(&next)
	return nil
}

// adopt takes over a release, and the knobs that it has promoted.
func (r *Releases) adopt(next *Release) {
	was := r.Current()
	r.release.Store(next)
	r.judge.forget()
	if len(next.All) > 0 && !maps.Equal(next.All, r.applied) {
		if _, err := r.knobs.Change(next.All); err != nil {
			r.log.Error("promoted knobs do not fit here", "err", err)
		}
		r.applied = next.All
	}
	r.log.Warn("gray release", "state", string(next.State), "was", string(was.State), "version", next.Version, "share", next.Share,
		"knobs", next.Knobs, "by", next.By, "reason", next.Reason)
	if next.State == RolledBack && was.State != RolledBack {
		r.metrics.rollbacks(next.By)
	}
}
