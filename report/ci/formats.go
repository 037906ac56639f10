package ci

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cstest/cstest/result"
)

// WriteOpenMetrics writes GitLab's metrics report.
func WriteOpenMetrics(d *result.Document, out io.Writer) error {
	w := bufio.NewWriter(out)
	scenario := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(line(d.Scenario.Name))
	sample := func(name, labels string, v float64) {
		fmt.Fprintf(w, "# TYPE cstest_%s gauge\ncstest_%s{scenario=\"%s\"%s} %s\n", name, name, scenario, labels, number(v))
	}
	sample("verdict", `,verdict="`+word(d.Verdict)+`"`, 1)
	sample("turns", "", float64(d.Counts.Turns))
	for _, f := range figures(d) {
		sample(f.name+"_"+f.unit, "", f.value)
	}
	fmt.Fprint(w, "# EOF\n")
	return w.Flush()
}

// loadPerformance is what GitLab's widget reads of k6's summary, times in
// milliseconds.
type loadPerformance struct {
	Metrics struct {
		Checks  checks             `json:"checks"`
		Waiting map[string]float64 `json:"http_req_waiting"`
		Turns   counted            `json:"http_reqs"`
	} `json:"metrics"`
}

type checks struct {
	Passes int     `json:"passes"`
	Fails  int     `json:"fails"`
	Value  float64 `json:"value"`
}

type counted struct {
	Count int64   `json:"count"`
	Rate  float64 `json:"rate"`
}

// WriteLoadPerformance writes GitLab's load performance report: its checks are
// the objectives, of which one that is not verified is neither; its requests the
// turns; what it calls time to first byte is that to the first token of streams,
// and of others the service time.
func WriteLoadPerformance(d *result.Document, out io.Writer) error {
	var p loadPerformance
	for i := range d.Objectives {
		switch d.Objectives[i].Verdict {
		case "pass":
			p.Metrics.Checks.Passes++
		case "not_verified":
		default:
			p.Metrics.Checks.Fails++
		}
	}
	if n := p.Metrics.Checks.Passes + p.Metrics.Checks.Fails; n > 0 {
		p.Metrics.Checks.Value = float64(p.Metrics.Checks.Passes) / float64(n)
	}
	q := &d.Latency.Service
	if d.FirstToken != nil {
		q = d.FirstToken
	}
	p.Metrics.Waiting = map[string]float64{}
	for name, ns := range map[string]*int64{"avg": q.MeanNs, "med": q.P50Ns, "p(90)": q.P90Ns, "p(95)": q.P95Ns, "max": q.MaxNs} {
		if ns != nil {
			p.Metrics.Waiting[name] = float64(*ns) / 1e6
		}
	}
	p.Metrics.Turns.Count = d.Counts.Turns
	if d.DurationS > 0 {
		p.Metrics.Turns.Rate = float64(d.Counts.Turns) / d.DurationS
	}
	return writeJSON(out, p)
}

// benchmark is a line of github-action-benchmark's customSmallerIsBetter.
type benchmark struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Value float64 `json:"value"`
	Extra string  `json:"extra"`
}

// WriteBenchmarkJSON writes what github-action-benchmark takes as
// customSmallerIsBetter.
func WriteBenchmarkJSON(d *result.Document, out io.Writer) error {
	list := []benchmark{}
	extra := fmt.Sprintf("verdict %s, %d turns, seed %d", line(d.Verdict), d.Counts.Turns, d.Scenario.Seed)
	for _, f := range figures(d) {
		list = append(list, benchmark{line(d.Scenario.Name) + " " + f.name, f.unit, f.value, extra})
	}
	return writeJSON(out, list)
}

// WriteGoBench writes a line as `go test -bench` does, for benchstat: several
// runs' lines in a file are samples of one benchmark.
func WriteGoBench(d *result.Document, out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\ncpu: %s\n", line(d.Environment.OS), line(d.Environment.Arch), line(d.Environment.CPU))
	fmt.Fprintf(w, "Benchmark_%s\t%d", word(d.Scenario.Name), max(d.Counts.Turns, 1))
	for _, f := range figures(d) {
		fmt.Fprintf(w, "\t%s %s-%s", number(f.value), strings.ReplaceAll(f.name, "_", "-"), f.unit)
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// WriteAnnotations writes workflow commands of GitHub's: each reason of a
// verdict as an error, or as a warning where the run exits with 0. A pass has none.
func WriteAnnotations(d *result.Document, out io.Writer) error {
	kind := "error"
	if d.ExitCode == 0 {
		kind = "warning"
	}
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	w := bufio.NewWriter(out)
	if d.Verdict != "pass" {
		for _, r := range d.Reasons {
			fmt.Fprintf(w, "::%s title=%s::%s\n", kind, property.Replace(line("cstest "+d.Scenario.Name+": "+d.Verdict)), data.Replace(line(r)))
		}
	}
	return w.Flush()
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
