package main

import (
	"os"
	"runtime/pprof"

	"github.com/cstest/cstest/reason"
)

// profileCPU writes a CPU profile of this process to path until stopped; with
// an empty path it does nothing. It is how the generator's own cost is studied.
func profileCPU(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, reason.Errorf("cpu profile: %w", err)
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, reason.Errorf("cpu profile: %w", err)
	}
	return func() error {
		pprof.StopCPUProfile()
		return f.Close()
	}, nil
}
