package dialog

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// A replica took over without the last turn: the list looks whole, and is not.
func TestALostTailIsANewEpoch(t *testing.T) {
	for _, gone := range []int{1, 2} {
		bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
			h := s.Fresh(testDialog)
			for i := 1; i <= 3; i++ {
				if i > 1 {
					h = start(t, s, fmt.Sprint("t", i), "x")
				}
				if err := put(t, s, h, fmt.Sprint("t", i), "x"); err != nil {
					t.Fatal(err)
				}
			}
			for range gone {
				if _, err := m.Pop(ListKey(testDialog)); err != nil {
					t.Fatal(err)
				}
			}
			if turns, err := s.History(t.Context(), testDialog); err != nil || len(turns) != 0 {
				t.Errorf("history shows %d turns as if they were all, %v", len(turns), err)
			}
			next := start(t, s, "t4", "y")
			if !next.Lost() || next.Seq() != 1 || next.Epoch() <= h.Epoch() || len(next.Turns()) != 0 {
				t.Fatalf("lost %v, seq %d, epoch %d after %d, %d turns", next.Lost(), next.Seq(), next.Epoch(), h.Epoch(), len(next.Turns()))
			}
			if err := put(t, s, next, "t4", "y"); err != nil {
				t.Fatal(err)
			}
			if after := start(t, s, "t5", "z"); users(after) != "y" || after.Lost() || after.Epoch() != next.Epoch() {
				t.Errorf("then %q, lost %v", users(after), after.Lost())
			}
		})
	}
}

// Turns that another server committed are no loss, and neither is a new epoch of
// its making.
func TestTurnsOfOtherServersAreNoLoss(t *testing.T) {
	s, m := testStore(t, 2)
	other, _ := testStore(t, 2)
	other.redis, other.patient = s.redis, s.patient
	if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
		t.Fatal(err)
	}
	theirs := start(t, other, "t2", "b")
	if err := put(t, other, theirs, "t2", "b"); err != nil {
		t.Fatal(err)
	}
	h := start(t, s, "t3", "c")
	if users(h) != "a b" || h.Lost() {
		t.Fatalf("%q, lost %v", users(h), h.Lost())
	}
	s.Release(h)
	time.Sleep(2 * time.Millisecond) // epochs are milliseconds of the real clock
	m.FlushAll()
	theirs = start(t, other, "t4", "d")
	if err := put(t, other, theirs, "t4", "d"); err != nil {
		t.Fatal(err)
	}
	if h := start(t, s, "t5", "e"); users(h) != "d" || h.Lost() || h.Epoch() != theirs.Epoch() {
		t.Errorf("%q, lost %v, epoch %d, want d of epoch %d", users(h), h.Lost(), h.Epoch(), theirs.Epoch())
	}
}

// The reply to a commit got lost, the caller was told something else, and that is
// what the turn answers from then on, here and on other servers.
func TestWhatTheCallerWasToldCounts(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		h := s.Fresh(testDialog)
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
		told := testRecord(h, "t1", "a")
		told.Response = []byte(`{"answer":"re: a","persisted":false}`)
		s.Finish(h, told, testKept)
		s.late.wait(t.Context(), testDialog, 10*time.Second)
		_, replay, err := s.Begin(t.Context(), testDialog, "t1", TextHash("a"), true, testKept.Hard)
		if err != nil || string(replay) != string(told.Response) {
			t.Errorf("replay %s, %v; want %s", replay, err, told.Response)
		}
		next := start(t, s, "t2", "b")
		if users(next) != "a" || next.Seq() != 2 {
			t.Errorf("%q, next seq %d", users(next), next.Seq())
		}
		if err := put(t, s, next, "t2", "b"); err != nil {
			t.Errorf("commit behind it: %v", err)
		}
	})
}

func TestAnswersAreRecalled(t *testing.T) {
	s, _ := testStore(t, 2)
	for i := range 5 {
		s.Remember(testDialog, fmt.Sprint("t", i), "h", fmt.Append(nil, i))
	}
	for i, want := range []string{"", "", "2", "3", "4"} {
		if got, err := s.Recall(testDialog, fmt.Sprint("t", i), "h"); string(got) != want || err != nil {
			t.Errorf("t%d: %q, %v; want %q", i, got, err, want)
		}
	}
	if _, err := s.Recall(testDialog, "t4", "other"); !errors.Is(err, ErrReused) {
		t.Errorf("another text: %v, want ErrReused", err)
	}
	if err := s.Erase(t.Context(), testDialog); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Recall(testDialog, "t4", "h"); got != nil {
		t.Errorf("erased, and still %s", got)
	}
}

func TestRecentIsBounded(t *testing.T) {
	r := newRecent[int](4)
	for i := range 100 {
		r.change(fmt.Sprint(i), func(int) int { return i })
		if n := len(r.young) + len(r.old); n > 8 {
			t.Fatalf("%d entries after %d", n, i+1)
		}
		for back := range min(4, i+1) {
			if v, ok := r.get(fmt.Sprint(i - back)); !ok || v != i-back {
				t.Fatalf("after %d: %d is %d, %v", i, i-back, v, ok)
			}
		}
	}
	r.drop("99")
	if _, ok := r.get("99"); ok {
		t.Error("dropped, and still there")
	}
}

// A commit that is still tried does not bring an erased dialog back.
func TestErasureEndsLateCommits(t *testing.T) {
	s, m := testStore(t, 2)
	h := s.Fresh(testDialog)
	m.SetError("LOADING")
	s.Finish(h, testRecord(h, "t1", "a"), testKept)
	pending := s.late.of(testDialog)
	if err := s.Erase(t.Context(), testDialog); !errors.Is(err, ErrState) {
		t.Errorf("erase without Redis: %v, want ErrState", err)
	}
	<-pending.ended
	m.SetError("")
	if err := s.Erase(t.Context(), testDialog); err != nil || holds(t, s, testDialog) != erasedMark {
		t.Errorf("%v; there: %s", err, holds(t, s, testDialog))
	}
}
