package result

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// lawLength is how long the runs of the laws are, in seconds.
const lawLength = 40

// lawRun is a run as it was recorded, one thing after the other.
type lawRun struct {
	s      *scenario.Scenario
	plan   *measure.Plan
	facts  *measure.Facts
	events []lawEvent
}

// lawEvent is a conversation of one or more turns, or a start that was dropped.
type lawEvent struct {
	turns   []measure.Turn
	end     measure.ConversationEnd
	dropped measure.Outcome
	more    bool // a turn of a conversation that had begun: the load is the same
}

func (e lawEvent) record(l *measure.Lane) {
	if len(e.turns) == 0 {
		l.Dropped(0, 3, e.dropped)
		return
	}
	var d measure.Dialog
	if !e.more {
		l.Started(e.turns[0].Intended)
	}
	for _, t := range e.turns {
		t.Dialog = &d
		l.Record(&t)
	}
	l.Ended(e.end, &d)
}

// fatal is the part of a test that build needs.
type fatal interface{ Fatal(args ...any) }

// build judges the run, with more that was recorded.
func (r *lawRun) build(t fatal, more ...lawEvent) *Document {
	rec := measure.NewRecorder(r.plan, 1)
	for _, e := range slices.Concat(r.events, more) {
		e.record(rec.Lane(0))
	}
	cut, err := rec.Cut(r.plan.End())
	if err != nil {
		t.Fatal(err)
	}
	return Build(r.s, nil, Recording{Snapshot: cut, Facts: r.facts})
}

// drawLawRun draws what a scenario asks and how a run of it went, in some seconds with
// a generator that was late, where that is asked for.
func drawLawRun(t *rapid.T, late bool) *lawRun {
	yes := true
	share := func(name string) unit.Share {
		return rapid.SampledFrom([]unit.Share{0.5, 0.9, 0.95, 0.99}).Draw(t, name)
	}
	s := &scenario.Scenario{Conversations: []scenario.Conversation{{Name: "a", Weight: 1, Turns: make([]scenario.Turn, rapid.IntRange(1, 3).Draw(t, "length"))}}}
	s.Load.Stages = []scenario.Stage{{Name: "all", For: lawLength * unit.Duration(time.Second), Judged: &yes, Starts: &scenario.RateRamp{From: 5, To: 5}}}
	if rapid.Bool().Draw(t, "closed") {
		n := unit.Count(rapid.IntRange(1, 500).Draw(t, "users"))
		s.Load.Stages[0].Starts, s.Load.Stages[0].Users = nil, &scenario.CountRamp{From: n, To: n}
	}
	s.Checks.Memory = rapid.SampledFrom([]scenario.Switch{scenario.On, scenario.Off}).Draw(t, "memory")
	s.SLA = scenario.SLA{
		Latency:    map[string]unit.Duration{"p95": unit.Duration(300 * time.Millisecond), "p50": unit.Duration(200 * time.Millisecond)},
		Confidence: unit.Share(rapid.SampledFrom([]float64{0.8, 0.95}).Draw(t, "confidence")),
		Gate:       rapid.SampledFrom([]scenario.Gate{scenario.GateInference, scenario.GateMeasured}).Draw(t, "gate"),
	}
	if rapid.Bool().Draw(t, "availability") {
		s.SLA.Availability = share("available")
	}
	if rapid.Bool().Draw(t, "full quality") {
		s.SLA.FullQuality = share("quality")
	}
	for _, o := range []scenario.Objective{
		{Name: "dialogs", Kind: scenario.KindConversations, Target: share("dialogs")},
		{Name: "model", Kind: scenario.KindAvailability, Target: share("model"), TierAtMost: scenario.TierLLM},
		{Name: "model-seconds", Kind: scenario.KindSeconds, Target: share("seconds"), TierAtMost: scenario.TierFAQ},
		{Name: "token", Kind: scenario.KindFirstToken, Target: share("token"), Limit: unit.Duration(100 * time.Millisecond)},
		{Name: "gap", Kind: scenario.KindChunkGap, Target: share("gap"), Limit: unit.Duration(50 * time.Millisecond)},
		{Name: "planted", Kind: scenario.KindPlanted},
		{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 3},
	} {
		if rapid.Bool().Draw(t, o.Name) {
			s.SLA.Objectives = append(s.SLA.Objectives, o)
		}
	}
	r := &lawRun{s: s, facts: &measure.Facts{LLMKnown: true, Generator: measure.Generator{Cores: 2}}}
	if rapid.Bool().Draw(t, "storm") {
		s.SLA.Recovery = &scenario.Recovery{After: "storm", Latency: unit.Duration(rapid.IntRange(1, 12).Draw(t, "back")) * unit.Duration(time.Second), Quality: unit.Duration(8 * time.Second)}
		at := time.Duration(rapid.IntRange(0, 15_000).Draw(t, "storm at")) * time.Millisecond
		r.facts.Storms = append(r.facts.Storms, measure.Storm{Name: "storm", Start: at, End: at + time.Duration(rapid.IntRange(1, 8_000).Draw(t, "storm for"))*time.Millisecond})
	}
	if rapid.IntRange(0, 3).Draw(t, "ended") == 0 {
		r.facts.Aborted = reason.Reasons{reason.Said("the guard")}
	}
	stages := []measure.Stage{{Name: "all", End: lawLength * time.Second, Judged: true}}
	r.plan = &measure.Plan{
		Stages: stages, Slots: []measure.Slot{{Conversation: "a"}}, Budgets: sla.Budgets(s.Objectives(), stages, s.SLA),
		Patience: sla.Patience(s.Objectives()),
	}
	// One turn in so many is bad, in a few stretches of the run.
	perSecond := rapid.SampledFrom([]int{0, 1, 5, 20}).Draw(t, "rate")
	healths := rapid.SampledFrom([][]int{{100_000}, {1000}, {100_000, 2}, {1000, 200, 60, 20, 2, 0}}).Draw(t, "healths")
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 3))
	for second := 0; second < lawLength; {
		health := rapid.SampledFrom(healths).Draw(t, "health")
		for range rapid.IntRange(1, 20).Draw(t, "stretch") {
			for i := range perSecond {
				at := time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(perSecond)
				r.events = append(r.events, someDialog(rng.IntN, at, health))
			}
			second++
		}
	}
	if late {
		from := rapid.IntRange(0, lawLength-1).Draw(t, "late from")
		to := from + rapid.IntRange(0, lawLength).Draw(t, "late for")
		for _, e := range r.events {
			for i := range e.turns {
				if second := int(e.turns[i].Intended / time.Second); second >= from && second < to {
					e.turns[i].Lag = 50 * time.Millisecond
				}
			}
		}
	}
	for range rapid.SampledFrom([]int{0, 0, 1, 5}).Draw(t, "dropped") {
		r.events = append(r.events, lawEvent{dropped: measure.DroppedTarget})
	}
	return r
}

// below gives one of so many numbers, from 0.
type below func(n int) int

// someDialog is a conversation that begins at an offset. One turn in so many is bad.
func someDialog(pick below, at time.Duration, health int) (e lawEvent) {
	for range 1 + pick(2) {
		turn := goodTurn(at)
		if health == 0 || pick(health) == 0 {
			turn = someBad(pick, at)
		}
		if turn.Outcome != measure.OK && e.end == measure.Complete {
			e.end = measure.CompleteDegraded
		}
		if !measure.Answered.Has(turn.Outcome) {
			e.end = measure.Broken
		}
		e.turns = append(e.turns, turn)
		at = turn.Done
	}
	return e
}

// goodTurn is good by every objective there is.
func goodTurn(at time.Duration) measure.Turn {
	return measure.Turn{
		Intended: at, Sent: at, FirstByte: at + 10*time.Millisecond, FirstToken: at + 20*time.Millisecond, Done: at + 100*time.Millisecond,
		Tier: measure.TierLLM, Memory: measure.Verified, Gaps: []time.Duration{10 * time.Millisecond},
	}
}

// someBad is a turn that some of the objectives are not content with.
func someBad(pick below, at time.Duration) measure.Turn {
	turn := goodTurn(at)
	switch pick(6) {
	case 0:
		turn.Outcome, turn.Tier, turn.Memory = measure.Degraded, measure.TierFAQ, measure.NotVerified
	case 1:
		turn.Done = at + time.Duration(201+pick(8800))*time.Millisecond
		turn.FirstToken = at + 150*time.Millisecond
	case 2:
		turn.Gaps = []time.Duration{60 * time.Millisecond}
	default:
		return someFailed(pick, at)
	}
	return turn
}

// someFailed is a turn that nobody answered: bad by every objective that judges it.
func someFailed(pick below, at time.Duration) measure.Turn {
	turn := goodTurn(at)
	outcomes := []measure.Outcome{
		measure.Timeout, measure.Shed, measure.ServerError, measure.TransportError, measure.RateLimited, measure.Truncated, measure.ContextLost,
	}
	turn.Outcome = outcomes[pick(len(outcomes))]
	turn.Memory = measure.NotVerified // what is seen to be nobody else's is good for integrity
	if turn.Outcome != measure.ContextLost {
		turn.Tier, turn.Gaps, turn.FirstToken = measure.TierUnknown, nil, 0
	}
	turn.Done = at + time.Duration(pick(3000))*time.Millisecond
	return turn
}

// rank orders verdicts from good to bad. What is not verified and what is
// inconclusive are alike: nothing was decided.
func rank(verdict string) int {
	switch verdict {
	case sla.Pass.String():
		return 0
	case sla.Fail.String():
		return 2
	}
	return 1
}

// ordered tells of what is worse in worse than in better, where it should not be.
// Full quality leaves out the time until recovery was measured, so that a turn which
// moves that moves what is judged; the calls that a turn makes are no good or bad.
func ordered(better, worse *Document) error {
	moved := false
	for i, o := range better.Objectives {
		w := worse.Objectives[i]
		if o.Kind == scenario.KindRecoveryQuality && !slices.EqualFunc(o.Comebacks, w.Comebacks, func(a, b Comeback) bool { return same(a.TookS, b.TookS) }) {
			moved = true
		}
	}
	exempt := moved
	for i, o := range better.Objectives {
		w := worse.Objectives[i]
		if o.Kind == scenario.KindCallsPerTurn || moved && o.Kind == scenario.KindFullQuality {
			exempt = exempt || o.Verdict != w.Verdict
			continue
		}
		if rank(o.Verdict) > rank(w.Verdict) {
			return fmt.Errorf("%s: %s (%s), and with worse turns %s (%s)", o.Name, o.Verdict, o.Reason, w.Verdict, w.Reason)
		}
	}
	if !exempt && rank(better.Verdict) > rank(worse.Verdict) {
		return fmt.Errorf("the run: %s %q, and with worse turns %s %q", better.Verdict, better.Reasons, worse.Verdict, worse.Reasons)
	}
	return nil
}

func same(a, b *float64) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

// One more good turn never worsens what is said of any objective, or of the run,
// and one more bad turn never improves it.
func TestLawsOfAWholeResult(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		r := drawLawRun(t, false)
		at := time.Duration(rapid.IntRange(0, lawLength*1000-1).Draw(t, "at")) * time.Millisecond
		was := r.build(t)
		bad := someFailed(func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "failed") }, at)
		if err := ordered(r.build(t, lawEvent{turns: []measure.Turn{goodTurn(at)}, more: true}), was); err != nil {
			t.Fatalf("one more good turn: %v", err)
		}
		if err := ordered(was, r.build(t, lawEvent{turns: []measure.Turn{bad}, end: measure.Broken, more: true})); err != nil {
			t.Fatalf("one more bad turn, %+v: %v", bad, err)
		}
		seen[was.Verdict]++
		for _, o := range was.Objectives {
			seen[string(o.Kind)+" "+o.Verdict]++
		}
	})
	for _, verdict := range []string{"pass", "inconclusive", "fail", "recovery_latency pass", "seconds pass", "seconds fail", "conversations pass"} {
		if seen[verdict] == 0 {
			t.Errorf("the laws were tested on no %s: %v", verdict, seen)
		}
	}
}

// Recorded by any number of shards, in any lanes and intervals, added up in any
// order and grouping, a run is the same result.
func TestMergedInAnyOrderAndGrouping(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawLawRun(t, false)
		whole := r.build(t)
		shards := rapid.IntRange(2, 4).Draw(t, "shards")
		recorders := make([]*measure.Recorder, shards)
		for i := range recorders {
			recorders[i] = measure.NewRecorder(r.plan, 2)
		}
		type part struct {
			s *measure.Snapshot
			f *measure.Facts
		}
		var parts []part
		cut := func(i int) {
			s, err := recorders[i].Cut(r.plan.End())
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, part{s, &measure.Facts{}})
		}
		for _, e := range r.events {
			i := rapid.IntRange(0, shards-1).Draw(t, "shard")
			e.record(recorders[i].Lane(rapid.IntRange(0, 1).Draw(t, "lane")))
			if rapid.IntRange(0, 40).Draw(t, "cut") == 0 {
				cut(i)
			}
		}
		for i := range recorders {
			cut(i)
		}
		parts[0].f = r.facts
		parts = rapid.Permutation(parts).Draw(t, "order")
		for len(parts) > 1 {
			i := rapid.IntRange(0, len(parts)-2).Draw(t, "pair")
			sum := measure.NewSnapshot(r.plan)
			if rapid.Bool().Draw(t, "interval") {
				sum = measure.NewInterval(r.plan)
			}
			for _, p := range parts[i : i+2] {
				if err := sum.Add(p.s); err != nil {
					t.Fatal(err)
				}
			}
			parts[i] = part{sum, measure.MergeFacts(parts[i].f, parts[i+1].f)}
			parts = slices.Delete(parts, i+1, i+2)
		}
		got := Build(r.s, nil, Recording{Snapshot: parts[0].s, Facts: parts[0].f})
		a, errA := json.Marshal(whole)
		b, errB := json.Marshal(got)
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Fatalf("%v %v: added up it is another result\n%s\n%s", errA, errB, a, b)
		}
	})
}
