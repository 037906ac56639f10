package servers

import (
	"fmt"
	"os"
	"path/filepath"
)

// LogHalf is how long a log of a process gets before it is put aside, as NAME.log.1, and
// begun anew. A log and what was put aside last is all that is kept: a server that writes
// a line for each turn writes for as long as a run lasts.
const LogHalf = 64 << 20

// OpenLog begins the log of a process, dir/name.log, written without what redact takes
// out of it.
func OpenLog(dir, name string, redact func(string) string) (*Log, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("log directory of %s: %w", name, err)
	}
	path := filepath.Join(dir, name+".log")
	_ = os.Remove(path + putAside) // of a run before into the same folder
	f, err := newLogFile(path, LogHalf)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", name, err)
	}
	return NewLog(f, redact), nil
}

// putAside is what the name of an older half ends in.
const putAside = ".1"

// logFile is a file of a bounded length. It is used by one goroutine at a time.
type logFile struct {
	path string
	half int64
	file *os.File
	size int64
}

func newLogFile(path string, half int64) (*logFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return &logFile{path: path, half: half, file: f}, nil
}

// Write appends whole lines, in a new half where they would make this one too long.
func (l *logFile) Write(p []byte) (int, error) {
	if l.size > 0 && l.size+int64(len(p)) > l.half {
		if err := l.turn(); err != nil {
			return 0, err
		}
	}
	n, err := l.file.Write(p)
	l.size += int64(n)
	return n, err
}

// turn puts the file aside and begins it anew. Windows renames no file that is open.
func (l *logFile) turn() error {
	if err := l.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(l.path, l.path+putAside); err != nil {
		return err
	}
	f, err := os.Create(l.path)
	if err != nil {
		return err
	}
	l.file, l.size = f, 0
	return nil
}

// Close closes the file.
func (l *logFile) Close() error { return l.file.Close() }
