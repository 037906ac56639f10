package main

import (
	"encoding/hex"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"
)

// startCollector starts a real OpenTelemetry Collector, which passes what it takes on
// to an address. end ends it, once it has passed on all of it. The test is skipped
// where none was built.
func startCollector(t *testing.T, to string) (address string, end func()) {
	t.Helper()
	binary, err := filepath.Abs("../../bin/otelcol")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		t.Skip("no OpenTelemetry Collector here: make deps builds it (scripts/otelcol.sh)")
	}
	address = freeAddress(t)
	config := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q}}}}
exporters: {otlphttp: {endpoint: %q, compression: none, headers: {x-team: a b}, sending_queue: {num_consumers: 1}}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlphttp]}
    traces: {receivers: [otlp], exporters: [otlphttp]}
`, address, to)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(config + ".log")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "--config", "file:"+config)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		_ = cmd.Process.Signal(syscall.SIGTERM)
		limit := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		limit.Stop()
		said, rerr := os.ReadFile(log.Name())
		_ = log.Close()
		if err != nil || rerr != nil || t.Failed() {
			t.Errorf("the collector: %v %v\n%s", err, rerr, said)
		}
	}
	t.Cleanup(end)
	until(t, "a collector that listens", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return address, end
}

// A real OpenTelemetry Collector takes a run, and has what result.json has.
func TestOpenTelemetryCollectorTakesARun(t *testing.T) {
	behind := &aCollector{last: map[string]*metrics.Metric{}, spans: map[string]*trace.Span{}}
	server := httptest.NewServer(behind)
	defer server.Close()
	address, end := startCollector(t, server.URL)
	file := filepath.Join(t.TempDir(), "turns")
	doc, e := ranTold(t, "--out", "otlp=http://"+address, "--out", "turns="+file)
	end()
	behind.mu.Lock()
	defer behind.mu.Unlock()
	if len(behind.wrong) > 0 {
		t.Fatal(behind.wrong)
	}
	behind.agrees(t, doc, jsonLines(t, file), e.stderr)
	if o := doc.Outputs[0]; o.Failed+o.SecondsDropped+o.TurnsDropped > 0 {
		t.Errorf("told %+v", o)
	}
	for id, s := range behind.spans {
		t.Logf("%d spans, the first of trace %s, span %s", len(behind.spans), id, hex.EncodeToString(s.SpanId))
		break
	}
}
