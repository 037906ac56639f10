package load

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
)

// A panic ends the load, and nothing that was measured is lost.
func TestPanicEndsTheLoadAndKeepsWhatWasMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var n atomic.Int64
		f := newFake()
		f.answer = func(time.Duration, *driver.User, *driver.Turn, *driver.Reply) time.Duration {
			if n.Add(1) == 25 {
				panic("index out of range, secret sesame")
			}
			return 250 * time.Millisecond
		}
		b := &book{}
		s, err := Run(always(), Options{Scenario: open(10, 100*time.Second), Seed: 7, Driver: f, Lanes: []Lane{b}, Base: f.base, plain: true})
		if err != nil {
			t.Fatal(err)
		}
		if s.Crash == nil || s.Crash.Value != "index out of range, secret sesame" || !strings.Contains(s.Crash.Stack, "carry") {
			t.Fatalf("crash %+v", s.Crash)
		}
		if s.Interrupted.String() != "cstest itself failed: a goroutine of the load panicked" {
			t.Errorf("interrupted: %q", s.Interrupted)
		}
		// Ten starts a second, and the 25th panicked: the 24 before it are there, the
		// last of them interrupted, and no start came after it.
		if len(b.started) != 24 || len(b.turns) != 24 || s.Elapsed > 3*time.Second {
			t.Errorf("%d starts and %d turns recorded in %s", len(b.started), len(b.turns), s.Elapsed)
		}
	})
}
