package tui

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/sla"
)

// Frame is the run at one instant: all that is shown of it. It is a plain
// value, built by whoever drives the run, once a second and as often between as
// the live counters are worth it. Whatever it points to (slices, strings) must
// not be changed after it was handed over. Texts may be hostile; they are
// escaped here. Zero values mean "nothing yet" and are shown so.
type Frame struct {
	// Elapsed is the load's clock, Total the end of its last stage; the drain comes after.
	Elapsed time.Duration
	Total   time.Duration
	Phase   Phase
	// Stopping: the user asked for the end, so the next `q` is the hard one.
	Stopping bool
	// Stage is the name of the stage that Elapsed is in; Stages are all of them.
	Stage  string
	Stages []measure.Stage

	// Planned and Achieved are conversations started in the last full second, per
	// second: as the schedule asked, and as they were. A closed model has Users
	// instead, the number of users who loop.
	Planned  float64
	Achieved float64
	Users    int64
	// UsersPlanned is how many users the stage asks for; 0 where that is not known.
	UsersPlanned int64
	// InFlight is turns sent and unanswered, Conversations those begun and not ended.
	InFlight      int64
	Conversations int64

	// Last is the last full second, SoFar everything up to it.
	Last  Window
	SoFar Window

	// Seconds is the availability budget in seconds; Burn how fast it goes.
	Seconds sla.SecondsCount
	Burn    []Burn

	// Storms are the model's fault windows, planned ones too; see Storms.
	Storms []measure.Storm
	// CallsPerTurn of the last second, where the model's calls are known.
	CallsPerTurn float64
	CallsKnown   bool

	Generator Generator
	// Failures are distinct, those to be shown first come first.
	Failures []measure.FailureCount
	// Objectives as they would be judged if the run ended now.
	Objectives []sla.Judged
	// Observed are the figures of other systems as they were seen last.
	Observed []Observed
	// Turns of the scenario, each with its own latency.
	Turns []TurnLine
}

// Phase is what the run is doing.
type Phase uint8

// The phases. Starting is everything before the first start: servers,
// preflight, arming. Draining begins when nothing is started any more.
const (
	Starting Phase = iota
	Loading
	Draining
	Judging
)

// Window is what happened in a stretch of the run. Durations are response times
// of answered turns, from their intended start; 0 where nothing was answered.
type Window struct {
	Turns  int64 // ended, dropped starts not among them
	Counts [measure.Outcomes]int64
	Tiers  [measure.Tiers]int64 // of answered turns
	P50    time.Duration
	P90    time.Duration
	P95    time.Duration
	P99    time.Duration
}

// tail is the highest quantile that a window's answers carry, and its name; else P99,
// which is not known.
func (w *Window) tail() (name string, d time.Duration) {
	switch {
	case w.P99 > 0:
	case w.P95 > 0:
		return "P95", w.P95
	case w.P90 > 0:
		return "P90", w.P90
	}
	return "P99", w.P99
}

// Burn is the bad share of the last Over, divided by the share the SLA allows:
// at 1 the budget lasts exactly as long as the period it is for.
type Burn struct {
	Over time.Duration
	Rate float64
}

// Generator is how well the generator itself keeps up.
type Generator struct {
	LagP99  time.Duration  // of the last second
	CPU     float64        // cores used in the last second: 0.44
	Cores   int            // there are
	Tainted int            // seconds in which it measured itself rather than the target
	Reason  reason.Reasons // why the run is already invalid; empty while it is not
}

// TurnLine is one turn of one conversation of the scenario.
type TurnLine struct {
	Conversation string
	Index        int // from 0
	Say          string
	Turns        int64
	Answered     int64
	P50, P99     time.Duration
}

// classes sorts a window's turns into the three that bars and lines show.
// Unexpected answers stand with the degraded: answered, but not as they should be.
type classes struct{ ok, lesser, bad, n int64 }

func (w *Window) classes() classes {
	var c classes
	for o := range measure.DroppedGenerator {
		n := max(w.Counts[o], 0)
		switch {
		case o == measure.OK:
			c.ok += n
		case o == measure.Refused: // as it had to be: no answer, and no lack of one
			continue
		case measure.Answered.Has(o):
			c.lesser += n
		default:
			c.bad += n
		}
		c.n += n
	}
	return c
}

// stormAt gives the storm that is on at t, else the one that ended last within
// `recovery`, else the next one to come; ok is false when there is none.
func stormAt(storms []measure.Storm, t, recovery time.Duration) (s measure.Storm, when stormPhase, ok bool) {
	best := noStorm
	for _, c := range storms {
		w := comingStorm
		switch {
		case t >= c.Start && (c.End <= c.Start || t < c.End):
			w = stormOn
		case t >= c.Start && t < c.End+recovery:
			w = stormRecovery
		case t >= c.Start:
			continue
		}
		earlier := w == best && (w == comingStorm && c.Start < s.Start || w == stormRecovery && c.End > s.End)
		if w > best || earlier {
			s, best = c, w
		}
	}
	return s, best, best != noStorm
}

type stormPhase uint8

const (
	noStorm stormPhase = iota
	comingStorm
	stormRecovery
	stormOn
)

// Observed is a figure of somebody else's system.
type Observed struct {
	Name, Unit string
	Value      float64
}
