package trial

import (
	"fmt"
	"syscall"
	"time"

	"github.com/cstest/cstest/scenario"
)

// ownCPU is the CPU time this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// ownMaxRSS is the most memory this process ever had resident, in bytes.
func ownMaxRSS() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Maxrss << 10 // Linux counts in KiB
}

// spare descriptors: files, the journal, the servers' pipes, the runtime's own.
const spareDescriptors = 64

// checkDescriptors refuses a load that is sure to need more connections than
// this process may open.
func checkDescriptors(s *scenario.Scenario, shards int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return nil //nolint:nilerr // a limit that cannot be read is found out during the run
	}
	users := int64(s.PeakUsers()) / int64(max(shards, 1))
	perUser := s.Target.Connections == "per-user" || s.Target.Connections == "per-conversation"
	if !perUser || s.Target.HTTP == "2" || s.Target.HTTP == "h2c" {
		users = 0
	}
	if need := users + spareDescriptors; int64(limit.Cur) < need {
		return &LimitError{What: fmt.Sprintf(
			"%d users need %d file descriptors and this process may open %d: raise the limit (ulimit -n %d), or use --processes auto, connections: shared, or http: h2c",
			users, need, limit.Cur, need)}
	}
	return nil
}

// LimitError is a plan that this machine's limits do not allow.
type LimitError struct{ What string }

// Error says which limit and what to change.
func (e *LimitError) Error() string { return e.What }
