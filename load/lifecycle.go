package load

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// finish ends a conversation; cut when it had more to say. It tells when a closed
// model's user goes on.
func (r *run) finish(c *conversation, lane Lane, done time.Duration, cut, slowly bool) (time.Duration, bool) {
	lane.Ended(c.end(cut), &c.tally)
	return r.leave(c, done, slowly)
}

// leave takes c out of the load, or a closed model's user to its next
// conversation, as soon as pacing allows: nobody thinks before a first turn.
// Slowly adds a pause of its own, so that a target that refuses connections is
// not stormed.
func (r *run) leave(c *conversation, done time.Duration, slowly bool) (time.Duration, bool) {
	l := c.loop
	if l == nil {
		r.retire(c)
		return 0, false
	}
	pause := time.Duration(0)
	if slowly {
		random := draw(r.script.seed, c.k, forThink)
		pause = backoff/2 + time.Duration(unitOpen(random)*float64(backoff))
	}
	l.loops++
	due, ok := l.enter(max(done+pause, c.started+r.script.pacing))
	if !ok || r.stopping.Load() || r.ended.Load() || r.allBegun() {
		r.retire(c)
		return 0, false
	}
	if !r.keep {
		c.channel.Close()
		c.channel = nil
	}
	c.intended, c.state = due, between
	return due, true
}

// backoff is the mean pause of a closed model's user after a refused connection.
const backoff = 100 * time.Millisecond

// enter gives when, from due on, the user is active; false when never again.
func (l *loop) enter(due time.Duration) (time.Duration, bool) {
	for len(l.windows) > 0 && l.windows[0].End <= due {
		l.windows = l.windows[1:]
	}
	if len(l.windows) == 0 {
		return 0, false
	}
	return max(due, l.windows[0].Start), true
}

// enterUsers queues this shard's users of a closed model.
func (r *run) enterUsers() {
	if r.allBegun() {
		return
	}
	for u := int64(r.o.Shard); u < r.users; u += int64(r.o.Shards) {
		l := &loop{user: u, windows: r.schedule.Windows(int(u))}
		due, ok := l.enter(0)
		if !ok {
			continue
		}
		c := &conversation{k: u, intended: due, state: between, loop: l}
		c.identify(u)
		r.alive.Add(1)
		r.live.conversations.Add(1)
		r.queue.push(due, c)
	}
}

// fresh gives a conversation to be filled. r.mu must be held.
func (r *run) fresh() *conversation {
	n := len(r.free)
	if n == 0 {
		return new(conversation)
	}
	c := r.free[n-1]
	r.free = r.free[:n-1]
	return c
}

// mostFree is how many finished conversations are kept to be filled again.
const mostFree = 4096

// retire takes c, or the user it is, out of the load.
func (r *run) retire(c *conversation) {
	if c.channel != nil {
		c.channel.Close()
		c.channel = nil
	}
	if c.loop == nil {
		r.mu.Lock()
		if len(r.free) < mostFree {
			r.free = append(r.free, c)
		}
		r.mu.Unlock()
	}
	r.live.conversations.Add(-1)
	if r.alive.Add(-1) == 0 {
		r.alarm.wake()
	}
}

// cut ends c where the load has ended before c's next turn.
func (r *run) cut(c *conversation) {
	lane := r.o.Lanes[0]
	switch c.state {
	case talking:
		lane.Ended(c.end(true), &c.tally)
	case issued: // it waited for a place and got none
		r.live.started.Add(-1)
		k := c.k
		if c.loop != nil {
			k = conversationOf(c.loop.user, c.loop.loops, r.users)
		}
		r.drop(k, c.intended, measure.DroppedTarget, full)
	case starting, between: // nothing of it was begun that would have to end
	}
	if c.counted {
		c.counted = false
		r.live.leave(r.now())
	}
	r.retire(c)
}
