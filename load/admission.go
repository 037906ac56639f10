package load

import "time"

// admit tells whether c's turn may go ahead; when not, c is where it has to wait.
func (r *run) admit(c *conversation, now time.Duration) bool {
	if r.ended.Load() {
		r.cut(c)
		return false
	}
	if c.state == between {
		if r.stopping.Load() || !r.begins() {
			r.retire(c)
			return false
		}
		r.live.planned.Add(1)
		r.live.started.Add(1)
		c.state = issued
	}
	if !c.counted {
		c.counted = true
		r.live.enter(c.intended)
	}
	if at, ok := r.guard.take(now); !ok {
		r.park(at, c)
		return false
	}
	if r.acquire() {
		c.admitted, c.number = now, r.contract.send(now)
		return true
	}
	r.mu.Lock()
	r.waiting = append(r.waiting, c)
	r.waiters.Add(1)
	r.mu.Unlock()
	r.admitWaiting() // a place may have become free in between
	return false
}

// begins takes one of the conversations that users are to begin; false when all
// have begun. Who took the last one sends home those who wait for a turn of theirs.
func (r *run) begins() bool {
	if !r.counted {
		return true
	}
	left := r.due.Add(-1)
	if left == 0 {
		r.sendHome()
	}
	return left >= 0
}

// allBegun tells whether users have nothing more to begin.
func (r *run) allBegun() bool { return r.counted && r.due.Load() <= 0 }

// acquire takes a place among the turns in flight.
func (r *run) acquire() bool {
	for {
		n := r.live.awaiting.Load()
		if n >= r.most {
			return false
		}
		if r.live.awaiting.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// release gives it back.
func (r *run) release() {
	r.live.awaiting.Add(-1)
	if r.waiters.Load() > 0 {
		r.admitWaiting()
	}
}

func (r *run) admitWaiting() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.waiting) > 0 && !r.ended.Load() && r.acquire() {
		c := r.waiting[0]
		r.waiting[0] = nil
		r.waiting = r.waiting[1:]
		r.waiters.Add(-1)
		c.released = r.now()
		c.admitted, c.number = c.released, r.contract.send(c.released)
		r.hand(c)
	}
}

// park queues c until due. A load that has ended takes no one back.
func (r *run) park(due time.Duration, c *conversation) {
	r.mu.Lock()
	if r.ended.Load() || c.state == between && r.allBegun() {
		r.mu.Unlock()
		r.cut(c)
		return
	}
	r.queue.push(due, c)
	earlier := due < r.armed
	if earlier {
		r.armed = due
	}
	r.mu.Unlock()
	if earlier {
		r.alarm.wake()
	}
}

// sendHome retires the users of a closed model that are between conversations.
func (r *run) sendHome() {
	var home []*conversation
	r.mu.Lock()
	r.queue.remove(
		func(c *conversation) bool { return c.state == between },
		func(c *conversation) { home = append(home, c) })
	r.mu.Unlock()
	for _, c := range home {
		r.retire(c)
	}
}

// cutOff ends what the drain left: turns in flight are interrupted, turns never
// sent make their conversations abandoned.
func (r *run) cutOff() {
	var rest []*conversation
	r.mu.Lock()
	r.ended.Store(true)
	for r.queue.len() > 0 {
		_, c := r.queue.pop()
		rest = append(rest, c)
	}
	rest = append(rest, r.waiting...)
	r.waiting = nil
	idle := r.idle
	r.idle = nil
	r.mu.Unlock()
	if r.alive.Load() > int64(len(rest)) {
		r.o.Driver.Interrupt()
	}
	for _, c := range rest {
		r.cut(c)
	}
	for _, w := range idle {
		close(w.work)
	}
}
