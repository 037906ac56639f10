package trial

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// The kinds of incidents.
const (
	OtherTarget = "other_target" // another server than the one the preflight met answered
	Suspended   = "suspended"    // the generator's machine slept
	ClockStep   = "clock_step"   // its wall clock was set; durations are not measured with it
)

// Incident is something that befell a run as a whole and that its turns do not
// show. At and By are on the monotonic clock of the load.
type Incident struct {
	Kind string        `json:"kind"`
	At   time.Duration `json:"at_ns"`
	By   time.Duration `json:"by_ns,omitempty"` // length of a sleep, size of a step
	What reason.Reason `json:"what"`
}

// Judge judges a run and what befell it: sla.Evaluate, and then
//
//   - answers of another server are no evidence for this one: what would pass is
//     inconclusive, and the reasons say so;
//   - seconds in which the machine slept are tainted, and a target cannot fail for
//     them: what would fail is invalid, unless foreign content was answered;
//   - a step of the wall clock is a warning, for nothing is measured with it.
func Judge(s *scenario.Scenario, snap *measure.Snapshot, facts *measure.Facts, incidents []Incident) sla.Result {
	r := sla.Evaluate(s, snap, facts)
	for _, i := range incidents {
		switch i.Kind {
		case OtherTarget:
			if r.Verdict == sla.Pass {
				r.Verdict = sla.Inconclusive
			}
			r.Reasons = append(r.Reasons, i.What)
		case Suspended:
			second := int(i.At / time.Second)
			r.Generator.Tainted = withSecond(r.Generator.Tainted, second)
			if r.Verdict == sla.Fail && snap.Counts[measure.Integrity] == 0 {
				r.Verdict = sla.Invalid
				r.Generator.Reasons = append(r.Generator.Reasons, i.What)
				r.Reasons = append(reason.Reasons{i.What}, r.Reasons...)
			}
		}
		r.Warnings = append(r.Warnings, i.What)
	}
	return r
}

// withSecond inserts a second into an ordered list that may have it.
func withSecond(list []int, second int) []int {
	at := len(list)
	for i, s := range list {
		if s == second {
			return list
		}
		if s > second {
			at = i
			break
		}
	}
	out := append(append(make([]int, 0, len(list)+1), list[:at]...), second)
	return append(out, list[at:]...)
}

// reading is the three clocks at one instant.
type reading struct{ monotonic, boot, wall time.Duration }

// stepLeast is the least difference between two clocks that counts: adjusting a
// clock's rate moves it by half a millisecond a second at most, and reading three
// clocks one after the other may be interrupted.
const stepLeast = 300 * time.Millisecond

// drift watches clocks run apart.
type drift struct {
	read  func() (reading, bool) // false where the system does not tell
	last  reading
	since time.Duration // of the load, at the last look
	begun bool
}

// look compares the clocks with those of the last look. The boot clock runs on
// while the machine sleeps and the monotonic one, with which everything is
// measured, does not; the wall clock runs on too, and can be set.
func (d *drift) look(elapsed time.Duration) []Incident {
	now, ok := d.read()
	if !ok {
		return nil
	}
	last, since, begun := d.last, d.since, d.begun
	d.last, d.since, d.begun = now, elapsed, true
	if !begun {
		return nil
	}
	passed := now.monotonic - last.monotonic
	slept := now.boot - last.boot - passed
	stepped := now.wall - last.wall - passed - slept
	var list []Incident
	if slept >= stepLeast {
		list = append(list, Incident{Suspended, since, slept, reason.New(reason.MachineSlept, slept.Round(100*time.Millisecond), int(since/time.Second)+1)})
	}
	if stepped >= stepLeast || stepped <= -stepLeast {
		list = append(list, Incident{ClockStep, since, stepped, reason.New(reason.ClockSet, stepped.Round(100*time.Millisecond), int(since/time.Second)+1)})
	}
	return list
}
