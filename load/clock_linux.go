package load

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// clockFile is a timerfd(2).
type clockFile struct {
	file *os.File
	fd   int
}

func openClock() (*clockFile, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timerfd: %w", err)
	}
	return &clockFile{file: os.NewFile(uintptr(fd), "timerfd"), fd: fd}, nil
}

// set makes the descriptor readable after d, which must be positive. It is safe
// for concurrent use; the last one counts.
func (c *clockFile) set(d time.Duration) {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	_ = unix.TimerfdSettime(c.fd, 0, &spec, nil) // fails only for a closed descriptor
}

// wait returns when the descriptor is readable, at the latest at deadline.
func (c *clockFile) wait(deadline time.Time) {
	var expirations [8]byte
	_ = c.file.SetReadDeadline(deadline)
	_, _ = c.file.Read(expirations[:])
}

func (c *clockFile) close() { _ = c.file.Close() }
