// Package host watches the machine that a run shares with others: how long its
// processes wait for a processor, and how much of the processors goes to those
// that have no part in the run. It reads Linux's /proc; elsewhere, and where the
// kernel keeps no pressure figures, it tells nothing.
package host

import (
	"cmp"
	"os"
	"slices"
	"time"

	"github.com/cstest/cstest/measure"
)

// mostSeconds bounds what is kept, mostProcesses how many are looked at each second:
// a machine with more tells of its processors as a whole only.
const (
	mostSeconds   = 24 * 3600
	mostProcesses = 2000
	mostNamed     = 3
	shortest      = 250 * time.Millisecond // that ticks of 10 ms can tell of
)

// Watch looks at the machine once a second. It is for one goroutine.
type Watch struct {
	root string
	self int
	// strangers: the target runs here and is none of our processes, so what they do not
	// use may be its own. Only what is known to be somebody else's counts.
	strangers bool
	port      int          // that the target is asked at
	own       map[int]bool // the target's processes among those of first

	early  reading // before the load, some time before first
	first  reading // when the load began
	before reading
	since  time.Duration // of the load, at the last look
	out    measure.Host
	used   map[string]time.Duration // by others, by name
}

// New gives a watch of this machine. strangers: the target runs on it, at that port,
// and was not started by this process.
func New(strangers bool, port int) *Watch {
	root := os.Getenv("HOST_PROC")
	if root == "" {
		root = "/proc"
	}
	w := &Watch{root: root, self: os.Getpid(), strangers: strangers, port: port, used: map[string]time.Duration{}}
	w.early = read(w.root, time.Now())
	return w
}

// Begin is to be called when the load begins.
func (w *Watch) Begin() {
	w.first = read(w.root, time.Now())
	w.before = w.first
	if w.strangers && w.first.ok {
		w.own = listeners(w.root, w.port, w.first.procs)
	}
}

// Look takes what happened since the last look; elapsed is how far the load has come.
func (w *Watch) Look(elapsed time.Duration) {
	if !w.before.ok || len(w.out.Seconds) >= mostSeconds || elapsed-w.since < shortest {
		return
	}
	now := read(w.root, time.Now())
	if !now.ok {
		return
	}
	s := between(&w.before, &now)
	s.Second = int((w.since + elapsed) / 2 / time.Second) // the one that most of it lies in
	others, byName := w.others(&now)
	s.Others = others.Seconds() / max(now.at.Sub(w.before.at).Seconds(), 1e-3)
	for name, d := range byName {
		w.used[name] += d
	}
	w.out.Cores = now.cores
	w.out.Seconds = append(w.out.Seconds, s)
	w.before, w.since = now, elapsed
}

// others is what processes without a part in the run used since the last look, and
// what of it those used that could be seen, by name.
func (w *Watch) others(now *reading) (time.Duration, map[string]time.Duration) {
	if w.strangers {
		return strange(&w.early, &w.first, &w.before, now, w.self, w.own)
	}
	return rest(&w.before, now, w.self)
}

// Told is all that was seen; nil where the system does not tell.
func (w *Watch) Told() *measure.Host {
	if len(w.out.Seconds) == 0 {
		return nil
	}
	for name, d := range w.used {
		if d >= time.Second/10 {
			w.out.Others = append(w.out.Others, measure.HostProcess{Name: name, CPU: d})
		}
	}
	slices.SortFunc(w.out.Others, func(a, b measure.HostProcess) int {
		return cmp.Or(cmp.Compare(b.CPU, a.CPU), cmp.Compare(a.Name, b.Name))
	})
	w.out.Others = w.out.Others[:min(len(w.out.Others), mostNamed)]
	return &w.out
}
