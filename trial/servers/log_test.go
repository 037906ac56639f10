package servers

import (
	"errors"
	"strings"
	"testing"
)

func noCanary(s string) string { return strings.ReplaceAll(s, "canary", "[redacted]") }

func TestRedactedLogHoldsBackUnfinishedLines(t *testing.T) {
	var out strings.Builder
	l := NewLog(&out, noCanary)
	for _, piece := range []string{"one can", "ary\ntwo can", "ary", " three"} {
		if n, err := l.Write([]byte(piece)); n != len(piece) || err != nil {
			t.Fatalf("Write gives %d, %v", n, err)
		}
	}
	if got := out.String(); got != "one [redacted]\n" {
		t.Errorf("before the end %q", got)
	}
	l.flush()
	if got := out.String(); got != "one [redacted]\ntwo [redacted] three" {
		t.Errorf("at the end %q", got)
	}
}

// A disk that is full ends the log, and not the process that writes it.
func TestLogThatCannotBeWritten(t *testing.T) {
	out := &fullDisk{}
	l := NewLog(out, noCanary)
	for range 3 {
		if n, err := l.Write([]byte("a line\n")); n != 7 || err != nil {
			t.Fatalf("Write gives %d, %v", n, err)
		}
	}
	if out.asked != 1 {
		t.Errorf("asked %d times to write, want once", out.asked)
	}
}

type fullDisk struct{ asked int }

func (f *fullDisk) Write([]byte) (int, error) {
	f.asked++
	return 0, errors.New("no space left on device")
}
