package load

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
)

// tally is a lane that only counts.
type tally struct {
	book
	turns, late int
}

func (l *tally) Started(time.Duration) {}

func (l *tally) Ended(measure.ConversationEnd, *measure.Dialog) {}

func (l *tally) Record(t *measure.Turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turns++
	if t.Lag > 0 {
		l.late++
	}
}

// The seed's burst, in fake time: all of it is issued, when it was planned.
func TestBurstOfAHundredThousandIn5s(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sc := open(20000, 5*time.Second)
		f := newFake()
		l := &tally{}
		s, err := Run(always(), Options{Scenario: sc, Seed: 1, Driver: &slow{f}, Lanes: []Lane{l}, Base: f.base, plain: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Planned != 100_000 || s.Started != 100_000 || l.turns != 100_000 || l.late != 0 || s.Generator.MaxInFlight < 6000 || s.Generator.MaxInFlight > 6001 {
			t.Errorf("started %d of %d, %d turns, %d late, %d at once; want all of 100000 on time, 6000 at once",
				s.Started, s.Planned, l.turns, l.late, s.Generator.MaxInFlight)
		}
	})
}

// slow answers after 0.3 s, so that no more goroutines are alive than the race
// detector can follow, and remembers nothing.
type slow struct{ *fake }

func (s *slow) Open(*driver.User) driver.Channel {
	return (&clocked{base: s.base, after: 300 * time.Millisecond}).line()
}
