package journal

import (
	"time"

	"github.com/cstest/cstest/mockllm/internal/fault"
)

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
	InFlight int64 `json:"in_flight"`
	// InFlightMax is the most calls that were open at a time, for 100 ms.
	InFlightMax uint32            `json:"in_flight_max"`
	Outcomes    map[string]uint64 `json:"outcomes"`
	Phases      []PhaseFact       `json:"phases"`
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

// SecondFact counts the arrivals of one second; Faulted of any purpose. Open is the
// most calls of any purpose that were open at a time, for 100 ms: who hangs up and calls
// again at once has not two calls open, though the end of the first is seen a little later.
type SecondFact struct {
	T        int    `json:"t_s"`
	Calls    uint32 `json:"calls"`
	Probes   uint32 `json:"probes"`
	Backflow uint32 `json:"backflow"`
	Faulted  uint32 `json:"faulted"`
	Open     uint32 `json:"open"`
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

// Facts is what was counted; phases are the fault windows that began.
func (l *Ledger) Facts(phases []fault.Phase) Facts {
	f := Facts{
		EpochSet:    l.explicit,
		NowNs:       int64(time.Since(l.Origin)),
		Calls:       l.By[PurposeTurn].Load(),
		Probes:      l.By[PurposeProbe].Load(),
		Backflow:    l.By[PurposeBackflow].Load(),
		BeforeEpoch: l.early.Load(),
		Outcomes:    map[string]uint64{},
		Phases:      []PhaseFact{},
		PerSecond:   []SecondFact{},
		Injected:    l.Injected.facts(),
		FirstToken:  l.First.facts(),
		ChunkGap:    l.Gaps.facts(),
	}
	f.Attempts = f.Calls + f.Probes + f.Backflow
	f.InFlight = int64(f.Attempts)
	for o := range l.Outcomes {
		if n := l.Outcomes[o].Load(); n > 0 {
			f.Outcomes[Outcome(o).String()] = n
			f.InFlight -= int64(n)
		}
	}
	for _, p := range phases {
		pf := PhaseFact{Name: p.Fault.Name, Kind: p.Fault.Kind, Share: float64(p.Fault.Share), StartNs: int64(p.Start.Sub(l.Origin))}
		if !p.End.IsZero() {
			pf.EndNs = int64(p.End.Sub(l.Origin))
		}
		f.Phases = append(f.Phases, pf)
	}
	for t := range int(l.last.Load()) {
		s := &l.seconds[t]
		sf := SecondFact{T: t, Calls: s.by[0].Load(), Probes: s.by[1].Load(), Backflow: s.by[2].Load(), Faulted: s.faulted.Load(), Open: s.open.Load()}
		if sf.Calls+sf.Probes+sf.Backflow+sf.Open > 0 {
			f.PerSecond = append(f.PerSecond, sf)
			f.InFlightMax = max(f.InFlightMax, sf.Open)
		}
	}
	return f
}

func (h *hist) facts() Quantiles {
	q := h.quantiles(500, 900, 990, 999)
	return Quantiles{N: h.n.Load(), P50Ns: int64(q[0]), P90Ns: int64(q[1]), P99Ns: int64(q[2]), P999Ns: int64(q[3]), MaxNs: h.max.Load()}
}
