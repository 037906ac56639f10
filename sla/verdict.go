// Package sla judges: objectives and a snapshot in, a verdict with its evidence
// out. Evaluate is a pure function, used alike by the run, the live view, the
// report and merge.
package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Verdict is the answer to one objective, or to a whole run.
type Verdict uint8

// The verdicts. NotVerified is an objective's only; Invalid and Incomplete are a run's only.
const (
	Pass Verdict = iota
	NotVerified
	Inconclusive
	Fail
	Invalid
	Incomplete
)

var verdictNames = []string{"pass", "not_verified", "inconclusive", "fail", "invalid", "incomplete"}

// Word is the verdict as a reason says it.
func (v Verdict) Word() reason.Word { return reason.Word(v.String()) }

// String is the verdict's name in result.json.
func (v Verdict) String() string {
	if int(v) < len(verdictNames) {
		return verdictNames[v]
	}
	return "unknown"
}

// Result is the judgement of a run.
type Result struct {
	Verdict    Verdict
	Reasons    reason.Reasons // worst first, one line each
	Objectives []Judged
	Seconds    SecondsCount
	Outages    []Outage
	Storms     []StormResult
	Client     []ClientFinding // what the target did to the model; nil where no mock LLM told
	Generator  GeneratorResult
	LittlesLaw LittlesLaw
	DEFF       float64 // design effect: mean turns per conversation of the plan
	Warnings   reason.Reasons
	// Answered are the turns of judged stages, and those of them that nobody answered.
	Answered Counted
	// Excused are the stretches that recovery judges in the place of full quality.
	Excused []Span
	// Best and Worst are of a load of which shards are missing or cut off: as if what
	// was not sent had all gone well, or all badly. Nil of any other.
	Best, Worst *Bound
}

// Bound is a load with what was not sent counted as sent.
type Bound struct {
	Result Result
	Counts [measure.Outcomes]int64
	// Planted is how many answers held a planted value.
	Planted int64
}

// Counted is how many turns there were and how many of them were bad.
type Counted struct{ N, Bad int64 }

// Span is a stretch of the load, [Start, End).
type Span struct{ Start, End time.Duration }

// Judged is one objective with its evidence. Measured, Lower, Upper and Target
// are in Unit: "share" (0–1), "ns", "s" or "count".
type Judged struct {
	Name     string
	Kind     scenario.ObjectiveKind
	Unit     string
	Target   float64       // of seconds: how many may be bad
	Limit    time.Duration // for latency objectives
	Measured float64
	Lower    float64
	Upper    float64
	N        int64
	Bad      int64
	Verdict  Verdict
	Reason   reason.Reasons // said in one line
	// Cut is how many turns cstest cut, beside N; Untold how many of N were taken for
	// good though they do not say what they are judged by.
	Cut, Untold int64
	// Needs is how many turns would decide an inconclusive objective; 0 when unknown.
	Needs int64
	// Confidence and DEFF are what Lower, Upper and Verdict were inferred with; 0 where
	// the count alone decides.
	Confidence float64
	DEFF       float64
	// Correlation is of its turns within conversations; nil where too few tell.
	Correlation *Correlation
	Census      *Census    // of an objective about seconds
	Comebacks   []Comeback // of one about recovery, a storm each
}

// Census is what every second was.
type Census struct {
	SecondsCount
	Target float64 // share of good seconds
	// States has a letter for each second of the plan: g good, b bad, d doubtful,
	// u unknown, - not judged.
	States string
}

// Comeback is how one storm's recovery was seen.
type Comeback struct {
	End     time.Duration  // of the storm
	Took    *time.Duration // nil: not seen
	Refuted time.Duration  // it was not before this time
	Told    bool           // enough answers say who gave them
}

// SecondsCount is the census of seconds; zero where no objective asks for one.
type SecondsCount struct {
	Total    int
	Bad      int
	Doubtful int // too few turns to call them good or bad
	Unknown  int
	Budget   int     // bad seconds allowed
	PerHour  float64 // the same of an hour, not rounded
	Scaled   bool
}

// Outage is a run of bad seconds.
type Outage struct {
	Start  time.Duration
	Length time.Duration
	Cause  string // the most frequent failure in it
}

// StormResult is what a storm did. A nil duration was not reached or cannot be known.
type StormResult struct {
	Name         string
	Start, End   time.Duration
	Detect       *time.Duration
	Latency      *time.Duration // recovery of latency after the end
	Quality      *time.Duration // recovery of full quality after the end
	CallsPerTurn float64
	CallsKnown   bool
	Metastable   bool
}

// GeneratorResult is the generator's judgement of itself.
type GeneratorResult struct {
	Tainted []int // seconds
	LagP99  time.Duration
	Due     int64 // starts that were to be issued or dropped
	Starved []int // seconds in which others took the machine's processors
	Late    []int // tainted by lateness alone, or starved
	Seconds int   // that had turns
	// FailsWithout names the objectives and storms that fail, where there were too many
	// late seconds, even without these.
	FailsWithout []string
	Reasons      reason.Reasons // why the run is invalid; empty when it is not
}

// LittlesLaw compares turns in flight with rate times mean response time.
type LittlesLaw struct {
	InFlightMean  float64
	RateTimesMean float64
	ErrorShare    float64
}
