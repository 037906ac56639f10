//go:build unix

package usage

import (
	"runtime"
	"syscall"
	"time"
)

func own() (time.Duration, int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	rss, known := peak()
	if !known {
		rss = resident(&u)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), rss
}

func resident(sys any) int64 {
	u, ok := sys.(*syscall.Rusage)
	if !ok {
		return 0
	}
	return residentBytes(runtime.GOOS, int64(u.Maxrss)) //nolint:unconvert // 32 bits on some systems
}
