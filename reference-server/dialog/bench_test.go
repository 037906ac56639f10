//go:build linux

package dialog

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/cstest/cstest/internal/redistest"
)

const (
	benchRate  = 3000 // turns a second, of all users
	benchTurns = 5    // of a dialog
	benchThink = 20 * time.Millisecond
)

// BenchmarkTurns takes dialogs of five turns through begin and commit, at a pace as a
// load has it, and reports what a turn costs here and in the redis-server, in µs of
// CPU. "nothing" is what the users themselves cost.
func BenchmarkTurns(b *testing.B) {
	for _, where := range []string{"redis-server", "embedded"} {
		for _, users := range []int{64, 400} {
			for _, way := range []struct {
				name   string
				gather time.Duration
				idle   bool
			}{{"nothing", 0, true}, {"alone", 0, false}, {"together", time.Millisecond, false}} {
				b.Run(fmt.Sprintf("%s/%d/%s", where, users, way.name), func(b *testing.B) {
					var addr string
					var server int
					if where == "embedded" {
						addr = miniredis.RunT(b).Addr()
					} else {
						r := redistest.Start(b)
						addr, server = r.Addr, r.PID()
					}
					var trips RoundTrips
					o := StoreOptions{Timeout: 2 * time.Second, Pool: 50, Attempts: 1, RoundTrips: 2, Gather: way.gather, Trips: &trips}
					rdb := Connect(&redis.Options{Addr: addr}, o)
					b.Cleanup(func() { rdb.Close() })
					s := NewStore(rdb, o)
					own, theirs := ownCPU(b), cpuOf(b, server)
					b.ReportAllocs()
					b.ResetTimer()
					took, crowded := driveTurns(b, s, users, way.idle)
					b.StopTimer()
					n := float64(b.N)
					own, theirs = ownCPU(b)-own, cpuOf(b, server)-theirs
					slices.Sort(took)
					b.ReportMetric(float64(own.Microseconds())/n, "own-µs/turn")
					b.ReportMetric(float64(theirs.Microseconds())/n, "redis-µs/turn")
					b.ReportMetric(float64(trips.Count())/n, "trips/turn")
					b.ReportMetric(float64(crowded), "crowded")
					b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
					b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
					b.ReportMetric(n/b.Elapsed().Seconds(), "turns/s")
				})
			}
		}
	}
}

// driveTurns makes b.N turns and returns how long begin and commit took of each, and how
// many found no place.
func driveTurns(b *testing.B, s *Store, users int, idle bool) (took []time.Duration, crowded int64) {
	b.Helper()
	const reply = `{"dialog_id":"0123456789abcdef0123456789abcdef","turn_id":"t-0123456789","seq":3,"epoch":1764300000000,"answer":"可以的,请在结算页选用。这件衣服适合搭配浅色的裤子,七天内可以无理由退换。","tier":"llm","degraded":false,"persisted":true,"cost_ms":118,"context":{"status":"ok","turns":2},"trace_id":"0123456789abcdef0123456789abcdef"}`
	took = make([]time.Duration, b.N)
	var next, away atomic.Int64
	every := time.Second * time.Duration(users) / benchRate
	began := time.Now()
	var all sync.WaitGroup
	for u := range users {
		all.Go(func() {
			due := began.Add(every * time.Duration(u) / time.Duration(users))
			for turn, id := 0, ""; ; turn++ {
				i := int(next.Add(1)) - 1
				if i >= b.N {
					return
				}
				time.Sleep(time.Until(due))
				due = due.Add(every)
				if turn%benchTurns == 0 {
					id = RandomHex(16)
				}
				start := time.Now()
				h, err := s.Fresh(id), error(nil)
				if turn%benchTurns > 0 && !idle {
					h, _, err = s.Begin(context.Background(), id, "t", "h", true, time.Hour)
				}
				took[i] = time.Since(start)
				if errors.Is(err, ErrCrowded) {
					away.Add(1)
					turn = benchTurns - 1 // its dialog ends
					continue
				}
				if err != nil || h.Seq() != turn%benchTurns+1 && !idle {
					b.Errorf("begin: %v", err)
					return
				}
				time.Sleep(min(benchThink, every/4))
				start = time.Now()
				r := h.Record("t-"+strconv.Itoa(turn), "0123456789abcdef0123456789abcdef", "这件衣服和那条裤子搭配吗 ⟦c:K7F3Q2ZA.1⟧", false, []byte(reply))
				if !idle {
					err = s.Commit(context.Background(), h, r, testKept)
				}
				took[i] += time.Since(start)
				if errors.Is(err, ErrCrowded) {
					away.Add(1)
					turn = benchTurns - 1
					continue
				}
				if err != nil {
					b.Errorf("commit: %v", err)
					return
				}
			}
		})
	}
	all.Wait()
	return took, away.Load()
}

// BenchmarkFold reads a dialog of ten turns.
func BenchmarkFold(b *testing.B) {
	h := &Hold{id: testDialog, epoch: 1764300000000, born: 1764300000000, token: "0123456789abcdef"}
	var list []string
	for h.seq = 1; h.seq <= 10; h.seq++ {
		r := testRecord(h, "t-0123456789", "这件衣服和那条裤子搭配吗 ⟦c:K7F3Q2ZA.1⟧")
		r.base = 1
		list = append(list, string(r.appendJSON(nil)))
	}
	b.ReportAllocs()
	for b.Loop() {
		if f := foldRecords(list); len(f.turns) != 10 || f.lost {
			b.Fatal(f)
		}
	}
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// cpuOf is what the main thread of a process has used, where Redis does all; 0: none.
func cpuOf(b *testing.B, pid int) time.Duration {
	b.Helper()
	if pid == 0 {
		return 0
	}
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", pid))
	if err != nil {
		b.Skip(err)
	}
	used, _, _ := strings.Cut(string(data), " ")
	ns, err := strconv.ParseInt(used, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(ns)
}
