package journal

import (
	"cmp"
	"encoding/hex"
	"slices"
	"time"

	"github.com/cstest/cstest/mockllm/config"
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

// stillOpen is the end of an attempt that has none yet.
const stillOpen = int64(1<<63 - 1)

// attempt is an Entry as far as it tells of the client. Its end is when it was
// answered or left, not when the write returned: a client may have its answer, and
// come again, before.
type attempt struct {
	begin, end int64
	retryAfter int64
	body       uint64
	said       Said
	status     uint16
	outcome    Outcome
}

// traced is an attempt of a turn.
type traced struct {
	key   draw.Key
	later bool // not the first
	attempt
}

// attemptOf is the part of an entry that tells of the client.
func (e *Entry) attempt() attempt {
	return attempt{
		begin: int64(e.T), end: int64(e.T + e.Injected), retryAfter: int64(e.RetryAfter), body: e.Body, said: e.Said,
		status: e.Status, outcome: e.Outcome,
	}
}

// answered tells whether the attempt got what the model says.
func (a *attempt) answered() bool {
	return slices.Contains(answeredBy[:], a.outcome)
}

// answeredBy are the outcomes with which an answer came whole.
var answeredBy = [...]Outcome{
	OutcomeOK, kindOutcome(config.KindSlow), kindOutcome(config.KindLeak), kindOutcome(config.KindEscape),
	kindOutcome(config.KindDrip), kindOutcome(config.KindOversized), kindOutcome(config.KindWrongContentType),
}

// failed tells whether it ended without.
func (a *attempt) failed() bool { return a.end != stillOpen && !a.answered() }

// damaged tells whether it got a 200 without the answer.
func (a *attempt) damaged() bool {
	return a.failed() && a.status == 200 && a.outcome != OutcomeGone && a.outcome != kindOutcome(config.KindHang)
}

// pointless tells whether no retry can mend what it got.
func (a *attempt) pointless() bool {
	s := a.status
	return s >= 400 && s < 500 && s != 408 && s != 409 && s != 425 && s != 429
}

func kindOutcome(k config.Kind) Outcome { return OutcomeKind + Outcome(k) }

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

// ownTime tells whether a retry came when the client chose, and not as Retry-After said.
func (a *attempt) ownTime(next *attempt) bool {
	return a.retryAfter == 0 || next.begin < a.end+a.retryAfter-earlyAllowed
}

// after gives the first attempt of the same request that began when attempt i had
// ended, unless it followed another one that ended later, and the first of another.
func after(calls []attempt, i int) (same, other *attempt) {
	c := &calls[i]
	for k := range calls {
		n := &calls[k]
		switch {
		case k == i || n.begin < c.end:
		case n.body != c.body:
			if other == nil || n.begin < other.begin {
				other = n
			}
		case same == nil || n.begin < same.begin:
			same = n
		}
	}
	if same != nil && former(calls, indexOf(calls, same)) != c {
		same = nil
	}
	return same, other
}

// former gives the attempt of the same request that ended last before attempt i began.
func former(calls []attempt, i int) (f *attempt) {
	for k := range calls {
		if b := &calls[k]; k != i && b.body == calls[i].body && b.end <= calls[i].begin && b.failed() && (f == nil || b.end > f.end) {
			f = b
		}
	}
	return f
}

func indexOf(calls []attempt, a *attempt) int {
	for i := range calls {
		if &calls[i] == a {
			return i
		}
	}
	return 0
}

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

// attempt is the part of a record that tells of the client.
func (r *Record) attempt() attempt {
	return attempt{
		begin: r.TNs, end: r.TNs + r.InjectedNs, retryAfter: r.RetryAfterNs, body: r.Body,
		status: uint16(r.Status), outcome: parseOutcome(r.Outcome, r.Status),
	}
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
