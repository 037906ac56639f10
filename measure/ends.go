package measure

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// Ends are turns of which the model is asked what became of their calls: those that
// users left without an answer, and those whose answer passed for a good one while the
// model broke answers off. Of many a share is kept that halves as they grow in number,
// chosen by their ids, so that sums do not depend on their order. The zero Ends is of none.
type Ends struct {
	Left EndedTurns `json:"left,omitzero"`
	Good EndedTurns `json:"good,omitzero"`
	// Untold: nothing tells the target that a user left, by the way it is talked to.
	Untold bool `json:"untold,omitempty"`
}

// EndedTurns are N turns, of which one in 2^Halved is listed.
type EndedTurns struct {
	N      int64  `json:"n"`
	Halved uint8  `json:"halved,omitempty"`
	Packed []byte `json:"packed,omitempty"`
}

// EndedTurn is one of them: the last 8 bytes of its trace id, when it was over, and
// what its user was told.
type EndedTurn struct {
	Turn uint64
	At   time.Duration
	Said Said
}

const (
	endedSize = 8 + 8 + 12
	mostEnded = 16 << 10
)

// Add takes a turn.
func (e *EndedTurns) Add(t *EndedTurn) {
	e.N++
	if !e.keeps(t.Turn) {
		return
	}
	b := binary.LittleEndian.AppendUint64(e.Packed, t.Turn)
	b = binary.LittleEndian.AppendUint64(b, uint64(t.At))
	b = binary.LittleEndian.AppendUint32(b, t.Said.Whole)
	b = binary.LittleEndian.AppendUint32(b, t.Said.Head)
	e.Packed = binary.LittleEndian.AppendUint32(b, t.Said.Tail)
	e.halve()
}

// keeps tells whether a turn is of the share that is kept.
func (e *EndedTurns) keeps(turn uint64) bool { return mixed(turn)>>(64-e.Halved) == 0 }

// halve keeps to the bound.
func (e *EndedTurns) halve() {
	for len(e.Packed) > mostEnded*endedSize {
		e.Halved++
		e.filter()
	}
}

// filter drops what is not of the share any more.
func (e *EndedTurns) filter() {
	kept := e.Packed[:0]
	for b := e.Packed; len(b) >= endedSize; b = b[endedSize:] {
		if e.keeps(binary.LittleEndian.Uint64(b)) {
			kept = append(kept, b[:endedSize]...)
		}
	}
	e.Packed = kept
}

// List gives those that are listed, in an order of no meaning.
func (e *EndedTurns) List() []EndedTurn {
	list := make([]EndedTurn, 0, len(e.Packed)/endedSize)
	for b := e.Packed; len(b) >= endedSize; b = b[endedSize:] {
		list = append(list, EndedTurn{
			Turn: binary.LittleEndian.Uint64(b), At: time.Duration(binary.LittleEndian.Uint64(b[8:])),
			Said: Said{binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:]), binary.LittleEndian.Uint32(b[24:])},
		})
	}
	return list
}

// mergeEnded adds up what two shards listed; the order does not matter.
func mergeEnded(a, b EndedTurns) EndedTurns {
	out := EndedTurns{N: a.N + b.N, Halved: min(max(a.Halved, b.Halved), 63)}
	out.Packed = append(append(make([]byte, 0, len(a.Packed)+len(b.Packed)), a.Packed...), b.Packed...)
	out.filter()
	out.halve()
	out.sort()
	return out
}

// sort puts them in an order of their own.
func (e *EndedTurns) sort() {
	rows := make([]string, 0, len(e.Packed)/endedSize)
	for b := e.Packed; len(b) >= endedSize; b = b[endedSize:] {
		rows = append(rows, string(b[:endedSize]))
	}
	slices.Sort(rows)
	e.Packed = []byte(strings.Join(rows, ""))
}

// mergeEnds adds up what two shards know.
func mergeEnds(a, b *Ends) *Ends {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	}
	return &Ends{Left: mergeEnded(a.Left, b.Left), Good: mergeEnded(a.Good, b.Good), Untold: a.Untold || b.Untold}
}

// mixed is the finaliser of SplitMix64: the mock LLM keeps turns by the same.
func mixed(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Said tells a text apart from others without holding it: FNV-1a of the whole, of its
// first and of its last saidPiece bytes, white space around it left out. The zero
// Said is of no text; Head and Tail are 0 where it is too short.
type Said struct{ Whole, Head, Tail uint32 }

const saidPiece = 12

// SaidOf is the Said of a text.
func SaidOf(text []byte) Said {
	text = bytes.TrimSpace(text)
	if len(text) == 0 {
		return Said{}
	}
	s := Said{Whole: fnv32(text)}
	if len(text) >= saidPiece {
		s.Head, s.Tail = fnv32(text[:saidPiece]), fnv32(text[len(text)-saidPiece:])
	}
	return s
}

// fnv32 is never 0, which stands for no text.
func fnv32(text []byte) uint32 {
	h := uint32(2166136261)
	for _, c := range text {
		h = (h ^ uint32(c)) * 16777619
	}
	return max(h, 1)
}
