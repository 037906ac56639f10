package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/report/escape"
)

// LockFile keeps two runs out of one result directory.
const LockFile = ".lock"

// Lock makes dir, if need be, and takes it for this process. The lock file
// holds the process id and the boot id; a lock left by a process that is gone,
// or from before a reboot, is taken over. The error names the owner. release
// removes the lock; it may be called once.
func Lock(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, reason.Errorf("%w: choose another --results-dir", err)
	}
	path := filepath.Join(dir, LockFile)
	f, err := acquire(path)
	if errors.Is(err, fs.ErrPermission) {
		err = reason.Errorf("%w: choose another --results-dir", err)
	}
	if err != nil {
		return nil, err
	}
	if _, err = fmt.Fprintf(f, "%d %s\n", os.Getpid(), bootID()); err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = f.Close()
		return nil, reason.Errorf("%s: %w", path, err)
	}
	return func() error {
		// Removed while still held, so that nobody takes a lock that is about to vanish.
		err := os.Remove(path)
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		return err
	}, nil
}

func taken(path string) error {
	b, _ := os.ReadFile(path)
	if len(b) > 200 {
		b = b[:200]
	}
	pid, _, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	return reason.Errorf("%s is in use by process %s: choose another --results-dir, or wait for it", filepath.Dir(path), escape.Clean(pid))
}

// bootID tells one boot of a machine from the next; "-" where the system does not say.
func bootID() string {
	if runtime.GOOS == "linux" {
		if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
			return strings.TrimSpace(string(b))
		}
	}
	return "-"
}
