package journal

import (
	"sync/atomic"
	"time"
)

// maxSeconds bounds the per-second counters: 4 h.
const maxSeconds = 4 * 3600

// Counts is a set of exact counters. Safe for concurrent use.
type Counts struct {
	By       [3]atomic.Uint64 // by purpose, at arrival
	Outcomes [outcomeLimit]atomic.Uint64
	Injected hist // time injected into calls of outcome ok
}

// Ledger counts the calls since an epoch, also by second.
type Ledger struct {
	Counts
	Origin   time.Time
	explicit bool // set by an epoch, not merely by a start or reset
	early    atomic.Uint64
	First    hist // when first tokens were written, of streams of outcome ok
	Gaps     hist // between content chunks as written, of streams no fault struck
	seconds  [maxSeconds]second
	last     atomic.Int64 // highest second touched, plus one
}

type second struct {
	by      [3]atomic.Uint32
	faulted atomic.Uint32
	open    atomic.Uint32 // most calls that were open for a while
}

// NewLedger counts from origin; explicit tells an epoch from a start or reset.
func NewLedger(origin time.Time, explicit bool) *Ledger {
	return &Ledger{Origin: origin, explicit: explicit}
}

// Arrive counts a call. It reports false for one that came before the epoch:
// such a call (a preflight) is only counted as early.
func (l *Ledger) Arrive(p Purpose, now time.Time) bool {
	since := now.Sub(l.Origin)
	if since < 0 {
		l.early.Add(1)
		return false
	}
	l.By[p].Add(1)
	if s := l.second(since); s != nil {
		s.by[p].Add(1)
	}
	return true
}

// Look notes how many calls have been open for a while. It is for one goroutine.
func (l *Ledger) Look(now time.Time, open int64) {
	if open <= 0 {
		return
	}
	if s := l.second(now.Sub(l.Origin)); s != nil && uint32(open) > s.open.Load() {
		s.open.Store(uint32(open))
	}
}

// Strike counts a call met by a fault.
func (l *Ledger) Strike(now time.Time) {
	if s := l.second(now.Sub(l.Origin)); s != nil {
		s.faulted.Add(1)
	}
}

func (l *Ledger) second(since time.Duration) *second {
	i := int64(since / time.Second)
	if since < 0 || i >= maxSeconds {
		return nil
	}
	for old := l.last.Load(); old <= i; old = l.last.Load() {
		if l.last.CompareAndSwap(old, i+1) {
			break
		}
	}
	return &l.seconds[i]
}

// End counts how a call ended; injected is the time it was held.
func (c *Counts) End(o Outcome, injected time.Duration) {
	c.Outcomes[o].Add(1)
	if o == OutcomeOK {
		c.Injected.Add(injected)
	}
}

// Amend corrects a call that was counted as o and really ended as now.
func (c *Counts) Amend(o, now Outcome, injected time.Duration) {
	c.Outcomes[o].Add(^uint64(0))
	c.Outcomes[now].Add(1)
	if o == OutcomeOK {
		c.Injected.Remove(injected)
	}
}
