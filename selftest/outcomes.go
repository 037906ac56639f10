package selftest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// faults are played one after the other, each at about half of the turns of its
// second, drawn by seed.
var faults = []struct {
	kind    string // as the mock names what it did, and the fault
	options string
	outcome measure.Outcome
}{
	{"status_503", "kind: status, status: 503", measure.ServerError},
	{"status_429", "kind: status, status: 429", measure.RateLimited},
	{"status_404", "kind: status, status: 404", measure.ClientError},
	{"reset", "kind: reset", measure.TransportError},
	{"hang", "kind: hang", measure.Timeout},
	{"garbage", "kind: garbage", measure.ServerError},
	{"html", "kind: html, status: 502", measure.ServerError},
	{"empty", "kind: empty, value: content", measure.ServerError},
	{"truncate", "kind: truncate", measure.TransportError},
}

// becomes is what should become of a turn whose call the mock ended so.
func becomes(outcome string) (measure.Outcome, bool) {
	if outcome == "ok" {
		return measure.OK, true
	}
	for _, f := range faults {
		if f.kind == outcome {
			return f.outcome, true
		}
	}
	// A client that hangs up on a hanging call was right to.
	return measure.Timeout, outcome == "client_gone"
}

// outcomes has the mock play every fault and compares what became of each turn.
func (s *run) outcomes(ctx context.Context) ([]Check, error) {
	var script strings.Builder
	for i, f := range faults {
		fmt.Fprintf(&script, "{name: f%d, at: %ds, for: 500ms, share: 50%%, %s}, ", i, i, f.options)
	}
	d, pairs, err := s.mock.drive(ctx, &loaded{
		pool: 200, timeout: 2 * time.Second, arrivals: "poisson", length: time.Duration(len(faults)) * time.Second, rate: "200/s",
		llm: "latency: {constant: 5ms}, faults: [" + script.String() + "]",
	})
	if err != nil {
		return nil, err
	}
	return told("outcomes", pairs, d.Snapshot, d.schedule.Len()), nil
}

// told holds the outcomes of turns against what the server did, one by one, and
// the counters of the run against the sums.
func told(group string, pairs []pair, snap *measure.Snapshot, planned int64) []Check {
	var counts [measure.Outcomes]int64
	wrong, answered := int64(0), int64(0)
	for _, p := range pairs {
		counts[p.call.outcome]++
		if p.call.outcome != p.turn.Outcome {
			wrong++
		}
		if measure.Answered.Has(p.call.outcome) {
			answered++
		}
	}
	checks := []Check{
		equal(group, reason.Say("turns the server saw"), planned, int64(len(pairs))),
		equal(group, reason.Say("turns whose outcome is another"), 0, wrong),
		equal(group, reason.Say("response times counted (answers alone)"), answered, snap.Timings[measure.Response].N()),
	}
	for o, n := range counts {
		if n > 0 || snap.Counts[o] > 0 {
			checks = append(checks, equal(group, reason.Say("%s", reason.Word(measure.Outcome(o).String())), n, snap.Counts[o]))
		}
	}
	return checks
}
