package sla

import (
	"reflect"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

func textOf(code reason.Code, args ...any) reason.Reasons {
	return reason.Reasons{reason.New(code, args...)}
}

var seenIn = []measure.TurnExample{{TraceID: "t1"}}

// What each finding is, to the last field: counts, of how many, and the words.
func TestClientFindings(t *testing.T) {
	ended := func(e *measure.Ends) *judge { return &judge{facts: &measure.Facts{Ends: e}} }
	left := func(n int64, halved uint8) *judge {
		return ended(&measure.Ends{Left: measure.EndedTurns{N: n, Halved: halved}})
	}
	with := func(n, of int64) measure.Finding { return measure.Finding{N: n, Of: of, Examples: seenIn} }
	ms := func(n time.Duration) time.Duration { return n * time.Millisecond }
	for name, tt := range map[string]struct{ got, want ClientFinding }{
		"one that was told to wait": {
			early(&measure.Client{RetriedEarly: with(0, 1)}),
			ClientFinding{What: scenario.ClientRetryAfter, State: Clean, Of: 1, Examples: seenIn, Text: textOf(reason.ClientEarly, int64(0), int64(1))},
		},
		"found, and unclear besides": {
			early(&measure.Client{RetriedEarly: with(1, 3), EarlyUnclear: 1}),
			ClientFinding{
				What: scenario.ClientRetryAfter, State: Found, N: 1, Of: 3, Unclear: 1, Examples: seenIn,
				Text: append(textOf(reason.ClientEarly, int64(1), int64(3)), reason.New(reason.ClientEarlyUnclear, int64(1))),
			},
		},
		"one left, and no call came of it": {
			left(1, 0).afterLeft(&measure.Client{Known: 1}),
			ClientFinding{What: scenario.ClientAfterLeft, Text: textOf(reason.ClientLeftUncalled, int64(1))},
		},
		"nobody left": {
			left(0, 0).afterLeft(&measure.Client{Known: 1}),
			ClientFinding{What: scenario.ClientAfterLeft, Text: textOf(reason.ClientNobodyLeft)},
		},
		"some left, and were called for": {
			left(2, 0).afterLeft(&measure.Client{Known: 1, AfterLeft: with(1, 2)}),
			ClientFinding{What: scenario.ClientAfterLeft, State: Found, N: 1, Of: 2, Examples: seenIn, Text: textOf(reason.ClientAfterLeft, int64(1), int64(2))},
		},
		"half of those who left were kept": {
			left(2, 1).afterLeft(&measure.Client{Known: 1, AfterLeft: with(0, 2)}),
			ClientFinding{What: scenario.ClientAfterLeft, State: Clean, Of: 2, Partly: true, Examples: seenIn, Text: textOf(reason.ClientAfterLeft, int64(0), int64(2))},
		},
		"one call failed": {
			backoff(&measure.Client{Failed: 1}),
			ClientFinding{What: scenario.ClientBackoff, Text: textOf(reason.ClientFewRetries, int64(0))},
		},
		"at once is up to 12 ms": {
			backoff(&measure.Client{Failed: 20, Retries: 20, FirstWaits: waits(12, 10), NotLonger: with(3, 4)}),
			ClientFinding{What: scenario.ClientBackoff, State: Found, N: 3, Of: 4, Examples: seenIn, Text: textOf(reason.ClientAtOnce, int64(10), ms(12))},
		},
		"at once twice": {
			backoff(&measure.Client{Failed: 20, Retries: 20, FirstWaits: waits(2, 10), SecondWaits: waits(12, 10)}),
			ClientFinding{What: scenario.ClientBackoff, State: Found, Text: textOf(reason.ClientAtOnce, int64(10), ms(2))},
		},
		"at once, and too few second ones": {
			backoff(&measure.Client{Failed: 20, Retries: 20, FirstWaits: waits(2, 10), SecondWaits: waits(50, 9)}),
			ClientFinding{What: scenario.ClientBackoff, State: Found, Text: textOf(reason.ClientAtOnce, int64(10), ms(2))},
		},
		"waits that grow just enough": {
			backoff(&measure.Client{Failed: 20, Retries: 20, FirstWaits: waits(100, 10), SecondWaits: waits(130, 10), NotLonger: with(1, 10)}),
			ClientFinding{What: scenario.ClientBackoff, State: Clean, N: 1, Of: 10, Text: textOf(reason.ClientGrows, ms(100), ms(130))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !reflect.DeepEqual(tt.got, tt.want) {
				t.Errorf("%+v,\nwant %+v", tt.got, tt.want)
			}
		})
	}
}

// Where not all calls belong to a turn of the run, nothing found is nothing seen.
func TestClientTied(t *testing.T) {
	j := &judge{}
	clean := ClientFinding{What: scenario.ClientRetryAfter, State: Clean, Of: 5}
	if got := j.tied(&measure.Client{Calls: 99, Untraced: 1}, clean); !reflect.DeepEqual(got, clean) {
		t.Errorf("of 99 in 100: %+v", got)
	}
	want := clean
	want.State, want.Text = Unseen, textOf(reason.ClientUntied, int64(50), int64(100))
	if got := j.tied(&measure.Client{Calls: 50, Untraced: 30, Foreign: 20}, clean); !reflect.DeepEqual(got, want) {
		t.Errorf("of a half: %+v, want %+v", got, want)
	}
}

// secondsOf is a snapshot from second first on with so many turns in each.
func secondsOf(first int, turns ...uint64) *measure.Snapshot {
	snap := measure.NewSnapshot(&measure.Plan{Stages: []measure.Stage{{Name: "hold", End: time.Minute, Judged: true}}})
	snap.First, snap.Seconds = first, make([]measure.Second, len(turns))
	for i, n := range turns {
		snap.Seconds[i].Outcomes[measure.OK] = uint32(n)
		snap.Counts[measure.OK] += int64(n)
	}
	return snap
}

func stormOf(kind string, from, to time.Duration) measure.Storm {
	return measure.Storm{Name: kind, Kind: kind, Start: from * time.Second, End: to * time.Second}
}

func TestClientAmplification(t *testing.T) {
	calls := func(first int, perSecond ...int64) (list []measure.CallSecond) {
		for i, n := range perSecond {
			list = append(list, measure.CallSecond{Second: first + i, Calls: n})
		}
		return list
	}
	for name, tt := range map[string]struct {
		snap    *measure.Snapshot
		storms  []measure.Storm
		calls   []measure.CallSecond
		most    int64
		figure  float64
		state   ClientState
		text    reason.Reasons
		example bool
	}{
		"nobody asked":               {secondsOf(0), nil, nil, 0, 0, Unseen, textOf(reason.NoTurnSent), false},
		"in calm":                    {secondsOf(3, 10, 10), nil, calls(3, 10, 20), 0, 1.5, Clean, textOf(reason.ClientCallsCalm, 1.5), false},
		"in a storm alone":           {secondsOf(0, 10, 10), []measure.Storm{stormOf("status", 0, 2)}, calls(0, 10, 20), 0, 1.5, Clean, textOf(reason.ClientCallsStorm, 1.5), false},
		"just half as many more":     {secondsOf(0, 10, 10), []measure.Storm{stormOf("status", 1, 2)}, calls(0, 20, 30), 0, 3, Found, textOf(reason.ClientCalls, 2.0, 3.0), false},
		"not half as many more":      {secondsOf(0, 10, 10), []measure.Storm{stormOf("status", 1, 2)}, calls(0, 20, 29), 0, 2.9, Clean, textOf(reason.ClientCalls, 2.0, 2.9), false},
		"none in calm":               {secondsOf(0, 10, 10), []measure.Storm{stormOf("status", 1, 2)}, calls(0, 0, 30), 0, 3, Clean, textOf(reason.ClientCalls, 0.0, 3.0), false},
		"the later storm is worse":   {secondsOf(0, 10, 10, 10), []measure.Storm{stormOf("status", 1, 2), stormOf("hang", 2, 3)}, calls(0, 10, 20, 30), 0, 3, Found, textOf(reason.ClientCalls, 1.0, 3.0), false},
		"the first storm is worse":   {secondsOf(0, 10, 10, 10), []measure.Storm{stormOf("status", 1, 2), stormOf("hang", 2, 3)}, calls(0, 10, 30, 20), 0, 3, Found, textOf(reason.ClientCalls, 1.0, 3.0), false},
		"a storm that nobody met":    {secondsOf(0, 10, 0), []measure.Storm{stormOf("status", 1, 2)}, calls(0, 10), 0, 1, Clean, textOf(reason.ClientCallsCalm, 1.0), false},
		"one call for a turn":        {secondsOf(0, 10), nil, calls(0, 10), 1, 1, Clean, append(textOf(reason.ClientCallsCalm, 1.0), reason.New(reason.ClientMost, int64(1))), true},
		"seconds begin at the first": {secondsOf(1, 10, 10), []measure.Storm{stormOf("status", 2, 3)}, calls(1, 10, 30), 0, 3, Found, textOf(reason.ClientCalls, 1.0, 3.0), false},
	} {
		t.Run(name, func(t *testing.T) {
			j := &judge{snap: tt.snap, storms: tt.storms, facts: &measure.Facts{LLMKnown: true, Calls: tt.calls}}
			want := ClientFinding{What: scenario.ClientCallsPerTurn, State: tt.state, N: 100, Of: tt.snap.Turns(), Figure: tt.figure, Text: tt.text}
			if tt.example {
				want.Examples = []measure.TurnExample{{TraceID: "worst"}}
			}
			got := j.amplification(&measure.Client{Calls: 50, Untraced: 30, Foreign: 20, MaxCalls: tt.most, MaxCallsOf: "worst"})
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v,\nwant %+v", got, want)
			}
		})
	}
}

func TestClientInFlight(t *testing.T) {
	open := func(second int, n int64) measure.CallSecond { return measure.CallSecond{Second: second, Open: n} }
	turns := func(second int, n int64) measure.GeneratorSecond {
		return measure.GeneratorSecond{Second: second, InFlight: n}
	}
	hang := []measure.Storm{stormOf("hang", 2, 4)}
	for name, tt := range map[string]struct {
		storms []measure.Storm
		calls  []measure.CallSecond
		turns  []measure.GeneratorSecond
		n, of  int64
		state  ClientState
		text   reason.Reasons
	}{
		"no call":                        {hang, nil, nil, 0, 0, Unseen, textOf(reason.NoTurnSent)},
		"one call":                       {hang, []measure.CallSecond{open(0, 1)}, nil, 1, 0, Unseen, textOf(reason.ClientFlightUnseen, int64(1))},
		"only calm tries no cap":         {hang, []measure.CallSecond{open(0, 40)}, []measure.GeneratorSecond{turns(0, 40)}, 40, 0, Unseen, textOf(reason.ClientFlightUnseen, int64(40))},
		"a storm of refusals, neither":   {[]measure.Storm{stormOf("status", 2, 4)}, []measure.CallSecond{open(2, 40)}, []measure.GeneratorSecond{turns(2, 40)}, 40, 0, Unseen, textOf(reason.ClientFlightUnseen, int64(40))},
		"twenty follow twenty-five":      {hang, []measure.CallSecond{open(2, 20)}, []measure.GeneratorSecond{turns(2, 25)}, 20, 25, Found, textOf(reason.ClientFlightGrew, int64(20), int64(25))},
		"nineteen are too few":           {hang, []measure.CallSecond{open(2, 19)}, []measure.GeneratorSecond{turns(2, 19)}, 19, 19, Unseen, textOf(reason.ClientFlightUnseen, int64(19))},
		"twenty follow not twenty-six":   {hang, []measure.CallSecond{open(2, 20)}, []measure.GeneratorSecond{turns(2, 26)}, 20, 26, Unseen, textOf(reason.ClientFlightUnseen, int64(20))},
		"ten hold twenty":                {hang, []measure.CallSecond{open(2, 10)}, []measure.GeneratorSecond{turns(2, 20)}, 10, 20, Clean, textOf(reason.ClientFlightHeld, int64(10), int64(20))},
		"nine hold nineteen: too few":    {hang, []measure.CallSecond{open(2, 9)}, []measure.GeneratorSecond{turns(2, 19)}, 9, 19, Unseen, textOf(reason.ClientFlightUnseen, int64(9))},
		"the first of two peaks counts":  {hang, []measure.CallSecond{open(2, 30), open(3, 30)}, []measure.GeneratorSecond{turns(1, 30), turns(2, 30), turns(3, 30), turns(4, 90)}, 30, 30, Found, textOf(reason.ClientFlightGrew, int64(30), int64(30))},
		"a lower second is no peak":      {hang, []measure.CallSecond{open(2, 30), open(3, 20)}, []measure.GeneratorSecond{turns(2, 30), turns(3, 30)}, 30, 30, Found, textOf(reason.ClientFlightGrew, int64(30), int64(30))},
		"the second before counts":       {hang, []measure.CallSecond{open(3, 30)}, []measure.GeneratorSecond{turns(0, 90), turns(1, 90), turns(2, 60), turns(3, 30), turns(5, 90)}, 30, 60, Unseen, textOf(reason.ClientFlightUnseen, int64(30))},
		"the second after counts":        {hang, []measure.CallSecond{open(2, 30)}, []measure.GeneratorSecond{turns(0, 90), turns(2, 30), turns(3, 45), turns(4, 90)}, 30, 45, Unseen, textOf(reason.ClientFlightUnseen, int64(30))},
		"what is beside is not further":  {hang, []measure.CallSecond{open(2, 30)}, []measure.GeneratorSecond{turns(0, 90), turns(2, 30), turns(4, 90)}, 30, 30, Found, textOf(reason.ClientFlightGrew, int64(30), int64(30))},
		"after the storm no cap is held": {hang, []measure.CallSecond{open(2, 10), open(9, 50)}, []measure.GeneratorSecond{turns(2, 10), turns(9, 50)}, 50, 10, Unseen, textOf(reason.ClientFlightUnseen, int64(50))},
	} {
		t.Run(name, func(t *testing.T) {
			j := &judge{storms: tt.storms, facts: &measure.Facts{Calls: tt.calls, Generator: measure.Generator{Seconds: tt.turns}}}
			want := ClientFinding{What: scenario.ClientInFlight, State: tt.state, N: tt.n, Of: tt.of, Figure: float64(tt.n), Text: tt.text}
			if got := j.inFlight(); !reflect.DeepEqual(got, want) {
				t.Errorf("%+v,\nwant %+v", got, want)
			}
		})
	}
}

// What an objective says of a finding: its unit, figures and verdict, and what is
// still open.
func TestClientObjectives(t *testing.T) {
	text := textOf(reason.NoTurnSent)
	for name, tt := range map[string]struct {
		o    scenario.Objective
		f    ClientFinding
		want Judged
		open reason.Reasons // behind the finding's own text
	}{
		"calls per turn": {
			scenario.Objective{Client: scenario.ClientCallsPerTurn, Max: 2},
			ClientFinding{State: Clean, N: 30, Of: 20, Figure: 1.5},
			Judged{Unit: "count", Target: 2, N: 20, Measured: 1.5, Verdict: Pass},
			nil,
		},
		"calls per turn, just as many": {
			scenario.Objective{Client: scenario.ClientCallsPerTurn, Max: 2},
			ClientFinding{State: Found, N: 40, Of: 20, Figure: 2},
			Judged{Unit: "count", Target: 2, N: 20, Measured: 2, Verdict: Pass},
			nil,
		},
		"calls per turn, unseen": {
			scenario.Objective{Client: scenario.ClientCallsPerTurn, Max: 2},
			ClientFinding{},
			Judged{Unit: "count", Target: 2, Verdict: Inconclusive},
			nil,
		},
		"in flight": {
			scenario.Objective{Client: scenario.ClientInFlight, Max: 8},
			ClientFinding{State: Clean, N: 7, Of: 9, Figure: 7},
			Judged{Unit: "count", Target: 8, N: 9, Measured: 7, Verdict: Pass},
			nil,
		},
		"in flight, a cap that was just not tried": {
			scenario.Objective{Client: scenario.ClientInFlight, Max: 8},
			ClientFinding{State: Clean, N: 7, Of: 8, Figure: 7},
			Judged{Unit: "count", Target: 8, N: 8, Measured: 7, Verdict: Inconclusive},
			textOf(reason.ClientCapUntried, int64(8), 8.0),
		},
		"back-off": {
			scenario.Objective{Client: scenario.ClientBackoff, Max: 5},
			ClientFinding{State: Found, N: 3, Of: 4},
			Judged{Unit: "count", N: 4, Bad: 3, Measured: 3, Verdict: Fail},
			nil,
		},
		"back-off, of few": {
			scenario.Objective{Client: scenario.ClientBackoff},
			ClientFinding{State: Clean, N: 0, Of: 1},
			Judged{Unit: "count", N: 1, Verdict: Pass},
			nil,
		},
		"waited, of one": {
			scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.9},
			ClientFinding{State: Clean, Of: 1},
			Judged{Unit: "share", Target: 0.9, N: 1, Measured: 1, Verdict: Inconclusive},
			textOf(reason.ClientTooFew, int64(1), int64(clientLeast)),
		},
		"waited, of none": {
			scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.9},
			ClientFinding{},
			Judged{Unit: "share", Target: 0.9, Verdict: Inconclusive},
			nil,
		},
		"waited, of ten": {
			scenario.Objective{Client: scenario.ClientRetryAfter, Target: 0.9},
			ClientFinding{State: Found, N: 1, Of: 10},
			Judged{Unit: "share", Target: 0.9, N: 10, Bad: 1, Measured: 0.9, Verdict: Pass},
			nil,
		},
		"insisted, of nine": {
			scenario.Objective{Client: scenario.ClientRetries4xx},
			ClientFinding{State: Clean, Of: 9},
			Judged{Unit: "count", N: 9, Verdict: Inconclusive},
			textOf(reason.ClientTooFew, int64(9), int64(clientLeast)),
		},
		"went on, of a sample": {
			scenario.Objective{Client: scenario.ClientAfterLeft},
			ClientFinding{State: Clean, Of: 20, Partly: true},
			Judged{Unit: "count", N: 20, Verdict: Inconclusive},
			textOf(reason.ClientPartly),
		},
		"passed on, but for unclear ones": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 3},
			ClientFinding{Of: 20, N: 1, Unclear: 2},
			Judged{Unit: "count", Target: 3, N: 20, Bad: 1, Measured: 1, Verdict: Pass},
			nil,
		},
		"passed on, found, with unclear ones": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 2},
			ClientFinding{State: Found, Of: 20, N: 1, Unclear: 2},
			Judged{Unit: "count", Target: 2, N: 20, Bad: 1, Measured: 1, Verdict: Inconclusive},
			nil,
		},
		"passed on, one unclear of ten": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 2},
			ClientFinding{Of: 10, N: 1, Unclear: 1},
			Judged{Unit: "count", Target: 2, N: 10, Bad: 1, Measured: 1, Verdict: Pass},
			nil,
		},
		"passed on, two unclear of ten": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 2},
			ClientFinding{Of: 10, N: 1, Unclear: 2},
			Judged{Unit: "count", Target: 2, N: 10, Bad: 1, Measured: 1, Verdict: Inconclusive},
			nil,
		},
		"passed on, one unclear of a sample": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 2},
			ClientFinding{Of: 20, N: 1, Unclear: 1, Partly: true},
			Judged{Unit: "count", Target: 2, N: 20, Bad: 1, Measured: 1, Verdict: Inconclusive},
			textOf(reason.ClientPartly),
		},
		"insisted, which nobody could see": {
			scenario.Objective{Client: scenario.ClientRetries4xx},
			ClientFinding{Of: 20},
			Judged{Unit: "count", N: 20, Verdict: Inconclusive},
			nil,
		},
		"passed on, with unclear ones": {
			scenario.Objective{Client: scenario.ClientBroken, Max: 2},
			ClientFinding{Of: 20, N: 1, Unclear: 2},
			Judged{Unit: "count", Target: 2, N: 20, Bad: 1, Measured: 1, Verdict: Inconclusive},
			nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := tt.f
			f.What, f.Text = tt.o.Client, text
			other := ClientFinding{What: "another", N: 99, Of: 99, Figure: 99, State: Found}
			j := &judge{facts: &measure.Facts{Client: &measure.Client{}}, result: Result{Client: []ClientFinding{other, f, other}}}
			got := Judged{Verdict: Pass}
			j.client(&got, tt.o)
			want := tt.want
			want.Lower, want.Upper = want.Measured, want.Measured
			want.Reason = append(textOf(reason.ClientJudged, want.Verdict.Word(), text), tt.open...)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%+v,\nwant %+v", got, want)
			}
		})
	}
}
