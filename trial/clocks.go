package trial

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// reading is the three clocks at one instant.
type reading struct{ monotonic, boot, wall time.Duration }

// stepLeast is the least difference between two clocks that counts: adjusting a
// clock's rate moves it by half a millisecond a second at most, and reading three
// clocks one after the other may be interrupted.
const stepLeast = 300 * time.Millisecond

// drift is the sink that watches clocks run apart.
type drift struct {
	read  func() (reading, bool) // false where the system does not tell; nil: nobody watches
	last  reading
	since time.Duration // of the load, at the last look
	begun bool

	incidents []measure.Incident
}

// take looks at the clocks.
func (d *drift) take(c *cut) {
	if d.read != nil {
		d.incidents = append(d.incidents, d.look(c.elapsed)...)
	}
}

// look compares the clocks with those of the last look. The boot clock runs on
// while the machine sleeps and the monotonic one, with which everything is
// measured, does not; the wall clock runs on too, and can be set.
func (d *drift) look(elapsed time.Duration) []measure.Incident {
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
	var list []measure.Incident
	if slept >= stepLeast {
		list = append(list, measure.Incident{Kind: measure.Suspended, At: since, By: slept, What: reason.New(reason.MachineSlept, slept.Round(100*time.Millisecond), int(since/time.Second)+1)})
	}
	if stepped >= stepLeast || stepped <= -stepLeast {
		list = append(list, measure.Incident{Kind: measure.ClockStep, At: since, By: stepped, What: reason.New(reason.ClockSet, stepped.Round(100*time.Millisecond), int(since/time.Second)+1)})
	}
	return list
}
