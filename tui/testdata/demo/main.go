// Demo shows the live view over an invented run, to look at it without a server:
//
//	go run ./tui/testdata/demo [-speed 5] [-lang zh] [-from 30s] [-plain]
package main

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
	"github.com/cstest/cstest/tui"
	"github.com/cstest/cstest/unit"
)

func main() {
	speed := flag.Float64("speed", 1, "times real time")
	lang := flag.String("lang", "en", "en or zh")
	from := flag.Duration("from", 0, "begin here")
	plain := flag.Bool("plain", false, "lines instead of the view")
	flag.Parse()
	if err := run(*speed, reason.Lang(*lang), *from, *plain || !tui.Able(os.Stdin, os.Stdout, os.Environ())); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type shower interface {
	Update(tui.Frame)
	Quit()
}

func run(speed float64, lang reason.Lang, from time.Duration, plain bool) error {
	s := newSale()
	stop := make(chan bool, 8)
	var show shower
	result := make(chan error, 1)
	if plain {
		show = tui.NewLines(os.Stderr, lang)
		result <- nil
	} else {
		ui := tui.New(tui.Options{Scenario: s.scenario, Target: "bundled (hardened, embedded Redis) · peak ≈ 450 turns/s",
			Lang: lang, Color: true, In: os.Stdin, Out: os.Stdout,
			OnStop: func(hard bool) { stop <- hard }})
		go func() { result <- ui.Run() }()
		show = ui
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)

	for t := time.Duration(0); t < from; t += time.Second {
		show.Update(s.frame(t))
	}
	tick := time.NewTicker(time.Duration(float64(250*time.Millisecond) / speed))
	defer tick.Stop()
	for t := from; t < s.total+8*time.Second; {
		select {
		case <-tick.C:
			t += 250 * time.Millisecond
		case hard := <-stop:
			if hard {
				t = time.Hour
			}
			s.stopping = true
		case <-signals:
			t = time.Hour
		}
		show.Update(s.frame(t))
	}
	show.Quit()
	return <-result
}

// sale is an invented run of the midnight sale.
type sale struct {
	scenario *scenario.Scenario
	total    time.Duration
	stages   []measure.Stage
	stopping bool
	seconds  int
	now      tui.Frame
}

func newSale() *sale {
	s := &sale{seconds: -1, scenario: &scenario.Scenario{
		Name: "midnight-sale", Seed: 20261111,
		LLM: &scenario.LLM{Faults: []scenario.Fault{{Name: "storm", Kind: "status 503", Share: 0.9, At: unit.Duration(35 * time.Second), For: unit.Duration(20 * time.Second)}}},
		SLA: scenario.SLA{
			Latency:      map[string]unit.Duration{"p99": unit.Duration(500 * time.Millisecond), "p95": unit.Duration(300 * time.Millisecond)},
			Availability: 0.99,
			Recovery:     &scenario.Recovery{After: "storm", Latency: unit.Duration(5 * time.Second), Quality: unit.Duration(30 * time.Second)},
		},
	}}
	for _, st := range []struct {
		name string
		s    time.Duration
	}{{"warmup", 10}, {"steady", 15}, {"spike", 1}, {"peak", 74}, {"after", 10}} {
		s.stages = append(s.stages, measure.Stage{Name: st.name, Start: s.total, End: s.total + st.s*time.Second, Judged: st.name != "warmup"})
		s.total += st.s * time.Second
	}
	return s
}

func (s *sale) rate(t float64) float64 {
	switch {
	case t < 25 || t >= 110:
		return 5
	case t < 26:
		return 5 + 145*(t-25)
	case t < 100:
		return 150
	}
	return 5
}

func (s *sale) frame(t time.Duration) tui.Frame {
	for s.seconds < int(t/time.Second)-1 && s.seconds < 118 {
		s.seconds++
		s.second(s.seconds)
	}
	f := s.now
	f.Elapsed, f.Total, f.Phase, f.Stages, f.Stopping = t, s.total, tui.Loading, s.stages, s.stopping
	if t < time.Second/2 {
		f.Phase = tui.Starting
	}
	if t > s.total {
		f.Phase = tui.Draining
	}
	for _, st := range s.stages {
		if t >= st.Start && t < st.End {
			f.Stage = st.Name
		}
	}
	f.Storms = sla.PlannedStorms(s.scenario)
	f.InFlight += rand.Int64N(7)
	return f
}

// second invents one second and adds it to the run so far.
func (s *sale) second(n int) {
	t := float64(n)
	f := &s.now
	rng := rand.New(rand.NewPCG(uint64(n), 7))
	rate := s.rate(t)
	f.Planned = math.Round(rate + rng.NormFloat64()*math.Sqrt(rate))
	f.Achieved = f.Planned
	f.Last = tui.Window{Turns: int64(rate * 2.98)}
	degraded, bad := 0.0, 0.0
	p99 := 290 + 40*rng.Float64() + rate/3
	switch {
	case t >= 35 && t < 37:
		degraded, bad, p99 = 0.55, 0.02, 640
	case t >= 37 && t < 56:
		degraded, bad, p99 = 0.97, 0, 60+30*rng.Float64()
	case t >= 56 && t < 70:
		degraded = 0.9 * (70 - t) / 14
	}
	n99 := f.Last.Turns
	f.Last.Counts[measure.ServerError] = int64(bad * float64(n99))
	f.Last.Counts[measure.Degraded] = int64(degraded * float64(n99))
	f.Last.Counts[measure.OK] = n99 - f.Last.Counts[measure.ServerError] - f.Last.Counts[measure.Degraded]
	f.Last.Tiers[measure.TierLLM] = f.Last.Counts[measure.OK]
	f.Last.Tiers[measure.TierFAQ] = f.Last.Counts[measure.Degraded] * 7 / 10
	f.Last.Tiers[measure.TierHandoff] = f.Last.Counts[measure.Degraded] - f.Last.Tiers[measure.TierFAQ]
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	f.Last.P99, f.Last.P95, f.Last.P50 = ms(p99), ms(p99*0.72), ms(p99*0.36)
	f.InFlight, f.Conversations = int64(rate*0.4), int64(rate*12)
	for o := range f.Last.Counts {
		f.SoFar.Counts[o] += f.Last.Counts[o]
	}
	for o := range f.Last.Tiers {
		f.SoFar.Tiers[o] += f.Last.Tiers[o]
	}
	f.SoFar.Turns += f.Last.Turns
	f.SoFar.P50, f.SoFar.P95, f.SoFar.P99 = ms(112), ms(241), ms(min(330+t, 431))
	f.Seconds = sla.SecondsCount{Total: n, Budget: 2, Scaled: true}
	if t >= 36 {
		f.Seconds.Bad = 1
	}
	f.Burn = []tui.Burn{{Over: 5 * time.Second, Rate: bad * 80}, {Over: 30 * time.Second, Rate: bad*20 + 0.2}, {Over: 5 * time.Minute, Rate: 0.1}}
	f.Generator = tui.Generator{LagP99: ms(0.2 + 0.3*rng.Float64()), CPU: 0.02 + rate/400, Cores: 2}
	f.CallsKnown, f.CallsPerTurn = true, 1-0.93*degraded
	s.rest(f)
}

func (s *sale) rest(f *tui.Frame) {
	c := f.SoFar.Counts
	f.Failures = nil
	if n := c[measure.ServerError]; n > 0 {
		f.Failures = append(f.Failures,
			measure.FailureCount{Outcome: measure.ServerError, Message: `503 {"success":false,"code":"llm_unavailable"}`, Count: n},
			measure.FailureCount{Outcome: measure.Timeout, Message: "no answer within 3 s\x1b[2J\x1b]0;owned\x07", Count: 3},
			measure.FailureCount{Outcome: measure.RateLimited, Message: "429 客服繁忙,客服本来有", Count: 2})
	}
	n := f.SoFar.Turns
	f.Objectives = []sla.Judged{
		{Name: "latency_p99", Kind: "latency", Unit: "share", Target: 0.99, Limit: 500 * time.Millisecond, Measured: 0.9962, N: n, Bad: n / 250, Verdict: sla.Pass, Reason: reason.Reasons{reason.Said("0.38 % ≤ 1 %; P99 of answers 431 ms")}},
		{Name: "latency_p95", Kind: "latency", Unit: "share", Target: 0.95, Limit: 300 * time.Millisecond, Measured: 0.981, N: n, Bad: n / 52, Verdict: sla.Pass, Reason: reason.Reasons{reason.Said("1.9 % ≤ 5 %")}},
		{Name: "availability", Kind: "availability", Unit: "share", Target: 0.99, Measured: 0.9994, N: n, Bad: c[measure.ServerError], Verdict: sla.Inconclusive, Needs: 8210, Reason: reason.Reasons{reason.Said("upper bound 1.2 % > 1 %")}},
		{Name: "seconds", Kind: "seconds", Unit: "share", Target: 0.99, Measured: 0.991, N: 110, Bad: int64(f.Seconds.Bad), Verdict: sla.Pass},
		{Name: "full_quality", Kind: "full_quality", Unit: "share", Target: 0.95, Measured: 0.93, N: n, Bad: n / 14, Verdict: sla.Fail, Reason: reason.Reasons{reason.Said("6.9 % degraded > 5 %")}},
		{Name: "recovery_quality", Kind: "recovery_quality", Unit: "s", Target: 30, Measured: 15, Verdict: sla.Pass},
		{Name: "integrity", Kind: "integrity", Unit: "count", Measured: 0, N: n, Verdict: sla.Pass},
		{Name: "planted", Kind: "planted", Unit: "count", Verdict: sla.NotVerified, Reason: reason.Reasons{reason.Said("no planted values in this scenario")}},
	}
	f.Turns = nil
	for i, say := range []string{"我有一张满减优惠券,怎么用?", "我要退货,订单号 ${orders.order_no}", "优惠券还能用吗?"} {
		f.Turns = append(f.Turns, tui.TurnLine{Conversation: "coupon-return-coupon", Index: i, Say: say, Turns: n / 3, Answered: n/3 - c[measure.ServerError]/3, P50: 118 * time.Millisecond, P99: time.Duration(400+20*i) * time.Millisecond})
	}
}
