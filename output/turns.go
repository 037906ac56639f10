package output

import (
	"slices"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
)

// Turn is a turn as it is told: its Gaps, Server and Dialog are left out.
type Turn struct{ measure.Turn }

// Lane wraps what turns are recorded with, so that outputs that want turns are told
// of them. Without such an output it is what was given. Recording never waits for
// one, and allocates nothing for it.
func (s *Set) Lane(inner load.Lane) load.Lane {
	if s == nil {
		return inner
	}
	l := &lane{Lane: inner}
	for _, f := range s.feeds {
		if f.turns != nil {
			l.feeds = append(l.feeds, f)
		}
	}
	if len(l.feeds) == 0 {
		return inner
	}
	return l
}

type lane struct {
	load.Lane
	feeds []*feed
}

// Record records a turn and offers it.
func (l *lane) Record(t *measure.Turn) {
	l.Lane.Record(t)
	for _, f := range l.feeds {
		f.offer(t)
	}
}

// offer leaves a turn to be told, or counts it as dropped.
func (f *feed) offer(t *measure.Turn) {
	if !f.Turns.Has(t) {
		return
	}
	told := Turn{*t}
	told.Gaps, told.Server, told.Dialog = nil, nil, nil
	select {
	case f.turns <- told:
	default:
		f.turnsLost.Add(1)
	}
}

// Selections are those of the outputs that want turns one by one, each once.
func (s *Set) Selections() (list []measure.Selection) {
	if s == nil {
		return nil
	}
	for _, f := range s.feeds {
		if f.turns != nil && !slices.Contains(list, f.Turns) {
			list = append(list, f.Turns)
		}
	}
	return list
}

// Tell offers turns of a selection that another process recorded.
func (s *Set) Tell(which measure.Selection, turns []measure.Turn) {
	if s == nil {
		return
	}
	for _, f := range s.feeds {
		for i := range turns {
			if f.Turns == which {
				f.offer(&turns[i])
			}
		}
	}
}

// Missed counts turns of a selection that another process recorded and could not tell.
func (s *Set) Missed(which measure.Selection, n int64) {
	if s == nil {
		return
	}
	for _, f := range s.feeds {
		if f.turns != nil && f.Turns == which {
			f.turnsLost.Add(n)
		}
	}
}
