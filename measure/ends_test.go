package measure

import (
	"reflect"
	"testing"
	"time"
)

// The sums of ends do not depend on how turns were spread over shards, nor on the order
// these are added up in, and are bounded.
func TestEndsMergeInAnyOrder(t *testing.T) {
	const turns = 3 * mostEnded
	var whole EndedTurns
	parts := make([]*Ends, 3)
	for i := range parts {
		parts[i] = &Ends{}
	}
	for n := range uint64(turns) {
		turn := EndedTurn{Turn: mixed(n + 1), At: time.Duration(n), Said: Said{Whole: uint32(n)}}
		whole.Add(&turn)
		parts[n%3].Left.Add(&turn)
	}
	whole.sort()
	if whole.N != turns || whole.Halved != 2 || len(whole.List()) > mostEnded || len(whole.List()) < mostEnded/2 {
		t.Errorf("%d turns, halved %d, %d listed", whole.N, whole.Halved, len(whole.List()))
	}
	for _, order := range [][3]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		sum := mergeEnds(nil, nil)
		for _, i := range order {
			sum = mergeEnds(sum, parts[i])
		}
		if !reflect.DeepEqual(sum.Left, whole) {
			t.Errorf("order %v: %d, halved %d, %d listed", order, sum.Left.N, sum.Left.Halved, len(sum.Left.List()))
		}
	}
	if first := whole.List()[0]; mixed(uint64(first.At)+1) != first.Turn || uint32(first.At) != first.Said.Whole {
		t.Errorf("%+v", first)
	}
}

func TestSaidIsTheMocks(t *testing.T) {
	if got := SaidOf([]byte(" 您好，这张优惠券\n")); got != (Said{1766216326, 3997769403, 4257006752}) {
		t.Errorf("the mock LLM counts on %v", got)
	}
	if got := SaidOf([]byte(" ")); got != (Said{}) {
		t.Errorf("nothing said is %v", got)
	}
}

func TestClientsMergeInAnyOrder(t *testing.T) {
	a := &Client{
		Turns: 2, Calls: 5, MaxCalls: 3, MaxCallsOf: "a", Known: 1, FirstWaits: []WaitBucket{{1, 2}, {4, 1}},
		Retried4xx: Finding{N: 1, Of: 2, Examples: []TurnExample{{"a", 9}}},
	}
	b := &Client{
		Turns: 1, Calls: 4, MaxCalls: 4, MaxCallsOf: "b", Known: 0.5, FirstWaits: []WaitBucket{{2, 1}, {4, 2}},
		Retried4xx: Finding{N: 6, Of: 8, Examples: []TurnExample{{"b", 1}, {"b", 2}, {"b", 3}, {"b", 4}, {"b", 10}}},
	}
	want := &Client{
		Turns: 3, Calls: 9, MaxCalls: 4, MaxCallsOf: "b", Known: 0.5, FirstWaits: []WaitBucket{{1, 2}, {2, 1}, {4, 3}},
		Retried4xx: Finding{N: 7, Of: 10, Examples: []TurnExample{{"b", 1}, {"b", 2}, {"b", 3}, {"b", 4}, {"a", 9}}},
	}
	for _, got := range []*Client{mergeClients(a, b), mergeClients(b, a)} {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	if mergeClients(a, nil) != a || mergeClients(nil, b) != b || mergeClients(nil, nil) != nil {
		t.Error("the sum with nothing is not the same")
	}
	if d, n := MedianWait(want.FirstWaits); d != 2 || n != 6 {
		t.Errorf("median %d of %d", d, n)
	}
	if d, n := MedianWait(nil); d != 0 || n != 0 {
		t.Errorf("median %d of %d of nothing", d, n)
	}
}

func TestSamplesAreOneOfAKind(t *testing.T) {
	var s Samples
	s.Add(ServerError, "HTTP 500", "first")
	s.Add(ServerError, "HTTP 500", "second")
	if s.Lacks(ServerError, "HTTP 500") || !s.Lacks(ServerError, "HTTP 502") {
		t.Error("what is lacking is wrong")
	}
	for i := range 3 * FailuresPerOutcome {
		s.Add(ClientError, string(rune('一'+i)), "body")
	}
	list := s.Told()
	if len(list) != FailuresPerOutcome+1 {
		t.Fatalf("%d samples", len(list))
	}
	var other Samples
	for i := 3*FailuresPerOutcome - 1; i >= 0; i-- {
		other.Add(ClientError, string(rune('一'+i)), "body")
	}
	a, b := MergeFacts(&Facts{Samples: list}, &Facts{Samples: other.Told()}), MergeFacts(&Facts{Samples: other.Told()}, &Facts{Samples: list})
	if !reflect.DeepEqual(a.Samples, b.Samples) || !reflect.DeepEqual(a.Samples, list) {
		t.Errorf("%d and %d samples after a merge of %d", len(a.Samples), len(b.Samples), len(list))
	}
	if a.SampleOf(ServerError, "HTTP 500") != "first" || a.SampleOf(ServerError, "HTTP 404") != "" {
		t.Error("another sample")
	}
}
