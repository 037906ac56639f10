package ci

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/cstest/cstest/result"
)

func failed() *result.Document {
	d := &result.Document{
		Verdict: "fail", ExitCode: 10, DurationS: 20, Reasons: []string{"latency-p95: 12 % > 5 %", "::set-output\n100% lost"},
		Scenario: result.ScenarioRef{Name: `Sale "11.11"`, Seed: 7},
		Objectives: []result.Objective{
			{Name: "latency-p95", Unit: "share", Measured: new(0.88), Verdict: "fail"},
			{Name: "recovery", Unit: "s", Measured: new(2.5), Verdict: "pass"},
			{Name: "context", Unit: "count", Verdict: "not_verified"},
		},
		Counts:      result.Counts{Turns: 4000},
		Environment: result.Environment{OS: "linux", Arch: "amd64", CPU: "a cpu"},
	}
	d.Latency.Response = result.Quantiles{P50Ns: new(int64(80e6)), P95Ns: new(int64(1_250e6))}
	d.Latency.Service = result.Quantiles{P90Ns: new(int64(90e6)), P95Ns: new(int64(95e6))}
	return d
}

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		name  string
		write func(*result.Document, io.Writer) error
		want  string
	}{
		{"gobench", WriteGoBench, "goos: linux\ngoarch: amd64\ncpu: a cpu\nBenchmark_sale__11_11\t4000\t80 response-p50-ms\t1250 response-p95-ms\t0.12 latency-p95-bad-share\t2.5 recovery-s\n"},
		{"annotations", WriteAnnotations, "::error title=cstest Sale \"11.11\"%3A fail::latency-p95: 12 %25 > 5 %25\n" +
			"::error title=cstest Sale \"11.11\"%3A fail::::set-output 100%25 lost\n"},
		{"openmetrics", WriteOpenMetrics, `# TYPE cstest_verdict gauge
cstest_verdict{scenario="Sale \"11.11\"",verdict="fail"} 1
# TYPE cstest_turns gauge
cstest_turns{scenario="Sale \"11.11\""} 4000
# TYPE cstest_response_p50_ms gauge
cstest_response_p50_ms{scenario="Sale \"11.11\""} 80
# TYPE cstest_response_p95_ms gauge
cstest_response_p95_ms{scenario="Sale \"11.11\""} 1250
# TYPE cstest_latency_p95_bad_share gauge
cstest_latency_p95_bad_share{scenario="Sale \"11.11\""} 0.12
# TYPE cstest_recovery_s gauge
cstest_recovery_s{scenario="Sale \"11.11\""} 2.5
# EOF
`},
	} {
		var b bytes.Buffer
		if err := c.write(failed(), &b); err != nil || b.String() != c.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", c.name, err, &b, c.want)
		}
	}
}

func TestJSONFormats(t *testing.T) {
	var b bytes.Buffer
	if err := WriteLoadPerformance(failed(), &b); err != nil {
		t.Fatal(err)
	}
	var p map[string]map[string]map[string]float64
	if err := json.Unmarshal(b.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	m := p["metrics"]
	if m["checks"]["passes"] != 1 || m["checks"]["fails"] != 1 || m["checks"]["value"] != 0.5 || m["http_req_waiting"]["p(95)"] != 95 || m["http_reqs"]["rate"] != 200 {
		t.Errorf("load performance %v", m)
	}
	streams := failed()
	streams.FirstToken = &result.Quantiles{P95Ns: new(int64(40e6))}
	b.Reset()
	if err := WriteLoadPerformance(streams, &b); err != nil || !strings.Contains(b.String(), `"p(95)": 40`) {
		t.Errorf("of streams: %v\n%s", err, &b)
	}
	b.Reset()
	if err := WriteBenchmarkJSON(failed(), &b); err != nil {
		t.Fatal(err)
	}
	var list []benchmark
	if err := json.Unmarshal(b.Bytes(), &list); err != nil || len(list) != 4 || list[2] != (benchmark{`Sale "11.11" latency_p95_bad`, "share", 0.12, "verdict fail, 4000 turns, seed 7"}) {
		t.Errorf("benchmarks %+v, %v", list, err)
	}
}

// A pass has nothing to annotate, and what may pass is no error.
func TestAnnotationsOfWhatPasses(t *testing.T) {
	for verdict, want := range map[string]string{"pass": "", "inconclusive": "::warning title=cstest s%3A inconclusive::too few turns\n"} {
		var b bytes.Buffer
		d := &result.Document{Verdict: verdict, Reasons: []string{"too few turns"}, Scenario: result.ScenarioRef{Name: "s"}}
		if err := WriteAnnotations(d, &b); err != nil || b.String() != want {
			t.Errorf("%s: %q, %v; want %q", verdict, &b, err, want)
		}
	}
}
