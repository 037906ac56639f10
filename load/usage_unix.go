//go:build unix

package load

import (
	"runtime"
	"syscall"
	"time"
)

// usage is the process's CPU time and its greatest resident size in bytes.
func usage() (cpu time.Duration, rss int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	rss = int64(u.Maxrss) //nolint:unconvert // 32 bits on some systems
	if runtime.GOOS != "darwin" {
		rss *= 1024
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), rss
}
