package journal

import (
	"cmp"
	"encoding/hex"
	"slices"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

// tail is what is kept of a turn that was looked at: when it was called for last, and
// what it got when that was no answer.
type tail struct {
	key        draw.Key
	began, end int64 // the last begin, and the last end, of its attempts
	damaged    bool
	said       Said
}

// sums are what was found in turns. The zero sums are none.
type sums struct {
	ClientFacts
	waits [2][waitBuckets]int
}

// turn looks at the attempts of one turn, in order of arrival.
func (s *sums) turn(key draw.Key, calls []attempt, more int) tail {
	s.Turns++
	s.Calls += len(calls) + more
	s.More += more
	if n := len(calls) + more; n > s.MaxCalls {
		s.MaxCalls, s.MaxCallsOf = n, hex.EncodeToString(key[:])
	}
	t := tail{key: key}
	answered, left, wentOn, gone := false, stillOpen, stillOpen, false
	var last *attempt
	for i := range calls {
		c := &calls[i]
		t.began, t.end = max(t.began, c.begin), max(t.end, c.end)
		answered = answered || c.answered()
		if c.end == stillOpen {
			s.Open++
		} else if last == nil || c.end >= last.end {
			last = c
		}
		if c.outcome == OutcomeGone {
			left, gone = min(left, c.end), true
		}
		s.request(key, calls, i)
	}
	for i := range calls {
		if c := &calls[i]; c.begin >= left {
			wentOn = min(wentOn, c.begin)
		}
	}
	if gone {
		if s.WentOn.Of++; wentOn != stillOpen {
			s.WentOn.add(key, wentOn)
		}
	}
	s.Damaged.Of++
	if last != nil && !answered && last.damaged() && t.end != stillOpen {
		t.damaged, t.said = true, last.said
		s.Damaged.add(key, last.end)
	}
	return t
}

// request looks at what came after attempt i of a turn.
func (s *sums) request(key draw.Key, calls []attempt, i int) {
	c := &calls[i]
	if !c.failed() {
		return
	}
	s.Failed++
	if c.damaged() {
		s.Broken++
	}
	next, other := after(calls, i)
	if next != nil {
		s.Retries++
	}
	if c.pointless() {
		if s.Retried4xx.Of++; next != nil {
			s.Retried4xx.add(key, next.begin)
		}
	}
	if c.retryAfter > 0 {
		s.RetriedEarly.Of++
		switch {
		case next != nil && c.ownTime(next):
			s.RetriedEarly.add(key, next.begin)
		case other != nil && c.ownTime(other):
			s.EarlyUnclear++
		}
	}
	if next == nil || !c.ownTime(next) {
		return
	}
	if before := former(calls, i); before == nil {
		s.waits[0][waitBucket(next.begin-c.end)]++
	} else if before.ownTime(c) && former(calls, indexOf(calls, before)) == nil {
		first, second := c.begin-before.end, next.begin-c.end
		s.waits[1][waitBucket(second)]++
		if s.NotLonger.Of++; second*10 < first*11 {
			s.NotLonger.add(key, next.begin)
		}
	}
}

// facts is what was found, ready to be told.
func (s *sums) facts() ClientFacts {
	f := s.ClientFacts
	if f.Turns > 0 {
		f.CallsPerTurn = float64(f.Calls) / float64(f.Turns)
	}
	f.FirstWaits, f.SecondWaits = bucketsOf(&s.waits[0]), bucketsOf(&s.waits[1])
	return f
}

func bucketsOf(counts *[waitBuckets]int) []Bucket {
	list := []Bucket{}
	for i, n := range counts {
		if n > 0 {
			list = append(list, Bucket{waitBounds[i], n})
		}
	}
	return list
}

// clone shares nothing with s that grows.
func (s *sums) clone() *sums {
	c := *s
	for _, f := range []*Finding{&c.Retried4xx, &c.RetriedEarly, &c.WentOn, &c.Damaged, &c.AfterLeft, &c.PassedOn, &c.NotLonger} {
		f.Examples = slices.Clone(f.Examples)
	}
	return &c
}

// turns looks at attempts in any order, turn by turn, and gives what is kept of each.
func (s *sums) turns(list []traced) (tails []tail) {
	slices.SortStableFunc(list, func(a, b traced) int {
		return cmp.Or(slices.Compare(a.key[:], b.key[:]), cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	var calls []attempt
	for len(list) > 0 {
		calls = calls[:0]
		key := list[0].key
		for len(list) > 0 && list[0].key == key {
			calls = append(calls, list[0].attempt)
			list = list[1:]
		}
		tails = append(tails, s.turn(key, calls[:min(len(calls), mostOfTurn)], max(len(calls)-mostOfTurn, 0)))
	}
	return tails
}
