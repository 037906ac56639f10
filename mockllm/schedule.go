package mockllm

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/unit"
)

// maxPhases bounds the phases remembered since the last reset.
const maxPhases = 4096

// schedule switches faults on and off. One goroutine (run) waits for the next
// edge; calls only load the active set, so the edge that calls meet is the edge
// that is recorded, however late a busy machine makes it.
type schedule struct {
	active atomic.Pointer[[]*fault]

	mu      sync.Mutex
	poke    chan struct{}
	waiting bool // no t = 0 yet
	origin  time.Time
	windows []window
	phases  []*phase
	revert  func() // what happens when the time-to-live is over
	expires time.Time
}

// window is the state of one fault: pending, active (phase set), over.
type window struct {
	fault *fault
	phase *phase
	over  bool
}

// phase is one window that began, with actual monotonic instants.
type phase struct {
	fault      *fault
	start, end time.Time
}

func newSchedule() *schedule {
	s := &schedule{poke: make(chan struct{}, 1), origin: time.Now()}
	s.active.Store(&[]*fault{})
	return s
}

// install replaces the faults and applies the edges that are due before it
// returns. revert, when not nil, is called once after ttl unless another install
// comes first. The faults must be the caller's to give away.
func (s *schedule) install(faults []*fault, origin time.Time, waiting bool, ttl time.Duration, revert func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.closePhases(now)
	s.windows = s.windows[:0]
	for _, f := range faults {
		s.windows = append(s.windows, window{fault: f})
	}
	s.origin, s.waiting = origin, waiting
	s.revert, s.expires = revert, now.Add(ttl)
	s.advance(now)
	s.wake()
}

// restart sets t = 0 and starts all windows over, forgetting past phases.
func (s *schedule) restart(origin time.Time, waiting bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.origin, s.waiting = origin, waiting
	s.phases = nil
	for i, w := range s.windows {
		f := *w.fault
		s.windows[i] = window{fault: &f}
	}
	s.advance(time.Now())
	s.wake()
}

func (s *schedule) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

func (s *schedule) closePhases(now time.Time) {
	for i := range s.windows {
		if p := s.windows[i].phase; p != nil && p.end.IsZero() {
			p.end = now
		}
	}
}

// advance applies every edge that is due and returns the instant of the next
// one, zero when there is none. The caller holds mu.
func (s *schedule) advance(now time.Time) (next time.Time) {
	soonest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	set := make([]*fault, 0, len(s.windows))
	for i := range s.windows {
		w := &s.windows[i]
		if w.over || s.waiting {
			continue
		}
		start := s.origin.Add(w.fault.At.D())
		end := start.Add(w.fault.For.D())
		endless := w.fault.For == 0
		switch {
		case now.Before(start):
			soonest(start)
			continue
		case !endless && !now.Before(end):
			w.over = true
			if w.phase != nil {
				w.phase.end = now
			}
			continue
		case w.phase == nil:
			w.fault.began = now
			w.phase = s.begin(w.fault, now)
		}
		set = append(set, w.fault)
		if !endless {
			soonest(end)
		}
	}
	s.active.Store(&set)
	if s.revert != nil {
		soonest(s.expires)
	}
	return next
}

// begin starts a phase, and remembers it up to maxPhases.
func (s *schedule) begin(f *fault, now time.Time) *phase {
	p := &phase{fault: f, start: now}
	if len(s.phases) < maxPhases {
		s.phases = append(s.phases, p)
	}
	return p
}

// snapshot copies the phases that began.
func (s *schedule) snapshot() []phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]phase, len(s.phases))
	for i, p := range s.phases {
		out[i] = *p
	}
	return out
}

// remaining is the time-to-live that is left; zero when there is none.
func (s *schedule) remaining() unit.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revert == nil {
		return 0
	}
	return unit.Duration(max(time.Until(s.expires).Round(time.Millisecond), time.Millisecond))
}

// run waits for edges and the time-to-live until done is closed.
func (s *schedule) run(done <-chan struct{}) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		now := time.Now()
		var revert func()
		if s.revert != nil && !now.Before(s.expires) {
			revert, s.revert = s.revert, nil
		}
		next := s.advance(now)
		s.mu.Unlock()
		if revert != nil {
			revert()
			continue
		}
		wait := time.Hour
		if !next.IsZero() {
			wait = time.Until(next)
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-s.poke:
		case <-done:
			return
		}
	}
}
