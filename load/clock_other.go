//go:build !linux

package load

import (
	"errors"
	"time"
)

// clockFile is there on Linux only.
type clockFile struct{}

func openClock() (*clockFile, error) { return nil, errors.ErrUnsupported }

func (*clockFile) set(time.Duration) {}
func (*clockFile) wait(time.Time)    {}
func (*clockFile) close()            {}
