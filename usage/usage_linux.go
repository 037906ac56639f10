package usage

import (
	"bytes"
	"os"
	"strconv"
)

// peak is the most memory this program had resident; false where /proc does not
// tell. What getrusage calls so is not less than its parent had when it started
// this one: Linux keeps it over exec.
func peak() (int64, bool) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(status) {
		if text, found := bytes.CutPrefix(line, []byte("VmHWM:")); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(text), []byte(" kB"))), 10, 64)
			return kib << 10, err == nil
		}
	}
	return 0, false
}
