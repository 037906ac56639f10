package journal

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/cstest/cstest/mockllm/internal/draw"
)

// ClientFacts tell how the client under test, the application that calls this
// server, treated it: what it retried, how soon, and how much at a time. They
// count attempts made for users' turns; those of one trace id are one turn, and
// those of one body in it the same request.
type ClientFacts struct {
	// Turns had Calls attempts in all, ended or not, and MaxCalls at most. Attempts without a valid
	// traceparent are Untraced, those with another trace id than the run's Foreign: they
	// belong to no turn and only count for InFlightMax.
	Turns        int     `json:"turns"`
	Calls        int     `json:"calls"`
	CallsPerTurn float64 `json:"calls_per_turn"`
	MaxCalls     int     `json:"max_calls"`
	MaxCallsOf   string  `json:"max_calls_trace_id,omitempty"`
	Untraced     int     `json:"untraced"`
	Foreign      int     `json:"foreign"`
	// Open have not ended. Late came when their turn had been put away, More were beyond
	// what is kept of a turn: both are among Calls and in no finding.
	Open int `json:"open"`
	Late int `json:"late"`
	More int `json:"more"`
	// Failed attempts ended without an answer; Retries are attempts that began after one
	// of the same request had.
	Failed  int `json:"failed"`
	Retries int `json:"retries"`
	// Retried4xx: of refusals that no retry can mend, a 4xx but for 408, 409, 425 and
	// 429, those after which the same request came again.
	Retried4xx Finding `json:"retried_4xx"`
	// RetriedEarly: of answers with a Retry-After, those after which the same request came
	// again before it had elapsed. EarlyUnclear are others after which some other request
	// of the turn did.
	RetriedEarly Finding `json:"retried_early"`
	EarlyUnclear int     `json:"early_unclear"`
	// WentOn: of turns in which the client hung up on an attempt, those with an attempt
	// that began afterwards.
	WentOn Finding `json:"went_on_after_leaving"`
	// Broken attempts got a truncated, empty or senseless answer under a 200. Damaged: of all turns, those that got no answer but one that was truncated, empty
	// or none at all under a 200, and was not retried.
	Broken  int     `json:"broken"`
	Damaged Finding `json:"damaged_kept"`
	// AfterLeft: of the turns that were said to be left by their user, those for which an attempt began
	// afterwards or was still open a second later. PassedOn: of those said to be good that
	// are among Damaged, those that carried the damaged answer; of PassedOnUnclear that cannot be told.
	AfterLeft       Finding `json:"after_user_left"`
	PassedOn        Finding `json:"passed_on"`
	PassedOnUnclear int     `json:"passed_on_unclear"`
	// Known is the share of the turns put away that both are looked up in.
	Known float64 `json:"known"`
	// FirstWaits and SecondWaits are the times before the first and second retry of a
	// request, where no Retry-After was told. NotLonger: of requests with both, those
	// whose second was not a tenth longer.
	FirstWaits  []Bucket `json:"first_waits"`
	SecondWaits []Bucket `json:"second_waits"`
	NotLonger   Finding  `json:"wait_not_longer"`
	// InFlightMax is the most attempts of any purpose that were open at a time: to a server for 100 ms.
	InFlightMax int `json:"in_flight_max"`
}

// Finding is how often something was seen, of how many, with the first five turns.
type Finding struct {
	N        int       `json:"n"`
	Of       int       `json:"of"`
	Examples []Example `json:"examples,omitempty"`
}

// Example is a turn by its trace id, and when it was seen.
type Example struct {
	TraceID string `json:"trace_id"`
	TNs     int64  `json:"t_ns"`
}

// Bucket counts the waits up to a bound that are above the bucket's before.
type Bucket struct {
	UpToNs int64 `json:"up_to_ns"`
	N      int   `json:"n"`
}

const maxExamples = 5

func (f *Finding) add(k draw.Key, at int64) {
	f.N++
	if len(f.Examples) < maxExamples {
		f.Examples = append(f.Examples, Example{hex.EncodeToString(k[:]), at})
	}
}

// The allowances: a sleep may end a little early by another clock, a message takes a
// moment, and who is told that nobody listens any more may finish a sentence.
const (
	earlyAllowed = int64(10 * time.Millisecond)
	lateAllowed  = int64(100 * time.Millisecond)
	openAllowed  = int64(time.Second)
)

// waitBuckets of waits: four an octave, from 1 ms on.
const waitBuckets = 80

// waitBounds are their upper bounds.
var waitBounds = func() (list [waitBuckets]int64) {
	octave := [4]float64{1, 1.189207115002721, 1.4142135623730951, 1.681792830507429} // 2^(i/4)
	for i := range list {
		list[i] = int64(float64(time.Millisecond) * octave[i%4] * float64(int64(1)<<(i/4)))
	}
	return list
}()

func waitBucket(d int64) int {
	i, _ := slices.BinarySearch(waitBounds[:], d)
	return min(i, waitBuckets-1)
}

// ClientOf derives the facts from journal records, in any order. It takes time
// n·log n and memory beside that of the records.
func ClientOf(rows []Record) ClientFacts {
	var s sums
	var list []traced
	var users []*Record
	for i := range rows {
		r := &rows[i]
		if r.Purpose != "" {
			continue
		}
		users = append(users, r)
		var key draw.Key
		if raw, err := hex.DecodeString(r.TraceID); err == nil && len(raw) == len(key) {
			copy(key[:], raw)
			list = append(list, traced{key, r.Attempt > 1, r.attempt()})
		} else {
			s.Untraced++
		}
	}
	s.turns(list)
	s.InFlightMax = mostInFlight(users)
	return s.facts()
}

// mostInFlight is the most attempts open at a time. One that ends as another
// begins is not open beside it.
func mostInFlight(rows []*Record) int {
	starts, ends := make([]int64, len(rows)), make([]int64, len(rows))
	for i, r := range rows {
		starts[i], ends[i] = r.TNs, r.TNs+max(r.InjectedNs, int64(time.Nanosecond))
	}
	slices.Sort(starts)
	slices.Sort(ends)
	most, done := 0, 0
	for i, t := range starts {
		for ends[done] <= t {
			done++
		}
		most = max(most, i+1-done)
	}
	return most
}
