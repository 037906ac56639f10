//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package directory

import (
	"errors"
	"os"
	"syscall"
)

// acquire opens and locks path. The kernel lets go of the lock when its process
// dies, however it dies, so what a dead one left behind is no obstacle.
func acquire(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			return nil, err
		}
		if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			_ = f.Close()
			if errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, taken(path)
			}
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		// Its owner may have removed the file between our open and our lock.
		mine, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		if now, err := os.Stat(path); err == nil && os.SameFile(mine, now) {
			return f, f.Truncate(0)
		}
		_ = f.Close()
	}
}
