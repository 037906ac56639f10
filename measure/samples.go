package measure

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Sample is what one turn of a kind of failure got as its answer's body.
type Sample struct {
	Outcome Outcome `json:"outcome"`
	Message string  `json:"message"`
	Body    string  `json:"body"`
}

// Samples takes one of each kind of failure, for as many kinds as failures are kept of.
// Safe for concurrent use.
type Samples struct {
	mu    sync.Mutex
	kinds map[failureKey]string
	kept  [Outcomes]int
}

// Lacks tells whether there is none yet of a kind, and room for one.
func (s *Samples) Lacks(o Outcome, message string) bool {
	key := failureKey{o, plain(message)}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lacks(key)
}

func (s *Samples) lacks(key failureKey) bool {
	if _, known := s.kinds[key]; known || int(key.outcome) >= Outcomes {
		return false
	}
	return s.kept[key.outcome] < FailuresPerOutcome || keepOrder(key, s.last(key.outcome)) < 0
}

// last is the kind of an outcome that goes first when there are too many.
func (s *Samples) last(o Outcome) (last failureKey) {
	found := false
	for k := range s.kinds {
		if k.outcome == o && (!found || keepOrder(k, last) > 0) {
			last, found = k, true
		}
	}
	return last
}

// Add keeps a copy of a body, where one of its kind is lacking.
func (s *Samples) Add(o Outcome, message, body string) {
	key := failureKey{o, strings.Clone(plain(message))}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lacks(key) {
		return
	}
	if s.kept[o] >= FailuresPerOutcome {
		delete(s.kinds, s.last(o))
		s.kept[o]--
	}
	if s.kinds == nil {
		s.kinds = map[failureKey]string{}
	}
	s.kinds[key] = strings.Clone(body)
	s.kept[o]++
}

// Told are the samples, in an order of their own.
func (s *Samples) Told() []Sample {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []Sample
	for k, body := range s.kinds {
		list = append(list, Sample{k.outcome, k.message, body})
	}
	return distinctSamples(list)
}

// distinctSamples keeps one sample of each kind, whatever order they came in, and of too
// many kinds of an outcome those that failures are kept of.
func distinctSamples(list []Sample) []Sample {
	slices.SortFunc(list, func(a, b Sample) int {
		return cmp.Or(cmp.Compare(a.Outcome, b.Outcome), keepOrder(a.key(), b.key()), strings.Compare(a.Body, b.Body))
	})
	list = slices.CompactFunc(list, func(a, b Sample) bool { return a.key() == b.key() })
	kept := [Outcomes]int{}
	return slices.DeleteFunc(list, func(s Sample) bool {
		if int(s.Outcome) >= Outcomes {
			return true
		}
		kept[s.Outcome]++
		return kept[s.Outcome] > FailuresPerOutcome
	})
}

func (s *Sample) key() failureKey { return failureKey{s.Outcome, s.Message} }

// Redacted are samples without what redact takes out of their messages and mask out of
// their bodies; kinds that only that told apart become one.
func Redacted(list []Sample, redact, mask func(string) string) []Sample {
	out := make([]Sample, 0, len(list))
	for _, s := range list {
		out = append(out, Sample{s.Outcome, redact(s.Message), mask(s.Body)})
	}
	return distinctSamples(out)
}

// SampleOf gives the body of a kind of failure; empty without one.
func (f *Facts) SampleOf(o Outcome, message string) string {
	for i := range f.Samples {
		if s := &f.Samples[i]; s.Outcome == o && s.Message == message {
			return s.Body
		}
	}
	return ""
}
