package main

import (
	"os"
	"syscall"
)

// writeSignals never come on Windows; a name must be given, or all would be caught.
func writeSignals() []os.Signal { return []os.Signal{syscall.SIGPIPE} }

func drainSignals() []os.Signal { return nil }
