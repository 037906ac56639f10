package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// signals turns the first SIGINT or SIGTERM into the end of graceful, and a
// second one or SIGHUP into the end of hard. Safe for concurrent use.
type signals struct {
	graceful, hard context.Context
	stop           func()

	mu    sync.Mutex
	first syscall.Signal
	soft  context.CancelFunc
	now   context.CancelFunc
}

func catchSignals(ctx context.Context) *signals {
	s := &signals{}
	s.hard, s.now = context.WithCancel(ctx)
	s.graceful, s.soft = context.WithCancel(s.hard)
	c := make(chan os.Signal, 4)
	signal.Notify(c, append(drainSignals(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)...)
	// Whoever asks for these is told of them by the failed write; else a reader
	// that has gone, or a file at its limit, would end the process.
	writes := make(chan os.Signal, 1)
	signal.Notify(writes, writeSignals()...)
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-writes:
			case got := <-c:
				sig, _ := got.(syscall.Signal)
				if slices.Contains(drainSignals(), got) {
					sig = syscall.SIGTERM
				}
				s.end(sig, sig == syscall.SIGHUP)
			case <-ended:
				return
			}
		}
	}()
	s.stop = sync.OnceFunc(func() {
		signal.Stop(c)
		// writes stays: the last words are written after this.
		close(ended)
		s.now()
	})
	return s
}

// end is a signal, or the same asked for with a key.
func (s *signals) end(sig syscall.Signal, hard bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == 0 {
		s.first = sig
	} else {
		hard = true
	}
	s.soft()
	if hard {
		s.now()
	}
}

// number is the first signal's, 0 without one.
func (s *signals) number() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return int(s.first)
}

// code is the exit code that says so, 0 without a signal.
func (s *signals) code() int {
	if n := s.number(); n != 0 {
		return 128 + n
	}
	return 0
}

// stopping tells whether the end was asked for.
func (s *signals) stopping() bool { return s.number() != 0 }

func (s *signals) release() { s.stop() }
