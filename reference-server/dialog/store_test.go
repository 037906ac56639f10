package dialog

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"
)

func testStore(t *testing.T, roundtrips int) (*Store, *miniredis.Miniredis) {
	t.Helper()
	return gatheringStore(t, roundtrips, 0)
}

func gatheringStore(t *testing.T, roundtrips int, gather time.Duration) (*Store, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	o := StoreOptions{Timeout: 2 * time.Second, Pool: 50, Attempts: 2, RoundTrips: roundtrips, Gather: gather}
	s := NewStore(Connect(&redis.Options{Addr: m.Addr()}, o), o)
	t.Cleanup(func() { s.redis.Close() })
	return s, m
}

var testKept = Kept{Messages: 40, Bytes: 32 << 10, TTL: 30 * time.Minute, Hard: 24 * time.Hour}

const testDialog = "0123456789abcdef0123456789abcdef"

func put(t *testing.T, s *Store, h *Hold, turnID, text string) error {
	t.Helper()
	return s.Commit(t.Context(), h, testRecord(h, turnID, text), testKept)
}

func testRecord(h *Hold, turnID, text string) *Record {
	return &Record{
		Epoch: h.epoch, Seq: h.seq, Born: h.born, Token: h.token, TurnID: turnID, TextHash: TextHash(text), User: text,
		Response: []byte(`{"dialog_id":"` + h.id + `","answer":"re: ` + text + `","seq":` + fmt.Sprint(h.seq) + `}`),
	}
}

func start(t *testing.T, s *Store, turnID, text string) *Hold {
	t.Helper()
	h, replay, err := s.Begin(t.Context(), testDialog, turnID, TextHash(text), true, testKept.Hard)
	if err != nil || replay != nil {
		t.Fatalf("begin %s: replay %s, %v", turnID, replay, err)
	}
	return h
}

func users(h *Hold) string {
	var b []string
	for _, r := range h.turns {
		b = append(b, r.User)
	}
	return strings.Join(b, " ")
}

func bothWays(t *testing.T, f func(t *testing.T, s *Store, m *miniredis.Miniredis)) {
	t.Run("with others", func(t *testing.T) {
		s, m := gatheringStore(t, 2, time.Millisecond)
		f(t, s, m)
	})
	for _, n := range []int{2, 4} {
		t.Run(fmt.Sprintf("%d round trips", n), func(t *testing.T) {
			s, m := testStore(t, n)
			f(t, s, m)
		})
	}
}

func TestTurnsFollowEachOther(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		h := s.Fresh(testDialog)
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
		epoch := h.epoch
		for i, want := range []string{"a", "a b", "a b c"} {
			h = start(t, s, fmt.Sprint("t", i+2), string(rune('b'+i)))
			if got := users(h); got != want || h.seq != i+2 || h.epoch != epoch || h.lost {
				t.Fatalf("turn %d saw %q seq %d epoch %d lost %v, want %q seq %d epoch %d", i+2, got, h.seq, h.epoch, h.lost, want, i+2, epoch)
			}
			if err := put(t, s, h, fmt.Sprint("t", i+2), string(rune('b'+i))); err != nil {
				t.Fatal(err)
			}
		}
		if ttl := m.TTL(ListKey(testDialog)); ttl != 30*time.Minute {
			t.Errorf("ttl %v, want 30m", ttl)
		}
		if m.Exists(leaseKey(testDialog)) {
			t.Error("the lease is still there")
		}
	})
}

func TestOneTurnAtATime(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		h := s.Fresh(testDialog)
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
		first := start(t, s, "t2", "b")
		if _, _, err := s.Begin(t.Context(), testDialog, "t3", TextHash("c"), true, testKept.Hard); !errors.Is(err, ErrBusy) {
			t.Errorf("second turn: %v, want errBusy", err)
		}
		if got, err := s.Holder(t.Context(), testDialog); got != "t2" || err != nil {
			t.Errorf("holder = %q, %v; want t2", got, err)
		}
		s.Release(first)
		start(t, s, "t3", "c")
	})
}

func TestReplayIsByteIdentical(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		h := s.Fresh(testDialog)
		want := string(testRecord(h, "t1", "a").Response)
		if err := put(t, s, h, "t1", "a"); err != nil {
			t.Fatal(err)
		}
		_, replay, err := s.Begin(t.Context(), testDialog, "t1", TextHash("a"), true, testKept.Hard)
		if err != nil || string(replay) != want {
			t.Errorf("replay %s, %v; want %s", replay, err, want)
		}
		if _, _, err := s.Begin(t.Context(), testDialog, "t1", TextHash("other"), true, testKept.Hard); !errors.Is(err, ErrReused) {
			t.Errorf("same id, other text: %v, want errReused", err)
		}
		if h := start(t, s, "t2", "b"); h.seq != 2 {
			t.Errorf("a replay took seq: next is %d", h.seq)
		}
	})
}

// The reply to a commit was lost and the commit is made again: one turn, not
// two.
func TestCommitTwiceAppendsOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		h := s.Fresh(testDialog)
		for range 3 {
			if err := put(t, s, h, "t1", "a"); err != nil {
				t.Fatal(err)
			}
		}
		next := start(t, s, "t2", "b")
		if users(next) != "a" || next.seq != 2 {
			t.Errorf("after three commits of one turn: %q, next seq %d", users(next), next.seq)
		}
		if err := put(t, s, next, "t2", "b"); err != nil {
			t.Errorf("commit behind duplicates: %v", err)
		}
		if h := start(t, s, "t3", "c"); users(h) != "a b" || h.seq != 3 {
			t.Errorf("then %q, next seq %d", users(h), h.seq)
		}
	})
}

// A turn that was overtaken (its lease ran out) must not get into the dialog.
func TestOvertakenCommitIsFenced(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
			t.Fatal(err)
		}
		slow := start(t, s, "t2", "slow")
		m.FastForward(leaseTime + time.Second)
		quick := start(t, s, "t3", "quick")
		if err := put(t, s, quick, "t3", "quick"); err != nil {
			t.Fatal(err)
		}
		if err := put(t, s, slow, "t2", "slow"); !errors.Is(err, ErrConflict) {
			t.Errorf("overtaken commit: %v, want errConflict", err)
		}
		if h := start(t, s, "t4", "x"); users(h) != "a quick" || h.seq != 3 {
			t.Errorf("dialog %q, next seq %d; want a quick, 3", users(h), h.seq)
		}
	})
}

// The same in a dialog at its full length: the turn that came first made room, so that
// the list is as long as before.
func TestOvertakenCommitIsFencedAtFullLength(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		k := Kept{Messages: 6, Bytes: 32 << 10, TTL: time.Minute, Hard: time.Hour}
		for i := 1; i <= 3; i++ {
			h, _, err := s.Begin(t.Context(), testDialog, fmt.Sprint("t", i), "h", false, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Commit(t.Context(), h, testRecord(h, fmt.Sprint("t", i), fmt.Sprint(i)), k); err != nil {
				t.Fatal(err)
			}
		}
		var both [2]*Hold
		for i, id := range []string{"slow", "quick"} {
			h, _, err := s.Begin(t.Context(), testDialog, id, "h", false, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			both[i] = h
		}
		if err := s.Commit(t.Context(), both[1], testRecord(both[1], "quick", "quick"), k); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit(t.Context(), both[0], testRecord(both[0], "slow", "slow"), k); !errors.Is(err, ErrConflict) {
			t.Errorf("overtaken commit: %v, want errConflict", err)
		}
		if h := start(t, s, "t5", "x"); users(h) != "2 3 quick" || h.seq != 5 || h.lost {
			t.Errorf("dialog %q, next seq %d, lost %v; want 2 3 quick, 5", users(h), h.seq, h.lost)
		}
	})
}

func TestLostStateIsANewEpoch(t *testing.T) {
	for name, lose := range map[string]func(m *miniredis.Miniredis){
		"evicted":       func(m *miniredis.Miniredis) { m.Del(ListKey(testDialog)) },
		"expired":       func(m *miniredis.Miniredis) { m.FastForward(31 * time.Minute) },
		"emptied":       func(m *miniredis.Miniredis) { m.FlushAll() },
		"front missing": func(m *miniredis.Miniredis) { _, _ = m.Lpop(ListKey(testDialog)) },
		"garbage":       func(m *miniredis.Miniredis) { _, _ = m.Push(ListKey(testDialog), "{not json") },
		"huge":          func(m *miniredis.Miniredis) { _, _ = m.Push(ListKey(testDialog), strings.Repeat("x", MaxRecord+1)) },
		"wrong type":    func(m *miniredis.Miniredis) { m.Del(ListKey(testDialog)); _ = m.Set(ListKey(testDialog), "x") },
		"a gap": func(m *miniredis.Miniredis) {
			list, _ := m.List(ListKey(testDialog))
			m.Del(ListKey(testDialog))
			_, _ = m.Push(ListKey(testDialog), list[0], list[2])
		},
	} {
		t.Run(name, func(t *testing.T) {
			bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
				h := s.Fresh(testDialog)
				epoch := h.epoch
				if err := put(t, s, h, "t1", "a"); err != nil {
					t.Fatal(err)
				}
				for i := 2; i <= 3; i++ {
					h = start(t, s, fmt.Sprint("t", i), "b")
					if err := put(t, s, h, fmt.Sprint("t", i), "b"); err != nil {
						t.Fatal(err)
					}
				}
				time.Sleep(2 * time.Millisecond) // epochs are milliseconds of the real clock
				lose(m)
				h = start(t, s, "t4", "c")
				if !h.lost || len(h.turns) != 0 || h.seq != 1 || h.epoch <= epoch {
					t.Fatalf("lost %v, %d turns, seq %d, epoch %d after %d", h.lost, len(h.turns), h.seq, h.epoch, epoch)
				}
				if err := put(t, s, h, "t4", "c"); err != nil {
					t.Fatal(err)
				}
				if h2 := start(t, s, "t5", "d"); users(h2) != "c" || h2.seq != 2 || h2.epoch != h.epoch || h2.lost {
					t.Errorf("new epoch: %q seq %d epoch %d lost %v", users(h2), h2.seq, h2.epoch, h2.lost)
				}
			})
		})
	}
}

func TestStateLostWhileTheTurnRan(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
			t.Fatal(err)
		}
		h := start(t, s, "t2", "b")
		m.FlushAll()
		if err := put(t, s, h, "t2", "b"); !errors.Is(err, ErrState) {
			t.Errorf("commit: %v, want errState", err)
		}
		if m.Exists(ListKey(testDialog)) {
			t.Error("the commit made the dialog anew")
		}
		s.Finish(h, testRecord(h, "t2", "b"), testKept)
		s.late.wait(t.Context(), testDialog, time.Minute)
		if s.late.of(testDialog) != nil {
			t.Error("what cannot be finished is still tried")
		}
		if h := start(t, s, "t3", "c"); !h.lost || h.seq != 1 {
			t.Errorf("next turn: lost %v seq %d, want a new epoch", h.lost, h.seq)
		}
	})
}

func TestTrimming(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, m *miniredis.Miniredis) {
		k := Kept{Messages: 6, Bytes: 32 << 10, TTL: time.Minute, Hard: time.Hour}
		h := s.Fresh(testDialog)
		for i := 1; i <= 10; i++ {
			if i > 1 {
				h = start(t, s, fmt.Sprint("t", i), fmt.Sprint(i))
			}
			if err := s.Commit(t.Context(), h, testRecord(h, fmt.Sprint("t", i), fmt.Sprint(i)), k); err != nil {
				t.Fatal(err)
			}
		}
		list, _ := m.List(ListKey(testDialog))
		if h = start(t, s, "t11", "11"); users(h) != "8 9 10" || len(list) != 3 || h.seq != 11 || h.lost {
			t.Errorf("kept %q in %d elements, next seq %d, lost %v; want 8 9 10, 3, 11", users(h), len(list), h.seq, h.lost)
		}
		big := strings.Repeat("x", 20<<10)
		k.Bytes = 32 << 10
		for i := 11; i <= 12; i++ {
			if err := s.Commit(t.Context(), h, testRecord(h, fmt.Sprint("t", i), big), k); err != nil {
				t.Fatal(err)
			}
			h = start(t, s, fmt.Sprint("t", i+1), "y")
		}
		if len(h.turns) != 1 || h.seq != 13 {
			t.Errorf("%d turns of 40 KiB kept, next seq %d; want 1, 13", len(h.turns), h.seq)
		}
	})
}

// A commit of a dialog at its full length is made again: nothing but the oldest turn
// goes.
func TestCommitTwiceTrimsOnce(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		k := Kept{Messages: 6, Bytes: 32 << 10, TTL: time.Minute, Hard: time.Hour}
		h := s.Fresh(testDialog)
		for i := 1; i <= 6; i++ {
			if i > 1 {
				h = start(t, s, fmt.Sprint("t", i), fmt.Sprint(i))
			}
			for range 3 {
				if err := s.Commit(t.Context(), h, testRecord(h, fmt.Sprint("t", i), fmt.Sprint(i)), k); err != nil {
					t.Fatal(err)
				}
			}
		}
		if h = start(t, s, "t7", "7"); users(h) != "4 5 6" || h.seq != 7 || h.lost {
			t.Errorf("kept %q, next seq %d, lost %v; want 4 5 6, 7", users(h), h.seq, h.lost)
		}
	})
}

func TestHardLifeEnds(t *testing.T) {
	s, m := testStore(t, 2)
	now := time.Now()
	s.now = func() time.Time { return now }
	h := s.Fresh(testDialog)
	if err := put(t, s, h, "t1", "a"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(23*time.Hour + 50*time.Minute)
	h = start(t, s, "t2", "b")
	if h.lost {
		t.Fatal("lost before its time")
	}
	if err := put(t, s, h, "t2", "b"); err != nil {
		t.Fatal(err)
	}
	if ttl := m.TTL(ListKey(testDialog)); ttl > 10*time.Minute {
		t.Errorf("ttl %v reaches beyond the hard end", ttl)
	}
	now = now.Add(11 * time.Minute)
	if h = start(t, s, "t3", "c"); !h.lost {
		t.Error("the dialog outlives 24 h")
	}
}

func TestRedisErrorsAreStateUnavailable(t *testing.T) {
	for _, msg := range []string{"OOM command not allowed", "READONLY You can't write", "LOADING Redis is loading", "MISCONF disk", "ERR max number of clients reached"} {
		s, m := testStore(t, 2)
		if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
			t.Fatal(err)
		}
		m.SetError(msg)
		if _, _, err := s.Begin(t.Context(), testDialog, "t2", "h", true, time.Hour); !errors.Is(err, ErrState) {
			t.Errorf("%s: %v, want errState", msg, err)
		}
		h := s.Fresh(testDialog)
		if err := put(t, s, h, "t9", "x"); !errors.Is(err, ErrState) {
			t.Errorf("%s: commit %v, want errState", msg, err)
		}
	}
}

// G1–G3 with many callers at once: every answered turn is in the dialog once,
// numbers have no gaps, and each turn saw all before it.
func TestConcurrentTurnsAreLinear(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		if err := put(t, s, s.Fresh(testDialog), "t0", "0"); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		saw := map[int]int{} // seq → turns seen
		var all sync.WaitGroup
		for w := range 8 {
			all.Go(func() {
				for i := range 20 {
					id := fmt.Sprintf("w%d-%d", w, i)
					h, _, err := s.Begin(t.Context(), testDialog, id, TextHash(id), true, time.Hour)
					if errors.Is(err, ErrBusy) {
						continue
					}
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Commit(t.Context(), h, testRecord(h, id, id), Kept{Messages: 200, Bytes: 1 << 20, TTL: time.Minute, Hard: time.Hour}); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					saw[h.seq] = len(h.turns)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		for seq := 2; seq < len(saw)+2; seq++ {
			if saw[seq] != min(seq-1, 99) {
				t.Errorf("turn %d saw %d turns, want %d", seq, saw[seq], seq-1)
			}
		}
		if len(saw) == 0 {
			t.Error("no turn at all got through")
		}
	})
}

func TestRecordSurvivesTheTrip(t *testing.T) {
	h := &Hold{id: testDialog, epoch: 7, seq: 3, born: 5, token: "00ff"}
	r := testRecord(h, "t-3", "引号\"和换行\n ⟦c:AAAAAAAA.3⟧")
	r.base, r.Degraded = 2, true
	r.Response, _ = json.Marshal(map[string]string{"answer": "好 ⟦seen c:AAAAAAAA.1⟧"})
	got, ok := parseRecord(string(r.appendJSON(nil)))
	if !ok || got.User != r.User || got.Seq != 3 || got.base != 2 || got.Epoch != 7 || got.Born != 5 || !got.Degraded || got.TurnID != "t-3" || string(got.Response) != string(r.Response) {
		t.Errorf("came back as %+v, %v", got, ok)
	}
	if got.Reply() != "好" {
		t.Errorf("reply %q, want it without marks", got.Reply())
	}
}

// What is read in one pass is what is found by name.
func FuzzScanRecord(f *testing.F) {
	h := &Hold{id: testDialog, epoch: 1764300000000, seq: 3, born: 5, token: "00ff"}
	for _, text := range []string{"这件衣服 ⟦c:AAAAAAAA.3⟧", "with \"quotes\"\n", ""} {
		r := testRecord(h, "t-3", text)
		r.base, r.Degraded = 2, text == ""
		f.Add(string(r.appendJSON(nil)))
	}
	r := testRecord(h, "t-3", "plain")
	r.base = 2
	plain := string(r.appendJSON(nil))
	if _, ok := scanRecord(plain); !ok {
		f.Errorf("what is written is not scanned: %s", plain)
	}
	for _, change := range [][2]string{
		{`"s":3`, `"s":03`},
		{`"s":3`, `"s":-3`},
		{`"s":3`, `"s":3.0`},
		{`"s":3`, `"s":33333333333333333333`},
		{`"d":false`, `"d":falsetrue`},
		{`"d":false`, `"d":true`},
		{`"u":"plain"`, "\"u\":\"a\tb\""},
		{`"u":"plain"`, `"u":"a\u0041"`},
		{`"u":"plain"`, `"u":"x","r":{},"u":"y"`},
		{`"r":{`, `"r": {`},
		{`3}}`, `3}} `},
		{`"r":{`, `"r":{}{`},
		{`"r":{`, `"z":1,"r":{`},
	} {
		changed := strings.Replace(plain, change[0], change[1], 1)
		if changed == plain {
			f.Fatalf("%q is not in %s", change[0], plain)
		}
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := scanRecord(s)
		if !ok {
			return
		}
		want, ok := findRecord(s)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Record{})); !ok || diff != "" {
			t.Errorf("%q: found %v (-found +scanned)\n%s", s, ok, diff)
		}
	})
}

func FuzzFold(f *testing.F) {
	h := &Hold{id: testDialog, epoch: 7, seq: 1, born: 5, token: "00ff"}
	r := testRecord(h, "t", "x")
	r.base = 1
	f.Add(string(r.appendJSON(nil)), `{"e":7,"s":3}`)
	f.Fuzz(func(t *testing.T, a, b string) {
		got := foldRecords([]string{a, b})
		for i := 1; i < len(got.turns); i++ {
			if got.turns[i].Seq != got.turns[i-1].Seq+1 {
				t.Errorf("gap in %+v", got.turns)
			}
		}
	})
}

// The reply to begin got lost: the second attempt must know its own lease.
func TestBeginAgainKnowsItsOwnLease(t *testing.T) {
	bothWays(t, func(t *testing.T, s *Store, _ *miniredis.Miniredis) {
		if err := put(t, s, s.Fresh(testDialog), "t1", "a"); err != nil {
			t.Fatal(err)
		}
		h := &Hold{id: testDialog, token: RandomHex(8), since: time.Now()}
		if _, leased, err := s.tryOpen(t.Context(), h, true, "t2", false); err != nil || !leased {
			t.Fatalf("first: %v, %v", leased, err)
		}
		if _, leased, err := s.tryOpen(t.Context(), h, true, "t2", true); err != nil || !leased {
			t.Errorf("again: leased %v, %v; want its own lease", leased, err)
		}
		other := &Hold{id: testDialog, token: RandomHex(8), since: time.Now()}
		if _, leased, err := s.tryOpen(t.Context(), other, true, "t2", true); err != nil || leased {
			t.Errorf("another caller: leased %v, %v; want none", leased, err)
		}
	})
}
