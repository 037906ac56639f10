package load

import (
	"math"
	"math/bits"
	"time"
)

// Window is a stretch of time, [Start, End), in which a user is active.
type Window struct{ Start, End time.Duration }

// Users is the highest number of users that loop at once, over the whole
// schedule; 0 in the open model. User u of a shard is one with
// u mod shards == shard.
func (s Schedule) Users() int {
	if s.open {
		return 0
	}
	most := 0.0
	for _, r := range s.ramps {
		most = max(most, r.from, r.to)
	}
	return int(most)
}

// Windows are the stretches in which user u is active: while the intended
// number of users, rounded, is above u. A user that becomes inactive ends the
// conversation it is in and starts no other.
func (s Schedule) Windows(u int) []Window {
	var windows []Window
	level := float64(u) + 0.5
	for i, r := range s.ramps {
		stage := s.stages[i]
		w := Window{stage.Start, stage.End}
		switch {
		case r.from < level && r.to < level || r.length == 0:
			continue
		case r.from < level:
			w.Start += crossing(r, level)
		case r.to < level:
			w.End = stage.Start + crossing(r, level)
		}
		if w.End <= w.Start {
			continue
		}
		if n := len(windows); n > 0 && windows[n-1].End == w.Start {
			windows[n-1].End = w.End
		} else {
			windows = append(windows, w)
		}
	}
	return windows
}

// Due is how many conversations the users of this shard begin in all; false where
// only time bounds them, and in the open model. The shards' are the load's together,
// as even as their numbers of users.
func (s Schedule) Due() (n int64, counted bool) {
	users := int64(s.Users())
	if s.open || s.limit == 0 || users == 0 {
		return 0, false
	}
	before := int64(0) // users of the shards before this one
	for i := range int64(s.shard) {
		before += inShard(users, i, int64(s.shards))
	}
	own := inShard(users, int64(s.shard), int64(s.shards))
	return upTo(s.limit, before+own, users) - upTo(s.limit, before, users), true
}

// Asked is how many conversations load.conversations asks of this shard; 0 where
// it asks for none.
func (s Schedule) Asked() int64 {
	if s.limit == 0 {
		return 0
	}
	if n, counted := s.Due(); counted {
		return n
	}
	return s.Len()
}

// inShard is how many of so many users a shard has.
func inShard(users, shard, shards int64) int64 { return (users - shard + shards - 1) / shards }

// upTo is the share of n that the first of so many users have.
func upTo(n, first, users int64) int64 {
	hi, lo := bits.Mul64(uint64(n), uint64(first))
	quotient, _ := bits.Div64(hi, lo, uint64(users))
	return int64(quotient)
}

// crossing is when, within the ramp, the level is reached.
func crossing(r ramp, level float64) time.Duration {
	return time.Duration(math.Round((level - r.from) / (r.to - r.from) * r.length * 1e9))
}

// users is how many users are active at sec.
func (s Schedule) users(sec float64) int {
	return int(math.Floor(s.Level(time.Duration(sec*1e9)) + 0.5))
}

// conversationOf numbers the loops of closed-model users, so that no two
// conversations of a run share a number, whatever the sharding.
func conversationOf(user, loop, users int64) int64 { return loop*users + user }
