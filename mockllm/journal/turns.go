package journal

import (
	"encoding/binary"
	"slices"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

// What is kept: attempts of one turn, turns that may go on, and what is left of
// those that were looked at, some 6 MB each.
const (
	mostOfTurn = 64
	mostTurns  = 32 << 10
	mostTails  = 64 << 10
)

// turns puts attempts together that are no longer in the journal. A turn is looked
// at, and put away, when as many others have come after it. Of turns put away a share is
// kept that halves as they grow in number, chosen by their trace ids: which does not
// depend on the order they came in. It is not safe for concurrent use.
type turns struct {
	prefix   uint64 // of the run's trace ids
	prefixed bool   // else any trace id is
	sums     sums
	open     map[draw.Key]*turn
	order    []*turn // a ring of the open ones
	oldest   int
	young    *away // those put away last
	old      *away
	tails    []tail
	halved   uint
}

// turn is a turn that may go on.
type turn struct {
	key   draw.Key
	calls []attempt
	more  int
}

// ours tells whether a trace id is one of the run's.
func (t *turns) ours(k draw.Key) bool {
	return !t.prefixed || binary.BigEndian.Uint64(k[:8]) == t.prefix
}

// add takes an attempt that leaves the journal.
func (t *turns) add(e *Entry) {
	switch {
	case e.Purpose != PurposeTurn:
		return
	case !e.Traced:
		t.sums.Untraced++
		return
	case !t.ours(e.Trace):
		t.sums.Foreign++
		return
	}
	of := t.open[e.Trace]
	if of == nil {
		if e.Attempt > 1 && t.isAway(e.Trace) {
			t.sums.Late++
			t.sums.Calls++
			return
		}
		of = t.begin(e.Trace)
	}
	if len(of.calls) == mostOfTurn {
		of.more++
		return
	}
	of.calls = append(of.calls, e.attempt())
}

// begin makes room for a turn.
func (t *turns) begin(k draw.Key) *turn {
	if t.open == nil {
		t.open = make(map[draw.Key]*turn)
	}
	var of *turn
	if len(t.order) < mostTurns {
		of = &turn{}
		t.order = append(t.order, of)
	} else {
		of = t.order[t.oldest]
		t.settle(of)
		t.oldest = (t.oldest + 1) % mostTurns
	}
	*of = turn{key: k, calls: of.calls[:0]}
	t.open[k] = of
	return of
}

// away is a set of turns, of which each is in it, and one of some thirty others seems to be.
type away struct {
	n    int
	bits [1 << 20 / 64]uint64
}

func (a *away) has(bit uint64) bool { return a != nil && a.bits[bit>>6]&(1<<(bit&63)) != 0 }

func awayBit(k draw.Key) uint64 { return draw.Mix(binary.LittleEndian.Uint64(k[8:])) >> (64 - 20) }

// isAway tells whether a turn has been put away, of the last mostTurns at least. It is
// asked about later attempts alone: nearly all of those are of a turn that is open.
func (t *turns) isAway(k draw.Key) bool {
	bit := awayBit(k)
	return t.young.has(bit) || t.old.has(bit)
}

// settle looks at a turn and puts it away.
func (t *turns) settle(of *turn) {
	sortCalls(of.calls)
	t.keep(t.sums.turn(of.key, of.calls, of.more))
	delete(t.open, of.key)
	if t.young == nil || t.young.n == mostTurns {
		t.young, t.old = t.old, t.young
		if t.young == nil {
			t.young = &away{}
		}
		*t.young = away{}
	}
	bit := awayBit(of.key)
	t.young.bits[bit>>6] |= 1 << (bit & 63)
	t.young.n++
}

func sortCalls(calls []attempt) {
	slices.SortFunc(calls, func(a, b attempt) int {
		switch {
		case a.begin < b.begin:
			return -1
		case a.begin > b.begin:
			return 1
		}
		return 0
	})
}

// kept tells whether a turn is of the share that is kept.
func (t *turns) kept(k draw.Key) bool {
	return draw.Mix(binary.BigEndian.Uint64(k[8:]))>>(64-t.halved) == 0
}

func (t *turns) keep(x tail) {
	if !t.kept(x.key) {
		return
	}
	t.tails = append(t.tails, x)
	if len(t.tails) > mostTails {
		t.halved++
		t.tails = slices.DeleteFunc(t.tails, func(x tail) bool { return !t.kept(x.key) })
	}
}

// told is what there is to be told of the turns, with those that are not put away and
// the attempts in list, which it may change.
func (t *turns) told(list []traced) (s *sums, later []traced, tails []tail) {
	s = t.sums.clone()
	later = slices.DeleteFunc(list, func(x traced) bool {
		switch {
		case !t.ours(x.key):
			s.Foreign++
		case x.later && t.open[x.key] == nil && t.isAway(x.key):
			s.Late++
			s.Calls++
		default:
			return false
		}
		return true
	})
	for key, of := range t.open {
		for _, c := range of.calls {
			later = append(later, traced{key, false, c})
		}
		s.More += of.more
		s.Calls += of.more
	}
	return s, later, slices.Clone(t.tails)
}
