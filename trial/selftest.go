package trial

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/servers"
)

// Check is one statement of the selftest: what really happened beside what
// cstest reports of it.
type Check struct {
	Group    string
	What     string
	Truth    string
	Measured string
	Allowed  string
	OK       bool
}

// selftestScenario is the load of one check. Turns are single, so that every
// one is intended by the schedule.
const selftestScenario = `version: 1
name: selftest
seed: 20261111
target: {url: %q, api: openai, model: mock, connections: shared, pool: %d, timeout: 10s}
llm: {admin: %q, latency: %s, echo_context: false}
load:
  arrivals: %s
  stages: [{name: steady, for: %s, starts: %s}]
  drain: 10s
  max_in_flight: 20k
conversations:
  - name: hello
    turns: [{say: 你好}]
checks: {memory: off}
sla: {latency: {p99: 10s}}
`

// Selftest proves on this machine that what cstest reports is what really
// happened. It takes about 30 s and needs nothing but the bundled mock LLM.
func Selftest(ctx context.Context, executable, logDir string, notice func(string)) ([]Check, error) {
	args := []string{executable, "serve", "mockllm", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"}
	c, err := servers.StartChild(ctx, "mockllm", args, servers.Env(), servers.Options{LogDir: logDir})
	if err != nil {
		return nil, err
	}
	defer c.Stop(ctx)
	s := &selftest{mock: c, admin: servers.NewMock(c.Ready.Admin)}
	var checks []Check
	for _, step := range []struct {
		title string
		run   func(context.Context) ([]Check, error)
	}{
		{"truth: 2,000 turns/s for 10 s, log-normal latency that the mock LLM draws and remembers", s.truth},
		{"freeze: 1,000 turns/s for 10 s, the mock LLM stopped for 1 s in the middle", s.freeze},
		{"schedule: 5,000 starts/s for 6 s", s.schedule},
	} {
		notice(step.title)
		got, err := step.run(ctx)
		if err != nil {
			return checks, err
		}
		checks = append(checks, got...)
	}
	return checks, nil
}

type selftest struct {
	mock  *servers.Child
	admin *servers.Mock
}

// run drives one of the loads and gives what was recorded, and how many starts
// its schedule has.
func (s *selftest) run(ctx context.Context, pool int, latency, arrivals, length, rate string, armed func(time.Time)) (*Done, int64, error) {
	text := fmt.Sprintf(selftestScenario, s.mock.Ready.URL, pool, s.mock.Ready.Admin, latency, arrivals, length, rate)
	sc, err := scenario.Parse("selftest", []byte(text), scenario.Options{})
	if err != nil {
		return nil, 0, err
	}
	done, err := Run(ctx, ctx, Options{Scenario: sc, Armed: armed})
	return done, load.NewSchedule(&sc.Load, sc.Seed).Len(), err
}

// truth compares quantiles with the mock's own, of the latencies it injected.
func (s *selftest) truth(ctx context.Context) ([]Check, error) {
	done, _, err := s.run(ctx, 400, "{median: 20ms, p99: 60ms}", "poisson", "10s", "2k/s", nil)
	if err != nil {
		return nil, err
	}
	var facts struct {
		Early    int64 `json:"before_epoch"`
		Injected struct {
			N    int64 `json:"n"`
			P50  int64 `json:"p50_ns"`
			P90  int64 `json:"p90_ns"`
			P99  int64 `json:"p99_ns"`
			P999 int64 `json:"p999_ns"`
		} `json:"injected"`
	}
	if err := s.admin.Call(ctx, http.MethodGet, "/mock/facts", nil, &facts); err != nil {
		return nil, err
	}
	h := done.Snapshot.Timings[measure.Service]
	checks := []Check{{
		Group: "truth", What: "turns answered", Truth: strconv.FormatInt(facts.Injected.N+facts.Early, 10), Measured: strconv.FormatInt(h.N(), 10),
		Allowed: "equal", OK: h.N() == facts.Injected.N+facts.Early && h.N() > 0,
	}}
	for _, q := range []struct {
		name  string
		q     float64
		truth int64
	}{{"P50", 0.5, facts.Injected.P50}, {"P90", 0.9, facts.Injected.P90}, {"P99", 0.99, facts.Injected.P99}, {"P99.9", 0.999, facts.Injected.P999}} {
		truth := time.Duration(q.truth)
		got, _ := h.Quantile(q.q)
		allowed := max(truth/100, 250*time.Microsecond)
		checks = append(checks, within("truth", q.name, truth, got, allowed))
	}
	return checks, nil
}

// freeze stops the server for S in a run of T at a constant rate. Of the turns,
// the share S/T is intended while it stands still, and waits evenly between S and
// 0; so the P99 of response time is S − 0.01·T. A tool that measures from when
// it sends would report next to nothing.
func (s *selftest) freeze(ctx context.Context) ([]Check, error) {
	const stop, total = time.Second, 10 * time.Second
	var failed error
	thawed := make(chan struct{})
	done, _, err := s.run(ctx, 1500, "{constant: 1ms}", "constant", "10s", "1k/s", func(base time.Time) {
		go func() {
			defer close(thawed)
			if failed = sleepUntil(ctx, base.Add(4500*time.Millisecond)); failed != nil {
				return
			}
			if failed = s.mock.Freeze(); failed != nil {
				return
			}
			frozen := time.Now()
			_ = sleepUntil(ctx, frozen.Add(stop)) // it must be thawed in any case
			failed = s.mock.Thaw()
		}()
	})
	if err != nil {
		return nil, err
	}
	<-thawed
	if failed != nil {
		return nil, failed
	}
	truth := stop - total/100
	got, _ := done.Snapshot.Timings[measure.Response].Quantile(0.99)
	service, _ := done.Snapshot.Timings[measure.Service].Quantile(0.50)
	return []Check{
		within("freeze", "P99 of response time", truth, got, truth*3/100),
		{Group: "freeze", What: "P50 of service time, for contrast", Truth: "about 1 ms", Measured: show(service), OK: true},
	}, nil
}

// schedule compares starts issued with starts planned, and how late they were.
func (s *selftest) schedule(ctx context.Context) ([]Check, error) {
	done, planned, err := s.run(ctx, 64, "{constant: 0s}", "poisson", "6s", "5k/s", nil)
	if err != nil {
		return nil, err
	}
	snap := done.Snapshot
	lag, _ := snap.Timings[measure.Lag].Quantile(0.99)
	return []Check{
		issued(planned, snap.Started),
		within("schedule", "lag P99", 0, lag, time.Millisecond),
	}, nil
}

// issued holds starts against those that the schedule has.
func issued(planned, started int64) Check {
	return Check{
		Group: "schedule", What: "starts issued", Truth: strconv.FormatInt(planned, 10), Measured: strconv.FormatInt(started, 10), Allowed: "0.1 %",
		OK: planned > 0 && 1000*max(started-planned, planned-started) <= planned,
	}
}

func within(group, what string, truth, got, allowed time.Duration) Check {
	return Check{
		Group: group, What: what, Truth: show(truth), Measured: show(got), Allowed: "± " + show(allowed),
		OK: got >= truth-allowed && got <= truth+allowed,
	}
}

// show writes a duration in milliseconds with three decimals, unlike unit.Duration:
// what is compared here differs in the last of them.
func show(d time.Duration) string {
	return fmt.Sprintf("%.3f ms", float64(d)/float64(time.Millisecond))
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
