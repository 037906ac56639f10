package trial

import (
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

func TestClocksThatRunApart(t *testing.T) {
	const hour = time.Hour
	for _, tt := range []struct {
		name       string
		passed     time.Duration // by the monotonic clock, between two looks
		slept, set time.Duration // by how much more the boot clock, and beyond that the wall clock
		kind       measure.IncidentKind
		want, skip string
		by         time.Duration
	}{
		{"nothing", time.Second, 0, 0, "", "", "", 0},
		{"a slewed clock", time.Second, 0, 500 * time.Microsecond, "", "", "", 0},
		{"a smeared leap second", time.Second, 0, -12 * time.Microsecond, "", "", "", 0},
		{"an interrupted reading", time.Second, 200 * time.Millisecond, 200 * time.Millisecond, "", "", "", 0},
		{"an hour forward", time.Second, 0, hour, measure.ClockStep, "set by +1 h in second 8", "", hour},
		{"an hour back", time.Second, 0, -hour, measure.ClockStep, "set by -1 h in second 8", "", -hour},
		{"a leap second", time.Second, 0, -time.Second, measure.ClockStep, "set by -1 s in second 8", "", -time.Second},
		{"sleep", time.Second, 90 * time.Second, 0, measure.Suspended, "slept for 1 min 30 s in second 8", "", 90 * time.Second},
	} {
		clocks := reading{monotonic: hour, boot: 3 * hour, wall: 400_000 * hour}
		d := drift{read: func() (reading, bool) { return clocks, true }}
		if got := d.look(7 * time.Second); got != nil {
			t.Fatalf("%s: the first look sees %v", tt.name, got)
		}
		clocks.monotonic += tt.passed
		clocks.boot += tt.passed + tt.slept
		clocks.wall += tt.passed + tt.slept + tt.set
		got := d.look(8 * time.Second)
		if tt.kind == "" {
			if len(got) != 0 {
				t.Errorf("%s: %+v", tt.name, got)
			}
			continue
		}
		if len(got) != 1 || got[0].Kind != tt.kind || got[0].At != 7*time.Second || got[0].By != tt.by || !strings.Contains(got[0].What.String(), tt.want) {
			t.Errorf("%s: %+v, want %s %q", tt.name, got, tt.kind, tt.want)
		}
		clocks.monotonic, clocks.boot, clocks.wall = clocks.monotonic+time.Second, clocks.boot+time.Second, clocks.wall+time.Second
		if again := d.look(9 * time.Second); len(again) != 0 {
			t.Errorf("%s: told twice: %+v", tt.name, again)
		}
	}
	both := reading{}
	d := drift{read: func() (reading, bool) { return both, true }}
	d.look(0)
	both = reading{time.Second, 11 * time.Second, 5 * time.Second} // slept 10 s and was set back by 6
	got := d.look(time.Second)
	if len(got) != 2 || got[0].By != 10*time.Second || got[1].By != -6*time.Second {
		t.Errorf("both at once: %+v", got)
	}
	blind := drift{read: func() (reading, bool) { return reading{wall: hour}, false }}
	if blind.look(0) != nil || blind.look(time.Second) != nil {
		t.Error("a system that does not tell is believed")
	}
}

func TestClocksOfThisMachineRunTogether(t *testing.T) {
	a, ok := readClocks()
	if !ok {
		t.Skip("no such clocks here")
	}
	b, _ := readClocks()
	if b.monotonic < a.monotonic || b.boot < a.boot || b.boot < b.monotonic-time.Second || b.wall < 50*365*24*time.Hour {
		t.Errorf("clocks %+v, then %+v", a, b)
	}
}

// recordedRun is a run of seconds with n turns each, all answered in latency and
// late by lag; in the seconds given otherwise as bad says.
func recordedRun(t *testing.T, s *scenario.Scenario, seconds, n int, bad map[int]func(*measure.Turn)) *measure.Snapshot {
	t.Helper()
	plan := Plan(s)
	r := measure.NewRecorder(plan, 1)
	lane := r.Lane(0)
	snap := measure.NewSnapshot(plan)
	for second := range seconds {
		for i := range n {
			at := time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(n)
			turn := &measure.Turn{Intended: at, Sent: at, FirstByte: at + 5*time.Millisecond, Done: at + 5*time.Millisecond}
			if change := bad[second]; change != nil {
				change(turn)
			}
			lane.Started(at)
			lane.Record(turn)
			lane.Ended(measure.Complete, nil)
		}
	}
	cut, err := r.Cut(time.Duration(seconds) * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if err := snap.Add(cut); err != nil {
		t.Fatal(err)
	}
	return snap
}

const tenSeconds = "{arrivals: constant, stages: [{name: s, for: 60s, starts: 100/s}]}"

// late is a turn that the generator was slow with, and which so looks slow.
func late(turn *measure.Turn) {
	turn.Lag = 3 * time.Second
	turn.Sent += turn.Lag
	turn.FirstByte += turn.Lag
	turn.Done += turn.Lag
}

// A generator that gets no CPU is late; that is never the target's failure, and
// a target that meets its SLA in spite of it has met it.
func TestStarvedGeneratorNeverFailsTheTarget(t *testing.T) {
	s := parse(t, anyTarget+"}", tenSeconds)
	facts := &measure.Facts{Generator: measure.Generator{Cores: 2}}
	for _, tt := range []struct {
		seconds int // late
		want    sla.Verdict
	}{{0, sla.Pass}, {2, sla.Pass}, {20, sla.Invalid}, {59, sla.Invalid}} {
		bad := map[int]func(*measure.Turn){}
		for second := range tt.seconds {
			bad[second] = late
		}
		got := sla.Evaluate(s, recordedRun(t, s, 60, 100, bad), facts)
		if got.Verdict != tt.want || len(got.Generator.Tainted) != tt.seconds {
			t.Errorf("%d late seconds: %s, want %s; %d tainted; %q", tt.seconds, got.Verdict, tt.want, len(got.Generator.Tainted), got.Reasons)
		}
		if tt.want == sla.Invalid && !strings.Contains(got.Reasons[0].String(), "in which the generator was late") {
			t.Errorf("%d late seconds: reasons %q", tt.seconds, got.Reasons)
		}
	}
	// A target that is as slow by itself fails: nobody was late.
	slow := func(turn *measure.Turn) { turn.Done += 3 * time.Second }
	bad := map[int]func(*measure.Turn){}
	for second := range 20 {
		bad[second] = slow
	}
	if got := sla.Evaluate(s, recordedRun(t, s, 60, 100, bad), facts); got.Verdict != sla.Fail {
		t.Errorf("a slow target: %s %q", got.Verdict, got.Reasons)
	}
}
