//go:build unix

package main

import (
	"os"
	"syscall"
)

// writeSignals come when a reader has gone, or a file is at its limit.
func writeSignals() []os.Signal { return []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ} }

// drainSignals ask for what SIGTERM does. Slurm's srun ends its tasks on that, and
// forwards this.
func drainSignals() []os.Signal { return []os.Signal{syscall.SIGUSR1} }
