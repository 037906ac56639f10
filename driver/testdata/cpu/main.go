// Command cpu drives one target in a closed loop and prints what a turn costs:
//
//	taskset -c 0 go run ./driver/testdata/cpu -url http://127.0.0.1:8080 -lines 64 -for 3s
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:8080", "target")
	http := flag.String("http", "1.1", "1.1, 2 or h2c")
	lines := flag.Int("lines", 64, "conversations in a closed loop")
	pool := flag.Int("pool", 0, "shared connections; 0: one for each line")
	length := flag.Duration("for", 3*time.Second, "how long")
	timeout := flag.Duration("timeout", 10*time.Second, "of a turn")
	profile := flag.String("profile", "", "write a CPU profile here")
	idle := flag.Bool("idle", false, "after one turn each say what a line and its connection cost to keep")
	flag.Parse()
	target := &scenario.Target{
		URL: *url, HTTP: scenario.HTTPVersion(*http), API: scenario.APIArticle, Mode: scenario.ModeSync, Connections: scenario.PerUser,
		Timeout: unit.Duration(*timeout), Limits: scenario.Limits{Headers: 64 << 10, Line: 256 << 10, Body: 1 << 20, Ratio: 100},
		TLS: &scenario.TLS{Insecure: true},
	}
	if *pool > 0 {
		target.Connections, target.Pool = scenario.Shared, unit.Count(*pool)
	}
	if err := run(target, *lines, *length, *profile, *idle); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(target *scenario.Target, lines int, length time.Duration, profile string, idle bool) error {
	d, err := driver.New(target, driver.Options{Base: time.Now(), Sources: driver.SourcesFor(lines), OwnAddress: driver.PerAddress})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Prepare(int(target.Pool)); err != nil {
		return err
	}
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if idle {
		return park(d, lines)
	}
	var turns, bad atomic.Int64
	var message atomic.Value
	var wg sync.WaitGroup
	cpu, start := used(), time.Now()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := range lines {
		wg.Go(func() {
			line := d.Open(&driver.User{ID: fmt.Sprintf("u%d", i)})
			defer line.Close()
			turn := driver.Turn{Text: []byte("优惠券还能用吗?⟦c:K7F3Q2ZA.1⟧"), DialogID: []byte("0123456789abcdef0123456789abcdef")}
			var reply driver.Reply
			n := int64(0)
			for time.Since(start) < length {
				line.Do(&turn, &reply)
				if n++; reply.Reason != driver.Complete || reply.Status != 200 {
					bad.Add(1)
					message.Store(fmt.Sprintf("status %d: %s", reply.Status, reply.Message))
				}
				line.Free(&reply)
			}
			turns.Add(n)
		})
	}
	wg.Wait()
	took, spent := time.Since(start), used()-cpu
	runtime.ReadMemStats(&after)
	n := turns.Load()
	fmt.Printf("%d turns, %d bad (%v), %.0f/s, %.2f µs CPU per turn, %.2f allocations per turn, %.1f MB from the system, %d connections\n",
		n, bad.Load(), message.Load(), float64(n)/took.Seconds(), float64(spent.Microseconds())/float64(n),
		float64(after.Mallocs-before.Mallocs)/float64(n), float64(after.Sys)/1e6, d.Connections())
	return nil
}

// park has one turn on every line and then says how much memory the process
// holds for each.
func park(d driver.Driver, lines int) error {
	runtime.GC()
	before := resident()
	all := make([]driver.Channel, lines)
	turn := driver.Turn{Text: []byte("优惠券还能用吗?")}
	var wg sync.WaitGroup
	gate := make(chan struct{}, 64)
	for i := range all {
		gate <- struct{}{}
		wg.Go(func() {
			all[i] = d.Open(&driver.User{ID: fmt.Sprintf("u%d", i)})
			var reply driver.Reply
			all[i].Do(&turn, &reply)
			if reply.Reason != driver.Complete {
				fmt.Fprintln(os.Stderr, reply.Message)
			}
			all[i].Free(&reply)
			<-gate
		})
	}
	wg.Wait()
	runtime.GC()
	fmt.Printf("%d idle connections, %.0f bytes resident each\n", d.Connections(), float64(resident()-before)/float64(lines))
	runtime.KeepAlive(all)
	return nil
}

func resident() int64 {
	var size, pages int64
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		fmt.Sscan(string(text), &size, &pages) //nolint:errcheck // zero says it
	}
	return pages * int64(os.Getpagesize())
}

func used() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
