package selftest

import (
	"math"
	"slices"
	"sync"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
)

// turns keeps every turn that was recorded, beside the histograms. Safe for
// concurrent use.
type turns struct {
	mu  sync.Mutex
	all []measure.Turn
}

// lane is one of a load's that also keeps its turns.
type lane struct {
	load.Lane
	to *turns
}

func (t *turns) wrap(l load.Lane) load.Lane { return lane{l, t} }

// Record keeps the turn, and records it.
func (l lane) Record(turn *measure.Turn) {
	l.to.mu.Lock()
	l.to.all = append(l.to.all, *turn)
	l.to.mu.Unlock()
	l.Lane.Record(turn)
}

// call is what a server noted of a turn. Times are by its own clock.
type call struct {
	arrived, due, written time.Duration
	outcome               measure.Outcome // what should become of the turn
}

// pair is a turn and what the server noted of the same turn.
type pair struct {
	turn measure.Turn
	call call
}

// match pairs turns with calls. Conversations are single turns, so that the time
// one was intended tells which it is.
func match(schedule load.Schedule, seed uint64, all []measure.Turn, calls map[[16]byte]call) []pair {
	intended := make(map[time.Duration][16]byte, len(all))
	for k, at := range schedule.Starts() {
		intended[at] = load.TraceID(seed, k, 0)
	}
	pairs := make([]pair, 0, len(all))
	for _, t := range all {
		if c, ok := calls[intended[t.Intended]]; ok {
			pairs = append(pairs, pair{t, c})
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int { return int(a.turn.Intended - b.turn.Intended) })
	return pairs
}

// align is by how much the server's clock is behind ours: its times plus this
// are ours. A request arrives after it was sent and its answer is read after it
// was written; with both ways alike, the offset lies in the middle (RFC 5905,
// section 8). The fast turns are taken, for waiting is not alike.
func align(pairs []pair) time.Duration {
	out, back := make([]time.Duration, 0, len(pairs)), make([]time.Duration, 0, len(pairs))
	for _, p := range pairs {
		if p.call.written == 0 {
			continue
		}
		out = append(out, p.call.arrived-p.turn.Sent)
		back = append(back, p.turn.Done-p.call.written)
	}
	return (quantile(back, 0.05) - quantile(out, 0.05)) / 2
}

// quantile is the nearest rank. It sorts what it is given; 0 of nothing.
func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[max(int(math.Ceil(q*float64(len(all))))-1, 0)]
}
