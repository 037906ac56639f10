package mockllm

import (
	"sync/atomic"
	"time"
)

// maxSeconds bounds the per-second counters: 4 h.
const maxSeconds = 4 * 3600

// outcome is what the server did with a call: an HTTP status it injected, or
// one of the words below.
type outcome uint16

const (
	outcomeOK outcome = 600 + iota
	outcomeInvalid
	outcomeOverloaded
	outcomeGone
	outcomeKind  // + kind: struck by that fault
	outcomeLimit = outcomeKind + outcome(kindCount)
)

// String is the word of contracts, labels and journal: "ok", "invalid",
// "overloaded", "client_gone", "status_503", or the fault's kind.
func (o outcome) String() string {
	switch {
	case o == outcomeOK:
		return "ok"
	case o == outcomeInvalid:
		return "invalid"
	case o == outcomeOverloaded:
		return "overloaded"
	case o == outcomeGone:
		return "client_gone"
	case o > outcomeKind && o < outcomeLimit:
		return kindNames[o-outcomeKind]
	}
	return "status_" + string([]byte{'0' + byte(o/100%10), '0' + byte(o/10%10), '0' + byte(o%10)})
}

// purpose tells a user's turn from the server's own calls.
type purpose uint8

const (
	purposeTurn purpose = iota
	purposeProbe
	purposeBackflow
)

func (p purpose) String() string {
	return [...]string{"", "probe", "backflow"}[p]
}

// counts is a set of exact counters. Safe for concurrent use.
type counts struct {
	by       [3]atomic.Uint64 // by purpose, at arrival
	outcomes [outcomeLimit]atomic.Uint64
	injected hist // time injected into calls of outcome ok
}

// ledger counts the calls since an epoch, also by second.
type ledger struct {
	counts
	origin   time.Time
	explicit bool // set by an epoch, not merely by a start or reset
	early    atomic.Uint64
	first    hist // when first tokens were written, of streams of outcome ok
	gaps     hist // between content chunks as written, of streams no fault struck
	seconds  [maxSeconds]second
	last     atomic.Int64 // highest second touched, plus one
}

type second struct {
	by      [3]atomic.Uint32
	faulted atomic.Uint32
}

func newLedger(origin time.Time, explicit bool) *ledger {
	return &ledger{origin: origin, explicit: explicit}
}

// arrive counts a call. It reports false for one that came before the epoch:
// such a call (a preflight) is only counted as early.
func (l *ledger) arrive(p purpose, now time.Time) bool {
	since := now.Sub(l.origin)
	if since < 0 {
		l.early.Add(1)
		return false
	}
	l.by[p].Add(1)
	if s := l.second(since); s != nil {
		s.by[p].Add(1)
	}
	return true
}

// strike counts a call met by a fault.
func (l *ledger) strike(now time.Time) {
	if s := l.second(now.Sub(l.origin)); s != nil {
		s.faulted.Add(1)
	}
}

func (l *ledger) second(since time.Duration) *second {
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

// end counts how a call ended; injected is the time it was held.
func (c *counts) end(o outcome, injected time.Duration) {
	c.outcomes[o].Add(1)
	if o == outcomeOK {
		c.injected.add(injected)
	}
}

// amend corrects a call that was counted as o and really ended as now.
func (c *counts) amend(o, now outcome, injected time.Duration) {
	c.outcomes[o].Add(^uint64(0))
	c.outcomes[now].Add(1)
	if o == outcomeOK {
		c.injected.remove(injected)
	}
}

// Facts is the compact truth about the calls since the epoch. Times are
// monotonic and offsets from the epoch (of Start or Reset while none is set).
type Facts struct {
	EpochSet bool  `json:"epoch_set"`
	NowNs    int64 `json:"now_ns"`
	// Calls were made for users' turns; Probes and Backflow are the server's
	// own, by X-Request-Purpose, and not among Calls. Attempts is the sum.
	Calls    uint64 `json:"calls"`
	Probes   uint64 `json:"probes"`
	Backflow uint64 `json:"backflow"`
	Attempts uint64 `json:"attempts"`
	// BeforeEpoch counts calls that came before t = 0; nothing else here does.
	BeforeEpoch uint64 `json:"before_epoch"`
	// InFlight calls have arrived and not ended; Outcomes sum to the others.
	InFlight int64             `json:"in_flight"`
	Outcomes map[string]uint64 `json:"outcomes"`
	Phases   []PhaseFact       `json:"phases"`
	// PerSecond lists the seconds with calls, at most 4 h.
	PerSecond []SecondFact `json:"per_second"`
	Injected  Quantiles    `json:"injected"`
	// FirstToken and ChunkGap are of streams: from the request being read to the
	// first content chunk being written, and between content chunks.
	FirstToken Quantiles `json:"first_token"`
	ChunkGap   Quantiles `json:"chunk_gap"`
}

// PhaseFact is a fault window that began. EndNs is 0 while it is open.
type PhaseFact struct {
	Name    string  `json:"name"`
	Kind    string  `json:"kind"`
	Share   float64 `json:"share"`
	StartNs int64   `json:"start_ns"`
	EndNs   int64   `json:"end_ns"`
}

// SecondFact counts the arrivals of one second; Faulted of any purpose.
type SecondFact struct {
	T        int    `json:"t_s"`
	Calls    uint32 `json:"calls"`
	Probes   uint32 `json:"probes"`
	Backflow uint32 `json:"backflow"`
	Faulted  uint32 `json:"faulted"`
}

// Quantiles describes the time injected into calls answered without fault: from
// the request being read to the last byte of its answer being handed to the
// kernel's socket. Nearest rank, known to 0.1 %; N and MaxNs are exact.
type Quantiles struct {
	N      uint64 `json:"n"`
	P50Ns  int64  `json:"p50_ns"`
	P90Ns  int64  `json:"p90_ns"`
	P99Ns  int64  `json:"p99_ns"`
	P999Ns int64  `json:"p999_ns"`
	MaxNs  int64  `json:"max_ns"`
}

func (l *ledger) facts(phases []phase) Facts {
	f := Facts{
		EpochSet:    l.explicit,
		NowNs:       int64(time.Since(l.origin)),
		Calls:       l.by[purposeTurn].Load(),
		Probes:      l.by[purposeProbe].Load(),
		Backflow:    l.by[purposeBackflow].Load(),
		BeforeEpoch: l.early.Load(),
		Outcomes:    map[string]uint64{},
		Phases:      []PhaseFact{},
		PerSecond:   []SecondFact{},
		Injected:    l.injected.facts(),
		FirstToken:  l.first.facts(),
		ChunkGap:    l.gaps.facts(),
	}
	f.Attempts = f.Calls + f.Probes + f.Backflow
	f.InFlight = int64(f.Attempts)
	for o := range l.outcomes {
		if n := l.outcomes[o].Load(); n > 0 {
			f.Outcomes[outcome(o).String()] = n
			f.InFlight -= int64(n)
		}
	}
	for _, p := range phases {
		pf := PhaseFact{Name: p.fault.Name, Kind: p.fault.Kind, Share: float64(p.fault.Share), StartNs: int64(p.start.Sub(l.origin))}
		if !p.end.IsZero() {
			pf.EndNs = int64(p.end.Sub(l.origin))
		}
		f.Phases = append(f.Phases, pf)
	}
	for t := range int(l.last.Load()) {
		s := &l.seconds[t]
		sf := SecondFact{T: t, Calls: s.by[0].Load(), Probes: s.by[1].Load(), Backflow: s.by[2].Load(), Faulted: s.faulted.Load()}
		if sf.Calls+sf.Probes+sf.Backflow > 0 {
			f.PerSecond = append(f.PerSecond, sf)
		}
	}
	return f
}

func (h *hist) facts() Quantiles {
	q := h.quantiles(500, 900, 990, 999)
	return Quantiles{N: h.n.Load(), P50Ns: int64(q[0]), P90Ns: int64(q[1]), P99Ns: int64(q[2]), P999Ns: int64(q[3]), MaxNs: h.max.Load()}
}
