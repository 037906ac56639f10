package trial

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// beShard is a shard process whose target is a clockwork of its own: that of
// shard 1 panics, that of shard 0 answers badly, all do, or none.
func beShard(role string, in io.Reader, out, errs io.Writer) int {
	f := &framer{w: out}
	err := runShard(context.Background(), in, f, func(a *attempt) error {
		c := &clockwork{base: a.base}
		switch {
		case role == "shard panics" && a.Shard == 1:
			c.panic = 10
		case role == "shard bad first" && a.Shard == 0, role == "shard bad all":
			c.bad = true
		}
		a.driver = c
		return nil
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
func crewed(t *testing.T, role string, n int, more string, change func(*attempt)) *Done {
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
	a := &attempt{Options: Options{Scenario: s, Executable: self, Processes: n, Resolved: yaml}, plan: Plan(s), servers: &servers{}}
	a.fill()
	a.base = time.Now().Add(500 * time.Millisecond)
	if change != nil {
		change(a)
	}
	if a.crew, err = startCrew(patient(t), a, yaml); err != nil {
		t.Fatal(err)
	}
	a.source = a.crew.pending
	done := &Done{Facts: &measure.Facts{}}
	a.drive(patient(t), context.Background(), nil, done)
	done.Result = Judge(s, done.Snapshot, done.Facts, done.Incidents)
	return done
}

func TestCrewRunsThePlan(t *testing.T) {
	var seconds []int64 // turns by the intervals shown
	done := crewed(t, "shard well", 2, "", func(a *attempt) {
		a.Observe = func(l *Live) { seconds = append(seconds, l.Last.Turns()) }
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
	if done.Facts.Interrupted != "" || done.Facts.Aborted != "" || done.Crash != nil || len(done.Warnings) != 0 {
		t.Errorf("interrupted %q, aborted %q, crash %v, warnings %q", done.Facts.Interrupted, done.Facts.Aborted, done.Crash, done.Warnings)
	}
}

func TestPanicInAShardIsTheRunsOwn(t *testing.T) {
	done := crewed(t, "shard panics", 2, "", nil)
	if done.Crash == nil || done.Crash.Value != "a bug in the driver" || !strings.Contains(done.Crash.Stack, "clockworkLine") {
		t.Fatalf("crash %+v", done.Crash)
	}
	if want := "cstest itself failed: a goroutine of the load panicked"; done.Facts.Interrupted != want || done.Result.Verdict != sla.Incomplete {
		t.Errorf("interrupted %q, verdict %s", done.Facts.Interrupted, done.Result.Verdict)
	}
}

// What a shard warns of says which shard it was, and a reason to distrust one is
// a reason to distrust the whole.
func TestCrewTellsWhatItsShardsTold(t *testing.T) {
	c := &crew{members: []*member{
		{ending: &ending{Facts: &measure.Facts{Generator: measure.Generator{MaxInFlight: 3, Cores: 2}}}},
		{},
		{ending: &ending{
			Facts:    &measure.Facts{Interrupted: "load: no lane", Generator: measure.Generator{MaxInFlight: 4, Cores: 2}},
			Warnings: []string{"recording: counts lost"},
		}},
	}}
	done := &Done{Facts: &measure.Facts{}}
	c.told(done)
	if len(done.Warnings) != 1 || done.Warnings[0] != "shard 2/3: recording: counts lost" {
		t.Errorf("warnings %q", done.Warnings)
	}
	if f := done.Facts; f.Interrupted != "load: no lane" || f.Generator.MaxInFlight != 7 || f.Generator.Cores != 2 {
		t.Errorf("facts %+v", f)
	}
}

// Half of the turns are bad: all of one shard's.
func TestGuardIsAboutTheWholeLoad(t *testing.T) {
	done := crewed(t, "shard bad first", 2, "guard: {abort: {bad: 80%, for: 1s}}\n", nil)
	if n, bad := done.Snapshot.Turns(), done.Snapshot.Turns()-done.Snapshot.Answered(); n != 150 || bad != 75 || done.Facts.Aborted != "" || done.Facts.Interrupted != "" {
		t.Errorf("%d turns, %d bad, aborted %q, interrupted %q", n, bad, done.Facts.Aborted, done.Facts.Interrupted)
	}
}

func TestGuardEndsEveryShard(t *testing.T) {
	done := crewed(t, "shard bad all", 2, "guard: {abort: {bad: 80%, for: 1s}}\n", nil)
	if !strings.HasPrefix(done.Facts.Aborted, "guard.abort: at least 80% of turns bad for 1s, at ") || done.Facts.Interrupted != "" {
		t.Errorf("aborted %q, interrupted %q", done.Facts.Aborted, done.Facts.Interrupted)
	}
	if n := done.Snapshot.Turns(); n >= 150 || n == 0 || done.Snapshot.Answered() != 0 {
		t.Errorf("%d turns, %d answered: it was to end early", n, done.Snapshot.Answered())
	}
}
