package selftest

import (
	"errors"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	nap       = 500 * time.Microsecond
	lateNap   = 500 * time.Microsecond // no less counts: timers themselves are late by some 60 µs
	firstRank = -20
)

// stalls sleeps on every processor until in ends. begun is called when it does.
func stalls(in io.Reader, begun func()) ([]stall, error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var ended atomic.Bool
	var group sync.WaitGroup
	seen := []stall{}
	placed := make(chan error, all.Count())
	for cpu := range 64 * len(all) {
		if !all.IsSet(cpu) {
			continue
		}
		group.Go(func() {
			runtime.LockOSThread() // and never given back: a thread of this rank is for nothing else
			err := goFirst(cpu)
			if placed <- err; err != nil {
				return
			}
			watch(&ended, func(s stall) {
				mu.Lock()
				seen = append(seen, s)
				mu.Unlock()
			})
		})
	}
	var err error
	for range all.Count() {
		err = errors.Join(err, <-placed)
	}
	if err == nil {
		begun()
		_, err = io.Copy(io.Discard, in)
	}
	ended.Store(true)
	group.Wait()
	return seen, err
}

// goFirst binds the thread to a processor and puts it before all others there.
func goFirst(cpu int) error {
	var one unix.CPUSet
	one.Set(cpu)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	return unix.Setpriority(unix.PRIO_PROCESS, 0, firstRank)
}

func watch(ended *atomic.Bool, add func(stall)) {
	step := unix.NsecToTimespec(int64(nap))
	for before := sharedClock(); !ended.Load(); before = sharedClock() {
		_ = unix.Nanosleep(&step, nil) // interrupted, it was short, not late
		if due, now := before+nap, sharedClock(); now-due >= lateNap {
			add(stall{due, now})
		}
	}
}

// sharedClock is the same in all processes of the machine.
func sharedClock() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // it cannot fail on Linux
	return time.Duration(t.Nano())
}
