package tui

import (
	"math"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/unit"
)

// midnight is the scenario that the screens show.
func midnight() *scenario.Scenario {
	return &scenario.Scenario{
		Name: "midnight-sale", Seed: 20261111,
		LLM: &scenario.LLM{Faults: []scenario.Fault{{Name: "storm", Kind: "status", At: unit.Duration(35 * time.Second), For: unit.Duration(20 * time.Second)}}},
		SLA: scenario.SLA{
			Latency:      map[string]unit.Duration{"p99": unit.Duration(500 * time.Millisecond), "p95": unit.Duration(300 * time.Millisecond)},
			Availability: 0.99,
			Recovery:     &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(30 * time.Second)},
		},
	}
}

func stages() []measure.Stage {
	var out []measure.Stage
	at := time.Duration(0)
	for _, s := range []struct {
		name string
		s    time.Duration
	}{{"warmup", 10}, {"steady", 15}, {"spike", 1}, {"peak", 74}, {"after", 10}} {
		out = append(out, measure.Stage{Name: s.name, Start: at, End: at + s.s*time.Second, Judged: s.name != "warmup"})
		at += s.s * time.Second
	}
	return out
}

// second is the window of one second of an invented run, without chance.
func second(n int) (w Window, rate float64) {
	rate = 5
	if n >= 26 && n < 100 {
		rate = 150
	}
	w.Turns = int64(3 * rate)
	degraded, bad := int64(0), int64(0)
	p99 := 280 + float64(n%7)*5 + rate/3
	switch {
	case n == 35 || n == 36:
		degraded, bad, p99 = w.Turns/2, 9, 640
	case n >= 37 && n < 55:
		degraded, p99 = w.Turns-9, 60+float64(n%5)*4
	case n >= 55 && n < 70:
		degraded = w.Turns * int64(70-n) / 16
	}
	w.Counts[measure.ServerError] = bad
	w.Counts[measure.Degraded] = degraded
	w.Counts[measure.OK] = w.Turns - bad - degraded
	w.Tiers[measure.TierLLM] = w.Counts[measure.OK]
	w.Tiers[measure.TierFAQ] = degraded * 7 / 10
	w.Tiers[measure.TierHandoff] = degraded - degraded*7/10
	ms := func(v float64) time.Duration { return time.Duration(v * 1e6) }
	w.P50, w.P95, w.P99 = ms(p99*0.36), ms(p99*0.72), ms(p99)
	return w, rate
}

// sale gives the frames of an invented midnight sale, one a second, up to at.
func sale(at time.Duration) []Frame {
	total := 110 * time.Second
	var frames []Frame
	var sum Window
	for n := 0; n <= int(at/time.Second); n++ {
		f := Frame{Elapsed: time.Duration(n) * time.Second, Total: total, Phase: Loading, Stages: stages(), Storms: sla.PlannedStorms(midnight())}
		if n == int(at/time.Second) {
			f.Elapsed = at
		}
		if n > 0 && f.Elapsed < total+time.Second {
			w, rate := second(n - 1)
			f.Last, f.Planned, f.Achieved = w, rate, rate
			sum.Turns += w.Turns
			for o := range w.Counts {
				sum.Counts[o] += w.Counts[o]
			}
			for o := range w.Tiers {
				sum.Tiers[o] += w.Tiers[o]
			}
			f.InFlight, f.Conversations = int64(rate*0.42), int64(rate*12)
		}
		sum.P50, sum.P95, sum.P99 = 112*time.Millisecond, 241*time.Millisecond, 377*time.Millisecond
		f.SoFar = sum
		finish(&f)
		frames = append(frames, f)
	}
	return frames
}

func finish(f *Frame) {
	switch {
	case f.Elapsed == 0:
		f.Phase = Starting
		f.SoFar = Window{}
		return
	case f.Elapsed >= f.Total:
		f.Phase = Draining
	}
	for _, s := range f.Stages {
		if f.Elapsed >= s.Start && f.Elapsed < s.End {
			f.Stage = s.Name
		}
	}
	f.Seconds = sla.SecondsCount{Total: 99, Budget: 2, Scaled: true}
	if f.Elapsed > 36*time.Second {
		f.Seconds.Bad = 1
	}
	f.Burn = []Burn{{5 * time.Second, 0}, {30 * time.Second, 1.24}, {5 * time.Minute, 0.4}}
	f.CallsKnown, f.CallsPerTurn = true, 0.08
	f.Generator = Generator{LagP99: 312 * time.Microsecond, CPU: 0.44, Cores: 2}
	n, bad := f.SoFar.Turns, f.SoFar.Counts[measure.ServerError]
	if bad > 0 {
		f.Failures = []measure.FailureCount{
			{Outcome: measure.ServerError, Message: `503 {"success":false,"code":"llm_unavailable"}`, Count: bad},
			{Outcome: measure.Timeout, Message: "no answer within 3s", Count: 3},
		}
	}
	f.Objectives = []sla.Judged{
		{Name: "latency_p99", Kind: "latency", Unit: "share", Target: 0.99, Limit: 500 * time.Millisecond, Measured: 0.9962, N: n, Bad: n / 263, Verdict: sla.Pass, Reason: reason.Reasons{reason.Said("0.38 % ≤ 1 %")}},
		{Name: "availability", Kind: "availability", Unit: "share", Target: 0.99, Measured: 0.9991, N: n, Bad: bad, Verdict: sla.Inconclusive, Needs: 8210, Reason: reason.Reasons{reason.Said("upper bound 1.2 % > 1 %")}},
		{Name: "seconds", Kind: "seconds", Unit: "share", Target: 0.99, Measured: 0.991, N: 110, Bad: int64(f.Seconds.Bad), Verdict: sla.Pass},
		{Name: "full_quality", Kind: "full_quality", Unit: "share", Target: 0.95, Measured: 0.931, N: n, Bad: n / 14, Verdict: sla.Fail, Reason: reason.Reasons{reason.Said("6.9 % degraded > 5 %")}},
		{Name: "recovery_latency", Kind: "recovery_latency", Unit: "ns", Limit: 5 * time.Second, Measured: math.NaN(), Verdict: sla.NotVerified},
		{Name: "integrity", Kind: "integrity", Unit: "count", N: n, Verdict: sla.Pass},
	}
	for i, say := range []string{"我有一张满减优惠券,怎么用?", "我要退货,订单号 ${orders.order_no}", "优惠券还能用吗?"} {
		f.Turns = append(f.Turns, TurnLine{
			Conversation: "coupon-return-coupon", Index: i, Say: say, Turns: n / 3,
			Answered: n/3 - bad/3, P50: 118 * time.Millisecond, P99: time.Duration(440+i*50) * time.Millisecond,
		})
	}
}

// screen is a model that was shown frames and given a size and keys.
func screen(t testing.TB, opts Options, w, h int, frames []Frame, keys ...string) *model {
	t.Helper()
	d := newFeed()
	m := newModel(opts, d)
	m.Update(tea.WindowSizeMsg{Width: w, Height: h})
	for _, f := range frames {
		d.Update(f)
		m.Update(freshMsg{})
	}
	for _, k := range keys {
		press(m, k)
	}
	return m
}

func press(m *model, k string) {
	switch k {
	case "tab":
		m.Update(tea.KeyPressMsg{Code: tea.KeyTab})
	case "shift+tab":
		m.Update(tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift})
	case "esc":
		m.Update(tea.KeyPressMsg{Code: tea.KeyEscape})
	case "ctrl+c":
		m.Update(tea.KeyPressMsg{Code: 'c', Mod: tea.ModCtrl})
	default:
		r := []rune(k)[0]
		m.Update(tea.KeyPressMsg{Code: r, Text: k})
	}
}

func enOptions() Options {
	return Options{Scenario: midnight(), Target: "bundled (hardened, embedded Redis)", Lang: "en", Color: true}
}

func zhOptions() Options {
	o := enOptions()
	o.Lang = "zh"
	return o
}
