package dialog

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
)

// onEachStore runs a test with every way to Redis, on a miniredis and on a real one.
// again makes another server's store on the same Redis.
func onEachStore(t *testing.T, f func(t *testing.T, again func(change func(*StoreOptions)) *Store)) {
	t.Helper()
	for _, r := range []struct {
		name string
		addr func(t *testing.T) string
	}{
		{"miniredis", func(t *testing.T) string { return miniredis.RunT(t).Addr() }},
		{"redis-server", func(t *testing.T) string { return redistest.Start(t).Addr }},
	} {
		for _, way := range []StoreOptions{{RoundTrips: 2, Gather: time.Millisecond}, {RoundTrips: 2}, {RoundTrips: 4}} {
			t.Run(fmt.Sprintf("%s/%d round trips, gathered %v", r.name, way.RoundTrips, way.Gather > 0), func(t *testing.T) {
				addr := r.addr(t)
				f(t, func(change func(*StoreOptions)) *Store {
					o := way
					o.Timeout, o.Pool, o.Attempts = 2*time.Second, 50, 2
					if change != nil {
						change(&o)
					}
					s := NewStore(Connect(&redis.Options{Addr: addr}, o), o)
					t.Cleanup(func() { s.redis.Close() })
					return s
				})
			})
		}
	}
}

// holds is what Redis has in the place of a dialog's turns.
func holds(t *testing.T, s *Store, id string) string {
	t.Helper()
	kind := s.redis.Type(t.Context(), ListKey(id)).Val()
	if kind == "string" {
		return s.redis.Get(t.Context(), ListKey(id)).Val()
	}
	return kind
}

// A turn that is under way while its dialog is erased leaves nothing, however it began,
// and is told so.
func TestATurnUnderWayDoesNotOutliveErasure(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		s, eraser := again(nil), again(nil)
		for i, c := range []struct {
			name   string
			before int    // turns of the dialog
			spoil  string // an element that makes the list lost
			begin  func(id string) *Hold
		}{
			{name: "an id that was just drawn", begin: s.Fresh},
			{name: "the first turn"},
			{name: "a later turn", before: 3},
			{name: "a dialog that was lost", before: 2, spoil: "nonsense"},
		} {
			t.Run(c.name, func(t *testing.T) {
				id := fmt.Sprintf("%032x", i+1)
				for n := range c.before {
					h, _, err := s.Begin(t.Context(), id, fmt.Sprint("t", n), TextHash("x"), true, testKept.Hard)
					if err != nil {
						t.Fatal(err)
					}
					if err := put(t, s, h, fmt.Sprint("t", n), "x"); err != nil {
						t.Fatal(err)
					}
				}
				if c.spoil != "" {
					s.redis.RPush(t.Context(), ListKey(id), c.spoil)
				}
				var h *Hold
				if c.begin != nil {
					h = c.begin(id)
				} else {
					var err error
					if h, _, err = s.Begin(t.Context(), id, "turn", TextHash("said"), true, testKept.Hard); err != nil {
						t.Fatal(err)
					}
				}
				if err := eraser.Erase(t.Context(), id); err != nil {
					t.Fatal(err)
				}
				r := testRecord(h, "turn", "said")
				if err := s.Commit(t.Context(), h, r, testKept); !errors.Is(err, ErrErased) || errors.Is(err, ErrState) {
					t.Errorf("commit: %v, want ErrErased", err)
				}
				if got := holds(t, s, id); got != erasedMark {
					t.Errorf("left: %q", got)
				}
				if ttl := s.redis.PTTL(t.Context(), ListKey(id)).Val(); ttl <= 0 || ttl > leastMark {
					t.Errorf("the mark stands for %v, want %v at most", ttl, leastMark)
				}
				// Finished late, or sent again, it comes back no more.
				s.Finish(h, r, testKept)
				if c := s.late.of(id); c != nil {
					<-c.ended
				}
				for range 2 {
					if _, replay, err := s.Begin(t.Context(), id, "turn", TextHash("said"), true, testKept.Hard); !errors.Is(err, ErrErased) {
						t.Errorf("again: %s, %v, want ErrErased", replay, err)
					}
				}
				if n := s.redis.Exists(t.Context(), leaseKey(id)).Val(); n != 0 {
					t.Error("the lease is left")
				}
				if turns, err := s.History(t.Context(), id); err != nil || turns != nil {
					t.Errorf("history %v, %v", turns, err)
				}
				if got := holds(t, s, id); got != erasedMark {
					t.Errorf("left in the end: %q", got)
				}
			})
		}
	})
}

// What people and the model say later is refused as well.
func TestNotesDoNotOutliveErasure(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		s, eraser := again(nil), again(nil)
		h := s.Fresh(testDialog)
		if err := s.Commit(t.Context(), h, askingRecord(h, "t1", ticketID(1)), testKept); err != nil {
			t.Fatal(err)
		}
		wanted := 0
		added, err := s.AddAnswer(t.Context(), testDialog, Note{Turn: "t1", Text: "更好的"}, func(ctx context.Context) (bool, error) {
			wanted++
			return true, eraser.Erase(ctx, testDialog) // behind the last look
		})
		if added || err != nil || wanted != 1 {
			t.Errorf("an answer: added %v, %v, wanted asked %d times", added, err, wanted)
		}
		if err := s.AddNote(t.Context(), testDialog, Note{Ticket: ticketID(1), Agent: "a1", Text: "一"}, s.now()); err != nil {
			t.Errorf("a reply: %v", err)
		}
		if got := holds(t, s, testDialog); got != erasedMark {
			t.Errorf("left: %q", got)
		}
	})
}

// When the mark is gone the same id may begin a new dialog.
func TestAnErasedDialogMayBeginAnew(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		s := again(func(o *StoreOptions) { o.MarkLife = func() time.Duration { return 2 * time.Minute } })
		at := s.now()
		s.now = func() time.Time { return at }
		if err := s.Erase(t.Context(), testDialog); err != nil {
			t.Fatal(err)
		}
		if ttl := s.redis.PTTL(t.Context(), ListKey(testDialog)).Val(); ttl <= time.Minute || ttl > 2*time.Minute {
			t.Errorf("the mark stands for %v, want as long as the option says", ttl)
		}
		if !s.Gone(testDialog) {
			t.Error("unknown here")
		}
		s.redis.Del(t.Context(), ListKey(testDialog)) // its time is over
		at = at.Add(2 * time.Minute)
		if s.Gone(testDialog) {
			t.Error("gone for ever")
		}
		h := start(t, s, "t1", "新的")
		if err := put(t, s, h, "t1", "新的"); err != nil || !h.Lost() {
			t.Errorf("%v, lost %v", err, h.Lost())
		}
		s.Remember(testDialog, "t1", TextHash("新的"), []byte("{}"))
		if got, _ := s.Recall(testDialog, "t1", TextHash("新的")); got == nil {
			t.Error("the new dialog is not remembered")
		}
	})
}

// Turns and erasures in any order: once the last erasure is done and the last turn has
// ended, nothing is there.
func TestErasureWinsEveryRace(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		stores := []*Store{again(nil), again(nil)}
		var all sync.WaitGroup
		for d := range 8 {
			id := fmt.Sprintf("%032x", d+1)
			for n := range 6 {
				s := stores[n%2]
				all.Go(func() {
					if n == 5 {
						if err := s.Erase(t.Context(), id); err != nil {
							t.Error(err)
						}
						return
					}
					for i := range 4 {
						turn := fmt.Sprint("t", n, "-", i)
						h, _, err := s.Begin(t.Context(), id, turn, TextHash("x"), n%2 == 0, testKept.Hard)
						if err == nil {
							err = put(t, s, h, turn, "x")
						}
						if err != nil && !errors.Is(err, ErrErased) && !errors.Is(err, ErrBusy) && !errors.Is(err, ErrConflict) && !errors.Is(err, errLost) {
							t.Error(err)
						}
					}
				})
			}
		}
		all.Wait()
		for d := range 8 {
			if got := holds(t, stores[0], fmt.Sprintf("%032x", d+1)); got != erasedMark {
				t.Errorf("dialog %d: left: %q", d+1, got)
			}
		}
	})
}

// Somebody's nonsense in the place of a dialog still goes out of the way.
func TestNonsenseIsNoMark(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		s := again(nil)
		s.redis.Set(t.Context(), ListKey(testDialog), "x", time.Minute)
		p := s.redis.Pipeline()
		look := LookIn(t.Context(), p, testDialog)
		if _, err := p.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		if erased, err := look.Erased(t.Context(), s.redis); erased || err != nil {
			t.Errorf("a look: %v, %v", erased, err)
		}
		h := start(t, s, "t1", "a")
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
		s.redis.Set(t.Context(), ListKey(testDialog), "x", time.Minute)
		h = s.Fresh(testDialog)
		if err := put(t, s, h, "t2", "b"); !errors.Is(err, ErrState) {
			t.Errorf("commit on nonsense: %v, want ErrState", err)
		}
		if err := put(t, s, h, "t2", "b"); err != nil {
			t.Errorf("and again: %v", err)
		}
	})
}

// What one server erases the others hear of, once each, all of it; and nobody answers
// an erased turn from memory.
func TestErasuresAreHeardEverywhere(t *testing.T) {
	onEachStore(t, func(t *testing.T, again func(func(*StoreOptions)) *Store) {
		heard := map[string]time.Time{}
		calls := 0
		b := again(func(o *StoreOptions) {
			o.Erased = func(list Erasures) {
				maps.Copy(heard, list)
				calls++
			}
		})
		a := again(nil)
		b.Remember(testDialog, "t1", "h", []byte("{}"))
		if err := a.Erase(t.Context(), testDialog); err != nil {
			t.Fatal(err)
		}
		if erased, err := b.Erased(t.Context(), testDialog); !erased || err != nil {
			t.Errorf("asked: %v, %v", erased, err)
		}
		const more = erasedBatch + 20
		for i := range more {
			if err := a.Erase(t.Context(), fmt.Sprintf("%032x", i)); err != nil {
				t.Fatal(err)
			}
		}
		for _, bad := range [][]any{{"d", "x", "u", "1"}, {"d", testDialog, "u", "soon"}, {"other", "1"}} {
			b.redis.XAdd(t.Context(), &redis.XAddArgs{Stream: erasedStream, Values: bad})
		}
		if err := b.CatchUp(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(heard) != more+1 || heard[testDialog].IsZero() || calls < 2 {
			t.Errorf("heard of %d in %d calls, want %d in two", len(heard), calls, more+1)
		}
		if got, _ := b.Recall(testDialog, "t1", "h"); got != nil || !b.Gone(testDialog) {
			t.Errorf("still remembered: %s; gone %v", got, b.Gone(testDialog))
		}
		b.Remember(testDialog, "t1", "h", []byte("{}")) // a turn that ends now
		if got, _ := b.Recall(testDialog, "t1", "h"); got != nil {
			t.Errorf("remembered again: %s", got)
		}
		before := calls
		if err := b.CatchUp(t.Context()); err != nil || calls != before {
			t.Errorf("%v; heard twice: %v", err, calls != before)
		}
		if !(Erasures{"d": time.Unix(10, 0)}).Cover("d", time.Unix(9, 0)) || (Erasures{"d": time.Unix(10, 0)}).Cover("d", time.Unix(10, 0)) {
			t.Error("what is asked of the next life is not covered, all before it is")
		}
	})
}

// Without Redis an erasure is not claimed, and turns go on as before.
func TestErasureWithoutRedisIsNotClaimed(t *testing.T) {
	s, m := testStore(t, 2)
	h := start(t, s, "t1", "a")
	m.SetError("LOADING")
	if err := s.Erase(t.Context(), testDialog); !errors.Is(err, ErrState) || s.Gone(testDialog) {
		t.Errorf("%v, gone %v", err, s.Gone(testDialog))
	}
	if err := s.CatchUp(t.Context()); !errors.Is(err, ErrState) {
		t.Errorf("catching up: %v", err)
	}
	m.SetError("")
	if err := put(t, s, h, "t1", "a"); err != nil {
		t.Error(err)
	}
	if err := s.Erase(t.Context(), testDialog); err != nil || strings.Contains(m.Dump(), "re: a") {
		t.Errorf("%v; left: %s", err, m.Dump())
	}
}
