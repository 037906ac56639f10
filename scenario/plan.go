package scenario

import (
	"math"
	"time"

	"github.com/cstest/cstest/unit"
)

// TotalDuration is the length of all stages, the drain not among them.
func (s *Scenario) TotalDuration() time.Duration {
	var total time.Duration
	for _, st := range s.Load.Stages {
		total += st.For.D()
	}
	return total
}

// ExpectedStarts is how many conversations the plan of an open stage starts on
// average: the area under a linear ramp, (from + to)/2 · for. Zero for a closed stage.
func (st *Stage) ExpectedStarts() float64 {
	if st.Starts == nil {
		return 0
	}
	return float64(st.Starts.From+st.Starts.To) / 2 * st.For.D().Seconds()
}

// ConversationsExpected is how many conversations the plan starts on average,
// or exactly where load.conversations says it. It is not known (false) for a
// closed load otherwise: how often a user comes round depends on how fast the
// answers are.
func (s *Scenario) ConversationsExpected() (n float64, known bool) {
	if exact := s.Load.Conversations; exact > 0 {
		return float64(exact), true
	}
	if !s.Load.Open() {
		return 0, false
	}
	for i := range s.Load.Stages {
		n += s.Load.Stages[i].ExpectedStarts()
	}
	return n, true
}

// TurnsExpected is how many turns the plan asks for on average; not known for a closed load.
func (s *Scenario) TurnsExpected() (n float64, known bool) {
	n, known = s.ConversationsExpected()
	return n * s.MeanTurns(), known
}

// JudgedTurnsExpected is TurnsExpected of the judged stages alone. It is near
// what a run judges, not equal: a turn belongs to the stage it is intended in,
// and think time carries some over the border.
func (s *Scenario) JudgedTurnsExpected() (n float64, known bool) {
	left := math.Inf(1)
	if s.Load.Conversations > 0 {
		left = float64(s.Load.Conversations)
	}
	for i := range s.Load.Stages {
		st := &s.Load.Stages[i]
		begun := min(st.ExpectedStarts(), left)
		left -= begun
		if *st.Judged {
			n += begun
		}
	}
	return n * s.MeanTurns(), s.Load.Open()
}

// MeanTurns is the mean number of turns of a conversation, by weight.
func (s *Scenario) MeanTurns() float64 {
	var turns, weight float64
	for _, c := range s.Conversations {
		turns += c.Weight * float64(len(c.Turns))
		weight += c.Weight
	}
	if weight == 0 {
		return 0
	}
	return turns / weight
}

// MeanThink is about how long a conversation thinks in all, by weight: the mean
// of constant and uniform pauses, the median of others.
func (s *Scenario) MeanThink() time.Duration {
	var think, weight float64
	for _, c := range s.Conversations {
		for _, t := range c.Turns {
			if p := t.Think; p != nil {
				think += c.Weight * float64(p.Constant+(p.Min+p.Max)/2+p.Median)
			}
		}
		weight += c.Weight
	}
	if weight == 0 {
		return 0
	}
	return time.Duration(think / weight)
}

// TurnsTogether is how many turns hang together, seen from a turn: the mean
// length of the dialog that a turn belongs to, Σw·m² / Σw·m, and at least 1. It is
// more than MeanTurns where dialogs differ in length, for most turns are in long
// ones.
func (s *Scenario) TurnsTogether() float64 {
	var squares, turns float64
	for _, c := range s.Conversations {
		m := float64(len(c.Turns))
		squares += c.Weight * m * m
		turns += c.Weight * m
	}
	if turns == 0 {
		return 1
	}
	return max(squares/turns, 1)
}

// UsersTold is how many users of equal length the judged stages of a closed load
// are worth, (Σt)² / Σt² for users who are active for t: a ramp's last user says
// less than its first. It is 0 for an open load.
func (s *Scenario) UsersTold() float64 {
	if s.Load.Open() {
		return 0
	}
	var sum, squares float64
	for u := range int(s.PeakUsers()) {
		t := 0.0
		for i := range s.Load.Stages {
			if st := &s.Load.Stages[i]; st.Users != nil && st.Judged != nil && *st.Judged {
				t += activeShare(float64(st.Users.From), float64(st.Users.To), float64(u)+0.5) * st.For.D().Seconds()
			}
		}
		sum += t
		squares += t * t
	}
	if squares == 0 {
		return 0
	}
	if n := float64(s.Load.Conversations); n > 0 {
		return min(sum*sum/squares, n)
	}
	return sum * sum / squares
}

// activeShare is for which share of a ramp it is at a level or above.
func activeShare(from, to, level float64) float64 {
	low, high := min(from, to), max(from, to)
	switch {
	case low >= level:
		return 1
	case high < level:
		return 0
	}
	return (high - level) / (high - low)
}

// PeakTurnsPerSecond is the highest planned rate of starts times MeanTurns:
// what a stage comes to once as many conversations end as begin. Not known for
// a closed load.
func (s *Scenario) PeakTurnsPerSecond() (rate unit.Rate, known bool) {
	if !s.Load.Open() {
		return 0, false
	}
	for _, st := range s.Load.Stages {
		if st.Starts != nil {
			rate = max(rate, st.Starts.From, st.Starts.To)
		}
	}
	return rate * unit.Rate(s.MeanTurns()), true
}

// PeakUsers is the highest number of users of a closed load, 0 for an open one.
func (s *Scenario) PeakUsers() unit.Count {
	var most unit.Count
	for _, st := range s.Load.Stages {
		if st.Users != nil {
			most = max(most, st.Users.From, st.Users.To)
		}
	}
	return most
}

// rowsNeeded is how many rows a table picked from uniquely must have: a row for
// each conversation, or for each user of a closed load. likely allows for a
// Poisson plan coming out four standard deviations above its mean.
func (s *Scenario) rowsNeeded() (mean, likely int) {
	if !s.Load.Open() {
		return int(s.PeakUsers()), int(s.PeakUsers())
	}
	n, _ := s.ConversationsExpected()
	mean = int(math.Ceil(n))
	likely = mean
	switch {
	case s.Load.Conversations > 0:
	case s.Load.Arrivals == ArrivalsPoisson:
		likely = int(math.Ceil(n + 4*math.Sqrt(n)))
	case s.Load.Arrivals == ArrivalsGamma:
		likely = int(math.Ceil(n + 4*math.Sqrt(n/s.Load.Shape)))
	}
	return mean, likely
}
