package quota

import (
	"net"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/time/rate"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/unit"
)

// Gates are the token buckets in front of requests. Safe for concurrent use.
type Gates struct {
	mu      sync.Mutex
	limit   Limits
	global  *rate.Limiter
	users   *otter.Cache[string, *rate.Limiter]
	tenants *otter.Cache[string, *rate.Limiter]
	Reads   Keyed // of users
	Refused Keyed // of addresses
	Dialogs Keyed // that users begin
	Tokens  Keyed // of the model, that users cost
	Tickets Keyed // of users, for what nobody but people can answer
}

// Limits are the rates of turns that pass; 0: all.
type Limits struct {
	Global, Tenant, User   unit.Rate
	GlobalBurst, UserBurst int
}

const (
	maxUserBuckets   = 200_000
	maxTenantBuckets = 10_000
	bucketIdle       = 10 * time.Minute
)

// New makes gates; Close ends them.
func New() *Gates {
	g := &Gates{Reads: newKeyed("reads", 2), Refused: newKeyed("refused", 5), Dialogs: newKeyed("dialogs", 60), Tokens: newKeyed("tokens", 600), Tickets: newKeyed("tickets", 3600)}
	g.reset(Limits{})
	return g
}

func (g *Gates) reset(l Limits) {
	buckets := func(n int) *otter.Cache[string, *rate.Limiter] {
		return otter.Must(&otter.Options[string, *rate.Limiter]{MaximumSize: n, ExpiryCalculator: otter.ExpiryAccessing[string, *rate.Limiter](bucketIdle)})
	}
	g.closeBuckets()
	g.limit = l
	g.global = rate.NewLimiter(rate.Limit(l.Global), max(1, l.GlobalBurst))
	g.users, g.tenants = buckets(maxUserBuckets), buckets(maxTenantBuckets)
}

// Close ends what the buckets do in the background.
func (g *Gates) Close() {
	g.closeBuckets()
	g.Reads.buckets.StopAllGoroutines()
	g.Refused.buckets.StopAllGoroutines()
	g.Dialogs.buckets.StopAllGoroutines()
	g.Tokens.buckets.StopAllGoroutines()
	g.Tickets.buckets.StopAllGoroutines()
}

func (g *Gates) closeBuckets() {
	if g.users != nil {
		g.users.StopAllGoroutines()
		g.tenants.StopAllGoroutines()
	}
}

// Refusal is what a caller may know about a bucket that is empty.
type Refusal struct {
	Name  string
	Limit int
	Wait  time.Duration // until the next token
}

// Turn takes a token from each bucket, the caller's own first. refused is nil
// when the turn may pass.
func (g *Gates) Turn(who dialog.Owner, l Limits, now time.Time) (refused *Refusal) {
	if q := g.Own(who, l, now); q != nil {
		return q
	}
	g.mu.Lock()
	global, tenants := g.global, g.tenants
	g.mu.Unlock()
	if l.Tenant > 0 {
		burst := max(1, int(l.Tenant))
		b := bucketOf(tenants, who.Tenant, float64(l.Tenant), burst)
		if q := take(b, "tenant", burst, now); q != nil {
			return q
		}
	}
	if l.Global > 0 {
		return take(global, "global", l.GlobalBurst, now)
	}
	return nil
}

// Own takes a token from the caller's own bucket only.
func (g *Gates) Own(who dialog.Owner, l Limits, now time.Time) (refused *Refusal) {
	g.mu.Lock()
	if l != g.limit {
		g.reset(l)
	}
	users := g.users
	g.mu.Unlock()
	if l.User <= 0 {
		return nil
	}
	return take(bucketOf(users, Key(who), float64(l.User), l.UserBurst), "user", l.UserBurst, now)
}

// Address is the bucket of whoever sends from a remote address, whatever the port.
func Address(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

// Key is the bucket of a user.
func Key(who dialog.Owner) string { return who.Tenant + "\x00" + who.UID }

func bucketOf(c *otter.Cache[string, *rate.Limiter], key string, perSecond float64, burst int) *rate.Limiter {
	if b, ok := c.GetIfPresent(key); ok {
		return b
	}
	b, _ := c.SetIfAbsent(key, rate.NewLimiter(rate.Limit(perSecond), max(1, burst)))
	return b
}

func take(b *rate.Limiter, name string, limit int, now time.Time) *Refusal {
	if b.AllowN(now, 1) {
		return nil
	}
	wait := time.Duration((1 - b.TokensAt(now)) / float64(b.Limit()) * float64(time.Second))
	return &Refusal{Name: name, Limit: limit, Wait: max(wait, time.Millisecond)}
}
