package degrade

import (
	"sync"
	"time"
)

// window counts calls of the last seconds in slices of 250 ms. Safe for
// concurrent use.
type window struct {
	mu     sync.Mutex
	origin time.Time
	slices [64]tally // 16 s
	at     int64     // slice last written
}

const sliceTime = 250 * time.Millisecond

func newWindow(now time.Time) *window { return &window{origin: now} }

// add counts one call.
func (w *window) add(now time.Time, failed, slow bool) { w.count(now, failed, slow, false) }

// count is add that also tells errors from timeouts.
func (w *window) count(now time.Time, failed, slow, refused bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	t := &w.slices[w.at%int64(len(w.slices))]
	t.n++
	if failed {
		t.failed++
	}
	if slow {
		t.slow++
	}
	if refused {
		t.refused++
	}
}

// sum adds up the slices that began within the last d (16 s at most).
func (w *window) sum(now time.Time, d time.Duration) tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance(now)
	var t tally
	for i := range min(int64(d/sliceTime), int64(len(w.slices))) {
		if w.at-i < 0 {
			break
		}
		s := w.slices[(w.at-i)%int64(len(w.slices))]
		t.n += s.n
		t.failed += s.failed
		t.slow += s.slow
		t.refused += s.refused
	}
	return t
}

func (w *window) advance(now time.Time) {
	at := int64(now.Sub(w.origin) / sliceTime)
	for w.at < at {
		w.at++
		w.slices[w.at%int64(len(w.slices))] = tally{}
		if at-w.at > int64(len(w.slices)) {
			w.at = at - int64(len(w.slices))
		}
	}
}

// probeLog remembers how the last probes went. Safe for concurrent use.
type probeLog struct {
	mu   sync.Mutex
	when [leaveProbes]time.Time
	bad  [leaveProbes]bool
	n    int
}

func (l *probeLog) add(now time.Time, bad bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.when[l.n%leaveProbes], l.bad[l.n%leaveProbes] = now, bad
	l.n++
}

// sum counts the last 20 probes that are not older than 10 s.
func (l *probeLog) sum(now time.Time) tally {
	l.mu.Lock()
	defer l.mu.Unlock()
	var t tally
	for i := range min(l.n, leaveProbes) {
		if now.Sub(l.when[i]) <= probeWindow {
			t.n++
			if l.bad[i] {
				t.failed++
			}
		}
	}
	return t
}
