package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/output"
	"github.com/cstest/cstest/result"
)

// aPrometheus is a real one, from the Debian package.
type aPrometheus struct{ url string }

// startPrometheus starts one that scrapes target every second, and takes what is
// written to it. The test is skipped where none is installed.
func startPrometheus(t *testing.T, target string) *aPrometheus {
	t.Helper()
	binary, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("no prometheus here: make deps installs it")
	}
	dir, address := t.TempDir(), freeAddress(t)
	config := "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
	if target != "" {
		config += fmt.Sprintf("scrape_configs:\n  - {job_name: cstest, static_configs: [{targets: [%q]}]}\n", target)
	}
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--enable-feature=native-histograms", "--web.enable-remote-write-receiver")
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s", text)
		}
	})
	p := &aPrometheus{"http://" + address}
	p.eventually(t, "it is ready", func() bool {
		res, err := http.Get(p.url + "/-/ready") //nolint:noctx // bounded by eventually
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	return p
}

// eventually waits until something holds.
func (p *aPrometheus) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for range 100 {
		if holds() {
			return
		}
		<-tick.C
	}
	t.Fatalf("Prometheus: %s: not within 20 s", what)
}

// query gives the values of an expression at a time, empty for now, by the label named by.
func (p *aPrometheus) query(t *testing.T, by, expression, at string) map[string]float64 {
	t.Helper()
	res, err := http.Get(p.url + "/api/v1/query?" + url.Values{"query": {expression}, "time": {at}}.Encode()) //nolint:noctx // it is here
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Status string
		Data   struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s: %s: %v", expression, body, err)
	}
	values := map[string]float64{}
	for _, r := range answer.Data.Result {
		text, _ := r.Value[1].(string)
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		values[r.Metric[by]] = v
	}
	return values
}

// agrees holds what Prometheus has of a run against its result.
func (p *aPrometheus) agrees(t *testing.T, doc *result.Document) {
	t.Helper()
	run := fmt.Sprintf("{run_id=%q}", doc.RunID)
	// The series are stale once the run is over: they are asked for as they were last.
	var last float64
	p.eventually(t, "it has the verdict", func() bool {
		last = p.query(t, "", "max(max_over_time(timestamp(cstest_verdict"+run+")[5m:100ms]))", "")[""]
		return last > 0
	})
	at := strconv.FormatFloat(last, 'f', 3, 64)
	turns := p.query(t, "outcome", "cstest_turns_total"+run, at)
	for outcome, want := range map[string]int64{"ok": doc.Counts.OK, "degraded": doc.Counts.Degraded, "server_error": doc.Counts.ServerError, "timeout": doc.Counts.Timeout} {
		if got := turns[outcome]; got != float64(want) {
			t.Errorf("Prometheus has %v turns %s, result.json %d", got, outcome, want)
		}
	}
	if got := p.query(t, "", "cstest_conversations_started_total"+run, at)[""]; got != float64(doc.Counts.Conversations) {
		t.Errorf("Prometheus has %v conversations, result.json %d", got, doc.Counts.Conversations)
	}
	if got := p.query(t, "", "histogram_count(cstest_response_seconds"+run+")", at)[""]; got != float64(doc.Latency.Response.N) {
		t.Errorf("Prometheus has %v response times, result.json %d", got, doc.Latency.Response.N)
	}
	p99 := p.query(t, "", "histogram_quantile(0.99, cstest_response_seconds"+run+")", at)[""]
	want := float64(*doc.Latency.Response.P99Ns) / 1e9
	if off := math.Abs(math.Log2(p99/want)) * (1 << output.Schema); !(off <= 1) {
		t.Errorf("P99 at Prometheus is %v s, in result.json %v s: %.2f buckets apart", p99, want, off)
	}
	if v := p.query(t, "verdict", "cstest_verdict"+run, at); v[doc.Verdict] != 1 {
		t.Errorf("Prometheus has the verdict %v, result.json %s", v, doc.Verdict)
	}
	p.draws(t, doc, at)
	t.Logf("%d turns, P99 %.1f ms here, %.1f ms at Prometheus", doc.Counts.Turns, want*1e3, p99*1e3)
}

// draws has every panel of the dashboard show something of a run; those about other
// systems and the server need these.
func (p *aPrometheus) draws(t *testing.T, doc *result.Document, at string) {
	t.Helper()
	text, err := os.ReadFile("../../docs/observability/load-test.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			shown := p.query(t, "", strings.NewReplacer("$run", doc.RunID, "$__rate_interval", "10s").Replace(target.Expr), at)
			if len(shown) == 0 && strings.Contains(target.Expr, "cstest_") && !strings.Contains(target.Expr, "cstest_observed") && !strings.Contains(target.Expr, "dropped") {
				t.Errorf("%s shows nothing: %s", panel.Title, target.Expr)
			}
		}
	}
}

// told is a scenario in which enough happens to be told of: 800 turns or so, and a storm.
const told = `
version: 1
name: told
seed: 7
target:
  bundled: {profile: hardened, redis: embedded}
llm:
  latency: {median: 60ms, p99: 150ms}
  faults:
    - {name: storm, at: 2s, for: 1s, kind: status, status: 503}
load:
  think: 100ms
  stages:
    - {name: steady, for: 6s, starts: 60/s}
  drain: 10s
conversations:
  - name: coupon
    turns: [{say: 优惠券怎么用？}, {say: 能叠加吗？}]
sla: {availability: 50%}
`

// ranTold runs the scenario told with outputs, and gives its result.
func ranTold(t *testing.T, args ...string) (*result.Document, ended) {
	t.Helper()
	dir := t.TempDir()
	file, results := filepath.Join(dir, "told.yaml"), filepath.Join(dir, "results")
	if err := os.WriteFile(file, []byte(told), 0o600); err != nil {
		t.Fatal(err)
	}
	e := cstest(t, append([]string{"run", file, "--no-tui", "--results-dir", results}, args...)...)
	doc, err := result.Read(results)
	if err != nil {
		t.Fatalf("%v\n%s%s", err, e.stdout, e.stderr)
	}
	return doc, e
}

func TestPrometheusScrapesARun(t *testing.T) {
	address := freeAddress(t)
	p := startPrometheus(t, address)
	file := filepath.Join(t.TempDir(), "lines.json")
	doc, e := ranTold(t, "--out", "prometheus="+address, "--out", "json="+file, "--out", "turns="+file+".turns")
	p.agrees(t, doc)
	if doc.Counts.Turns < 500 || doc.Counts.Degraded == 0 {
		t.Errorf("a run of little use: %+v\n%s", doc.Counts, e.stderr)
	}
	for _, o := range doc.Outputs {
		if o.Seconds == 0 || o.SecondsDropped+o.TurnsDropped+o.Failed > 0 || (o.Kind == "turns") != (o.Turns == doc.Counts.Turns) {
			t.Errorf("output %+v", o)
		}
	}
	lines := jsonLines(t, file)
	last := lines[len(lines)-2]["total"].(map[string]any)
	if lines[len(lines)-1]["verdict"] != doc.Verdict || last["turns"] != float64(doc.Counts.Turns) {
		t.Errorf("the file ends with %v", lines[len(lines)-2:])
	}
	if n := len(jsonLines(t, file+".turns")); int64(n) != doc.Counts.Turns+2 { // and the first and last line
		t.Errorf("%d lines of %d turns", n, doc.Counts.Turns)
	}
}

func jsonLines(t *testing.T, path string) (list []map[string]any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for d.More() {
		var m map[string]any
		if err := d.Decode(&m); err != nil {
			t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

func TestOutputsThatCannotBegin(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for out, code := range map[string]int{
		"prometheus=" + l.Addr().String(): 64, "json=" + t.TempDir(): 74, "results/x": 64, "turns=": 64,
	} {
		e := cstest(t, "run", "smoke", "--no-tui", "--results-dir", filepath.Join(t.TempDir(), "r"), "--out", out)
		if e.code != code {
			t.Errorf("--out %s: exit %d, want %d: %s", out, e.code, code, e.stderr)
		}
	}
}

func TestPrometheusTakesARun(t *testing.T) {
	p := startPrometheus(t, "")
	doc, e := ranTold(t, "--out", "remote-write="+strings.Replace(p.url, "http://", "http://me:pa55word@", 1)+"/api/v1/write")
	p.agrees(t, doc)
	if o := doc.Outputs[0]; o.Failed+o.SecondsDropped > 0 || o.To != p.url+"/api/v1/write" || strings.Contains(e.stdout+e.stderr, "pa55word") {
		t.Errorf("%+v\n%s", o, e.stderr)
	}
	classic := p.query(t, "le", fmt.Sprintf("last_over_time(cstest_response_seconds_bucket{run_id=%q}[5m])", doc.RunID), "")
	if classic["+Inf"] != float64(doc.Latency.Response.N) || classic["0.005"] > classic["10"] {
		t.Errorf("classic buckets %v", classic)
	}
}

// Outputs that nobody takes are counted and said, and change nothing.
func TestOutputsThatFail(t *testing.T) {
	nobody := freeAddress(t)
	doc, e := ranTold(t, "--out", "remote-write=http://"+nobody+"/w", "--out", "otlp=http://"+nobody)
	if e.code != doc.ExitCode || len(doc.Outputs) != 2 || !strings.Contains(e.stderr, "failed") {
		t.Errorf("exit %d, outputs %+v\n%s", e.code, doc.Outputs, e.stderr)
	}
	for _, o := range doc.Outputs {
		if o.Seconds != 0 || o.SecondsDropped < 5 || o.Failed < 1 || o.Error == "" {
			t.Errorf("output %+v", o)
		}
	}
	if n := len(doc.Warnings); n < 2 || !strings.Contains(strings.Join(doc.Warnings, "\n"), "--out otlp=http://"+nobody+" failed") {
		t.Errorf("warnings %q", doc.Warnings)
	}
}
