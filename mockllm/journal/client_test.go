package journal

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
)

const (
	traceA = "0af7651916cd43dd8448eb211c80319c"
	traceB = "1bf7651916cd43dd8448eb211c80319c"
)

// row is an attempt from start to end milliseconds.
func row(trace string, start, end int64, outcome string, status int) Record {
	return Record{TraceID: trace, TNs: start * 1e6, InjectedNs: (end - start) * 1e6, Outcome: outcome, Status: status}
}

func TestClientOf(t *testing.T) {
	told := row(traceA, 0, 10, "status_503", 503)
	told.RetryAfterNs = 1e9
	probe := row(traceB, 0, 5000, "ok", 200)
	probe.Purpose = "probe"
	found := Finding{N: 1, TraceIDs: []string{traceA}}
	late := told
	late.WrittenNs = 5000e6 // the server was put to sleep in its write
	for _, tt := range []struct {
		name string
		rows []Record
		want ClientFacts
	}{
		{"nothing", nil, ClientFacts{}},
		{
			"two calls in a row that were answered are no retry",
			[]Record{row(traceA, 0, 10, "ok", 200), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, InFlightMax: 1},
		},
		{"a probe is not the user's", []Record{row(traceA, 0, 10, "ok", 200), probe}, ClientFacts{Turns: 1, Calls: 1, CallsPerTurn: 1, MaxCalls: 1, InFlightMax: 1}},
		{
			"untraced calls are only in flight",
			[]Record{row("", 0, 10, "ok", 200), row("", 5, 15, "ok", 200), row("", 10, 20, "ok", 200)},
			ClientFacts{Untraced: 3, InFlightMax: 2},
		},
		{
			"too early",
			[]Record{told, row(traceA, 1009, 1020, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, RetryAfterGiven: 1, RetriedEarly: found, InFlightMax: 1},
		},
		{
			"just in time",
			[]Record{row(traceA, 1010, 1020, "ok", 200), told},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, RetryAfterGiven: 1, InFlightMax: 1},
		},
		{
			"at once, before the server's write had returned",
			[]Record{late, row(traceA, 1010, 1020, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, RetryAfterGiven: 1, InFlightMax: 1},
		},
		{
			"401 again",
			[]Record{row(traceA, 0, 10, "status_401", 401), row(traceA, 20, 30, "status_401", 401)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, Retried4xx: found, InFlightMax: 1},
		},
		{
			"429 again is allowed",
			[]Record{row(traceA, 0, 10, "status_429", 429), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, InFlightMax: 1},
		},
		{
			"went on",
			[]Record{row(traceA, 0, 10, "client_gone", 0), row(traceA, 20, 30, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, Retries: 1, WentOn: found, InFlightMax: 1},
		},
		{
			"kept a truncated answer",
			[]Record{row(traceA, 0, 10, "truncate", 200), row(traceB, 10, 20, "truncate", 200), row(traceB, 30, 40, "ok", 200)},
			ClientFacts{Turns: 2, Calls: 3, CallsPerTurn: 1.5, MaxCalls: 2, Retries: 1, Damaged: found, InFlightMax: 1},
		},
		{
			"waits of 10, 20 and 60 ms",
			[]Record{row(traceA, 0, 10, "status_500", 500), row(traceA, 20, 30, "status_500", 500), row(traceA, 50, 60, "status_500", 500), row(traceA, 120, 130, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 4, CallsPerTurn: 4, MaxCalls: 4, Retries: 3, Backoff: Ratios{N: 2, Min: 2, Median: 2, Max: 3}, InFlightMax: 1},
		},
		{
			"a hedge is no retry",
			[]Record{row(traceA, 0, 100, "ok", 200), row(traceA, 50, 80, "ok", 200)},
			ClientFacts{Turns: 1, Calls: 2, CallsPerTurn: 2, MaxCalls: 2, InFlightMax: 2},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.rows)
			if got := ClientOf(tt.rows); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if !reflect.DeepEqual(before, tt.rows) {
				t.Error("the records were changed")
			}
			shuffled := slices.Clone(tt.rows)
			rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if got := ClientOf(shuffled); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("shuffled %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func TestFindingKeepsFiveExamples(t *testing.T) {
	var rows []Record
	for i := range 9 {
		rows = append(rows, row(fmt.Sprintf("%032x", i+1), 0, 10, "empty", 200))
	}
	if f := ClientOf(rows).Damaged; f.N != 9 || len(f.TraceIDs) != maxExamples || f.TraceIDs[4] != fmt.Sprintf("%032x", 5) {
		t.Errorf("%+v", f)
	}
}
