package result

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// sale simulates a midnight sale with a 503 storm in virtual time: what a
// hardened server would have given, recorded as a run records it.
type sale struct {
	rng      *rand.Rand
	lane     *measure.Lane
	dialog   *measure.Dialog // of the conversation under way
	inFlight map[int]int64
	calls    map[int]*measure.CallSecond
	scale    float64 // of the peak rate
	slow     float64 // of the model
}

const (
	stormStart = 35 * time.Second
	stormEnd   = 55 * time.Second
)

func saleScenario() *scenario.Scenario {
	ramp := func(from, to float64) *scenario.RateRamp {
		return &scenario.RateRamp{From: unit.Rate(from), To: unit.Rate(to)}
	}
	stage := func(name string, length time.Duration, r *scenario.RateRamp) scenario.Stage {
		return scenario.Stage{Name: name, For: unit.Duration(length), Starts: r}
	}
	return &scenario.Scenario{
		Version: 1, Name: "midnight-sale", Description: "30x arrivals at 00:00 while the LLM answers 503 for 20 s", Seed: 20261111,
		Target: scenario.Target{
			Bundled: &scenario.Bundled{Profile: "hardened", Redis: "embedded", Knobs: map[string]string{"limit.global": "500/s"}},
			API:     "reference", HTTP: "1.1", Mode: "sync", Connections: "per-user", Timeout: unit.Duration(3 * time.Second),
		},
		Load: scenario.Load{Arrivals: "poisson", Stages: []scenario.Stage{
			stage("warmup", 10*time.Second, ramp(5, 5)), stage("steady", 15*time.Second, ramp(5, 5)), stage("spike", time.Second, ramp(5, 150)),
			stage("peak", 74*time.Second, ramp(150, 150)), stage("after", 10*time.Second, ramp(5, 5)),
		}},
		Conversations: []scenario.Conversation{
			{Name: "coupon-return-coupon", Weight: 1, Turns: make([]scenario.Turn, 3)}, {Name: "where-is-my-parcel", Weight: 1, Turns: make([]scenario.Turn, 3)},
		},
		Checks: scenario.Checks{Memory: scenario.On},
		SLA: scenario.SLA{
			Latency:      map[string]unit.Duration{"p99": unit.Duration(500 * time.Millisecond), "p95": unit.Duration(300 * time.Millisecond)},
			Availability: 0.99, FullQuality: 0.95, Confidence: 0.95,
			Recovery: &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(30 * time.Second)},
		},
	}
}

func salePlan() *measure.Plan { return planOf(saleScenario()) }

func planOf(s *scenario.Scenario) *measure.Plan {
	p := &measure.Plan{Drain: 30 * time.Second}
	at := time.Duration(0)
	for _, s := range s.Load.Stages {
		p.Stages = append(p.Stages, measure.Stage{Name: s.Name, Start: at, End: at + s.For.D(), Judged: s.Name != "warmup"})
		at += s.For.D()
	}
	for i, say := range []string{"我有一张满300减50的优惠券,怎么用?", "我要退货,订单号 ${orders.order_no}", "那优惠券还能用吗?"} {
		p.Slots = append(p.Slots, measure.Slot{Conversation: "coupon-return-coupon", Index: i, Say: say})
	}
	for i, say := range []string{"昨晚付的款,现在还没发货,什么时候能发?", "订单号是 ${orders.order_no},帮我催一下快递吧", "大促期间物流一般要几天到 ${orders.city}?"} {
		p.Slots = append(p.Slots, measure.Slot{Conversation: "where-is-my-parcel", Index: i, Say: say})
	}
	p.Budgets = sla.Budgets(s.Objectives(), p.Stages, s.SLA)
	return p
}

func (s *sale) logNormal(median, p99 time.Duration) time.Duration {
	sigma := math.Log(float64(p99)/float64(median)) / 2.3263
	return time.Duration(float64(median) * math.Exp(sigma*s.rng.NormFloat64()))
}

// answer decides how a turn goes: outcome, tier and service time.
func (s *sale) answer(at time.Duration) (measure.Outcome, measure.Tier, time.Duration) {
	p := s.rng.Float64()
	model := func() (measure.Outcome, measure.Tier, time.Duration) {
		d := time.Duration(float64(s.logNormal(112*time.Millisecond, 325*time.Millisecond)) * s.slow)
		if s.rng.Float64() < 0.002 {
			return measure.Unexpected, measure.TierLLM, d
		}
		return measure.OK, measure.TierLLM, d
	}
	fallback := func() (measure.Outcome, measure.Tier, time.Duration) {
		if s.rng.Float64() < 0.12 {
			return measure.Degraded, measure.TierHandoff, s.logNormal(4*time.Millisecond, 15*time.Millisecond)
		}
		return measure.Degraded, measure.TierFAQ, s.logNormal(7*time.Millisecond, 30*time.Millisecond)
	}
	recovering := float64(at-stormEnd) / float64(9*time.Second)
	switch {
	case at < stormStart:
	case at < stormStart+1300*time.Millisecond: // the breaker has not seen it yet
		switch {
		case p < 0.10:
			return model()
		case p < 0.14:
			return measure.ServerError, measure.TierUnknown, s.logNormal(30*time.Millisecond, 80*time.Millisecond)
		case p < 0.16:
			return measure.Timeout, measure.TierUnknown, 3 * time.Second
		}
		o, tier, _ := fallback()
		return o, tier, s.logNormal(180*time.Millisecond, 700*time.Millisecond)
	case at < stormEnd:
		if p < 0.02 {
			return model()
		}
		return fallback()
	case recovering < 1 && p > recovering:
		return fallback()
	}
	if p < 0.0006 {
		return measure.TransportError, measure.TierUnknown, s.logNormal(2*time.Millisecond, 9*time.Millisecond)
	}
	return model()
}

func (s *sale) turn(slot int, intended time.Duration) (done time.Duration, ok bool) {
	outcome, tier, service := s.answer(intended)
	lag := s.logNormal(120*time.Microsecond, 700*time.Microsecond)
	t := measure.Turn{
		Slot: slot, Intended: intended, Lag: lag, Sent: intended + lag, Done: intended + lag + service,
		Outcome: outcome, Tier: tier, Memory: measure.Verified, Dialog: s.dialog,
	}
	if outcome != measure.Timeout && outcome != measure.TransportError {
		t.FirstByte = t.Done - service/50
	}
	if slot%3 == 0 {
		t.Connect = s.logNormal(90*time.Microsecond, 400*time.Microsecond)
		t.Sent += t.Connect
		t.Done += t.Connect
		if t.FirstByte > 0 {
			t.FirstByte += t.Connect
		}
	}
	if outcome == measure.Degraded {
		t.Memory = measure.NotVerified
	}
	s.lane.Record(&t)
	second := int(intended / time.Second)
	c := s.calls[second]
	if c == nil {
		c = &measure.CallSecond{Second: second}
		s.calls[second] = c
	}
	switch {
	case tier == measure.TierLLM:
		c.Calls++
	case intended >= stormStart && intended < stormStart+1300*time.Millisecond:
		c.Calls++
		c.Faulted++
	case intended >= stormStart && intended < stormEnd && s.rng.Float64() < 0.015:
		c.Probes++
	}
	s.inFlight[second] += int64(service/time.Millisecond)/1000 + 1
	if messages := failureMessages(); messages[outcome] != "" {
		s.lane.Failed(&measure.Failure{
			Outcome: outcome, Message: messages[outcome], At: intended, Conversation: "coupon-return-coupon", Turn: slot%3 + 1,
			Status: map[measure.Outcome]int{measure.ServerError: 502}[outcome], TraceID: "4bf92f3577b34da6a3ce929d0e0e4736",
		})
	}
	return t.Done, measure.Answered.Has(outcome)
}

func failureMessages() map[measure.Outcome]string {
	return map[measure.Outcome]string{
		measure.ServerError: "502 Bad Gateway: upstream answered 503", measure.Timeout: "no answer within 3s",
		measure.TransportError: "read: connection reset by peer", measure.Unexpected: `answer does not contain "券"`,
	}
}

// run drives the whole sale and gives the snapshot and the facts.
func (s *sale) run(t testing.TB, plan *measure.Plan) (*measure.Snapshot, *measure.Facts) {
	t.Helper()
	rec := measure.NewRecorder(plan, 1)
	s.lane, s.inFlight, s.calls = rec.Lane(0), map[int]int64{}, map[int]*measure.CallSecond{}
	for at := time.Duration(0); at < plan.End(); {
		rate := 5.0
		switch {
		case at >= 26*time.Second && at < 100*time.Second:
			rate = 150 * s.scale
		case at >= 25*time.Second && at < 26*time.Second:
			rate = 78 * s.scale
		}
		at += time.Duration(s.rng.ExpFloat64() / rate * float64(time.Second))
		if at >= plan.End() {
			break
		}
		s.conversation(at, s.rng.IntN(2)*3)
	}
	snap, err := rec.Cut(plan.End() + 4*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	total := measure.NewSnapshot(plan)
	if err := total.Add(snap); err != nil {
		t.Fatal(err)
	}
	return total, s.facts()
}

func (s *sale) conversation(at time.Duration, slot int) {
	var d measure.Dialog
	s.dialog = &d
	s.lane.Started(at)
	end := measure.Complete
	for i := range 3 {
		if i > 0 {
			at += min(s.logNormal(4*time.Second, 19*time.Second), 25*time.Second)
		}
		before := at
		done, ok := s.turn(slot+i, at)
		at = done
		switch {
		case !ok:
			end = measure.Broken
		case end == measure.Complete && before >= stormStart && before < stormEnd+5*time.Second:
			end = measure.CompleteDegraded
		}
	}
	s.lane.Ended(end, &d)
}

func (s *sale) facts() *measure.Facts {
	f := &measure.Facts{
		Storms:   []measure.Storm{{Name: "storm", Kind: "status", Start: stormStart, End: stormEnd}},
		LLMKnown: true,
		Processes: []measure.Process{
			{Name: "cstest", CPU: 3100 * time.Millisecond, MaxRSS: 96 << 20},
			{Name: "reference-server", CPU: 38 * time.Second, MaxRSS: 142 << 20},
			{Name: "mockllm", CPU: 9 * time.Second, MaxRSS: 71 << 20},
		},
		Target: measure.TargetFacts{Known: true, Profile: "hardened", Redis: "embedded", KnobsSHA256: "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"},
		Generator: measure.Generator{
			CPU: 3100 * time.Millisecond, MaxRSS: 96 << 20, MaxInFlight: 812, InFlightMean: 29.4, SharedHost: true, Cores: 2,
		},
	}
	f.Ends = &measure.Ends{Left: measure.EndedTurns{N: 12}}
	f.Client = s.client()
	f.Samples = []measure.Sample{{Outcome: measure.ServerError, Message: "502 Bad Gateway: upstream answered 503", Body: `{"code":50203,"msg":"model is down","request_id":"***"}`}}
	for second := range 110 {
		f.Generator.Seconds = append(f.Generator.Seconds, measure.GeneratorSecond{Second: second, InFlight: s.inFlight[second] / 8, Conversations: s.inFlight[second]})
		if c := s.calls[second]; c != nil {
			open := *c
			open.Open = c.Calls/4 + 1
			f.Calls = append(f.Calls, open)
			f.LLMCalls += c.Calls + c.Probes
		}
	}
	return f
}

// client is how a good server treated the model, or a bad one that was slow.
func (s *sale) client() *measure.Client {
	c := &measure.Client{
		Turns: 2900, Calls: 3120, MaxCalls: 3, MaxCallsOf: "f1d3a8c2b4e59607a1b2c3d4e5f60718", Failed: 260, Retries: 180, Known: 1,
		RetriedEarly: measure.Finding{Of: 240}, AfterLeft: measure.Finding{Of: 12}, Broken: 20,
		FirstWaits: []measure.WaitBucket{{UpTo: 107634740, N: 120}}, SecondWaits: []measure.WaitBucket{{UpTo: 215269480, N: 40}},
		NotLonger: measure.Finding{N: 2, Of: 40},
	}
	if s.slow > 1 {
		seen := []measure.TurnExample{{TraceID: "f1d3a8c2b4e59607a1b2c3d4e5f60718", At: 35300 * time.Millisecond}, {TraceID: "f1d3a8c2b4e59607ffeeddccbbaa9988", At: 36 * time.Second}}
		c.RetriedEarly.N, c.RetriedEarly.Examples, c.EarlyUnclear = 180, seen, 3
		c.AfterLeft.N, c.AfterLeft.Examples = 7, seen
		c.PassedOn, c.PassedOnUnclear = measure.Finding{N: 4, Of: 6, Examples: seen[:1]}, 2
		c.SecondWaits, c.NotLonger = c.FirstWaits, measure.Finding{N: 117, Of: 120, Examples: seen}
		c.Open, c.Late, c.More = 5, 2, 1
	}
	return c
}

// saleRun is what a sale left. slow multiplies the model's latency.
func saleRun(t testing.TB, seed uint64, slow float64) (*scenario.Scenario, *About, Recording) {
	t.Helper()
	s := &sale{rng: rand.New(rand.NewPCG(seed, 7)), scale: 1, slow: slow}
	snap, facts := s.run(t, salePlan())
	about := &About{
		RunID: "0198a1f2-7c3e-7b7a-9d55-2f6f7d0b1c11", Version: "0.1.0",
		Tags:      map[string]string{"branch": "main", "commit": "c2df48a"},
		Overrides: []string{"--set target.bundled.knobs.limit.global=500/s"},
		Environment: Environment{
			OS: "linux", Arch: "amd64", Kernel: "6.12.0", CPU: "AMD EPYC 7B13", Cores: 2, MemoryBytes: 8 << 30, Go: "go1.26.0",
		},
	}
	recording := Recording{
		Snapshot: snap, Facts: facts, Started: time.Date(2026, 11, 11, 15, 59, 25, 0, time.UTC),
		Warnings: reason.Reasons{reason.Said("availability over 100 s is a scaled figure: 36 s per hour at 99 %")},
	}
	return saleScenario(), about, recording
}

// saleDocument is the Document of a sale.
func saleDocument(t testing.TB, seed uint64, slow float64) *Document {
	t.Helper()
	d := Build(saleRun(t, seed, slow))
	d.Scenario.SHA256 = "8f434346648f6b96df89dda901c5176b10a6d83961dd3c1ac88b59b2dc327aa4"
	return d
}
