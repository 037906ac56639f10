package selftest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// A processor that is taken away for 30 ms, as a hypervisor takes it, is seen.
func TestWitnessSeesAProcessorStandStill(t *testing.T) {
	in, end := io.Pipe()
	said, out := io.Pipe()
	told := make(chan error, 1)
	go func() {
		err := Witness(in, out)
		out.Close()
		told <- err
	}()
	lines := bufio.NewReader(said)
	if line, _ := lines.ReadString('\n'); line != watching {
		end.Close()
		t.Skipf("a process may not go before others here: %v", <-told)
	}
	took := make(chan stall, 1)
	refused := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never given back: the thread ends with its rank
		if err := errors.Join(goFirst(firstProcessor(t)), unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}, 0)); err != nil {
			refused <- err
			return
		}
		from := sharedClock()
		for sharedClock() < from+30*ms {
		}
		took <- stall{from, sharedClock()}
	}()
	var taken stall
	select {
	case err := <-refused:
		end.Close()
		_, _ = io.Copy(io.Discard, lines)
		t.Skipf("a process may not go before all others here: %v, %v", err, <-told)
	case taken = <-took:
	}
	end.Close()
	var seen []stall
	if err := errors.Join(json.NewDecoder(lines).Decode(&seen), <-told); err != nil {
		t.Fatal(err)
	}
	if got := stood(seen, taken.From, taken.To); got < 25*ms {
		t.Errorf("stood still for %v of the %v that were taken: %v", got, taken.To-taken.From, seen)
	}
}

func firstProcessor(t *testing.T) int {
	t.Helper()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	for cpu := range 64 * len(all) {
		if all.IsSet(cpu) {
			return cpu
		}
	}
	t.Fatal("no processor")
	return 0
}

// When it is asked to end, it does.
func TestWitnessEndsWithItsInput(t *testing.T) {
	var out bytes.Buffer
	if err := Witness(bytes.NewReader(nil), &out); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) {
		t.Fatal(err)
	}
}
