// Package admission decides which turns begin when there are more than the
// server can finish. It stands in front of all state: a turn that is turned away
// has cost nothing but its body, and one that is let in is meant to be finished.
package admission

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"time"
)

// ErrShed means that the turn must not begin now.
var ErrShed = errors.New("too many turns in flight")

// Priority is how late a turn is turned away, worst first.
type Priority uint8

// The priorities.
const (
	New      Priority = iota // begins a dialog
	UnderWay                 // goes on with one: turning it away wastes what was done
	Person                   // complaints, safety, whatever goes to people
	numPriorities
)

// reach is how much of the limit each priority may fill, so that a better one
// finds room without waiting.
var reach = [numPriorities]float64{0.9, 1, 1.1}

// Live are the options, which may change while the server runs.
type Live struct {
	Target time.Duration // what a turn may cost beside the model, at the 90th percentile; 0: nobody is turned away
	Wait   time.Duration // how long a turn waits for room before it is turned away
	Hold   time.Duration // how long the refusal of a caller who came back sooner than that is held back, from the turn's start
	Floor  int           // turns in flight that are always let in
	Cap    int           // turns in flight that are never exceeded; 0: no cap
}

const (
	startLimit = 256
	settle     = 300 * time.Millisecond // after a decrease: turns that end before were let in under the old limit
	window     = 100 * time.Millisecond // between two looks
	minSamples = 10                     // turns a look needs
	overShare  = 0.1                    // of the turns above the target: too many
	backOff    = 0.9                    // multiplicative decrease
	probing    = 0.02                   // growth a look, while the limit is used
	fastGrowth = 0.1                    // growth a look, up to what once went well
	doubt      = 0.97                   // of what once went well, that a decrease leaves
	leniency   = 4                      // by how much the target grows with the share of turns that are turned away
	used       = 0.8                    // of the limit in flight: it is in use
	standing   = 500 * time.Millisecond // a queue that was never empty for so long is no burst
	maxWaiting = 4096                   // turns that wait, and refusals that are held back, each
)

// Limiter is an adaptive limit of turns in flight: additive increase and
// multiplicative decrease on the time that turns take beside the model. The
// model's own time is left out, or a slow model would look like a busy server;
// for that there are tiers. Safe for concurrent use.
type Limiter struct {
	live func() Live

	mu         sync.Mutex
	limit      float64
	inFlight   int
	expected   int // turns on their way to Enter
	peak       int // in flight since the last look
	waiting    [numPriorities][]*waiter
	emptied    time.Time // when last nobody was seen to wait
	looked     time.Time
	n, over    int     // turns since the last look, those above the target
	pressed    bool    // something ran out of room since the last look
	well       float64 // turns in flight up to which it is thought to go well
	left       int     // turns that left since the last look
	sheds      int64
	shedBefore int64   // sheds at the last look
	refusing   float64 // share of the turns that were turned away, between the last two looks
	held       int     // refusals held back
	hasty      hasty
	maxWaiting int
}

// waiter is a turn that waits for room; granted is closed when it has some.
type waiter struct {
	granted chan struct{}
	shed    bool // set before granted is closed
}

// NewLimiter makes a limiter. live is asked on every turn and must be cheap.
func NewLimiter(live func() Live) *Limiter {
	return &Limiter{live: live, limit: startLimit, well: math.Inf(1), looked: time.Now(), maxWaiting: maxWaiting}
}

// Enter lets a turn in, at once or within the time a turn may wait, or returns
// ErrShed, or the error of ctx. caller tells callers apart; priority is asked only
// when there is no room for everybody. After nil, Leave must be called.
func (l *Limiter) Enter(ctx context.Context, caller uint64, priority func() Priority) error {
	live, start := l.live(), time.Now()
	err := l.enter(ctx, live, priority)
	if errors.Is(err, ErrShed) {
		l.hold(ctx, caller, start, live.Hold)
	}
	return err
}

// hold keeps a refusal back from a caller who was turned away a moment ago. Those who
// ask again the moment they are refused would otherwise take the CPU from those who
// were let in: turning a turn away costs a part of what answering it does, and there
// is no end to them. Others are told at once: what waits costs more.
func (l *Limiter) hold(ctx context.Context, caller uint64, start time.Time, pause time.Duration) {
	if pause <= 0 {
		return
	}
	now := time.Now()
	l.mu.Lock()
	d := pause - now.Sub(start)
	if !l.hasty.again(caller, now, pause) || d <= 0 || l.held >= l.maxWaiting {
		l.mu.Unlock()
		return
	}
	l.held++
	l.mu.Unlock()
	timer := time.NewTimer(d)
	select {
	case <-timer.C:
	case <-ctx.Done():
		timer.Stop()
	}
	l.mu.Lock()
	l.held--
	l.mu.Unlock()
}

func (l *Limiter) enter(ctx context.Context, live Live, priority func() Priority) error {
	l.mu.Lock()
	if l.room(live, New) && l.idle() {
		l.admit()
		l.mu.Unlock()
		return nil
	}
	l.mu.Unlock()
	p := priority()
	l.mu.Lock()
	if l.room(live, p) && l.idleFrom(p) {
		l.admit()
		l.mu.Unlock()
		return nil
	}
	w, wait := &waiter{granted: make(chan struct{})}, l.patience(live, p, time.Now())
	if wait <= 0 || !l.enqueue(p, w) {
		l.sheds++
		l.mu.Unlock()
		return ErrShed
	}
	l.mu.Unlock()
	return l.wait(ctx, wait, p, w)
}

// Crowded says whether many turns are turned away.
func (l *Limiter) Crowded() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.crowded()
}

func (l *Limiter) crowded() bool { return l.refusing > overShare }

// Refuse turns a new dialog away where Enter would do so at once, and says whether it
// did, and how long the refusal is to be held back. Where it did not, Expect says that the
// turn is on its way to Enter, and what Expect returns that it is there.
func (l *Limiter) Refuse(caller uint64) (hold time.Duration, refused bool) {
	live, now := l.live(), time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.crowded() || l.roomBeside(live, New, l.expected) && l.idle() {
		return 0, false
	}
	l.sheds++
	if live.Hold > 0 && l.hasty.again(caller, now, live.Hold) {
		hold = live.Hold
	}
	return hold, true
}

// Expect counts a turn that is on its way to Enter. arrived, called once, ends that.
func (l *Limiter) Expect() (arrived func()) {
	l.mu.Lock()
	l.expected++
	l.mu.Unlock()
	return func() {
		l.mu.Lock()
		l.expected--
		l.mu.Unlock()
	}
}

// patience is how long a turn waits for room. Waiting helps over a burst. In a queue
// that does not end it makes nothing faster and every answer late: there it is short,
// but for people (CoDel; Maurer, Fail at Scale, 2015). Where many are turned away a
// new dialog is so at once: to wait costs the CPU that is short.
func (l *Limiter) patience(live Live, p Priority, now time.Time) time.Duration {
	if l.idle() {
		l.emptied = now
	}
	if p == New && l.crowded() {
		return 0
	}
	if p < Person && now.Sub(l.emptied) > standing {
		return live.Wait / 10
	}
	return live.Wait
}

func (l *Limiter) wait(ctx context.Context, limit time.Duration, p Priority, w *waiter) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	var err error
	select {
	case <-w.granted:
	case <-timer.C:
		err = ErrShed
	case <-ctx.Done():
		err = ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.waiting[p], w); i >= 0 {
		l.waiting[p] = slices.Delete(l.waiting[p], i, i+1)
		if errors.Is(err, ErrShed) {
			l.sheds++
		}
		return err
	}
	if w.shed {
		return ErrShed
	}
	return nil // let in, perhaps in the moment it gave up
}

// Leave ends a turn. own is what it took beside the model; a negative value
// says nothing, as for a turn whose caller left.
func (l *Limiter) Leave(own time.Duration) {
	live := l.live()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight--
	l.left++
	if own >= 0 && !time.Now().Before(l.looked) {
		l.n++
		if own > l.bearable(live) {
			l.over++
		}
	}
	l.look(live, time.Now())
	l.grant(live)
}

// Pressed says that something behind the limit ran out of room: a pool, or the
// CPU. It counts as a look full of turns above the target.
func (l *Limiter) Pressed() {
	l.mu.Lock()
	l.pressed = true
	l.mu.Unlock()
}

// State is what the limiter shows of itself.
type State struct {
	Limit    int
	InFlight int
	Waiting  int
	Sheds    int64
}

// State is a snapshot.
func (l *Limiter) State() State {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for p := range l.waiting {
		n += len(l.waiting[p])
	}
	return State{Limit: int(l.limit), InFlight: l.inFlight, Waiting: n, Sheds: l.sheds}
}

// room says whether one more turn of this priority fits.
func (l *Limiter) room(live Live, p Priority) bool { return l.roomBeside(live, p, 0) }

// roomBeside says so where some more turns are about to come.
func (l *Limiter) roomBeside(live Live, p Priority, more int) bool {
	n := l.inFlight + more
	if live.Cap > 0 && n >= live.Cap {
		return false
	}
	return live.Target <= 0 || n < live.Floor || float64(n) < reach[p]*l.limit
}

func (l *Limiter) idle() bool { return l.idleFrom(New) }

// idleFrom says whether nobody of this priority or a better one waits.
func (l *Limiter) idleFrom(p Priority) bool {
	for ; p < numPriorities; p++ {
		if len(l.waiting[p]) > 0 {
			return false
		}
	}
	return true
}

func (l *Limiter) admit() {
	l.inFlight++
	l.peak = max(l.peak, l.inFlight)
}

// enqueue makes a turn wait. Where too many do, the newest of the worst
// priority gives its place to a better one; false: there is none worse.
func (l *Limiter) enqueue(p Priority, w *waiter) bool {
	n := 0
	for q := range l.waiting {
		n += len(l.waiting[q])
	}
	if n >= l.maxWaiting {
		worst := Priority(0)
		for worst < p && len(l.waiting[worst]) == 0 {
			worst++
		}
		if worst >= p {
			return false
		}
		last := len(l.waiting[worst]) - 1
		out := l.waiting[worst][last]
		l.waiting[worst] = l.waiting[worst][:last]
		out.shed = true
		l.sheds++
		close(out.granted)
	}
	l.waiting[p] = append(l.waiting[p], w)
	return true
}

// grant lets in those who wait, the best first.
func (l *Limiter) grant(live Live) {
	for p := int(numPriorities) - 1; p >= 0; p-- {
		for len(l.waiting[p]) > 0 && l.room(live, Priority(p)) {
			w := l.waiting[p][0]
			l.waiting[p] = l.waiting[p][1:]
			l.admit()
			close(w.granted)
		}
	}
}

// bearable is what a turn may take beside the model. Turning turns away costs CPU
// too, and fewer turns in flight do not make that less, but more: while many are
// turned away those let in may take longer, or the limit would fall to its floor.
func (l *Limiter) bearable(live Live) time.Duration {
	return time.Duration(float64(live.Target) * (1 + leniency*l.refusing))
}

// look moves the limit, once in a window with enough turns to judge by.
func (l *Limiter) look(live Live, now time.Time) {
	if live.Target <= 0 {
		l.refusing = 0
	}
	if live.Target <= 0 || now.Sub(l.looked) < window || l.n < minSamples && !l.pressed {
		return
	}
	refused := float64(l.sheds - l.shedBefore)
	l.refusing = refused / (refused + float64(l.left))
	next := now
	switch {
	case l.pressed || float64(l.over) > overShare*float64(l.n):
		l.limit = max(float64(live.Floor), backOff*min(l.limit, float64(max(l.peak, 1))))
		if l.well *= doubt; math.IsInf(l.well, 1) {
			l.well = float64(max(l.peak, 1))
		}
		l.well = max(l.well, l.limit)
		next = now.Add(settle - window)
	case float64(l.peak) >= used*l.limit:
		l.grow(live)
	}
	l.looked, l.n, l.over, l.peak, l.pressed = next, 0, 0, l.inFlight, false
	l.left, l.shedBefore = 0, l.sheds
}

// grow raises a limit that is used: fast up to what once went well, with care
// beyond.
func (l *Limiter) grow(live Live) {
	growth := probing
	if l.limit < l.well {
		growth = fastGrowth
	}
	l.limit += max(1, growth*l.limit)
	if live.Cap > 0 {
		l.limit = min(l.limit, float64(live.Cap))
	}
	l.well = max(l.well, l.limit)
}
