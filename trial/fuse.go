package trial

import (
	"context"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/observe"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// blindFor is how long a fuse may see nothing, beyond the time it waits anyway.
const blindFor = 10 * time.Second

// fuses is the sink that ends a load early: what is observed of other systems stays
// beyond a figure, or is not seen any more.
type fuses struct {
	list  []fuse
	seen  *observe.Watch
	abort func(why reason.Reasons)
}

type fuse struct {
	scenario.Fuse
	beyond bool
	since  time.Duration // it has been beyond its figure
	last   time.Duration // when it was last seen
}

func newFuses(rule *scenario.Abort, seen *observe.Watch, abort func(reason.Reasons)) *fuses {
	f := &fuses{seen: seen, abort: abort}
	if rule != nil && seen != nil {
		for _, o := range rule.Observed {
			f.list = append(f.list, fuse{Fuse: o})
		}
	}
	return f
}

// take has the load end when a fuse blows.
func (f *fuses) take(c *cut) {
	if len(f.list) == 0 {
		return
	}
	told := &measure.Facts{Observed: f.seen.Told()}
	for i := range f.list {
		if why, blown := f.list[i].look(c.elapsed, told.ObservedAs(f.list[i].Name)); blown {
			f.abort(reason.Reasons{why})
		}
	}
}

// look takes what was seen of the figure until now.
func (f *fuse) look(now time.Duration, o *measure.Observed) (why reason.Reason, blown bool) {
	said := now.Round(time.Second)
	if o == nil || len(o.Values) == 0 {
		return reason.New(reason.FuseBlind, f.Name, f.For.D()+blindFor, said), now >= f.For.D()+blindFor
	}
	last := o.Values[len(o.Values)-1]
	at := time.Duration(last.Second) * time.Second
	if at == f.last && now-at >= f.For.D()+blindFor {
		return reason.New(reason.FuseBlind, f.Name, (now - at).Round(time.Second), said), true
	}
	f.last = at
	beyond := f.Above != nil && last.Value > *f.Above || f.Below != nil && last.Value < *f.Below
	if beyond && !f.beyond {
		f.since = at
	}
	f.beyond = beyond
	blown = beyond && at-f.since >= f.For.D()
	if f.Below != nil {
		return reason.New(reason.FuseBelow, f.Name, *f.Below, f.For, said, last.Value), blown
	}
	return reason.New(reason.FuseAbove, f.Name, *f.Above, f.For, said, last.Value), blown
}

// newObserved prepares to see what the scenario asks for. What cannot be seen now is told
// of; where a fuse is to watch over real users by it, nothing begins.
func (t *attempt) newObserved(ctx context.Context, notice func(reason.Reason)) (*observe.Watch, error) {
	if t.member {
		return nil, nil
	}
	w, err := observe.New(t.scenario, t.redact)
	if err != nil {
		return nil, err
	}
	wrong := w.Check(ctx)
	if rule := t.scenario.Guard.Abort; len(wrong) > 0 && rule != nil && len(rule.Observed) > 0 {
		w.Stop()
		return nil, &TargetError{Why: wrong[0], Err: wrong.Err()}
	}
	for _, what := range wrong {
		notice(what)
	}
	return w, nil
}

// putBack gives a mock LLM that is not ours what it had, and says whether it has it.
func (t *attempt) putBack(done *Done, notice func(reason.Reason)) {
	if !t.servers.Borrowed() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), gatherWithin)
	defer cancel()
	if err := t.servers.PutBack(ctx); err != nil {
		left := reason.New(reason.FaultsLeft, t.redact(err.Error()), t.armedFor.Round(time.Second))
		done.Warnings = append(done.Warnings, left)
		notice(left)
		return
	}
	notice(reason.New(reason.FaultsPutBack))
}
