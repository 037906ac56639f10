package output_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/result"
)

var plan = &measure.Plan{
	Stages: []measure.Stage{{Name: "steady", End: 10 * time.Second, Judged: true}},
	Slots:  []measure.Slot{{Conversation: "coupon", Say: "hi"}},
}

// kept is a sink that keeps what it is told, once it may.
type kept struct {
	gate    chan struct{} // nil: it takes at once
	err     error
	seconds []*output.Second
	turns   int
	ended   *result.Document
}

func (k *kept) wait(ctx context.Context) error {
	if k.gate == nil {
		return k.err
	}
	select {
	case <-k.gate:
		return k.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (k *kept) Take(ctx context.Context, s *output.Second) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	k.seconds = append(k.seconds, s)
	return nil
}

func (k *kept) Turns(ctx context.Context, turns []output.Turn) error {
	if err := k.wait(ctx); err != nil {
		return err
	}
	k.turns += len(turns)
	return nil
}

func (k *kept) End(_ context.Context, doc *result.Document) error {
	k.ended = doc
	return k.err
}

// record has turns of a response time recorded, and gives the interval.
func record(t *testing.T, r *measure.Recorder, at time.Duration, responses ...time.Duration) *measure.Snapshot {
	t.Helper()
	lane := r.Lane(0)
	for _, d := range responses {
		lane.Started(at)
		lane.Record(&measure.Turn{Intended: at, Sent: at, Done: at + d, Tier: measure.TierLLM})
	}
	s, err := r.Cut(at + time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSecondsAddUp(t *testing.T) {
	k := &kept{}
	set := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: k}})
	base := time.Date(2026, 11, 11, 0, 0, 0, 0, time.UTC)
	set.Begin(base)
	r := measure.NewRecorder(plan, 1)
	set.Take(&output.Live{Elapsed: time.Second, Last: record(t, r, 0, 100*time.Millisecond, 300*time.Millisecond), InFlight: 7, CPU: 250 * time.Millisecond})
	set.Take(&output.Live{Elapsed: 2 * time.Second, Last: record(t, r, time.Second, 200*time.Millisecond)})
	told := set.Flush()
	if len(k.seconds) != 2 || len(told) != 1 || told[0].Seconds != 2 || told[0].SecondsDropped != 0 {
		t.Fatalf("%d seconds, told %+v", len(k.seconds), told)
	}
	one, two := k.seconds[0], k.seconds[1]
	if one.Turns() != 2 || one.Started != 2 || one.Stage != "steady" || one.InFlight != 7 || one.CPU != 0.25 || !one.At.Equal(base.Add(time.Second)) || one.Last.Max != 300*time.Millisecond {
		t.Errorf("first second: %+v", one)
	}
	if d := one.Distributions[measure.Response]; d.Count != 2 || d.Sum != 400*time.Millisecond {
		t.Errorf("the first second changed afterwards: %+v", d)
	}
	if d := two.Distributions[measure.Response]; two.Turns() != 3 || two.Last.Turns != 1 || d.Count != 3 || d.Sum != 600*time.Millisecond || d.UpTo(0.25) != 2 {
		t.Errorf("second second: %+v", two)
	}
	if err := set.End(t.Context(), &result.Document{Verdict: "pass"}); err != nil || k.ended.Verdict != "pass" {
		t.Errorf("ended with %v, %v", k.ended, err)
	}
}

func TestBucketsHoldTheirDurations(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 999 * time.Microsecond, 100 * time.Millisecond, time.Second, time.Second + 1, time.Hour} {
		i, seconds := output.BucketOf(d), max(d, time.Microsecond).Seconds()
		if up, low := output.UpperEdge(i), output.UpperEdge(i-1); seconds > up*(1+1e-12) || seconds <= low {
			t.Errorf("%v is in bucket %d, (%v, %v]", d, i, low, up)
		}
	}
	if w := output.UpperEdge(1) / output.UpperEdge(0); math.Abs(w-1.0219) > 0.0001 {
		t.Errorf("buckets are %v wide", w)
	}
}

// A sink that takes nothing costs the run nothing but what it is not told.
func TestSlowSinkIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, other := &kept{gate: make(chan struct{})}, &kept{}
		set := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: stuck, Turns: measure.EveryTurn}, {Sink: other}})
		lane := set.Lane(measure.NewRecorder(plan, 1).Lane(0))
		for i := range 500 {
			set.Take(&output.Live{Elapsed: time.Duration(i+1) * time.Second})
			synctest.Wait()
		}
		for range 5000 {
			lane.Record(&measure.Turn{})
		}
		begin := time.Now()
		told := set.Flush()
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("flushing took %v", took)
		}
		if told[0].Seconds != 0 || told[0].SecondsDropped != 500 || told[0].Turns != 0 || told[0].TurnsDropped != 5000 {
			t.Errorf("the stuck one: %+v", told[0])
		}
		if told[1].Seconds != 500 || told[1].SecondsDropped != 0 {
			t.Errorf("the other one: %+v", told[1])
		}
	})
}

// stuckSink is a sink that does not come back, whatever its time.
type stuckSink struct {
	kept
	gate  chan struct{}
	ended bool
}

func (s *stuckSink) Take(context.Context, *output.Second) error { <-s.gate; return nil }

func (s *stuckSink) End(context.Context, *result.Document) error { s.ended = true; return nil }

// A sink that does not come back holds no run: what it was to be told is counted, and
// nothing more is asked of it.
func TestStuckSinkIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck, other := &stuckSink{gate: make(chan struct{})}, &kept{}
		set := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: stuck}, {Sink: other}})
		for i := range 5 {
			set.Take(&output.Live{Elapsed: time.Duration(i+1) * time.Second})
			synctest.Wait()
		}
		begin := time.Now()
		told := set.Flush()
		if took := time.Since(begin); took != 11*time.Second || told[0].Seconds != 0 || told[0].SecondsDropped != 5 || told[0].Failed != 1 || told[0].Error == "" || told[1].Seconds != 5 {
			t.Errorf("after %v: %+v", took, told)
		}
		if err := set.End(t.Context(), &result.Document{}); err != nil || stuck.ended || other.ended == nil {
			t.Errorf("ended %v and %v, %v", stuck.ended, other.ended != nil, err)
		}
		close(stuck.gate)
	})
}

// Of turns that are taken in part only those are dropped that were not.
func TestTurnsTakenInPart(t *testing.T) {
	k := &kept{err: &output.PartError{Turns: 1, Err: errors.New("no room")}}
	set := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: k, Turns: measure.EveryTurn}})
	set.Tell(measure.EveryTurn, make([]measure.Turn, 1))
	if o := set.Flush()[0]; o.Turns != 0 || o.TurnsDropped != 1 || o.Failed != 1 || o.Error != "no room" {
		t.Errorf("told %+v", o)
	}
	k.err = &output.PartError{Turns: 0, Err: errors.New("late")}
	set = output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: k, Turns: measure.EveryTurn}})
	set.Tell(measure.EveryTurn, make([]measure.Turn, 9))
	if o := set.Flush()[0]; o.Turns != 9 || o.TurnsDropped != 0 || o.Failed == 0 {
		t.Errorf("told %+v", o)
	}
}

func TestFailuresAreCounted(t *testing.T) {
	k := &kept{err: errors.New("disk full")}
	set := output.Open(&output.About{Plan: plan}, []output.Feed{{Spec: output.Spec{Kind: "json", To: "x"}, Sink: k, Turns: measure.EveryTurn}})
	set.Lane(measure.NewRecorder(plan, 1).Lane(0)).Record(&measure.Turn{})
	set.Take(&output.Live{Elapsed: time.Second})
	told := set.Flush()
	if o := told[0]; o.Failed != 2 || o.Error != "disk full" || o.SecondsDropped != 1 || o.TurnsDropped != 1 {
		t.Errorf("told %+v", o)
	}
	if w := result.OutputWarnings(told); len(w) != 1 || !strings.Contains(w[0].String(), "json=x failed: 1 seconds and 1 turns") {
		t.Errorf("warned %v", w)
	}
	if err := set.End(t.Context(), nil); err == nil || err.Error() != "--out json=x: disk full" {
		t.Errorf("ended with %v", err)
	}
}

func TestNoOutputTouchesNoLane(t *testing.T) {
	var inner load.Lane = measure.NewRecorder(plan, 1).Lane(0)
	var none *output.Set
	seconds := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: &kept{}}})
	defer seconds.Flush()
	if none.Lane(inner) != inner || seconds.Lane(inner) != inner {
		t.Error("a lane is wrapped though nobody wants turns")
	}
	none.Take(nil)
	none.Begin(time.Time{})
	if none.Flush() != nil || none.End(t.Context(), nil) != nil {
		t.Error("no outputs have something to tell")
	}
}

// Turns of other processes come as they were recorded there, each to who asked for it.
func TestTurnsOfOtherProcesses(t *testing.T) {
	all, some, seconds := &kept{}, &kept{}, &kept{}
	set := output.Open(&output.About{Plan: plan}, []output.Feed{
		{Sink: all, Turns: measure.EveryTurn}, {Sink: some, Turns: measure.SampledTurns}, {Sink: seconds}, {Sink: &kept{}, Turns: measure.EveryTurn},
	})
	relay := output.NewRelay(set.Selections(), func(which measure.Selection, b []byte) error {
		turns, err := measure.DecodeTurns(b)
		set.Tell(which, turns)
		return err
	})
	lane := relay.Lane(measure.NewRecorder(plan, 1).Lane(0))
	for i := range 1000 {
		lane.Record(&measure.Turn{TraceID: [16]byte{14: byte(i >> 8), 15: byte(i)}, Number: int64(i)})
	}
	if lost := relay.End(); len(lost) != 0 {
		t.Errorf("lost %v", lost)
	}
	set.Missed(measure.SampledTurns, 7)
	told := set.Flush()
	if all.turns != 1000 || some.turns != 10 || seconds.turns != 0 {
		t.Errorf("%d, %d and %d turns are told", all.turns, some.turns, seconds.turns)
	}
	if told[0].TurnsDropped != 0 || told[1].TurnsDropped != 7 || told[2].TurnsDropped != 0 {
		t.Errorf("told %+v", told)
	}
}

// A parent that takes nothing costs the load nothing: what is dropped is counted.
func TestRelayIsBounded(t *testing.T) {
	gate := make(chan struct{})
	sent := 0
	relay := output.NewRelay([]measure.Selection{measure.EveryTurn}, func(_ measure.Selection, b []byte) error {
		<-gate
		turns, err := measure.DecodeTurns(b)
		sent += len(turns)
		return err
	})
	lane := relay.Lane(measure.NewRecorder(plan, 1).Lane(0))
	turn := &measure.Turn{}
	if n := testing.AllocsPerRun(20_000, func() { lane.Record(turn) }); n != 0 {
		t.Errorf("%v allocations a turn", n)
	}
	close(gate)
	if lost := relay.End()[measure.EveryTurn]; lost == 0 || int64(sent)+lost != 20_001 {
		t.Errorf("%d sent and %d lost of 20,001", sent, lost)
	}
}

// Telling of a turn allocates nothing where turns are recorded.
func TestTurnsCostNoAllocation(t *testing.T) {
	stuck := &kept{gate: make(chan struct{})}
	set := output.Open(&output.About{Plan: plan}, []output.Feed{{Sink: stuck, Turns: measure.EveryTurn}})
	lane := set.Lane(measure.NewRecorder(plan, 1).Lane(0))
	turn := &measure.Turn{Done: time.Millisecond, Tier: measure.TierLLM}
	lane.Record(turn)
	if n := testing.AllocsPerRun(1000, func() { lane.Record(turn) }); n != 0 {
		t.Errorf("%v allocations a turn", n)
	}
	close(stuck.gate)
	told := set.Flush()
	if n := told[0].Turns + told[0].TurnsDropped; n != 1002 {
		t.Errorf("%d turns of 1002 are accounted for", n)
	}
}

func TestSpecs(t *testing.T) {
	list, err := output.ParseSpecs([]string{"prometheus=:9464", "json=a=b.json"})
	if err != nil || len(list) != 2 || list[1].To != "a=b.json" {
		t.Errorf("%v, %v", list, err)
	}
	if list, err := output.ParseSpecsElsewhere([]string{"json=a", "otlp=http://h"}); err != nil || len(list) != 2 {
		t.Errorf("seconds of other machines: %v, %v", list, err)
	}
	if _, err := output.ParseSpecsElsewhere([]string{"json=a", "turns=b"}); err == nil || !strings.Contains(err.Error(), "turns=b") {
		t.Errorf("single turns of other machines: %v", err)
	}
	for _, bad := range [][]string{{"results"}, {"json="}, {"xml=f"}, {"json=f", "json=f"}} {
		if _, err := output.ParseSpecs(bad); err == nil || !strings.Contains(err.Error(), "--out") {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if s := (output.Spec{Kind: "prometheus", To: "http://u:p@h:1/x?token=t#f"}).Shown(); s != "http://h:1/x" {
		t.Errorf("shows %s", s)
	}
}
