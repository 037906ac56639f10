package selftest

import (
	"context"
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// truth compares what turns took with what the mock took of them.
func (s *run) truth(ctx context.Context) ([]Check, error) {
	d, pairs, err := s.mock.drive(ctx, &loaded{
		pool: 400, timeout: 10 * time.Second, arrivals: "poisson", length: 10 * time.Second, rate: "2k/s",
		llm: "latency: {median: 20ms, p99: 60ms}",
	})
	if err != nil {
		return nil, err
	}
	checks := durations(pairs, d.Snapshot.Timings[measure.Service])
	checks[0].OK = checks[0].OK && d.schedule.Len() == int64(len(pairs))
	s.report.Trust = excess(pairs, 0.99)
	return append(checks, spacing(pairs, 10)), nil
}

// durations holds what turns took against the server's own figures.
func durations(pairs []pair, service *measure.Histogram) []Check {
	own := make([]time.Duration, 0, len(pairs))
	short := int64(0)
	for _, p := range pairs {
		own = append(own, p.call.written-p.call.arrived)
		if p.turn.Done-p.turn.Sent < p.call.due-p.call.arrived {
			short++
		}
	}
	checks := []Check{equal("truth", reason.Say("turns answered"), int64(len(pairs)), service.N())}
	for _, q := range []struct {
		name string
		q    float64
	}{{"P50", 0.5}, {"P90", 0.9}, {"P99", 0.99}, {"P99.9", 0.999}} {
		truth := quantile(own, q.q)
		got, _ := service.Quantile(q.q)
		checks = append(checks, within("truth", reason.Say("%s", q.name), truth, got, tolerance(truth)))
	}
	return append(checks,
		equal("truth", reason.Say("turns said to be shorter than the server held them"), 0, short),
		atMost("truth", reason.Say("P50 of what is added to a turn"), excess(pairs, 0.5), tolerance(0)),
		Check{Group: "truth", What: reason.Say("P99 of what is added to a turn"), Truth: show(0), Measured: show(excess(pairs, 0.99)), OK: true},
	)
}

// tolerance is how far a figure may be off: 1 %, and no less than 250 µs, which
// the way over the loopback and two wake-ups cost.
func tolerance(truth time.Duration) time.Duration { return max(truth/100, 250*time.Microsecond) }

// excess is a quantile of how much longer turns took by our clock than by the server's.
func excess(pairs []pair, q float64) time.Duration {
	all := make([]time.Duration, 0, len(pairs))
	for _, p := range pairs {
		all = append(all, p.turn.Done-p.turn.Sent-(p.call.written-p.call.arrived))
	}
	return quantile(all, q)
}

// freeze stops the server for S in a run of T at a constant rate. Of the turns,
// the share S/T is intended while it stands still, and waits evenly between S and
// 0; so the P99 of response time is S − 0.01·T. A tool that measures from when
// it sends would report next to nothing.
func (s *run) freeze(ctx context.Context) ([]Check, error) {
	const stop, total = time.Second, 10 * time.Second
	thawed := make(chan error, 1)
	d, _, err := s.mock.drive(ctx, &loaded{
		pool: 1500, timeout: 10 * time.Second, arrivals: "constant", length: total, rate: "1k/s", llm: "latency: {constant: 1ms}",
		armed: func(base time.Time) {
			go func() { thawed <- s.mock.stopFor(ctx, base.Add(4500*time.Millisecond), stop) }()
		},
	})
	if err != nil {
		return nil, err
	}
	if err := <-thawed; err != nil {
		return nil, err
	}
	truth := stop - total/100
	got, _ := d.Snapshot.Timings[measure.Response].Quantile(0.99)
	service, _ := d.Snapshot.Timings[measure.Service].Quantile(0.50)
	return []Check{
		within("freeze", reason.Say("P99 of response time"), truth, got, truth*3/100),
		{Group: "freeze", What: reason.Say("P50 of service time, for contrast"), Truth: reason.Say("about 1 ms"), Measured: show(service), OK: true},
	}, nil
}

// stopFor lets the mock stand still from at on.
func (m *mock) stopFor(ctx context.Context, at time.Time, stop time.Duration) error {
	if err := sleepUntil(ctx, at); err != nil {
		return err
	}
	if err := m.child.Freeze(); err != nil {
		return err
	}
	frozen := time.Now()
	_ = sleepUntil(ctx, frozen.Add(stop)) // it must be thawed in any case
	return m.child.Thaw()
}

// release compares when turns began with the plan, by our clock and by the mock's.
func (s *run) release(ctx context.Context) ([]Check, error) {
	const total = 6 * time.Second
	w, err := startWitness(s.executable)
	if err != nil {
		return nil, err
	}
	var base time.Duration
	d, pairs, err := s.mock.drive(ctx, &loaded{
		pool: 64, timeout: 10 * time.Second, arrivals: "poisson", length: total, rate: "5k/s", llm: "latency: {constant: 0s}",
		armed: func(at time.Time) { base = sharedClock() - time.Since(at) },
	})
	seen := w.stop()
	if err != nil {
		return nil, err
	}
	return slices.Concat([]Check{issued(d.schedule.Len(), d.Snapshot.Started)}, lags(d, seen, base, total), lateness(pairs)), nil
}

// lags holds how late turns began against 1 ms, but for the time in which the machine
// stood still: that is not the ruler's.
func lags(d *driven, seen []stall, base, total time.Duration) []Check {
	lag, _ := d.Snapshot.Timings[measure.Lag].Quantile(0.99)
	still := stood(seen, base, base+total)
	if still == 0 {
		return []Check{atMost("release", reason.Say("lag P99"), lag, time.Millisecond)}
	}
	return []Check{
		{Group: "release", What: reason.Say("lag P99"), Truth: show(0), Measured: show(lag), OK: true},
		{Group: "release", What: reason.Say("time for which a processor stood still, of %s", unit.Duration(total).Text()), Truth: show(0), Measured: show(still), OK: true},
		atMost("release", reason.Say("lag P99 but for that time"), beyond(d.turns, seen, base, 0.99), time.Millisecond),
	}
}

// lateness holds the lag that cstest says it had against when the server saw the turns.
func lateness(pairs []pair) []Check {
	offset := align(pairs)
	outside, hidden := make([]time.Duration, 0, len(pairs)), make([]time.Duration, 0, len(pairs))
	for _, p := range pairs {
		late := p.call.arrived + offset - p.turn.Intended
		outside = append(outside, late)
		hidden = append(hidden, late-p.turn.Lag)
	}
	return []Check{
		{Group: "release", What: reason.Say("P99 of how late turns arrive, by the server's clock"), Truth: show(0), Measured: show(quantile(outside, 0.99)), OK: true},
		atMost("release", reason.Say("P50 of lateness that cstest does not call lag"), quantile(hidden, 0.5), tolerance(0)),
	}
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
