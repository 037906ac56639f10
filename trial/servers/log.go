package servers

import (
	"bytes"
	"io"
	"sync"
)

// longestLogLine is how much of a line of a log is held back until its end.
const longestLogLine = 64 << 10

// Log passes a process's log on, line by line, without secrets. Safe for
// concurrent use.
type Log struct {
	mu     sync.Mutex
	out    io.Writer
	redact func(string) string
	held   []byte
}

// NewLog gives a log that goes to out, through redact.
func NewLog(out io.Writer, redact func(string) string) *Log { return &Log{out: out, redact: redact} }

// Write takes a piece of the log. What ends no line is held back until it does.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, p...)
	end := bytes.LastIndexByte(l.held, '\n') + 1
	if end == 0 && len(l.held) > longestLogLine {
		end = len(l.held)
	}
	if end == 0 {
		return len(p), nil
	}
	_, err := io.WriteString(l.out, l.redact(string(l.held[:end])))
	l.held = append(l.held[:0], l.held[end:]...)
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

// Close passes an unfinished last line on and closes the file it goes to.
func (l *Log) Close() error {
	l.flush()
	if file, ok := l.out.(io.Closer); ok {
		return file.Close()
	}
	return nil
}

// flush passes an unfinished last line on.
func (l *Log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.out, l.redact(string(l.held))) // a log that cannot be written ends there
	l.held = nil
}
