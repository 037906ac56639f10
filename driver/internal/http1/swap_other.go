//go:build !linux

package http1

import (
	"errors"
	"time"
)

type swap struct{}

func (c *conn) swappable(time.Duration) bool { return false }

func (c *conn) exchange(_, _ []byte) (wrote, n int, err error) {
	return 0, 0, errors.ErrUnsupported
}
