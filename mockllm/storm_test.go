package mockllm

import (
	"bufio"
	"math"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

func TestStormHitsOpenConnections(t *testing.T) {
	s, dial := tcp(t, Config{Seed: 3, AwaitEpoch: true, Faults: []Fault{
		{Name: "storm", Kind: "status", At: ms(200), For: ms(300), Share: .9, RetryAfter: ms(1000)},
	}})
	const conns = 20
	open := make([]net.Conn, conns)
	readers := make([]*bufio.Reader, conns)
	for i := range open {
		open[i] = dial(t)
		readers[i] = bufio.NewReader(open[i])
	}
	n := 0
	round := func() (bad int) {
		for i, c := range open {
			n++
			send(t, c, "POST", chatPath, hello, "traceparent", trace(n))
			res, _, err := answerOf(t, readers[i])
			if err != nil {
				t.Fatal(err)
			}
			if res.StatusCode == http.StatusServiceUnavailable {
				bad++
			}
		}
		return bad
	}
	for range 5 {
		if bad := round(); bad != 0 {
			t.Fatalf("%d of %d failed before the epoch", bad, conns)
		}
	}
	control := overshoot(200*time.Millisecond, 500*time.Millisecond)
	s.SetEpoch(time.Now())
	calls, struck := 0, 0
	for s.Facts().NowNs < int64(600*time.Millisecond) {
		before := len(s.Facts().Phases)
		bad := round()
		if f := s.Facts(); before == 1 && f.Phases[0].EndNs == 0 { // the round lay inside
			calls += conns
			struck += bad
		}
	}
	if bad := round(); bad != 0 {
		t.Errorf("%d of %d failed after the storm", bad, conns)
	}
	p := s.Facts().Phases
	if len(p) != 1 || p[0].Name != "storm" || p[0].Kind != "status" || p[0].Share != .9 {
		t.Fatalf("phases %+v", p)
	}
	// A machine that delays every timer delays this one too; that is not the server's doing.
	allowed := 10*time.Millisecond + <-control
	for what, off := range map[string]time.Duration{
		"start": time.Duration(p[0].StartNs) - 200*time.Millisecond,
		"end":   time.Duration(p[0].EndNs) - 500*time.Millisecond,
	} {
		if off < 0 || off > allowed {
			t.Errorf("%s is off by %v (allowed %v)", what, off, allowed)
		}
	}
	if calls < 100 {
		t.Skipf("machine too busy: only %d calls inside the storm", calls)
	}
	share, sd := float64(struck)/float64(calls), math.Sqrt(.9*.1/float64(calls))
	if math.Abs(share-.9) > 5*sd {
		t.Errorf("%d of %d calls struck, want 90 %% within %.3f", struck, calls, 5*sd)
	}
}

// overshoot measures how late timers are that are due after each d.
func overshoot(due ...time.Duration) <-chan time.Duration {
	out, start := make(chan time.Duration, 1), time.Now()
	go func() {
		var worst time.Duration
		for _, d := range due {
			<-time.After(time.Until(start.Add(d)))
			worst = max(worst, time.Since(start.Add(d)))
		}
		out <- worst
	}()
	return out
}

func TestScheduleInFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := piped(t, Config{AwaitEpoch: true, Faults: []Fault{
			{Name: "a", Kind: "status", At: ms(100), For: ms(200)},
			{Name: "b", Kind: "slow", At: ms(250), For: ms(100)},
			{Name: "late", Kind: "hang", At: ms(3600_000)},
		}})
		defer s.stop()
		time.Sleep(time.Minute)
		if p := s.Facts().Phases; len(p) != 0 {
			t.Errorf("began without an epoch: %+v", p)
		}
		s.SetEpoch(time.Now().Add(250 * time.Millisecond))
		time.Sleep(10 * time.Second)
		p := s.Facts().Phases
		want := []PhaseFact{
			{Name: "a", Kind: "status", Share: 1, StartNs: 100e6, EndNs: 300e6},
			{Name: "b", Kind: "slow", Share: 1, StartNs: 250e6, EndNs: 350e6},
		}
		if len(p) != 2 || p[0] != want[0] || p[1] != want[1] {
			t.Errorf("phases %+v", p)
		}
		s.SetEpoch(time.Now().Add(-260 * time.Millisecond)) // joins in the middle
		p = s.Facts().Phases
		if len(p) != 2 || p[0].StartNs != 260e6 || p[1].StartNs != 260e6 || p[0].EndNs != 0 {
			t.Errorf("phases %+v", p)
		}
	})
}

func TestRampAndFlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Faults: []Fault{{Kind: "status", Share: .8, Ramp: ms(4000)}}})
		defer s.stop()
		for _, tt := range []struct {
			at    time.Duration
			share float64
		}{{0, 0}, {time.Second, .2}, {2 * time.Second, .4}, {5 * time.Second, .8}} {
			time.Sleep(tt.at - time.Duration(s.Facts().NowNs))
			bad := 0
			for i := range 1000 {
				if res, _ := ask(t, dial, textPath, `{"prompt":"x"}`, "traceparent", trace(i)); res.StatusCode == http.StatusServiceUnavailable {
					bad++
				}
			}
			if math.Abs(float64(bad)/1000-tt.share) > 5*math.Sqrt(.25/1000) {
				t.Errorf("at %v: %d of 1000, want %g", tt.at, bad, tt.share)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Faults: []Fault{{Kind: "status", For: ms(10_000), Flap: &Flap{On: ms(2000), Off: ms(1000)}}}})
		defer s.stop()
		for second, want := range []int{503, 503, 200, 503, 503, 200, 503, 503, 200, 503, 200} {
			synctest.Wait() // the edge at 10 s and this are due at one instant
			if res, _ := ask(t, dial, textPath, `{"prompt":"x"}`); res.StatusCode != want {
				t.Errorf("second %d: %d, want %d", second, res.StatusCode, want)
			}
			time.Sleep(time.Second)
		}
		if p := s.Facts().Phases; len(p) != 1 || p[0].EndNs != 10e9 {
			t.Errorf("phases %+v", p)
		}
	})
}

func TestTimeToLive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Seed: 1, EchoContext: true})
		defer s.stop()
		status := func() int {
			res, _ := ask(t, dial, chatPath, hello)
			return res.StatusCode
		}
		if err := s.SetFaults([]Fault{{Kind: "status", Status: 500}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Second)
		if err := s.Configure(Config{Seed: 2, Faults: []Fault{{Kind: "status", Status: 429}}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if got := status(); got != 429 {
			t.Errorf("armed: %d", got)
		}
		time.Sleep(59 * time.Second)
		if got := status(); got != 429 {
			t.Errorf("after 59s: %d", got)
		}
		time.Sleep(2 * time.Second)
		// Not the 500 that was itself on borrowed time: the base.
		if got, cfg := status(), s.Config(); got != 200 || cfg.Seed != 1 || !cfg.EchoContext {
			t.Errorf("after 61s: %d with %+v", got, cfg)
		}
		if p := s.Facts().Phases; len(p) != 2 || p[1].EndNs-p[1].StartNs != int64(time.Minute) {
			t.Errorf("phases %+v", p)
		}
		if err := s.SetFaults([]Fault{{Kind: "status"}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := s.SetFaults([]Fault{{Kind: "status"}}, 0); err != nil { // for good
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if got := status(); got != 503 {
			t.Errorf("permanent fault gone: %d", got)
		}
		if err := s.Configure(Config{Seed: 3}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if err := s.SetFaults([]Fault{{Kind: "status", Status: 500}}, 0); err != nil {
			t.Fatal(err)
		}
		if got, seed := status(), s.Config().Seed; got != 500 || seed != 3 {
			t.Errorf("borrowed: %d, seed %d", got, seed)
		}
		time.Sleep(2 * time.Minute)
		if got, seed := status(), s.Config().Seed; got != 500 || seed != 1 {
			t.Errorf("given back: %d, seed %d; the fault was for good, the seed was not", got, seed)
		}
		s.Reset()
		if f := s.Facts(); status() != 200 || f.Calls != 0 || len(f.Phases) != 0 || len(records(s)) != 1 {
			t.Errorf("after reset: %+v", f)
		}
	})
}

func TestFactsCountFromTheEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, dial := piped(t, Config{Latency: Constant(100 * time.Millisecond), Faults: []Fault{{Kind: "status", At: ms(2000), For: ms(1000)}}})
		defer s.stop()
		ask(t, dial, chatPath, hello)
		s.SetEpoch(time.Now().Add(time.Second))
		ask(t, dial, chatPath, hello) // a preflight
		time.Sleep(900 * time.Millisecond)
		for range 35 { // at 0, 0.1, ... 3.4 s; inside the storm at once
			synctest.Wait() // edges and calls are due at the same instants
			at := time.Now()
			ask(t, dial, chatPath, hello)
			time.Sleep(100*time.Millisecond - time.Since(at))
		}
		synctest.Wait()
		ask(t, dial, chatPath, hello, "X-Request-Purpose", "probe")
		ask(t, dial, chatPath, hello, "X-Request-Purpose", "backflow")
		f := s.Facts()
		if !f.EpochSet || f.Calls != 35 || f.Probes != 1 || f.Backflow != 1 || f.Attempts != 37 || f.BeforeEpoch != 1 || f.InFlight != 0 {
			t.Errorf("%+v", f)
		}
		if len(f.Outcomes) != 2 || f.Outcomes["ok"] != 27 || f.Outcomes["status_503"] != 10 {
			t.Errorf("outcomes %v", f.Outcomes)
		}
		want := []SecondFact{{T: 0, Calls: 10}, {T: 1, Calls: 10}, {T: 2, Calls: 10, Faulted: 10}, {T: 3, Calls: 5, Probes: 1, Backflow: 1}}
		if len(f.PerSecond) != 4 {
			t.Fatalf("seconds %+v", f.PerSecond)
		}
		for i := range want {
			f.PerSecond[i].Open = 0
			if f.PerSecond[i] != want[i] {
				t.Errorf("second %d: %+v, want %+v", i, f.PerSecond[i], want[i])
			}
		}
		if q := f.Injected; q.N != 27 || q.MaxNs != 100e6 {
			t.Errorf("injected %+v", q)
		} else {
			if math.Abs(float64(q.P50Ns)/100e6-1) > .001 || math.Abs(float64(q.P999Ns)/100e6-1) > .001 {
				t.Errorf("P50 %d, P99.9 %d, want 100ms", q.P50Ns, q.P999Ns)
			}
		}
	})
}
