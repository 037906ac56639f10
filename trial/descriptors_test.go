//go:build unix

package trial

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/cstest/cstest/scenario"
)

// withDescriptors lets the process open n files at most while do runs.
func withDescriptors(t *testing.T, n uint64, do func()) {
	t.Helper()
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	low := limit
	low.Cur = n
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Skip(err)
	}
	defer func() {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

func TestDescriptorsAreCheckedBeforeTheLoad(t *testing.T) {
	closed := func(users string) *scenario.Scenario {
		return parse(t, anyTarget+"}", "{users: "+users+", for: 1m}")
	}
	withDescriptors(t, 164, func() {
		if err := checkDescriptors(closed("100"), 1); err != nil {
			t.Errorf("100 users and 64 to spare fit into 164: %v", err)
		}
		err := checkDescriptors(closed("101"), 1)
		if err == nil {
			t.Fatal("101 users fit into 164 descriptors of which 64 are to spare")
		}
		for _, want := range []string{"101 connections", "165 file descriptors", "may open 164", "ulimit -n 165", "--processes auto", "connections: shared", "http: h2c"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q does not say %q", err, want)
			}
		}
		if err := checkDescriptors(closed("101"), 2); err != nil {
			t.Errorf("of two processes each needs 51: %v", err)
		}
		// An open load's connections are an estimate: twice as many are let through.
		open := parse(t, anyTarget+"}", "{stages: [{name: s, for: 60s, starts: 20/s}]}") // 140
		if err := checkDescriptors(open, 1); err != nil {
			t.Errorf("an open load of 140: %v", err)
		}
		if err := checkDescriptors(parse(t, anyTarget+"}", "{stages: [{name: s, for: 60s, starts: 50/s}]}"), 1); err == nil {
			t.Error("an open load of 350 fits into 164 descriptors")
		}
		// (164−64)·0.9 = 90 to each process.
		if n := Processes(closed("100"), 2); n != 2 {
			t.Errorf("100 users take %d processes, want 2", n)
		}
		if n := Processes(closed("90"), 2); n != 1 {
			t.Errorf("90 users take %d processes, want 1", n)
		}
	})
}

func TestReserveIsTakenAndGivenBack(t *testing.T) {
	r := takeReserve()
	if len(r) != reserved {
		t.Fatalf("%d descriptors in reserve, want %d", len(r), reserved)
	}
	r.release()
	for _, f := range r {
		if err := f.Close(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a descriptor was kept: %v", err)
		}
	}
	withDescriptors(t, 3, func() { r = takeReserve() })
	if len(r) != 0 {
		t.Errorf("%d descriptors where there were none", len(r))
	}
}
