package trial

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/load"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/trial/crew"
)

// beShard is a shard process whose target is a clockwork of its own: that of
// shard 1 panics, that of shard 0 answers badly, all do, or none.
func beShard(role string, in io.Reader, out, errs io.Writer) int {
	if role == "shard fails" {
		if err := RunShard(context.Background(), in, out, nil); err != nil {
			fmt.Fprintln(errs, err)
			return 1
		}
		return 0
	}
	if role == "shard speaks" {
		fmt.Fprintln(errs, "the canary sings")
	}
	err := runShard(context.Background(), crew.NewParent(in, out), nil, func(a *attempt) (driver.Driver, error) {
		c := &clockwork{base: a.base}
		switch {
		case role == "shard panics" && a.shard == 1:
			c.panic = 10
		case role == "shard dies" && a.shard == 1:
			c.kill = 20 // in its second second
		case role == "shard bad first" && a.shard == 0, role == "shard bad all":
			c.bad = true
		}
		return c, nil
	})
	if err != nil {
		fmt.Fprintln(errs, err)
		return 1
	}
	return 0
}

const oneTurn = `, turns: [{say: a}]}
checks: {memory: off}
sla: {latency: {p90: 1s}, availability: 10%}
`

// crewed runs a load of 50 conversations of a turn a second, for three seconds,
// over n processes that play role.
func crewed(t *testing.T, role string, n int, more string, change func(*Options)) *Done {
	t.Helper()
	a, l := startCrewed(t, role, n, more, change)
	return a.drive(load.Stops{Starting: context.Background(), Now: patient(t)}, l)
}

// startCrewed starts the processes of crewed.
func startCrewed(t *testing.T, role string, n int, more string, change func(*Options)) (*attempt, *crewLoader) {
	t.Helper()
	t.Setenv(asChild, role)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	yaml := "version: 1\nname: t\nseed: 3\ntarget: " + anyTarget + "}\nload: {arrivals: constant, stages: [{name: s, for: 3s, starts: 50/s}], drain: 1s}\n" +
		more + "conversations:\n  - {name: c" + oneTurn
	s, err := scenario.Parse("t.yaml", []byte(yaml), scenario.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Scenario: s, Executable: self, Processes: n, Resolved: yaml}
	if change != nil {
		change(&o)
	}
	a := newAttempt(&o)
	a.base = time.Now().Add(500 * time.Millisecond)
	l, err := a.newCrewLoader(patient(t), &o)
	if err != nil {
		t.Fatal(err)
	}
	return a, l
}

func TestCrewRunsThePlan(t *testing.T) {
	var seconds []int64 // turns by the intervals shown
	done := crewed(t, "shard well", 2, "", func(o *Options) {
		o.Observe = func(l *Live) { seconds = append(seconds, l.Last.Turns()) }
	})
	// A second is whole when it is shown, but for what comes at its very edge.
	for i, n := range seconds[:2] {
		if n < 40 || n > 60 {
			t.Errorf("%d turns in second %d, want about 50: %d", n, i, seconds)
		}
	}
	if n := done.Snapshot.Turns(); n != 150 || done.Snapshot.Answered() != 150 {
		t.Errorf("%d turns, %d answered, want 150", n, done.Snapshot.Answered())
	}
	var names []string
	for _, p := range done.Facts.Processes {
		names = append(names, p.Name)
		if p.CPU <= 0 || p.MaxRSS < 1<<20 || p.Exit != "" {
			t.Errorf("%+v", p)
		}
	}
	if want := []string{"cstest shard 0/2", "cstest shard 1/2", "cstest"}; !slices.Equal(names, want) {
		t.Errorf("processes %q, want %q", names, want)
	}
	if len(done.Facts.Interrupted) > 0 || len(done.Facts.Aborted) > 0 || done.Crash != nil || len(done.Warnings) != 0 {
		t.Errorf("interrupted %q, aborted %q, crash %v, warnings %q", done.Facts.Interrupted, done.Facts.Aborted, done.Crash, done.Warnings)
	}
}

func TestPanicInAShardIsTheRunsOwn(t *testing.T) {
	a, l := startCrewed(t, "shard panics", 2, "", nil)
	done := a.drive(load.Stops{Starting: context.Background(), Now: patient(t)}, l)
	if done.Crash == nil || done.Crash.Value != "a bug in the driver" || !strings.Contains(done.Crash.Stack, "clockworkLine") {
		t.Fatalf("crash %+v", done.Crash)
	}
	verdict := judged(a.scenario, done).Verdict
	if want := "cstest itself failed: a goroutine of the load panicked"; done.Facts.Interrupted.String() != want || verdict != "incomplete" {
		t.Errorf("interrupted %q, verdict %s", done.Facts.Interrupted, verdict)
	}
}

// Half of the turns are bad: all of one shard's.
func TestGuardIsAboutTheWholeLoad(t *testing.T) {
	done := crewed(t, "shard bad first", 2, "guard: {abort: {bad: 80%, for: 1s}}\n", nil)
	if n, bad := done.Snapshot.Turns(), done.Snapshot.Turns()-done.Snapshot.Answered(); n != 150 || bad != 75 || len(done.Facts.Aborted) > 0 || len(done.Facts.Interrupted) > 0 {
		t.Errorf("%d turns, %d bad, aborted %q, interrupted %q", n, bad, done.Facts.Aborted, done.Facts.Interrupted)
	}
}

func TestGuardEndsEveryShard(t *testing.T) {
	done := crewed(t, "shard bad all", 2, "guard: {abort: {bad: 80%, for: 1s}}\n", nil)
	if !strings.HasPrefix(done.Facts.Aborted.String(), "guard.abort: at least 80 % of turns bad for 1 s, at ") || len(done.Facts.Interrupted) > 0 {
		t.Errorf("aborted %q, interrupted %q", done.Facts.Aborted, done.Facts.Interrupted)
	}
	if n := done.Snapshot.Turns(); n >= 150 || n == 0 || done.Snapshot.Answered() != 0 {
		t.Errorf("%d turns, %d answered: it was to end early", n, done.Snapshot.Answered())
	}
}

// A shard that is gone is told of at once, and ends the run: a part of the plan
// would be missing.
func TestKilledShardEndsTheRun(t *testing.T) {
	var told []string
	var after crew.Counters
	var l *crewLoader
	a, l := startCrewed(t, "shard dies", 3, "", func(o *Options) {
		o.Notice = func(what reason.Reason) {
			line := what.String()
			told = append(told, line)
			after = l.crew.Counters()[1]
		}
	})
	done := a.drive(load.Stops{Starting: context.Background(), Now: patient(t)}, l)
	want := "shard 1/3 ended before its load did: signal: killed: its part of the plan, and what it measured last, are lost"
	if len(told) != 1 || told[0] != "warning: "+want {
		t.Errorf("told %q", told)
	}
	verdict := judged(a.scenario, done).Verdict
	if done.Facts.Interrupted.String() != want || !slices.Contains(done.Warnings.Texts(reason.English), "load: "+want) || verdict != "incomplete" {
		t.Errorf("interrupted %q, warnings %q, verdict %s", done.Facts.Interrupted, done.Warnings, verdict)
	}
	if after.InFlight != 0 || after.Conversations != 0 || after.Started == 0 {
		t.Errorf("its counters are still %+v", after)
	}
	gone := func(p measure.Process) bool {
		return p.Name == "cstest shard 1/3" && p.Exit == "signal: killed" && p.Ended >= time.Second && p.Ended <= done.Snapshot.Elapsed && p.MaxRSS > 1<<20
	}
	if !slices.ContainsFunc(done.Facts.Processes, gone) || len(done.Facts.Processes) != 4 {
		t.Errorf("processes %+v", done.Facts.Processes)
	}
	// The first second of three is known, and the others went on no longer.
	if n := done.Snapshot.Turns(); n < 40 || n > 125 {
		t.Errorf("%d turns", n)
	}
	if took := done.Snapshot.Elapsed; took > 2800*time.Millisecond {
		t.Errorf("the load went on for %s", took)
	}
}

// What a shard writes on its standard error is in a log of its own, without
// secrets, and on nobody's terminal.
func TestShardsWriteToLogs(t *testing.T) {
	terminal, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	own := os.Stderr
	os.Stderr = terminal
	defer func() { os.Stderr = own }()
	dir := filepath.Join(t.TempDir(), "logs")
	crewed(t, "shard speaks", 2, "", func(o *Options) { o.LogDir, o.Redact = dir, noCanary })
	for _, name := range []string{"shard-0.log", "shard-1.log"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != "the [redacted] sings\n" {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	if b, err := os.ReadFile(terminal.Name()); err != nil || len(b) > 0 {
		t.Errorf("on the terminal: %q %v", b, err)
	}
}

// A shard that cannot drive its load is told of once.
func TestFailingShardIsToldOfOnce(t *testing.T) {
	t.Setenv(asChild, "shard fails")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Scenario: parse(t, anyTarget+"}", tenSeconds), Executable: self, Processes: 1, LogDir: dir, Resolved: "no scenario"}
	_, err = newAttempt(&o).newCrewLoader(patient(t), &o)
	if err == nil || strings.Count(err.Error(), "scenario.yaml:1:1") != 1 || !strings.HasPrefix(err.Error(), "shard 0/1: ") {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "shard-0.log")); err != nil || len(b) > 0 {
		t.Errorf("and again in its log: %q %v", b, err)
	}
}
