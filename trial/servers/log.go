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
	over   bool // it could not be written any more
}

// NewLog gives a log that goes to out, through redact.
func NewLog(out io.Writer, redact func(string) string) *Log { return &Log{out: out, redact: redact} }

// Write takes a piece of the log; it never fails. What ends no line is held back until it does.
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
	l.pass(l.held[:end])
	l.held = append(l.held[:0], l.held[end:]...)
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
	l.pass(l.held)
	l.held = nil
}

// pass writes what is whole. A log that cannot be written ends there: to say so to who
// writes would be a closed pipe, of which the process dies.
func (l *Log) pass(text []byte) {
	if l.over || len(text) == 0 {
		return
	}
	_, err := io.WriteString(l.out, l.redact(string(text)))
	l.over = err != nil
}
