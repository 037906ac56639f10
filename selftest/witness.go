package selftest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/cstest/cstest/measure"
)

// stall is a time in which a processor ran nobody who was due, by the clock of the
// system that all processes share.
type stall struct {
	From time.Duration `json:"from_ns"`
	To   time.Duration `json:"to_ns"`
}

// witness is a process that does nothing but sleep, on each processor, before all
// others in rank. Where it is late the machine stood still: no program can be on time
// then. Lateness of cstest's own making it does not see.
type witness struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
}

// watching is what a witness says first.
const watching = "watching\n"

func startWitness(executable string) (*witness, error) {
	cmd := exec.Command(executable, "selftest", "--witness")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	w := &witness{cmd, in, bufio.NewReader(out)}
	_, _ = w.out.ReadString('\n') // it watches now, or ends because it cannot
	return w, nil
}

// stop ends the witness and gives what it saw; nothing where it cannot tell.
func (w *witness) stop() []stall {
	_ = w.stdin.Close() // its end is the request to tell
	var seen []stall
	err := json.NewDecoder(w.out).Decode(&seen)
	if w.cmd.Wait() != nil || err != nil {
		return nil
	}
	return seen
}

// Witness notes when this machine stands still until in ends, and writes it to out.
// It cannot where the system does not tell, or does not let a process go before others.
func Witness(in io.Reader, out io.Writer) error {
	seen, err := stalls(in, func() { _, _ = io.WriteString(out, watching) }) // who cannot hear it sees its end
	if err != nil {
		return fmt.Errorf("witness: %w", err)
	}
	return json.NewEncoder(out).Encode(seen)
}

// beyond is a quantile of how much later turns began than intended when the time for
// which the machine stood still is left out. base is when the load began, by the
// clock of the stalls.
func beyond(turns []measure.Turn, seen []stall, base time.Duration, q float64) time.Duration {
	own := make([]time.Duration, 0, len(turns))
	for i := range turns {
		due, still := base+turns[i].Intended, time.Duration(0)
		for _, s := range seen {
			if s.From <= due && due < s.To {
				still = max(still, s.To-due)
			}
		}
		own = append(own, max(0, turns[i].Lag-still))
	}
	return quantile(own, q)
}

// stood is for how long a processor stood still in the time from base to end.
func stood(seen []stall, base, end time.Duration) (total time.Duration) {
	for _, s := range seen {
		total += max(0, min(s.To, end)-max(s.From, base))
	}
	return total
}
