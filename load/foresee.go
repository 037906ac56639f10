package load

import (
	"iter"
	"math"
	"time"

	"github.com/cstest/cstest/scenario"
)

// Foreseen is a turn as a plan intends it.
type Foreseen struct {
	Slot     int // see Slots
	Intended time.Duration
	Last     bool // of its conversation, in the time there is
}

// Foresee walks the turns that sc's load intends where every answer takes so long
// and none fails, conversation by conversation: which ones there are, and how long
// their users think, is as in the run of that seed. Of a load too long for that it
// walks every n-th start, or user, alone.
func Foresee(sc *scenario.Scenario, answer time.Duration, n int64) (iter.Seq[Foreseen], error) {
	script, err := NewScript(sc, sc.Seed, "")
	if err != nil {
		return nil, err
	}
	schedule := NewSchedule(&sc.Load, sc.Seed)
	n = max(n, 1)
	f := &foresight{script: script, answer: max(answer, time.Millisecond), limit: schedule.Total() + sc.Load.Drain.D()}
	return func(yield func(Foreseen) bool) {
		for k, at := range schedule.Starts() {
			if k%n == 0 {
				if _, ok := f.talk(k, at, yield); !ok {
					return
				}
			}
		}
		users := int64(schedule.Users())
		for u := int64(0); u < users; u += n {
			left := int64(math.MaxInt64)
			if schedule.limit > 0 {
				left = upTo(schedule.limit, u+1, users) - upTo(schedule.limit, u, users)
			}
			l := &loop{user: u, windows: schedule.Windows(int(u))}
			for due, active := l.enter(0); active && l.loops < left; l.loops++ {
				done, ok := f.talk(conversationOf(u, l.loops, users), due, yield)
				if !ok {
					return
				}
				due, active = l.enter(max(done, due+script.pacing))
			}
		}
	}, nil
}

type foresight struct {
	script        *Script
	answer, limit time.Duration
}

// talk walks one conversation and gives its end; false when no more is wanted.
func (f *foresight) talk(k int64, at time.Duration, yield func(Foreseen) bool) (time.Duration, bool) {
	o := f.script.choose(k)
	for i := range o.turns {
		next := at + f.answer
		last := i+1 == len(o.turns)
		if !last {
			next += pauseBefore(o.turns[i+1].think, f.script.seed, k, i+1, 0)
			last = next >= f.limit
		}
		if !yield(Foreseen{Slot: o.slot + i, Intended: at, Last: last}) {
			return at, false
		}
		if at = next; last {
			break
		}
	}
	return at, true
}
