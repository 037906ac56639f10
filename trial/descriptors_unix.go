//go:build unix

package trial

import (
	"math"
	"syscall"
)

// descriptorLimit is how many files this process may open, 0 where there is no limit.
func descriptorLimit() int64 {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return 0
	}
	return int64(min(limit.Cur, math.MaxInt32))
}
