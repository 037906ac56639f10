package fault

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/cstest/cstest/unit"
)

// maxPhases bounds the phases remembered since the last reset.
const maxPhases = 4096

// Schedule switches faults on and off. One goroutine (run) waits for the next
// edge; calls only load the active set, so the edge that calls meet is the edge
// that is recorded, however late a busy machine makes it.
type Schedule struct {
	Active atomic.Pointer[[]*Fault]

	mu      sync.Mutex
	poke    chan struct{}
	waiting bool // no t = 0 yet
	origin  time.Time
	windows []window
	phases  []*Phase
	revert  func() // what happens when the time-to-live is over
	expires time.Time
}

// window is the state of one fault: pending, active (phase set), over.
type window struct {
	fault *Fault
	phase *Phase
	over  bool
}

// Phase is one window that began, with actual monotonic instants.
type Phase struct {
	Fault      *Fault
	Start, End time.Time
}

// NewSchedule makes a schedule without faults.
func NewSchedule() *Schedule {
	s := &Schedule{poke: make(chan struct{}, 1), origin: time.Now()}
	s.Active.Store(&[]*Fault{})
	return s
}

// Install replaces the faults and applies the edges that are due before it
// returns. revert, when not nil, is called once after ttl unless another install
// comes first. The faults must be the caller's to give away.
func (s *Schedule) Install(faults []*Fault, origin time.Time, waiting bool, ttl time.Duration, revert func()) {
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

// Restart sets t = 0 and starts all windows over, forgetting past phases.
func (s *Schedule) Restart(origin time.Time, waiting bool) {
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

func (s *Schedule) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

func (s *Schedule) closePhases(now time.Time) {
	for i := range s.windows {
		if p := s.windows[i].phase; p != nil && p.End.IsZero() {
			p.End = now
		}
	}
}

// advance applies every edge that is due and returns the instant of the next
// one, zero when there is none. The caller holds mu.
func (s *Schedule) advance(now time.Time) (next time.Time) {
	soonest := func(t time.Time) {
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	set := make([]*Fault, 0, len(s.windows))
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
				w.phase.End = now
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
	s.Active.Store(&set)
	if s.revert != nil {
		soonest(s.expires)
	}
	return next
}

// begin starts a phase, and remembers it up to maxPhases.
func (s *Schedule) begin(f *Fault, now time.Time) *Phase {
	p := &Phase{Fault: f, Start: now}
	if len(s.phases) < maxPhases {
		s.phases = append(s.phases, p)
	}
	return p
}

// Snapshot copies the phases that began.
func (s *Schedule) Snapshot() []Phase {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Phase, len(s.phases))
	for i, p := range s.phases {
		out[i] = *p
	}
	return out
}

// Remaining is the time-to-live that is left; zero when there is none.
func (s *Schedule) Remaining() unit.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revert == nil {
		return 0
	}
	return unit.Duration(max(time.Until(s.expires).Round(time.Millisecond), time.Millisecond))
}

// Run waits for edges and the time-to-live until done is closed.
func (s *Schedule) Run(done <-chan struct{}) {
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
