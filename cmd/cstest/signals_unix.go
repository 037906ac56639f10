//go:build unix

package main

import (
	"os"
	"syscall"
)

// writeSignals come when a reader has gone, or a file is at its limit.
func writeSignals() []os.Signal { return []os.Signal{syscall.SIGPIPE, syscall.SIGXFSZ} }
