package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cstest/cstest/result"
)

// A fuse that blows ends the load in the middle of a storm; the mock LLM, which is
// somebody else's, has what it had before, and that is said.
func TestFuseEndsTheLoadAndTheStorm(t *testing.T) {
	t.Parallel()
	var mock struct {
		URL   string
		Admin string
	}
	line := started(t, command(t, "serve", "mockllm", "--exit-with-stdin", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--latency-median", "5ms", "--latency-p99", "9ms"))
	if err := json.Unmarshal([]byte(line), &mock); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	url, before := ownServer(t, mock.URL), get(t, mock.Admin+"/mock/config")
	var asked atomic.Int64
	burning := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		burn := 1
		if asked.Add(1) > 3 {
			burn = 20
		}
		_, _ = fmt.Fprintf(w, "burn_rate %d\n", burn)
	}))
	defer burning.Close()
	text := own(url, "admin: "+mock.Admin) + fmt.Sprintf(`observe: [{name: burn, url: %q, metric: burn_rate}]
guard: {abort: {observed: [{name: burn, above: 14.4, for: 1s}]}}
`, burning.URL)
	text = strings.Replace(text, "sla: {", "sla: {objectives: [{name: calm, kind: observed, observe: burn, max: 14.4}], ", 1)
	dir := filepath.Join(t.TempDir(), "result")
	r := measured(t, "run", write(t, text), "--results-dir", dir, "--no-tui")
	doc := open(t, dir)
	if r.code != exitFail || objective(t, doc, "calm") != "fail" || len(doc.Judging.Aborted) != 1 || doc.Judging.Aborted[0].Code != "fuse_above" {
		t.Errorf("exit %d, aborted %v: %s", r.code, doc.Judging.Aborted, doc.Reasons)
	}
	if doc.DurationS > 6 || doc.Counts.Conversations >= 48 {
		t.Errorf("the load went on for %v s, %d conversations", doc.DurationS, doc.Counts.Conversations)
	}
	if after := get(t, mock.Admin+"/mock/config"); after != before {
		t.Errorf("the mock has %s, before it had %s", after, before)
	}
	if !strings.Contains(r.stderr, "it was asked, and no fault of this run is armed") || !strings.Contains(r.stderr, "burn 20") {
		t.Errorf("standard error says nothing of it:\n%s", r.stderr)
	}
	if len(doc.Observed) != 1 || doc.Observed[0].Seen < 2 || *doc.Observed[0].Max != 20 || !strings.Contains(r.stdout, "Other systems") {
		t.Errorf("observed %+v\n%s", doc.Observed, r.stdout)
	}
	checkVerdict(t, "python3", dir) // without which there was no server
}

// What a fuse cannot see keeps the load from beginning; what else cannot be seen is said.
func TestBlindFuseBeginsNothing(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	text := told + fmt.Sprintf("observe: [{name: burn, url: %q, metric: burn_rate}]\n", gone.URL)
	r := cstest(t, "run", write(t, text+"guard: {abort: {observed: [{name: burn, above: 1, for: 1s}]}}\n"), "--results-dir", filepath.Join(t.TempDir(), "r"), "--no-tui")
	if r.code != exitTarget || !strings.Contains(r.stderr, "observe: burn:") {
		t.Errorf("exit %d\n%s", r.code, r.stderr)
	}
}

// A Prometheus is asked for what it scraped of this very run.
func TestObservePrometheus(t *testing.T) {
	address := freeAddress(t)
	p := startPrometheus(t, address)
	dir := filepath.Join(t.TempDir(), "result")
	text := told + fmt.Sprintf("observe: [{name: turns, url: %q, promql: 'sum(cstest_turns_total) or vector(0)'}]\n", p.url)
	r := measured(t, "run", write(t, text), "--results-dir", dir, "--no-tui", "--out", "prometheus="+address)
	doc, err := result.Read(dir)
	if err != nil {
		t.Fatal(err, r.stderr)
	}
	if len(doc.Observed) != 1 {
		t.Fatalf("observed %+v", doc.Observed)
	}
	o := doc.Observed[0]
	last := -1.0
	for _, v := range o.Values {
		if v != nil && *v < last {
			t.Errorf("the turns at Prometheus fell from %v to %v", last, *v)
		} else if v != nil {
			last = *v
		}
	}
	if o.Seen < 5 || o.Error != "" || last < float64(doc.Counts.Turns)/2 || last > float64(doc.Counts.Turns) {
		t.Errorf("%+v, %d turns", o, doc.Counts.Turns)
	}
}

// A run that was killed has what it saw of other systems until then.
func TestKilledRunKeepsWhatItSaw(t *testing.T) {
	t.Parallel()
	needProc(t)
	pool := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "pool_in_use 7")
	}))
	defer pool.Close()
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, calm+fmt.Sprintf("observe: [{name: pool, url: %q, metric: pool_in_use}]\n", pool.URL)), "--results-dir", dir)
	r.second(t, 4, 2)
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	r.ends(t)
	if got := cstest(t, "report", dir); got.code != 11 || !strings.Contains(got.stdout, "pool") {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	doc := open(t, dir)
	if len(doc.Observed) != 1 || doc.Observed[0].Seen < 3 || doc.Observed[0].Mean == nil || *doc.Observed[0].Mean != 7 {
		t.Errorf("observed %+v", doc.Observed)
	}
	series, err := os.ReadFile(filepath.Join(dir, "series.csv"))
	if err != nil || !strings.Contains(string(series), "observed:pool\r\n") || !strings.Contains(string(series), ",7\r\n") {
		t.Errorf("%v\n%s", err, series)
	}
}
