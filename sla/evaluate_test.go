package sla

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
	"pgregory.net/rapid"
)

const ms = time.Millisecond

var p99 = scenario.SLA{Latency: map[string]unit.Duration{"p99": unit.Duration(500 * ms)}}

func TestLatencyReason(t *testing.T) {
	for _, c := range []struct {
		name                string
		good, slow, failed  int
		verdict             Verdict
		reason              string
		measured, low, high float64
	}{
		{"failing", 9870, 0, 130, Fail, "P99 500 ms: fail: 1.3 % not answered, 0 % answered too late; P99 of answers 312 ms; this run: 1.3 % > 1 %, not met; inference: fail, at 95 % confidence if failures are independent", 0.987, 0.985, 0.989},
		{"slow", 9850, 150, 0, Fail, "P99 500 ms: fail: 0 % not answered, 1.5 % answered too late; P99 of answers 900 ms; this run: 1.5 % > 1 %, not met; inference: fail, at 95 % confidence if failures are independent", 0.985, 0.982, 0.987},
		{"good", 9950, 25, 25, Pass, "P99 500 ms: pass: 0.25 % not answered, 0.25 % answered too late; P99 of answers 312 ms; this run: 0.5 % ≤ 1 %, met; inference: pass, at 95 % confidence if failures are independent", 0.995, 0.993, 0.997},
		{"close", 990, 0, 10, Inconclusive, "P99 500 ms: inconclusive: 1 % not answered, 0 % answered too late; P99 of answers 312 ms; this run: 1 % ≤ 1 %, met; inference: inconclusive at 95 % confidence", 0.99, 0.98, 0.995},
		{"nothing answered", 0, 0, 100, Fail, "P99 500 ms: fail: 100 % not answered, 0 % answered too late; no answers; this run: 100 % > 1 %, not met; inference: fail, at 95 % confidence if failures are independent", 0, 0, 0.03},
	} {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, c.good, taking(312*ms))
		b.turns(2, c.slow, taking(900*ms))
		b.turns(3, c.failed, as(measure.ServerError))
		r := b.evaluate()
		o := find(t, r, "latency-p99")
		n := int64(c.good + c.slow + c.failed)
		if o.Verdict != c.verdict || o.Reason.String() != c.reason || o.N != n || o.Bad != int64(c.slow+c.failed) || o.Unit != "share" || o.Limit != 500*ms {
			t.Errorf("%s: %v %d/%d %q,\nwant %v %q", c.name, o.Verdict, o.Bad, o.N, o.Reason, c.verdict, c.reason)
		}
		if o.Measured != c.measured || o.Lower < c.low-0.001 || o.Upper > c.high+0.001 || o.Lower > o.Measured || o.Upper < o.Measured || o.Confidence != 0.95 || o.DEFF != 1 {
			t.Errorf("%s: measured %v in [%v, %v] at %v, DEFF %v", c.name, o.Measured, o.Lower, o.Upper, o.Confidence, o.DEFF)
		}
		if r.Verdict != c.verdict {
			t.Errorf("%s: the run is %v, want %v: %q", c.name, r.Verdict, c.verdict, r.Reasons)
		}
		if (r.Verdict == Pass) != (len(r.Reasons) == 0) {
			t.Errorf("%s: reasons %q", c.name, r.Reasons)
		}
	}
}

func TestBandsThroughTheRecorder(t *testing.T) {
	for _, c := range []struct {
		n, bad int
		want   Verdict
	}{{299, 0, Pass}, {298, 0, Inconclusive}, {299, 1, Inconclusive}, {1000, 4, Pass}, {1000, 5, Inconclusive}, {1000, 15, Inconclusive}, {1000, 16, Fail}} {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, c.n-c.bad, nil)
		b.turns(2, c.bad, as(measure.Timeout))
		if o := find(t, b.evaluate(), "latency-p99"); o.Verdict != c.want {
			t.Errorf("%d bad of %d: %v, want %v", c.bad, c.n, o.Verdict, c.want)
		} else if (o.Needs > 0) != (c.want == Inconclusive && c.bad != 10) && c.bad < 9 {
			t.Errorf("%d bad of %d: needs %d", c.bad, c.n, o.Needs)
		}
	}
}

func TestDesignEffect(t *testing.T) {
	for _, c := range []struct {
		name    string
		dialogs map[int]float64
		deff    float64
		verdict Verdict
		needs   int64
	}{
		{"one turn", map[int]float64{1: 1}, 1, Pass, 0},
		{"three", map[int]float64{3: 1}, 3, Inconclusive, 895},
		{"most turns are in long dialogs", map[int]float64{1: 0.9, 11: 0.1}, 6.5, Inconclusive, 1938},
		{"weights are no shares", map[int]float64{1: 9, 11: 1}, 6.5, Inconclusive, 1938},
	} {
		s := dialogs(c.dialogs)
		s.SLA = p99
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, 600, nil)
		r := b.evaluate()
		if o := find(t, r, "latency-p99"); o.Verdict != c.verdict || math.Abs(r.DEFF-c.deff) > 1e-9 || o.DEFF != r.DEFF || o.Needs != c.needs {
			t.Errorf("%s: %v, DEFF %v, needs %d; want %v, %v, %d", c.name, o.Verdict, r.DEFF, o.Needs, c.verdict, c.deff, c.needs)
		}
	}
}

// However long a closed load goes on, it asks no more users than it has.
func TestDesignEffectOfUsers(t *testing.T) {
	for _, c := range []struct {
		users, turns, bad int
		verdict           Verdict
		says              string
	}{
		{298, 20_000, 0, Inconclusive, "inference: inconclusive at 95 % confidence, by 298 users who each ask again and again: about 299 users would decide four times in five"},
		{299, 20_000, 0, Pass, "inference: pass, at 95 % confidence if failures are independent"},
		{299, 20_000, 2000, Fail, "inference: fail, at 95 % confidence if failures are independent"},
		{2000, 600, 0, Inconclusive, "inference: inconclusive at 95 % confidence, about 895 would decide four times in five"}, // each a dialog at most
	} {
		s := users(c.users)
		s.SLA = p99
		b := benchOf(t, s, judged(10*time.Second))
		b.turns(1, c.turns-c.bad, nil)
		b.turns(2, c.bad, as(measure.Shed))
		o := find(t, b.evaluate(), "latency-p99")
		if want := max(3, float64(c.turns)/float64(c.users)); o.Verdict != c.verdict || !strings.HasSuffix(o.Reason.String(), c.says) || math.Abs(o.DEFF-want) > 1e-9 {
			t.Errorf("%d users: %v, DEFF %v, %q; want %v, %v, %q", c.users, o.Verdict, o.DEFF, o.Reason, c.verdict, want, c.says)
		}
	}
}

// One more good turn never worsens a verdict, one more bad one never improves it,
// in a closed load too, where the design effect goes by how many turns there are.
func TestLawsOfUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := &judge{deff: rapid.Float64Range(1, 12).Draw(t, "dialog"), users: rapid.Float64Range(1, 2000).Draw(t, "users")}
		n := rapid.Int64Range(1, 30_000).Draw(t, "n")
		bad := rapid.Int64Range(0, n).Draw(t, "bad")
		if rapid.Bool().Draw(t, "few") {
			bad = min(bad, n/50)
		}
		p := rapid.SampledFrom([]float64{0.001, 0.01, 0.05, 0.5}).Draw(t, "p")
		verdict := func(bad, n int64) Verdict { return Infer(bad, n, p, 0.95, j.deffOf(float64(n), j.deff)) }
		was := verdict(bad, n)
		if good := verdict(bad, n+1); good > was {
			t.Fatalf("a good turn more: %v, then %v", was, good)
		}
		if worse := verdict(bad+1, n+1); worse < was {
			t.Fatalf("a bad turn more: %v, then %v", was, worse)
		}
	})
}

// What is said to decide does so about four times in five.
func TestPower(t *testing.T) {
	r := rand.New(rand.NewPCG(20261111, 11))
	for _, c := range []struct{ share, p float64 }{{0.005, 0.01}, {0.02, 0.01}, {0.03, 0.05}, {0.08, 0.05}} {
		n := powered(c.share, c.p, 0.95, 1, 1)
		decided := 0
		const runs = 2000
		for range runs {
			if Infer(binomial(r, int(n), c.share), n, c.p, 0.95, 1) != Inconclusive {
				decided++
			}
		}
		if got := float64(decided) / runs; got < 0.75 || got > 0.88 {
			t.Errorf("%v bad of at most %v: %d turns decide in %.2f of runs", c.share, c.p, n, got)
		}
	}
}

func TestGateMeasured(t *testing.T) {
	for bad, want := range map[int]Verdict{1: Pass, 2: Fail} {
		sla := p99
		sla.Gate = scenario.GateMeasured
		b := newBench(t, sla, judged(10*time.Second))
		b.turns(1, 100-bad, nil)
		b.turns(2, bad, as(measure.Shed))
		r := b.evaluate()
		o := find(t, r, "latency-p99")
		if o.Verdict != want || !strings.HasSuffix(o.Reason.String(), "met (the gate)") || r.Verdict != want {
			t.Errorf("%d of 100 bad: %v %q", bad, o.Verdict, o.Reason)
		}
	}
}

func TestNothingJudgedIsInconclusive(t *testing.T) {
	b := newBench(t, p99, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(5*time.Second))
	b.turns(1, 1000, nil)
	r := b.evaluate()
	o := find(t, r, "latency-p99")
	if o.Verdict != Inconclusive || o.N != 0 || o.Needs != 299 || o.Upper != 1 || r.Verdict != Inconclusive {
		t.Errorf("%+v, the run is %v", o, r.Verdict)
	}
	b = newBench(t, scenario.SLA{}, judged(time.Second))
	if r := b.evaluate(); r.Verdict != Inconclusive || !slices.Contains(says(r.Reasons), "no turn was sent") {
		t.Errorf("an empty run is %v: %q", r.Verdict, r.Reasons)
	}
}

// What each outcome counts as, in every objective that counts turns.
func TestOutcomeTable(t *testing.T) {
	sla := scenario.SLA{Latency: p99.Latency, Availability: 0.99, FullQuality: 0.95}
	bad := map[measure.Outcome][3]int64{ // latency, availability, full quality
		measure.OK: {0, 0, 0}, measure.Degraded: {0, 0, 1}, measure.Unexpected: {0, 0, 1}, measure.ContextLost: {1, 1, 1},
		measure.RateLimited: {1, 1, 1}, measure.Shed: {1, 1, 1}, measure.ClientError: {1, 1, 1}, measure.ServerError: {1, 1, 1},
		measure.Truncated: {1, 1, 1}, measure.Timeout: {1, 1, 1}, measure.TransportError: {1, 1, 1}, measure.Integrity: {1, 1, 1},
	}
	for o := measure.OK; o <= measure.Censored; o++ {
		b := newBench(t, sla, judged(10*time.Second))
		b.turns(1, 1, as(o))
		r := b.evaluate()
		for i, name := range []string{"latency-p99", "availability", "full-quality"} {
			n := int64(1)
			if o == measure.Censored || measure.ToRefuse.Has(o) {
				n = 0 // nobody knows; or no answer was wanted
			}
			if got := find(t, r, name); got.N != n || got.Bad != bad[o][i] {
				t.Errorf("%v in %s: %d bad of %d, want %d of %d", o, name, got.Bad, got.N, bad[o][i], n)
			}
		}
	}
	b := newBench(t, sla, judged(10*time.Second))
	b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedTarget)
	b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
	r := b.evaluate()
	for _, name := range []string{"latency-p99", "availability", "full-quality"} {
		if got := find(t, r, name); got.N != 1 || got.Bad != 1 {
			t.Errorf("dropped in %s: %d bad of %d", name, got.Bad, got.N)
		}
	}
}

func TestRateLimitedPolicies(t *testing.T) {
	for _, c := range []struct {
		policy   scenario.Policy
		excluded bool
		n, bad   int64
	}{{scenario.PolicyBad, false, 11, 1}, {scenario.PolicyExclude, false, 10, 0}, {scenario.PolicyContract, false, 11, 1}, {scenario.PolicyContract, true, 10, 0}} {
		b := newBench(t, scenario.SLA{Availability: 0.9, RateLimited: scenario.RateLimited{Policy: c.policy}}, judged(5*time.Second))
		b.turns(1, 10, nil)
		b.turns(1, 1, func(t *measure.Turn) { t.Outcome, t.Excluded = measure.RateLimited, c.excluded })
		r := b.evaluate()
		if o := find(t, r, "availability"); o.N != c.n || o.Bad != c.bad {
			t.Errorf("%s, excluded %v: %d of %d, want %d of %d", c.policy, c.excluded, o.Bad, o.N, c.bad, c.n)
		}
		if warned := slices.ContainsFunc(says(r.Warnings), func(w string) bool { return strings.Contains(w, "beyond the contract") }); warned != c.excluded {
			t.Errorf("%s: warnings %q", c.policy, r.Warnings)
		}
	}
}

func TestLongFormObjectives(t *testing.T) {
	within := unit.Duration(200 * ms)
	sla := scenario.SLA{Objectives: []scenario.Objective{
		{Name: "warm", Kind: scenario.KindLatency, Target: 0.9, Limit: within, Stages: []string{"warmup"}},
		{Name: "faq", Kind: scenario.KindAvailability, Target: 0.9, TierAtMost: "faq"},
		{Name: "token", Kind: scenario.KindFirstToken, Target: 0.5, Limit: within},
		{Name: "gap", Kind: scenario.KindChunkGap, Target: 0.5, Limit: within},
		{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 1.1},
		{Name: "dialogs", Kind: scenario.KindConversations, Target: 0.5},
		{Name: "whole", Kind: scenario.KindConversations, Target: 0.5, TierAtMost: "llm"},
		{Name: "expect", Kind: scenario.KindExpected, Target: 0.5},
	}}
	b := newBench(t, sla, measure.Stage{Name: "warmup", End: 5 * time.Second}, judged(5*time.Second))
	b.turns(1, 40, nil)
	b.turns(2, 10, taking(201*ms))
	b.turns(6, 20, func(t *measure.Turn) {
		t.FirstToken, t.Gaps = t.Intended+200*ms, []time.Duration{200 * ms, 201 * ms, ms}
	})
	b.turns(6, 5, func(t *measure.Turn) {
		t.FirstToken, t.Outcome, t.Tier = t.Intended+201*ms, measure.Degraded, measure.TierHandoff
	})
	b.turns(7, 5, func(t *measure.Turn) { t.Slot, t.Outcome = 1, measure.Unexpected })
	b.turns(7, 15, func(t *measure.Turn) { t.Slot = 1 })
	b.rec.Lane(0).Ended(measure.CompleteDegraded, nil)
	b.rec.Lane(0).Ended(measure.Abandoned, nil)
	b.facts = &measure.Facts{LLMKnown: true, LLMCalls: 100}
	r := b.evaluate()
	for _, c := range []struct {
		name    string
		n, bad  int64
		verdict Verdict
		reason  string
	}{
		{"warm", 50, 10, Fail, "P90 200 ms: fail: 20 % bad; P90 of answers about 199 ms; this run: 20 % > 10 %, not met"},
		{"faq", 45, 5, Inconclusive, "inconclusive: 5 of 45 turns not answered"},
		{"token", 45, 25, Inconclusive, "first token of the answer 200 ms: inconclusive: 25 of 45 turns had it later, or were not answered in whole"},
		{"gap", 20, 20, Fail, "chunk gap 200 ms: fail: 20 of 20 streams had a longer one, or broke off"},
		{"dialogs", 96, 0, Pass, "pass: 1 more were cut off by cstest itself: good or bad, nobody knows; pass: 0 of 96 conversations"},
		{"whole", 96, 1, Pass, "pass: 1 more were cut off by cstest itself: good or bad, nobody knows; pass: 1 of 96 conversations"},
		{"expect", 20, 5, Pass, "pass: 5 of 20 checked answers not as expected"},
		{"calls", 95, 0, Pass, "pass: 1.05 LLM calls per turn ≤ 1.1"},
	} {
		o := find(t, r, c.name)
		if o.N != c.n || o.Bad != c.bad || o.Verdict != c.verdict || !strings.HasPrefix(o.Reason.String(), c.reason) {
			t.Errorf("%s: %v, %d of %d, %q; want %v, %d of %d, %q", c.name, o.Verdict, o.Bad, o.N, o.Reason, c.verdict, c.bad, c.n, c.reason)
		}
	}
}

func TestCallsPerTurn(t *testing.T) {
	sla := scenario.SLA{Objectives: []scenario.Objective{{Name: "calls", Kind: scenario.KindCallsPerTurn, Max: 1.1}}}
	for _, c := range []struct {
		turns int
		facts measure.Facts
		want  Verdict
		run   Verdict
	}{
		{10, measure.Facts{LLMKnown: true, LLMCalls: 11}, Pass, Pass},
		{10, measure.Facts{LLMKnown: true, LLMCalls: 12}, Fail, Fail},
		{10, measure.Facts{}, NotVerified, Inconclusive},
		{0, measure.Facts{LLMKnown: true}, Inconclusive, Inconclusive},
	} {
		b := newBench(t, sla, judged(5*time.Second))
		b.turns(1, c.turns, nil)
		b.facts = &c.facts
		r := b.evaluate()
		if o := find(t, r, "calls"); o.Verdict != c.want || r.Verdict != c.run {
			t.Errorf("%d calls in %d turns: %v, the run %v: %q", c.facts.LLMCalls, c.turns, o.Verdict, r.Verdict, o.Reason)
		}
	}
}

func TestNotVerified(t *testing.T) {
	unseen := func(t *measure.Turn) { t.Memory = measure.NotVerified }
	for _, c := range []struct {
		name   string
		memory scenario.Switch
		change func(*measure.Turn)
		object string
		want   Verdict
		run    Verdict
	}{
		{"canaries seen", scenario.On, nil, "context", Pass, Pass},
		{"canaries seen, integrity", scenario.On, nil, "integrity", Pass, Pass},
		{"none seen", scenario.On, unseen, "context", NotVerified, Inconclusive},
		{"none seen, integrity", scenario.Off, unseen, "integrity", NotVerified, Pass},
		{"lost once", scenario.On, as(measure.ContextLost), "context", Fail, Fail},
	} {
		b := newBench(t, scenario.SLA{Objectives: []scenario.Objective{{Name: "availability", Kind: scenario.KindAvailability, Target: 0.01}}}, judged(5*time.Second))
		b.s.Checks.Memory = c.memory
		b = benchOf(t, b.s, judged(5*time.Second))
		b.turns(1, 3, nil)
		if c.want == NotVerified {
			b = benchOf(t, b.s, judged(5*time.Second))
		}
		b.turns(1, 3, c.change)
		b.turns(2, 300, func(t *measure.Turn) {
			if c.want == NotVerified {
				t.Memory = measure.NotVerified
			}
		})
		r := b.evaluate()
		if o := find(t, r, c.object); o.Verdict != c.want || r.Verdict != c.run {
			t.Errorf("%s: %v %q, the run %v %q", c.name, o.Verdict, o.Reason, r.Verdict, r.Reasons)
		}
	}
}

func TestIntegrityFailsWhateverElse(t *testing.T) {
	b := newBench(t, p99, judged(10*time.Second))
	b.turns(1, 4000, nil)
	b.turns(1, 6000, func(t *measure.Turn) { t.Memory = measure.NotVerified }) // tell nothing
	b.turns(2, 1, func(t *measure.Turn) { t.Outcome, t.Memory = measure.Integrity, measure.NotVerified })
	b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
	for range 200 {
		b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
	}
	b.facts.Interrupted = saying("interrupted")
	r := b.evaluate()
	if r.Verdict != Fail || r.Reasons[0].String() != "integrity: 1 answers with foreign content" {
		t.Errorf("%v %q", r.Verdict, r.Reasons)
	}
	if o := find(t, r, "integrity"); o.Verdict != Fail || o.Bad != 1 || o.N != 4001 || o.Measured != 1 || o.Reason.String() != "fail: 1 answers with foreign content in 4,001 that tell whose it is" {
		t.Errorf("%+v", o)
	}
	if !slices.ContainsFunc(says(r.Reasons), func(s string) bool { return strings.Contains(s, "dropped by the generator") }) {
		t.Errorf("the other reasons are gone: %q", r.Reasons)
	}
	if n := slices.IndexFunc(says(r.Reasons)[1:], func(s string) bool { return strings.HasPrefix(s, "integrity") }); n >= 0 {
		t.Errorf("integrity twice: %q", r.Reasons)
	}
}

// Turns that had to be refused are judged by that alone: one that was answered fails
// the run whatever else, and nothing that was not seen counts for good.
func TestTurnsToRefuse(t *testing.T) {
	open := func() *bench {
		b := newBench(t, p99, judged(10*time.Second))
		b.s.Conversations[0].Turns = append(b.s.Conversations[0].Turns, scenario.Turn{Expect: &scenario.Expect{Refused: []int{401}}})
		b = benchOf(t, b.s, judged(10*time.Second))
		b.rec.Plan().Slots[1].ToRefuse = true
		b.turns(1, 4000, nil)
		return b
	}
	at := func(o measure.Outcome) func(*measure.Turn) {
		return func(t *measure.Turn) {
			t.Slot, t.Outcome, t.Memory, t.Done = 1, o, measure.NotVerified, t.Intended+9*time.Second
		}
	}
	calm := open().evaluate()
	for _, tt := range []struct {
		name         string
		outcomes     []measure.Outcome
		want, run    Verdict
		says, reason string
	}{
		{"none", nil, NotVerified, Inconclusive, "not verified: no turn that had to be refused was refused, or answered", ""},
		{"all refused, late", []measure.Outcome{measure.Refused, measure.Refused}, Pass, Pass, "pass: 0 of 2 turns that had to be refused were answered", ""},
		{"one let in", []measure.Outcome{measure.Refused, measure.LetIn}, Fail, Fail, "fail: 1 of 2 turns that had to be refused were answered", "refused: 1 turns that had to be refused were answered"},
	} {
		b := open()
		for _, o := range tt.outcomes {
			b.turns(2, 1, at(o))
		}
		r := b.evaluate()
		o := find(t, r, "refused")
		if o.Verdict != tt.want || r.Verdict != tt.run || o.Reason.String() != tt.says || tt.reason != "" && r.Reasons[0].String() != tt.reason {
			t.Errorf("%s: %v %q, the run %v %q", tt.name, o.Verdict, o.Reason, r.Verdict, r.Reasons)
		}
		for _, name := range []string{"latency-p99", "integrity"} {
			if got, want := find(t, r, name), find(t, calm, name); got.N != want.N || got.Bad != want.Bad {
				t.Errorf("%s: %s judged %d, %d bad; without these turns %d, %d", tt.name, name, got.N, got.Bad, want.N, want.Bad)
			}
		}
		if r.Answered != calm.Answered {
			t.Errorf("%s: answered %+v, without these turns %+v", tt.name, r.Answered, calm.Answered)
		}
	}
	b := open()
	b.turns(2, 1, func(t *measure.Turn) { t.Outcome = measure.Refused }) // another turn's
	b.turns(2, 1, at(measure.Timeout))
	if o := find(t, b.evaluate(), "refused"); o.Verdict != NotVerified || o.Reason.String() != "not verified: turn 2 of c had to be refused, and not once was it seen to be" {
		t.Errorf("a turn that timed out: %v %q", o.Verdict, o.Reason)
	}
	b = open()
	b.turns(2, 1, at(measure.LetIn))
	b.facts.Interrupted = saying("interrupted")
	if r := b.evaluate(); r.Verdict != Fail {
		t.Errorf("let in, then interrupted: %v", r.Verdict)
	}
}

func TestPlanted(t *testing.T) {
	for planted, want := range map[bool]Verdict{false: Pass, true: Fail} {
		b := newBench(t, scenario.SLA{}, judged(5*time.Second))
		b.s.Checks.Planted = []string{"orders.phone"}
		b.turns(1, 100, nil)
		b.turns(1, 1, func(t *measure.Turn) { t.Planted = planted })
		r := b.evaluate()
		if o := find(t, r, "planted"); o.Verdict != want || o.N != 101 || r.Verdict != want {
			t.Errorf("planted %v: %v %q, the run %v", planted, o.Verdict, o.Reason, r.Verdict)
		}
	}
	b := newBench(t, scenario.SLA{}, judged(5*time.Second))
	b.s.Checks.Planted = []string{"orders.phone"}
	b.turns(1, 5, as(measure.Timeout))
	if o := find(t, b.evaluate(), "planted"); o.Verdict != NotVerified {
		t.Errorf("nothing answered: %v", o.Verdict)
	}
}

// Worst first: integrity > incomplete > invalid > fail > inconclusive > pass.
func TestRunVerdictOrder(t *testing.T) {
	drop := func(b *bench) {
		for range 20 {
			b.rec.Lane(0).Dropped(time.Second, 1, measure.DroppedGenerator)
		}
	}
	because := func(n int, why string) func(*bench) {
		return func(b *bench) {
			for range n {
				b.rec.Lane(0).Failed(&measure.Failure{Outcome: measure.DroppedGenerator, Message: why})
			}
		}
	}
	abort := func(b *bench) { b.facts.Aborted = saying("guard.abort: enough") }
	fail := func(b *bench) { b.turns(2, 500, as(measure.Timeout)) }
	stop := func(b *bench) { b.facts.Interrupted = saying("interrupted") }
	asked := func(n int64) func(*bench) {
		return func(b *bench) {
			b.facts.Generator.Asked = n
			b.s.Load.Stages[0].For = unit.Duration(10 * time.Second)
		}
	}
	gap := func(b *bench) { b.facts.Gaps = 2 }
	for _, c := range []struct {
		name string
		do   []func(*bench)
		want Verdict
		says string
	}{
		{"pass", nil, Pass, ""},
		{"gaps", []func(*bench){gap}, Inconclusive, "2 stretches of the journal could not be read: what they held is missing"},
		{"all that were asked for", []func(*bench){asked(10_000)}, Pass, ""},
		{"too few", []func(*bench){asked(10_001)}, Inconclusive, "10,000 of the 10,001 conversations of load.conversations began in 10 s: the target was too slow for more; give the stages more time, or more users"},
		{"too few, aborted", []func(*bench){asked(10_001), abort}, Inconclusive, "the load ended before its plan: guard.abort: enough"},
		{"fail", []func(*bench){fail, gap}, Fail, "latency-p99: P99 500 ms: fail: 4.76 % not answered, 0 % answered too late; P99 of answers 100 ms; this run: 4.76 % > 1 %, not met; inference: fail, at 95 % confidence if failures are independent"},
		{"invalid", []func(*bench){fail, drop}, Invalid, "20 of 10,520 starts were dropped by the generator, more than 0.1 %"},
		{
			"invalid, held back",
			[]func(*bench){drop, because(20, "start beyond guard.max_turns")},
			Invalid,
			"20 of 10,020 starts were dropped by the generator, more than 0.1 %; 20 x start beyond guard.max_turns",
		},
		{
			"invalid, of two causes",
			[]func(*bench){drop, because(5, "start beyond guard.max_turns"), because(15, "out of descriptors or ports")},
			Invalid,
			"20 of 10,020 starts were dropped by the generator, more than 0.1 %; 15 x out of descriptors or ports; 5 x start beyond guard.max_turns",
		},
		{"aborted", []func(*bench){abort}, Inconclusive, "the load ended before its plan: guard.abort: enough"},
		{"aborted and failed", []func(*bench){fail, abort}, Fail, "the load ended before its plan: guard.abort: enough"},
		{"aborted and interrupted", []func(*bench){abort, stop}, Incomplete, "the load ended before its plan: interrupted"},
		{"incomplete", []func(*bench){fail, drop, stop}, Incomplete, "the load ended before its plan: interrupted"},
	} {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, 10_000, nil)
		for _, do := range c.do {
			do(b)
		}
		r := b.evaluate()
		if r.Verdict != c.want || len(r.Reasons) > 0 && r.Reasons[0].String() != c.says || c.says != "" && len(r.Reasons) == 0 {
			t.Errorf("%s: %v %q, want %v %q", c.name, r.Verdict, r.Reasons, c.want, c.says)
		}
		if told := slices.Contains(says(r.Reasons), "the load ended before its plan: guard.abort: enough"); told != (len(b.facts.Aborted) > 0) {
			t.Errorf("%s: the kill switch is told: %v, in %q", c.name, told, r.Reasons)
		}
	}
}

func TestTierAtMostOfLatency(t *testing.T) {
	sla := scenario.SLA{Objectives: []scenario.Objective{{Name: "l", Kind: scenario.KindLatency, Target: 0.5, Limit: unit.Duration(500 * ms), TierAtMost: "llm"}}}
	b := newBench(t, sla, judged(10*time.Second))
	b.turns(1, 50, nil)
	b.turns(1, 10, func(t *measure.Turn) { t.Outcome, t.Tier = measure.Degraded, measure.TierFAQ })
	if o := find(t, b.evaluate(), "l"); o.N != 60 || o.Bad != 10 {
		t.Errorf("%d of %d", o.Bad, o.N)
	}
}

func TestUnknownBudgetIsNotVerified(t *testing.T) {
	b := newBench(t, scenario.SLA{}, judged(10*time.Second))
	b.turns(1, 1000, nil)
	b.s.SLA = scenario.SLA{Latency: p99.Latency, Availability: 0.99}
	r := b.evaluate()
	for _, name := range []string{"latency-p99", "availability-seconds"} {
		if o := find(t, r, name); o.Verdict != NotVerified {
			t.Errorf("%s was never counted, but is %v", name, o.Verdict)
		}
	}
	if r.Verdict != Inconclusive {
		t.Errorf("the run is %v", r.Verdict)
	}
}

func TestEvaluateChangesNothing(t *testing.T) {
	b := newBench(t, scenario.SLA{Latency: p99.Latency, Availability: 0.99, FullQuality: 0.95}, judged(10*time.Second))
	b.turns(1, 1000, nil)
	b.facts.Storms = []measure.Storm{{Name: "b", Start: 3 * time.Second}, {Name: "a", Start: time.Second, End: 2 * time.Second}}
	snap := b.snap()
	first := fmt.Sprintf("%+v", Evaluate(b.s, snap, b.facts))
	if b.facts.Storms[0].Name != "b" || b.facts.Storms[0].End != 0 {
		t.Error("the facts changed")
	}
	if second := fmt.Sprintf("%+v", Evaluate(b.s, snap, b.facts)); len(second) != len(first) {
		t.Errorf("evaluated twice:\n%s\n%s", first, second)
	}
	if got := Evaluate(b.s, snap, nil); got.Verdict == Incomplete {
		t.Error("no facts are taken for an interruption")
	}
}

// A sum that lacks a shard can be neither pass nor fail; foreign content still is.
func TestMissingShards(t *testing.T) {
	for _, c := range []struct {
		missing []string
		bad     int
		outcome measure.Outcome
		want    Verdict
		first   string
	}{
		{nil, 0, measure.OK, Pass, ""},
		{[]string{"2/3"}, 0, measure.OK, Incomplete, "shard 2/3 is missing"},
		{[]string{"1/3", "2/3"}, 900, measure.Timeout, Incomplete, "shard 1/3 is missing"},
		{strings.Fields("1/9 2/9 3/9 4/9 5/9 6/9 7/9 8/9"), 0, measure.OK, Incomplete, "shard 1/9 is missing"},
		{strings.Fields("1/10 2/10 3/10 4/10 5/10 6/10 7/10 8/10 9/10"), 0, measure.OK, Incomplete, "9 shards are missing, the first is 1/10"},
		{[]string{"2/3"}, 1, measure.Integrity, Fail, "integrity: 1 answers with foreign content"},
	} {
		b := newBench(t, p99, judged(10*time.Second))
		b.turns(1, 1000, nil)
		b.turns(2, c.bad, as(c.outcome))
		b.facts.Missing = c.missing
		r := b.evaluate()
		first := ""
		if len(r.Reasons) > 0 {
			first = r.Reasons[0].String()
		}
		if r.Verdict != c.want || first != c.first {
			t.Errorf("missing %q: %v, first %q; want %v, %q", c.missing, r.Verdict, first, c.want, c.first)
		}
	}
}

// says are the texts of reasons in English.
func says(list reason.Reasons) []string { return list.Texts(reason.English) }

// saying is a reason with a text of its own, none where that is empty.
func saying(text string) reason.Reasons {
	if text == "" {
		return nil
	}
	return reason.Reasons{reason.Said(text)}
}
