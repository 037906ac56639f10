package trial

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/measure"
)

// slowSource has each second 200 ms after it is over; its second cut fails.
type slowSource struct {
	plan *measure.Plan
	cuts int
}

func (s *slowSource) Await(time.Duration) { time.Sleep(200 * time.Millisecond) } // of fake time

func (s *slowSource) Cut(elapsed time.Duration) (*measure.Snapshot, error) {
	s.cuts++
	last := measure.NewInterval(s.plan)
	last.Elapsed, last.Started = elapsed, int64(s.cuts)
	if s.cuts == 2 {
		return last, errors.New("counts lost")
	}
	return last, nil
}

// Every interval reaches every sink in their order, that of a cut that failed
// and the last one too.
func TestWatchPassesEveryIntervalToEverySink(t *testing.T) {
	plan := Plan(parse(t, anyTarget+"}", tenSeconds))
	synctest.Test(t, func(t *testing.T) {
		w := newWatch(time.Now(), &slowSource{plan: plan}, plan, noCanary)
		var order []string
		var at []time.Duration
		var soFar []int64
		w.sinks = []sink{
			func(c *cut) {
				order = append(order, "first")
				at = append(at, c.elapsed)
			},
			func(c *cut) {
				order = append(order, "second")
				soFar = append(soFar, c.soFar.Started)
			},
		}
		stop := w.start()
		time.Sleep(2500 * time.Millisecond) // of fake time
		stop()
		if want := []string{"first", "second", "first", "second", "first", "second"}; !slices.Equal(order, want) {
			t.Errorf("sinks were called %q, want %q", order, want)
		}
		if want := []time.Duration{1200 * time.Millisecond, 2200 * time.Millisecond, 2500 * time.Millisecond}; !slices.Equal(at, want) {
			t.Errorf("cut at %s, want %s", at, want)
		}
		if want := []int64{1, 3, 6}; !slices.Equal(soFar, want) || w.snapshot.Started != 6 {
			t.Errorf("added up to %d, then %d, want %d", soFar, w.snapshot.Started, want)
		}
		if len(w.warnings) != 1 {
			t.Errorf("warnings %q, want that of the second cut", w.warnings)
		}
	})
}
