package servers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// However much a process writes, two halves of its log are kept, the newest lines in
// them, whole and without secrets.
func TestLogIsBounded(t *testing.T) {
	const half, lines = 1 << 10, 1000
	dir := t.TempDir()
	f, err := newLogFile(filepath.Join(dir, "server.log"), half)
	if err != nil {
		t.Fatal(err)
	}
	l := NewLog(f, noCanary)
	for i := range lines {
		fmt.Fprintf(l, "line %04d of canary\n", i)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > half {
			t.Errorf("%s has %d bytes, want %d at most", name, len(b), half)
		}
		return string(b)
	}
	all := read("server.log.1") + read("server.log")
	got := strings.Split(strings.TrimSuffix(all, "\n"), "\n")
	if len(all) < half || len(got) < 2 {
		t.Fatalf("%d bytes are left", len(all))
	}
	for i, line := range got {
		if want := fmt.Sprintf("line %04d of [redacted]", lines-len(got)+i); line != want {
			t.Fatalf("line %d of %d is %q, want %q", i, len(got), line, want)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 2 {
		t.Errorf("%v, %v: want two files", list, err)
	}
}

// A log begins anew with a run, also where one before had put something aside; one line
// that is longer than a half is kept as it is.
func TestLogBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "server.log.1")
	if err := os.WriteFile(old, []byte("of a run before"), 0o644); err != nil {
		t.Fatal(err)
	}
	l, err := OpenLog(dir, "server", noCanary)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("what a run before put aside is still there: %v", err)
	}
	f, err := newLogFile(filepath.Join(dir, "long.log"), 8)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, line := range []string{"a line longer than that\n", "short\n"} {
		if _, err := f.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"long.log.1": "a line longer than that\n", "long.log": "short\n"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if _, err := OpenLog(filepath.Join(dir, "long.log"), "server", noCanary); err == nil || !strings.Contains(err.Error(), "log directory of server") {
		t.Errorf("a log below a file: %v", err)
	}
}
