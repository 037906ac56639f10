package dialog

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// The lease of a begin whose reply never came belongs to nobody: the next turn
// takes it over, and one that is really under way is left alone.
func TestALeaseWithoutATurnIsTakenOver(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
			t.Fatal(err)
		}
		lost := &Hold{id: testDialog, token: RandomHex(8), since: time.Now()}
		if _, leased, err := s.tryOpen(t.Context(), lost, true, "t2", false); err != nil || !leased {
			t.Fatalf("lease: %v, %v", leased, err)
		}
		if _, _, err := s.Begin(t.Context(), testDialog, "t3", TextHash("c"), true, testKept.Hard); !errors.Is(err, ErrBusy) {
			t.Fatalf("beside a turn under way: %v, want ErrBusy", err)
		}
		s.orphans.Store(lost.token, struct{}{})
		h, _, err := s.Begin(t.Context(), testDialog, "t3", TextHash("c"), true, testKept.Hard)
		if err != nil || !h.leased || h.seq != 2 {
			t.Fatalf("after a begin without a reply: %+v, %v", h, err)
		}
		if got, _ := m.Get(leaseKey(testDialog)); got != h.token+"t3" {
			t.Errorf("the lease is %q, want that of t3", got)
		}
	})
}

// Begins leave connections to commits.
func TestBeginsLeaveRoomForCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := make(places, 1)
		if err := p.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := p.take(t.Context()); !errors.Is(err, ErrCrowded) || time.Since(start) != poolWait {
			t.Errorf("%v after %v, want ErrCrowded after %v", err, time.Since(start), poolWait)
		}
		p.leave()
		if err := p.take(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
