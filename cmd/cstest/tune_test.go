package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cstest/cstest/report/experiments"
	"github.com/cstest/cstest/tune"
)

// little is a scenario of two seconds: one to warm up, one that is judged.
const little = `version: 1
name: little
seed: 7
target:
  bundled: {profile: hardened, redis: embedded, knobs: {limit.global: 0/s, limit.user: 0/s}}
llm: {latency: {constant: 10ms}}
load:
  think: 0s
  stages:
    - {name: warmup, for: 1s, users: 4, judged: false}
    - {name: steady, for: 1s, users: 4}
  drain: 5s
conversations:
  - {name: c, turns: [{say: 你好}, {say: 再见}]}
sla: {latency: {p99: 2s}, availability: 90%}
`

func writeLittle(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "little.yaml")
	if err := os.WriteFile(path, []byte(little), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func readExperiment(t *testing.T, dir string) *tune.Experiment {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, experiments.FileName))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../docs/tune.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("tune.json: %v", err)
	}
	e := &tune.Experiment{}
	if err := json.Unmarshal(raw, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// Two variants, one ten times as slow, each run once in every round with the same
// arrivals; a third does not start and is said, not ranked.
func TestTuneEndToEnd(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	got := cstest(t, "tune", writeLittle(t), "--vary", "llm.latency.constant=10ms,100ms", "--vary", "target.bundled.redis=embedded,redis://127.0.0.1:1/0",
		"--rounds", "1", "--results-dir", dir)
	if got.code != 0 {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	const warning = "warning: 1 rounds are too few to show any difference in up to 36 comparisons: give --rounds 11, or the verdict is that it cannot be told\n"
	if before, _, ok := strings.Cut(got.stderr, warning); !ok || strings.Contains(before, "1/5 ·") {
		t.Errorf("that nothing can be told is not said before the first run:\n%s", got.stderr)
	}
	e := readExperiment(t, dir)
	if len(e.Arms) != 5 || len(e.Runs) != 5 || e.RoundsDone != 1 || e.Verdict != "measured" {
		t.Fatalf("%d arms, %d runs, %d rounds, %s", len(e.Arms), len(e.Runs), e.RoundsDone, e.Verdict)
	}
	fast, slow := *e.Arms[0].Figures[0].Median, *e.Arms[2].Figures[0].Median
	if fast < 10e6 || slow < 100e6 || *e.Arms[0].Figures[3].Median < *e.Arms[2].Figures[3].Median {
		t.Errorf("mean %v and %v ns: the model's own time is 10 and 100 ms", fast, slow)
	}
	for _, broken := range []int{1, 3} {
		if a := e.Arms[broken]; !a.Invalid || a.Used != 0 || len(a.Effects) != 0 {
			t.Errorf("a server that does not start: %+v", a)
		}
	}
	if len(e.Warnings) < 2 || !strings.Contains(got.stdout, "redis://127.0.0.1:1/0 is not compared") {
		t.Errorf("what does not start goes unsaid: %q\n%s", e.Warnings, got.stdout)
	}
	for _, r := range e.Runs {
		if r.Seed != e.Runs[0].Seed {
			t.Errorf("run %d of the round has arrivals of its own", r.Arm)
		}
		if r.Left != "" {
			continue
		}
		if doc := open(t, filepath.Join(dir, filepath.FromSlash(r.Dir))); doc.Verdict != r.Verdict || doc.Scenario.Seed != r.Seed {
			t.Errorf("%s: %s with seed %d, tune.json says %s with %d", r.Dir, doc.Verdict, doc.Scenario.Seed, r.Verdict, r.Seed)
		}
	}
	if md, err := os.ReadFile(filepath.Join(dir, "tune.md")); err != nil || !strings.Contains(string(md), "| 100 ms |") && !strings.Contains(string(md), " ms |") {
		t.Errorf("tune.md: %v\n%s", err, md)
	}
}

// A knob that no server would start with is told before anything runs.
func TestTuneOfAnImpossibleKnob(t *testing.T) {
	t.Parallel()
	got := cstest(t, "tune", writeLittle(t), "--vary", "chat.concurrent_turns=allow,nonsense", "--results-dir", filepath.Join(t.TempDir(), "out"))
	if want := `target.bundled.knobs.chat.concurrent_turns: "nonsense" is not one of refuse, allow`; got.code != exitUsage || !strings.Contains(got.stderr, want) {
		t.Errorf("exit %d, want %q:\n%s", got.code, want, got.stderr)
	}
}

// A signal in the third run keeps the two that are done.
func TestTuneInterrupted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	cmd := command(t, "tune", writeLittle(t), "--vary", "llm.latency.constant=10ms,11ms", "--rounds", "5", "--results-dir", dir)
	var out bytes.Buffer
	cmd.Stdout = &out
	lines, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(lines)
	for line := ""; !strings.HasPrefix(line, "2/15 ·"); {
		if line, err = said.ReadString('\n'); err != nil {
			t.Fatalf("it ends before its second run: %v", err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, said) // it ends
	_ = cmd.Wait()                   // the code is looked at
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit %d, want 130\n%s", code, out.String())
	}
	e := readExperiment(t, dir)
	if !e.Interrupted || len(e.Runs) != 2 || e.ExitCode != 130 || e.RoundsPlanned != 5 {
		t.Errorf("interrupted %v, %d runs, exit %d", e.Interrupted, len(e.Runs), e.ExitCode)
	}
	if !strings.Contains(out.String(), "Interrupted: what was measured until then is below.") {
		t.Errorf("the interruption goes unsaid:\n%s", out.String())
	}
}

// The four ways to talk hold the same conversations; what it takes to hold them stands
// beside, and Redis round trips as the server counts them.
func TestTuneProtocols(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "out")
	got := cstest(t, "tune", writeLittle(t), "--vary", "protocol=rest,queue,websocket,http2", "--rounds", "1", "--results-dir", dir)
	if got.code != 0 {
		t.Fatalf("exit %d\n%s%s", got.code, got.stdout, got.stderr)
	}
	e := readExperiment(t, dir)
	figure := func(arm int, metric string) float64 {
		for _, f := range e.Arms[arm].Figures {
			if f.Metric == metric && f.Median != nil {
				return *f.Median
			}
		}
		t.Fatalf("%s of %s is not known", metric, e.Arms[arm].Name)
		return 0
	}
	for i, name := range []string{"rest", "queue", "websocket", "http2"} {
		a := e.Arms[i]
		if a.Name != name || a.Used != 1 || figure(i, "answered") != 1 || figure(i, "full quality") != 1 {
			t.Errorf("%s: %+v", name, a)
		}
		trips := figure(i, "Redis round trips per turn")
		if least, most := 1.0, 6.0; name != "queue" && (trips < least || trips > most) {
			t.Errorf("%s: %v round trips a turn", name, trips)
		}
	}
	if rest, queue := figure(0, "Redis round trips per turn"), figure(1, "Redis round trips per turn"); queue < rest+3 {
		t.Errorf("%v round trips over requests, %v over the queue", rest, queue)
	}
	// Four users have a connection each, and the first turn had one.
	for i, most := range []float64{5, 5, 5, 65} {
		if c := figure(i, "connections"); c < 1 || c > most {
			t.Errorf("%s: %v connections", e.Arms[i].Name, c)
		}
	}
	for _, want := range []string{"Redis/turn", "connections", "Connections: the most"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("no column %s in\n%s", want, got.stdout)
		}
	}
}

func TestTuneRefuses(t *testing.T) {
	t.Parallel()
	path := writeLittle(t)
	for _, c := range []struct {
		args []string
		want string
	}{
		{nil, "tune needs --vary KEY=a,b,c"},
		{[]string{"--vary", "profile"}, "write KEY=a,b,c"},
		{[]string{"--vary", "profile=hardened"}, "two values at least"},
		{[]string{"--vary", "profile=hardened,nosuch"}, "variant nosuch: "},
		{[]string{"--vary", "load.nosuch=1,2"}, "variant 1: "},
		{[]string{"--vary", "llm.latency.constant=1ms,2ms", "--rounds", "101"}, "101 rounds"},
		{[]string{"--vary", "llm.latency.constant=1ms,2ms", "--gate", "speed"}, "want one of mean, P50"},
		{[]string{"--vary", "profile=article-0,hardened", "--target", "http://127.0.0.1:1"}, "variants article-0 and hardened are the same scenario"},
		{[]string{"--vary", "protocol=rest,carrier-pigeon"}, "none of rest, queue, websocket, http2"},
		{[]string{"--vary", "protocol=rest,websocket", "--target", "http://127.0.0.1:1", "--set", "target.api=article"}, "variant websocket: "},
		{[]string{"--vary", "llm.latency.constant=1000ms,1s"}, "variants 1000ms and 1s are the same scenario"},
	} {
		got := cstest(t, append([]string{"tune", path, "--results-dir", filepath.Join(t.TempDir(), "x")}, c.args...)...)
		if got.code != 64 || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%v: exit %d, %s", c.args, got.code, got.stderr)
		}
	}
}
