package measure

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// event is one thing to record.
type event struct {
	kind     int
	turn     Turn
	intended time.Duration
	message  string
	dialog   Dialog
}

func events(t *rapid.T) []event {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
		at := time.Duration(rapid.Int64Range(0, int64(8*time.Second)).Draw(t, "at"))
		took := time.Duration(rapid.Int64Range(0, int64(2*time.Second)).Draw(t, "took"))
		turn := Turn{
			Slot: rapid.IntRange(-1, 2).Draw(t, "slot"), Intended: at, Sent: at + took/4, Done: at + took,
			Lag: took / 8, Outcome: Outcome(rapid.IntRange(0, int(Censored)).Draw(t, "outcome")), Tier: Tier(rapid.IntRange(0, Tiers-1).Draw(t, "tier")), Group: rapid.IntRange(-1, 3).Draw(t, "group"),
			Excluded: rapid.Bool().Draw(t, "excluded"), Planted: rapid.Bool().Draw(t, "planted"), Memory: Memory(rapid.IntRange(0, 1).Draw(t, "memory")),
		}
		if rapid.Bool().Draw(t, "stream") {
			turn.FirstToken = at + took/2 + 1
			turn.FirstReasoning = at + took/4
			turn.Gaps = []time.Duration{took / 10, took / 20}
			answers := rapid.Int64Range(1, 3).Draw(t, "answers")
			told := rapid.Int64Range(0, answers).Draw(t, "told")
			turn.Usage = Usage{Answers: answers, Told: told, Input: 100 * told, Cached: 10 * told, CachedTold: told, Output: 7 * told, Calls: answers - 1}
			turn.Spell, turn.Spelled = took/2, 6*told
		}
		var d Dialog
		for place := range 3 {
			d.turns[place] = rapid.Uint16Range(0, 6).Draw(t, "turns")
			d.bad[place] = rapid.Uint16Range(0, d.turns[place]).Draw(t, "bad")
		}
		return event{rapid.IntRange(0, 5).Draw(t, "kind"), turn, at, fmt.Sprint("m", rapid.IntRange(0, 150).Draw(t, "message")), d}
	}), 0, 60).Draw(t, "events")
}

func (e event) record(l *Lane) {
	switch e.kind {
	case 0:
		l.Started(e.intended)
	case 1:
		l.Dropped(e.intended, 1+int(e.dialog.turns[0]), DroppedTarget)
	case 2:
		l.Failed(&Failure{Outcome: e.turn.Outcome, Message: e.message, At: e.intended, Conversation: "a", Turn: 1})
	case 3:
		l.Ended(ConversationEnd(e.turn.Outcome), &e.dialog)
	default:
		turn := e.turn
		l.Record(&turn)
	}
}

// Recording in many lanes and intervals, added up in any order and any grouping,
// gives what one lane and one interval give.
func TestSnapshotsAddUpInAnyOrder(t *testing.T) {
	plan := testPlan()
	rapid.Check(t, func(t *rapid.T) {
		list := events(t)
		whole := NewRecorder(plan, 1)
		parts := NewRecorder(plan, 3)
		var cuts []*Snapshot
		cut := func(r *Recorder) *Snapshot {
			s, err := r.Cut(5 * time.Second)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		for i, e := range list {
			e.record(whole.Lane(0))
			e.record(parts.Lane(rapid.IntRange(0, 5).Draw(t, "lane")))
			if rapid.IntRange(0, 9).Draw(t, "cut") == 0 || i == len(list)-1 {
				cuts = append(cuts, cut(parts))
			}
		}
		cuts = append(cuts, cut(parts))
		want := NewSnapshot(plan)
		if err := want.Add(cut(whole)); err != nil {
			t.Fatal(err)
		}
		cuts = rapid.Permutation(cuts).Draw(t, "order")
		split := rapid.IntRange(0, len(cuts)).Draw(t, "split")
		left, right := NewSnapshot(plan), cuts[0].Clone()
		for _, c := range cuts[:split] {
			_ = left.Add(c)
		}
		if split == 0 {
			for _, c := range cuts[1:] {
				_ = right.Add(c)
			}
		} else {
			right = NewSnapshot(plan)
			for _, c := range cuts[split:] {
				_ = right.Add(c)
			}
		}
		ab, ba := left.Clone(), right.Clone()
		if err := ab.Add(right); err != nil {
			t.Fatal(err)
		}
		if err := ba.Add(left); err != nil {
			t.Fatal(err)
		}
		for _, got := range []*Snapshot{ab, ba} {
			if diff := same(want, got); diff != "" {
				t.Fatal(diff)
			}
		}
		// And through bytes.
		back, err := decodeSnapshot(appendSnapshot(nil, want), plan)
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(want, back); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestAddRefusesAnotherPlan(t *testing.T) {
	a := NewSnapshot(testPlan())
	for name, change := range map[string]func(*Plan){
		"stages":  func(p *Plan) { p.Stages[0].Judged = true },
		"slots":   func(p *Plan) { p.Slots[1].Say = "other" },
		"budgets": func(p *Plan) { p.Budgets[2].Limit++ },
		"drain":   func(p *Plan) { p.Drain++ },
	} {
		p := testPlan()
		change(p)
		if err := a.Add(NewSnapshot(p)); !errors.Is(err, ErrPlan) {
			t.Errorf("%s differ: %v", name, err)
		}
	}
	if err := a.Add(NewSnapshot(testPlan())); err != nil {
		t.Errorf("an equal plan: %v", err)
	}
	if (&Plan{}).Equal(nil) {
		t.Error("a plan equals none")
	}
}

func TestCountsAndHistograms(t *testing.T) {
	r := NewRecorder(testPlan(), 2)
	ok := Turn{Slot: 1, Intended: time.Second, Sent: 1100 * ms, Done: 1300 * ms, Lag: 5 * ms, Connect: 50 * ms, FirstToken: 1200 * ms, Tier: TierLLM, Memory: Verified, Planted: true}
	bad := Turn{Slot: 0, Intended: 2 * time.Second, Sent: 2100 * ms, Done: 5 * time.Second, Outcome: Timeout, Tier: TierFAQ}
	silent := Turn{Slot: 0, Intended: 2 * time.Second, Sent: 2 * time.Second, Done: 2100 * ms, Outcome: Unexpected, Excluded: true}
	lost := Turn{Slot: 0, Intended: 2 * time.Second, Sent: 2 * time.Second, Done: 2100 * ms, Outcome: OK, Tier: TierStatic}
	for i, turn := range []Turn{ok, bad, silent, lost} {
		r.Lane(i).Record(&turn)
		r.Lane(i).Started(turn.Intended)
	}
	r.Lane(0).Dropped(time.Second, 1, OK)
	r.Lane(0).Dropped(time.Second, 1, DroppedTarget)
	r.Lane(1).Ended(Abandoned, nil)
	r.Lane(1).Ended(77, nil)
	s, err := r.Cut(9 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if s.Elapsed != 9*time.Second || s.Turns() != 4 || s.Answered() != 3 || s.Planned != 6 || s.Started != 4 || s.Counts[DroppedTarget] != 1 || s.Counts[DroppedGenerator] != 1 {
		t.Errorf("elapsed %v, %d turns, %d answered, planned %d, started %d, dropped %v", s.Elapsed, s.Turns(), s.Answered(), s.Planned, s.Started, s.Counts)
	}
	if s.Verified != 1 || s.NotVerified != 1 || s.Planted != 1 || s.Excluded != 1 || s.Conversations[Abandoned] != 1 || s.Conversations[Broken] != 1 {
		t.Errorf("verified %d, not %d, planted %d, excluded %d, ends %v", s.Verified, s.NotVerified, s.Planted, s.Excluded, s.Conversations)
	}
	for of, want := range map[Timing][2]time.Duration{
		Response: {3, 500 * ms}, Service: {3, 400 * ms}, Lag: {4, 5 * ms}, Connect: {1, 50 * ms}, FirstToken: {1, 200 * ms}, ChunkGap: {0, 0},
	} {
		if h := s.Timings[of]; h.N() != int64(want[0]) || h.Sum() != want[1] {
			t.Errorf("timing %d: n %d, sum %v; want %v", of, h.N(), h.Sum(), want)
		}
	}
	if s.ByOutcome[Timeout].Sum() != 3*time.Second || s.ByOutcome[Shed] != nil || s.ResponseTotal() != 3500*ms {
		t.Errorf("timeouts took %v, all %v", s.ByOutcome[Timeout].Sum(), s.ResponseTotal())
	}
	if slot := s.Slots[0]; slot.Turns != 3 || slot.Answered != 2 || slot.Response.N() != 2 || s.Slots[1].Response.Sum() != 300*ms {
		t.Errorf("slots %+v", s.Slots)
	}
	if s.Tiers != [Tiers]int64{1, 1, 0, 0, 1} {
		t.Errorf("tiers %v", s.Tiers)
	}
	if s.First != 1 || len(s.Seconds) != 5 || s.Seconds[0].Starts != 1 || s.Seconds[1].Starts != 3 || s.Seconds[1].Tiers[TierStatic] != 1 ||
		s.Seconds[1].Response.N() != 2 || s.Seconds[1].Lag.N() != 3 || s.Seconds[1].Turns() != 3 || s.Seconds[0].Outcomes[DroppedGenerator] != 1 {
		t.Errorf("seconds from %d: %+v", s.First, s.Seconds)
	}
	empty, _ := r.Cut(10 * time.Second)
	total := NewSnapshot(testPlan())
	_ = total.Add(empty)
	if empty.Turns() != 0 || len(empty.Seconds) != 0 || total.First != 0 || len(total.Seconds) != 0 {
		t.Errorf("the next interval is not empty: %+v", empty)
	}
	if s.At(0) != nil || s.At(6) != nil || s.At(2) != &s.Seconds[1] {
		t.Error("At finds other seconds")
	}
}

func TestFailuresAreBounded(t *testing.T) {
	r := NewRecorder(testPlan(), 1)
	l := r.Lane(0)
	for i := range 1000 {
		l.Failed(&Failure{Outcome: ServerError, Message: fmt.Sprint("unique ", i), At: time.Duration(i)})
		l.Failed(&Failure{Outcome: Timeout, Message: "no answer", At: time.Duration(1000 - i), Conversation: "c"})
	}
	l.Failed(&Failure{Outcome: 99})
	l.Failed(&Failure{Outcome: Shed, Message: strings.Repeat("客", 100) + "\xff\xff", At: 1})
	s, _ := r.Cut(0)
	if len(s.Failures) != FailuresPerOutcome+2 || s.Unlisted != 1000-FailuresPerOutcome+1 {
		t.Errorf("%d kinds, %d unlisted", len(s.Failures), s.Unlisted)
	}
	first := s.Failures[0]
	if first.Outcome != Timeout || first.Count != 1000 || first.First.At != 1 {
		t.Errorf("the most frequent is %+v", first)
	}
	var total int64
	for _, f := range s.Failures {
		total += f.Count
		if f.Outcome == Shed && f.Message != strings.Repeat("客", 66) {
			t.Errorf("a long message became %q", f.Message)
		}
	}
	if total+s.Unlisted != 2002 {
		t.Errorf("%d listed and %d unlisted are not all", total, s.Unlisted)
	}
	if got := plain("a\xff\xfeb"); got != "a?b" {
		t.Errorf("%q", got)
	}
}

// A recorder without stages still counts turns, and judges none.
func TestNoStages(t *testing.T) {
	plan := &Plan{Budgets: []Budget{{Name: "b", Stages: 1, Valid: Answered, Good: Answered}}}
	r := NewRecorder(plan, 0)
	r.Lane(-3).Record(&Turn{Slot: 5, Intended: time.Second, Done: time.Second})
	r.Lane(0).Dropped(time.Second, 1, DroppedTarget)
	s, err := r.Cut(0)
	if err != nil || s.Turns() != 1 || s.At(0).Budgets[0] != (BudgetCount{}) || r.Lanes() != 1 || r.Plan() != plan {
		t.Errorf("%v, %+v", err, s)
	}
}

// Lanes are recorded in and cut at the same time, and nothing is lost.
func TestConcurrentRecording(t *testing.T) {
	plan := testPlan()
	r := NewRecorder(plan, 2)
	const workers, each = 8, 2000
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			lane := r.Lane(w)
			for i := range each {
				turn := Turn{Intended: time.Duration(i) * 3 * ms, Done: time.Duration(i) * 4 * ms, Outcome: Outcome(i % 3)}
				lane.Started(turn.Intended)
				lane.Record(&turn)
				lane.Failed(&Failure{Outcome: Timeout, Message: "m"})
				lane.Ended(Complete, nil)
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	total := NewSnapshot(plan)
	for stop := false; !stop; {
		select {
		case <-done:
			stop = true
		default:
		}
		s, err := r.Cut(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := total.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	if total.Turns() != workers*each || total.Started != workers*each || total.Conversations[Complete] != workers*each ||
		total.Timings[Lag].N() != workers*each || total.Failures[0].Count != workers*each {
		t.Errorf("%d turns, %d started, %d failures of %d", total.Turns(), total.Started, total.Failures[0].Count, workers*each)
	}
}

// In the steady state neither recording nor moving on from second to second,
// with a cut between, allocates in a lane.
func TestNewSecondsAllocateNothing(t *testing.T) {
	plan := &Plan{Stages: []Stage{{Name: "s", End: time.Hour, Judged: true}}, Slots: []Slot{{}}}
	r := NewRecorder(plan, 1)
	second := 0
	turn := Turn{}
	step := func() {
		at := time.Duration(second) * time.Second
		for i := range 3 { // three seconds are open at once
			turn.Intended = at - time.Duration(i)*time.Second
			turn.Sent, turn.Done = turn.Intended, at
			r.Lane(0).Record(&turn)
		}
		second++
	}
	for range 5 {
		step()
		if _, err := r.Cut(0); err != nil {
			t.Fatal(err)
		}
	}
	second = 100
	if n := testing.AllocsPerRun(1, func() { step() }); n != 0 {
		t.Errorf("new seconds allocate %v times", n)
	}
}

func BenchmarkCut(b *testing.B) {
	plan := testPlan()
	plan.Stages[1].End = time.Hour
	r := NewRecorder(plan, 2)
	total := NewSnapshot(plan)
	b.ReportAllocs()
	for i := range b.N {
		b.StopTimer()
		for k := range 2000 {
			at := time.Duration(i%3500)*time.Second + time.Duration(k)*ms/2
			r.Lane(k).Record(&Turn{Slot: k & 1, Intended: at, Sent: at, Done: at + time.Duration(50+k%300)*ms, Lag: time.Duration(k%100) * 10 * time.Microsecond})
		}
		b.StartTimer()
		s, err := r.Cut(0)
		if err != nil {
			b.Fatal(err)
		}
		if err := total.Add(s); err != nil {
			b.Fatal(err)
		}
	}
}

// Ten minutes of seconds stay small, so that an hour does.
func TestSecondsAreSmall(t *testing.T) {
	plan := testPlan()
	plan.Stages[1].End = time.Hour
	r := NewRecorder(plan, 2)
	total := NewSnapshot(plan)
	for second := range 600 {
		for k := range 200 {
			at := time.Duration(second)*time.Second + time.Duration(k)*5*ms
			r.Lane(k).Record(&Turn{Slot: k & 1, Intended: at, Sent: at, Done: at + time.Duration(50+k)*ms, Lag: time.Duration(k) * 10 * time.Microsecond})
		}
		s, err := r.Cut(0)
		if err != nil {
			t.Fatal(err)
		}
		if err := total.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for i := range total.Seconds {
		s := &total.Seconds[i]
		size += 160 + 8*cap(s.Budgets) + 8*cap(s.Response.cells) + 8*cap(s.Lag.cells)
	}
	for _, h := range total.Timings {
		size += h.packed.GetMemorySize()
	}
	if size > 10<<20/6 {
		t.Errorf("ten minutes take %d KiB", size>>10)
	}
}
