//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package directory

import (
	"errors"
	"io/fs"
	"os"
)

// acquire creates path. Without advisory locks a file left by a dead process
// has to be removed by hand; the error names it.
func acquire(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return nil, taken(path)
	}
	return f, err
}
