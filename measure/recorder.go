package measure

import (
	"errors"
	"sync"
	"time"
)

// Recorder takes what happens in a run, in lanes, and gives it out in intervals.
// Its methods and those of its lanes are safe for concurrent use.
type Recorder struct {
	plan  *Plan
	rules *rules
	lanes []*Lane

	mu    sync.Mutex
	spare *interval // goes round the lanes: one is enough, for they are cut one after the other
}

// Lane is a part of a recorder, about one a processor, so that recorders do not
// wait for one another. Recording allocates nothing once a lane has seen each
// kind of turn.
type Lane struct {
	groups uint // of the plan

	mu  sync.Mutex
	cur *interval
	_   [64]byte // keeps two lanes' locks off one cache line
}

// NewRecorder gives a recorder with at least one lane. The plan must satisfy
// Plan.Check and not change afterwards.
func NewRecorder(plan *Plan, lanes int) *Recorder {
	r := &Recorder{plan: plan, rules: newRules(plan)}
	for range max(lanes, 1) {
		r.lanes = append(r.lanes, &Lane{groups: uint(len(plan.Groups)), cur: newInterval(plan, r.rules)})
	}
	r.spare = newInterval(plan, r.rules)
	return r
}

// Plan is what the recorder records against.
func (r *Recorder) Plan() *Plan { return r.plan }

// Lanes is how many there are.
func (r *Recorder) Lanes() int { return len(r.lanes) }

// Lane gives lane i, for any i: there are as many as NewRecorder was asked for,
// and they are dealt out in turn.
func (r *Recorder) Lane(i int) *Lane { return r.lanes[uint(i)%uint(len(r.lanes))] }

// Cut gives what was recorded since the last cut, as a snapshot of its own that
// holds only the seconds touched. Elapsed is how far the load's clock has come.
// An error means that counts were lost and the run cannot be trusted.
func (r *Recorder) Cut(elapsed time.Duration) (*Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := NewInterval(r.plan)
	s.Elapsed = elapsed
	var errs []error
	for _, lane := range r.lanes {
		lane.mu.Lock()
		lane.cur, r.spare = r.spare, lane.cur
		lane.mu.Unlock()
		errs = append(errs, r.spare.drain(s))
	}
	for o, h := range s.ByOutcome {
		if Answered.Has(Outcome(o)) {
			errs = append(errs, s.Timings[Response].Add(h))
		}
	}
	return s, errors.Join(errs...)
}

// Started records a conversation that began.
func (l *Lane) Started(intended time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur.planned++
	l.cur.started++
	l.cur.second(intended).starts++
}

// Dropped records a start that never became a conversation: DroppedTarget, or
// for any other outcome DroppedGenerator. Budgets judge as many turns as it would
// have had, for a target that refuses a conversation answers none of them.
func (l *Lane) Dropped(intended time.Duration, turns int, o Outcome) {
	if o != DroppedTarget {
		o = DroppedGenerator
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.cur
	v.planned++
	v.counts[o]++
	s := v.second(intended)
	s.outcomes[o]++
	var d Dialog
	v.rules.drop(s.budgets, &d, v.plan.StageAt(intended), o, uint16(min(max(turns, 1), MaxSlots)))
	v.clusters.end(&d)
}

// Record records a turn that is over, or censored. It keeps nothing of t, and adds
// to its Dialog. A turn whose outcome is none of a sent turn's, or whose tier does not exist, is
// recorded as a TransportError of an unknown tier.
func (l *Lane) Record(t *Turn) {
	if group := uint(t.Group) <= l.groups; t.Outcome > Censored || t.Tier >= Tier(Tiers) || !group {
		fixed := *t
		fixed.Tier = TierUnknown
		if !group {
			fixed.Group = 0
		}
		if t.Outcome > Censored {
			fixed.Outcome = TransportError
		}
		t = &fixed
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur.record(t)
}

// Failed records what went wrong with a turn, beside Record. It keeps copies,
// cut to a bounded length, of a bounded number of kinds.
func (l *Lane) Failed(f *Failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur.failures.record(f)
}

// Ended records how a conversation ended, and what became of its turns; nil is not
// known. It keeps nothing of d.
func (l *Lane) Ended(end ConversationEnd, d *Dialog) {
	if int(end) >= ConversationEnds {
		end = Broken
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cur.ends[end]++
	if d != nil {
		l.cur.clusters.end(d)
	}
}
