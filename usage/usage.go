// Package usage tells what processes took of the machine. Everything in it is
// safe for concurrent use.
package usage

import (
	"os"
	"time"
)

// Own is the CPU time this process has used, and the most memory it ever had
// resident, in bytes; zeroes where the system does not tell.
func Own() (cpu time.Duration, maxRSS int64) { return own() }

// Of is the same of a process that has ended; of none, zeroes. On Linux its memory
// is not less than this process had when it was started.
func Of(p *os.ProcessState) (cpu time.Duration, maxRSS int64) {
	if p == nil {
		return 0, 0
	}
	return p.UserTime() + p.SystemTime(), resident(p.SysUsage())
}

// residentBytes brings the ru_maxrss of getrusage to bytes: the Apple systems
// count in bytes, all others in KiB.
func residentBytes(goos string, maxRSS int64) int64 {
	switch goos {
	case "darwin", "ios":
		return maxRSS
	}
	return maxRSS << 10
}
