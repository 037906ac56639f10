package dialog

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
)

// never is so long that no trip leaves but the first, and those that are full.
const never = time.Hour

// ferryStore is a store on a real Redis whose first trip has left.
func ferryStore(t *testing.T, every time.Duration) (*Store, *redistest.Server, *RoundTrips) {
	t.Helper()
	r := redistest.Start(t)
	var trips RoundTrips
	o := StoreOptions{Timeout: 4 * never, Pool: 2 * ferryPlaces, Attempts: 1, RoundTrips: 2, Gather: every, Trips: &trips}
	s := NewStore(Connect(&redis.Options{Addr: r.Addr}, o), o)
	t.Cleanup(func() { s.redis.Close() })
	if _, _, err := s.Begin(t.Context(), testDialog, "t0", "h", true, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, s.Fresh(testDialog), "t0", "0"); err != nil {
		t.Fatal(err)
	}
	return s, r, &trips
}

func ferryDialog(i int) string { return fmt.Sprintf("%032x", i) }

// atOnce runs f for as many dialogs as a trip takes.
func atOnce(f func(i int)) {
	var all sync.WaitGroup
	for i := range ferryPlaces {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// Turns of many dialogs go together, and each has its own.
func TestTurnsOfManyDialogsShareTheirRoundTrips(t *testing.T) {
	s, _, trips := ferryStore(t, never)
	before := trips.Count()
	text := func(i, turn int) string { return fmt.Sprintf("%d.%d", i, turn) }
	atOnce(func(i int) {
		h := s.Fresh(ferryDialog(i))
		if err := put(t, s, h, "t1", text(i, 1)); err != nil {
			t.Error(err)
		}
	})
	holds := make([]*Hold, ferryPlaces)
	atOnce(func(i int) {
		h, _, err := s.Begin(t.Context(), ferryDialog(i), "t2", "h", true, time.Hour)
		if err != nil || users(h) != text(i, 1) {
			t.Errorf("begin %d: %v, %+v", i, err, h)
		}
		holds[i] = h
	})
	if t.Failed() {
		return
	}
	atOnce(func(i int) {
		if err := put(t, s, holds[i], "t2", text(i, 2)); err != nil {
			t.Error(err)
		}
	})
	atOnce(func(i int) {
		h, _, err := s.Begin(t.Context(), ferryDialog(i), "t3", "h", true, time.Hour)
		if err != nil || users(h) != text(i, 1)+" "+text(i, 2) {
			t.Errorf("begin %d: %v, %+v", i, err, h)
		}
	})
	if got := trips.Count() - before; got != 4 {
		t.Errorf("%d round trips for two begins and two commits of %d dialogs, want 4", got, ferryPlaces)
	}
}

// What is wrong with one dialog is no other's business.
func TestAFerrySinksForNobody(t *testing.T) {
	s, r, _ := ferryStore(t, never)
	for i := range 3 {
		r.Tell(t, "SET", ListKey(ferryDialog(i)), "x")
	}
	atOnce(func(i int) {
		err := put(t, s, s.Fresh(ferryDialog(i)), "t1", "a")
		if i < 3 != errors.Is(err, ErrState) {
			t.Errorf("commit %d: %v", i, err)
		}
	})
	atOnce(func(i int) {
		h, _, err := s.Begin(t.Context(), ferryDialog(i), "t2", "h", true, time.Hour)
		if err != nil || (i < 3) != h.Lost() {
			t.Errorf("begin %d: %v, %+v", i, err, h)
		}
	})
}

// Who leaves before the trip does not take it away from the others.
func TestAPassengerLeaves(t *testing.T) {
	s, _, trips := ferryStore(t, never)
	before := trips.Count()
	ctx, leave := context.WithCancel(t.Context())
	var gone sync.WaitGroup
	gone.Go(func() {
		if _, _, err := s.Begin(ctx, testDialog, "t1", "h", false, time.Hour); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
	})
	for boarded := false; !boarded; {
		s.asks.mu.Lock()
		boarded = s.asks.waiting != nil
		s.asks.mu.Unlock()
	}
	leave()
	gone.Wait()
	if _, _, err := s.Begin(ctx, testDialog, "t1", "h", false, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("who never came: %v", err)
	}
	var others sync.WaitGroup
	for i := range ferryPlaces - 1 {
		others.Go(func() {
			if _, _, err := s.Begin(t.Context(), ferryDialog(i), "t1", "h", true, time.Hour); err != nil {
				t.Errorf("begin %d: %v", i, err)
			}
		})
	}
	others.Wait()
	if got := trips.Count() - before; got != 1 {
		t.Errorf("%d round trips, want 1", got)
	}
}

// A trip that does not come back is an error of all who were on it.
func TestAFerryIsLost(t *testing.T) {
	s, r, _ := ferryStore(t, never)
	r.Kill()
	atOnce(func(i int) {
		if err := put(t, s, s.Fresh(ferryDialog(i)), "t1", "a"); !errors.Is(err, ErrState) {
			t.Errorf("commit %d: %v", i, err)
		}
	})
	atOnce(func(i int) {
		if _, _, err := s.Begin(t.Context(), ferryDialog(i), "t1", "h", false, time.Hour); !errors.Is(err, ErrState) {
			t.Errorf("begin %d: %v", i, err)
		}
	})
}

// Trips of begins leave connections to commits, too: what finds none in time was never
// sent.
func TestAFerryFindsNoPlace(t *testing.T) {
	s, _, trips := ferryStore(t, never)
	for range cap(s.begins) {
		s.begins <- struct{}{}
	}
	before := trips.Count()
	atOnce(func(i int) {
		if _, _, err := s.Begin(t.Context(), ferryDialog(i), "t1", "h", true, time.Hour); !errors.Is(err, ErrCrowded) {
			t.Errorf("begin %d: %v", i, err)
		}
	})
	s.asks.left = time.Time{} // the next goes at once, and alone
	if _, _, err := s.Begin(t.Context(), testDialog, "t1", "h", true, time.Hour); !errors.Is(err, ErrCrowded) {
		t.Errorf("alone: %v", err)
	}
	if got := trips.Count() - before; got != 0 {
		t.Errorf("%d round trips of what found no place", got)
	}
	s.orphans.Range(func(token, _ any) bool {
		t.Errorf("the lease %v is looked for", token)
		return true
	})
	atOnce(func(i int) {
		if err := put(t, s, s.Fresh(ferryDialog(i)), "t1", "a"); err != nil {
			t.Errorf("commit %d: %v", i, err)
		}
	})
}

// A trip leaves when it is time, though it is not full.
func TestAFerryLeavesOnTime(t *testing.T) {
	s, _, _ := ferryStore(t, time.Millisecond)
	for i := range 20 {
		h, _, err := s.Begin(t.Context(), ferryDialog(i), "t1", "h", true, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
	}
}
