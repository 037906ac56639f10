package admission

import (
	"sync"
	"time"

	"github.com/cstest/cstest/mockllm/config"
)

// Quotas count what was used of the limits. Safe for concurrent use.
type Quotas struct {
	mu               sync.Mutex
	requests, tokens bucket
}

// bucket holds what is left of one quota.
type bucket struct {
	config.Quota
	level float64
	at    time.Time
}

// Standing is how one quota stands: zero Limit means there is none.
type Standing struct {
	Limit, Remaining int64
	Reset            time.Duration // until all of it is there again
}

// Verdict is what became of a call. When it was refused, Over names the quota
// and Wait says when it would fit; Never is one that is larger than the quota.
type Verdict struct {
	Requests, Tokens Standing
	Over             string
	Wait             time.Duration
	Never            bool
}

// NewQuotas makes the quotas of a validated configuration, all unused; nil when
// there are none.
func NewQuotas(l config.Limits, now time.Time) *Quotas {
	if l == (config.Limits{}) {
		return nil
	}
	return &Quotas{
		requests: bucket{l.Requests, float64(l.Requests.N), now},
		tokens:   bucket{l.Tokens, float64(l.Tokens.N), now},
	}
}

// Take takes a request with so many tokens, or nothing when one of them is more
// than what is left.
func (q *Quotas) Take(now time.Time, tokens int) Verdict {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.requests.refill(now)
	q.tokens.refill(now)
	var v Verdict
	if wait := q.requests.lacks(1); wait > 0 {
		v.Over, v.Wait = "requests", wait
	}
	if wait := q.tokens.lacks(float64(tokens)); wait > v.Wait {
		v.Over, v.Wait, v.Never = "tokens", wait, int64(tokens) > q.tokens.N
	}
	if v.Over == "" {
		q.requests.level--
		q.tokens.level -= float64(tokens)
	}
	v.Requests, v.Tokens = q.requests.standing(), q.tokens.standing()
	return v
}

func (b *bucket) refill(now time.Time) {
	if b.N > 0 && now.After(b.at) {
		b.level = min(float64(b.N), b.level+float64(b.N)*float64(now.Sub(b.at))/float64(b.Per))
		b.at = now
	}
}

// lacks is how long it takes until n are there.
func (b *bucket) lacks(n float64) time.Duration {
	if b.N == 0 || b.level >= n {
		return 0
	}
	return max(b.during(n-b.level), 1)
}

// during is the time in which n come back.
func (b *bucket) during(n float64) time.Duration {
	return time.Duration(n / float64(b.N) * float64(b.Per))
}

func (b *bucket) standing() Standing {
	if b.N == 0 {
		return Standing{}
	}
	return Standing{Limit: b.N, Remaining: int64(b.level), Reset: b.during(float64(b.N) - b.level)}
}
