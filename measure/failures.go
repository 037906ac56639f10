package measure

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"
)

// FailuresPerOutcome is how many kinds of failure of one outcome are kept. Of
// more, those with the smallest hash are: which ones does not depend on the
// order they came in, so snapshots add up to the same list in any order, and the
// count of a kept kind is exact.
const FailuresPerOutcome = 64

// messageLimit is how much of a message tells two failures apart, in bytes.
const messageLimit = 200

// failureKey is a kind of failure.
type failureKey struct {
	outcome Outcome
	message string
}

// failureHash is FNV-1a: fixed, so that shards of one run agree.
func failureHash(k failureKey) uint64 {
	h := uint64(14695981039346656037) ^ uint64(k.outcome)
	for i := range len(k.message) {
		h = (h ^ uint64(k.message[i])) * 1099511628211
	}
	// FNV's high bits hardly depend on the last byte; a finisher spreads it.
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// keepOrder is the order in which kinds of one outcome are kept.
func keepOrder(a, b failureKey) int {
	if c := cmp.Compare(failureHash(a), failureHash(b)); c != 0 {
		return c
	}
	return strings.Compare(a.message, b.message)
}

// plain is s as UTF-8, cut to messageLimit bytes without cutting a rune.
func plain(s string) string {
	if len(s) > messageLimit {
		cut := messageLimit
		for cut > messageLimit-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	if !utf8.ValidString(s) {
		return strings.ToValidUTF8(s, "?")
	}
	return s
}

// failureTally counts failures of a lane's interval.
type failureTally struct {
	kinds    map[failureKey]*FailureCount
	kept     [Outcomes]int
	worst    [Outcomes]failureKey // of a full outcome, the kind that goes first; zero when not known
	unlisted int64
}

func (t *failureTally) record(f *Failure) {
	key := failureKey{f.Outcome, plain(f.Message)}
	if c := t.kinds[key]; c != nil {
		c.Count++
		if earlier(f, &c.First) {
			c.First = keep(f)
		}
		return
	}
	if int(f.Outcome) >= Outcomes {
		t.unlisted++
		return
	}
	if t.kinds == nil {
		t.kinds = make(map[failureKey]*FailureCount)
	}
	if t.kept[f.Outcome] >= FailuresPerOutcome {
		last := t.worst[f.Outcome]
		if last == (failureKey{}) {
			last = t.last(f.Outcome)
			t.worst[f.Outcome] = last
		}
		if keepOrder(key, last) > 0 {
			t.unlisted++
			return
		}
		t.unlisted += t.kinds[last].Count
		delete(t.kinds, last)
		t.kept[f.Outcome]--
		t.worst[f.Outcome] = failureKey{}
	}
	key.message = strings.Clone(key.message)
	t.kinds[key] = &FailureCount{Outcome: f.Outcome, Message: key.message, Count: 1, First: keep(f)}
	t.kept[f.Outcome]++
}

// last is the kind of an outcome that goes first when there are too many.
func (t *failureTally) last(o Outcome) (last failureKey) {
	found := false
	for k := range t.kinds {
		if k.outcome == o && (!found || keepOrder(k, last) > 0) {
			last, found = k, true
		}
	}
	return last
}

// drain adds what t holds to s, and empties t.
func (t *failureTally) drain(s *Snapshot) {
	if len(t.kinds) == 0 && t.unlisted == 0 {
		return
	}
	o := &Snapshot{Unlisted: t.unlisted}
	for _, c := range t.kinds {
		o.Failures = append(o.Failures, *c)
	}
	s.addFailures(o)
	clear(t.kinds)
	t.kept, t.worst, t.unlisted = [Outcomes]int{}, [Outcomes]failureKey{}, 0
}

// addFailures adds the failures of o, keeps FailuresPerOutcome of each outcome
// and leaves them most frequent first.
func (s *Snapshot) addFailures(o *Snapshot) {
	s.Unlisted += o.Unlisted
	if len(o.Failures) == 0 {
		return
	}
	at := make(map[failureKey]int, len(s.Failures))
	for i, f := range s.Failures {
		at[failureKey{f.Outcome, f.Message}] = i
	}
	kept := [Outcomes]int{}
	for _, f := range o.Failures {
		if i, ok := at[failureKey{f.Outcome, f.Message}]; ok {
			have := &s.Failures[i]
			have.Count += f.Count
			if earlier(&f.First, &have.First) {
				have.First = f.First
			}
			continue
		}
		s.Failures = append(s.Failures, f)
	}
	slices.SortFunc(s.Failures, func(a, b FailureCount) int {
		return keepOrder(failureKey{a.Outcome, a.Message}, failureKey{b.Outcome, b.Message})
	})
	s.Failures = slices.DeleteFunc(s.Failures, func(f FailureCount) bool {
		kept[f.Outcome]++
		if kept[f.Outcome] > FailuresPerOutcome {
			s.Unlisted += f.Count
			return true
		}
		return false
	})
	slices.SortFunc(s.Failures, byFrequency)
}

func byFrequency(a, b FailureCount) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Outcome, b.Outcome), strings.Compare(a.Message, b.Message))
}

// earlier tells whether a is the one to show: the first in time, and of two at
// one time always the same one.
func earlier(a, b *Failure) bool {
	return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(plain(a.Conversation), b.Conversation),
		cmp.Compare(a.Turn, b.Turn), strings.Compare(plain(a.TraceID), b.TraceID), cmp.Compare(a.Status, b.Status),
		strings.Compare(plain(a.Message), b.Message)) < 0
}

// keep copies a failure out of the buffers it may point into.
func keep(f *Failure) Failure {
	c := *f
	c.Message = strings.Clone(plain(f.Message))
	c.Conversation = strings.Clone(plain(f.Conversation))
	c.TraceID = strings.Clone(plain(f.TraceID))
	return c
}
