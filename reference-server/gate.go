package refserver

import (
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/cstest/cstest/unit"
)

// gates are the token buckets in front of a turn. Safe for concurrent use.
type gates struct {
	mu      sync.Mutex
	limit   unitLimit
	global  *rate.Limiter
	users   *otter.Cache[string, *rate.Limiter]
	tenants *otter.Cache[string, *rate.Limiter]
	reads   keyed // of users
	refused keyed // of addresses
}

// unitLimit is what the buckets were made from.
type unitLimit struct {
	global, tenant, user   float64
	globalBurst, userBurst int
}

const (
	maxUserBuckets   = 200_000
	maxTenantBuckets = 10_000
	bucketIdle       = 10 * time.Minute
)

func newGates(s *settings) *gates {
	g := &gates{reads: newKeyed("reads", 2), refused: newKeyed("refused", 5)}
	g.reset(limitsOf(s))
	return g
}

func limitsOf(s *settings) unitLimit {
	return unitLimit{
		global: float64(s.limitGlobal), tenant: float64(s.limitTenant), user: float64(s.limitUser),
		globalBurst: int(s.limitGlobalBurst), userBurst: int(s.limitUserBurst),
	}
}

func (g *gates) reset(l unitLimit) {
	buckets := func(n int) *otter.Cache[string, *rate.Limiter] {
		return otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: n, ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](bucketIdle)})
	}
	g.closeBuckets()
	g.limit = l
	g.global = rate.NewLimiter(rate.Limit(l.global), max(1, l.globalBurst))
	g.users, g.tenants = buckets(maxUserBuckets), buckets(maxTenantBuckets)
}

// close ends what the buckets do in the background.
func (g *gates) close() {
	g.closeBuckets()
	g.reads.buckets.StopAllGoroutines()
	g.refused.buckets.StopAllGoroutines()
}

func (g *gates) closeBuckets() {
	if g.users != nil {
		g.users.StopAllGoroutines()
		g.tenants.StopAllGoroutines()
	}
}

// quota is what a caller may know about a bucket, for the RateLimit fields.
type quota struct {
	name  string
	limit int
	wait  time.Duration // until the next token, when refused
}

// allow takes a token from each bucket, the caller's own first. refused is nil
// when the turn may pass.
func (g *gates) allow(who identity, s *settings, now time.Time) (refused *quota) {
	if q := g.allowUser(who, s, now); q != nil {
		return q
	}
	g.mu.Lock()
	l, global, tenants := g.limit, g.global, g.tenants
	g.mu.Unlock()
	if l.tenant > 0 {
		burst := max(1, int(l.tenant))
		b := bucketOf(tenants, who.Tenant, l.tenant, burst)
		if q := take(b, "tenant", burst, now); q != nil {
			return q
		}
	}
	if l.global > 0 {
		return take(global, "global", l.globalBurst, now)
	}
	return nil
}

// allowUser takes a token from the caller's own bucket only.
func (g *gates) allowUser(who identity, s *settings, now time.Time) (refused *quota) {
	g.mu.Lock()
	if l := limitsOf(s); l != g.limit {
		g.reset(l)
	}
	l, users := g.limit, g.users
	g.mu.Unlock()
	if l.user <= 0 {
		return nil
	}
	return take(bucketOf(users, who.Tenant+"\x00"+who.UID, l.user, l.userBurst), "user", l.userBurst, now)
}

func bucketOf(c *otter.Cache[string, *rate.Limiter], key string, perSecond float64, burst int) *rate.Limiter {
	if b, ok := c.GetIfPresent(key); ok {
		return b
	}
	b, _ := c.SetIfAbsent(key, rate.NewLimiter(rate.Limit(perSecond), max(1, burst)))
	return b
}

func take(b *rate.Limiter, name string, limit int, now time.Time) *quota {
	if b.AllowN(now, 1) {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) / float64(b.Limit()) * float64(time.Second))
	return &quota{name: name, limit: limit, wait: max(wait, time.Millisecond)}
}

// keyed are token buckets of one kind, one for each key. Their rate is given
// with every call, so that it can change while the server runs. Safe for
// concurrent use.
type keyed struct {
	name    string
	seconds float64 // of burst
	buckets *otter.Cache[string, *rate.Limiter]
}

func newKeyed(name string, seconds float64) keyed {
	return keyed{name, seconds, otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: maxUserBuckets, ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](bucketIdle)})}
}

func (k keyed) bucket(key string, perSecond unit.Rate) *rate.Limiter {
	b := bucketOf(k.buckets, key, float64(perSecond), int(k.seconds*float64(perSecond)))
	if b.Limit() != rate.Limit(perSecond) {
		b.SetLimit(rate.Limit(perSecond))
		b.SetBurst(max(1, int(k.seconds*float64(perSecond))))
	}
	return b
}

// take takes a token; nil when there was one.
func (k keyed) take(key string, perSecond unit.Rate, now time.Time) *quota {
	if perSecond <= 0 {
		return nil
	}
	b := k.bucket(key, perSecond)
	return take(b, k.name, b.Burst(), now)
}

// peek is take without taking.
func (k keyed) peek(key string, perSecond unit.Rate, now time.Time) *quota {
	if perSecond <= 0 {
		return nil
	}
	b, ok := k.buckets.GetIfPresent(key)
	if !ok || b.TokensAt(now) >= 1 {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) / float64(b.Limit()) * float64(time.Second))
	return &quota{name: k.name, limit: b.Burst(), wait: max(wait, time.Millisecond)}
}
