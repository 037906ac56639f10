package journal

import (
	"cmp"
	"encoding/hex"
	"slices"
)

// Asked is what somebody who knows the users asks about some turns, by the last 8
// bytes of their trace ids as 16 hexadecimal digits.
type Asked struct {
	// TracePrefix is what the epoch was set with; another is refused.
	TracePrefix string `json:"trace_prefix"`
	// Left are turns whose users left without an answer, Good those whose answers passed for one.
	Left []LeftTurn `json:"left"`
	Good []GoodTurn `json:"good"`
}

// LeftTurn is a turn and when its user left it, from the epoch.
type LeftTurn struct {
	Turn string `json:"turn"`
	AtNs int64  `json:"at_ns"`
}

// GoodTurn is a turn and what its user was told, as Said.
type GoodTurn struct {
	Turn  string `json:"turn"`
	Whole uint32 `json:"whole,omitzero"`
	Head  uint32 `json:"head,omitzero"`
	Tail  uint32 `json:"tail,omitzero"`
}

// lookUp holds what is asked against what is kept of turns.
func (s *sums) lookUp(tails []tail, asked *Asked) {
	if asked == nil || len(asked.Left)+len(asked.Good) == 0 {
		return
	}
	left, good := make(map[string]int64, len(asked.Left)), make(map[string]Said, len(asked.Good))
	for _, t := range asked.Left {
		left[t.Turn] = t.AtNs
	}
	for _, t := range asked.Good {
		good[t.Turn] = Said{t.Whole, t.Head, t.Tail}
	}
	slices.SortFunc(tails, func(a, b tail) int { return cmp.Or(cmp.Compare(a.began, b.began), slices.Compare(a.key[:], b.key[:])) })
	for i := range tails {
		t := &tails[i]
		name := hex.EncodeToString(t.key[8:])
		if at, ok := left[name]; ok {
			if s.AfterLeft.Of++; t.began > at+lateAllowed || t.end > at+openAllowed {
				s.AfterLeft.add(t.key, at)
			}
		}
		if answer, ok := good[name]; ok && t.damaged {
			s.PassedOn.Of++
			switch carried, known := t.said.In(answer); {
			case carried:
				s.PassedOn.add(t.key, t.end)
			case !known:
				s.PassedOnUnclear++
			}
		}
	}
}
