package gray

import (
	"context"
	"fmt"
	"math"
)

// Tally are turns that the model was asked for, and those that went badly: no answer
// of the model, or a late one.
type Tally struct{ N, Bad int64 }

func (t Tally) share() float64 {
	if t.N == 0 {
		return 0
	}
	return float64(t.Bad) / float64(t.N)
}

const (
	sureZ   = 3.0 // standard errors by which the group must be worse: chance does that once in 700 looks
	strikes = 2   // looks in a row
)

// judge decides when a group has burned its budget. Where it is worse than the budget
// allows, and that is not chance, twice in a row, it has; a doubt in between does not
// begin the count anew before the group is well within half the budget.
type judge struct{ bad int }

func (j *judge) forget() { j.bad = 0 }

// burnt is one look. excess is by how much larger the group's share of bad turns is
// than the rest's. Without enough turns of both nothing is said.
func (j *judge) burnt(group, rest Tally, budget float64, samples int64) (excess float64, burnt bool) {
	if group.N < samples || rest.N < samples {
		return 0, false
	}
	excess = group.share() - rest.share()
	all := float64(group.Bad+rest.Bad) / float64(group.N+rest.N)
	chance := math.Sqrt(all * (1 - all) * (1/float64(group.N) + 1/float64(rest.N)))
	switch {
	case excess > budget && excess >= sureZ*chance:
		j.bad++
	case excess <= budget/2:
		j.bad = 0
	}
	return excess, j.bad >= strikes
}

// Saw counts a turn that the model was asked for.
func (r *Releases) Saw(g Group, bad bool) {
	if r.view().own {
		r.counts.add(g, bad)
	}
}

// look judges the release that runs, and rolls it back when its budget is burnt.
func (r *Releases) look(ctx context.Context) {
	now, set := r.Current(), r.knobs.Load()
	if now.State != Running || !r.view().own {
		r.metrics.show([NumGroups]Tally{}, 0)
		return
	}
	sums := r.counts.sums(ctx, now.Version, r.now())
	r.mu.Lock()
	excess, burnt := r.judge.burnt(sums[Gray], sums[Base], float64(set.GrayBudget), max(1, int64(set.GraySamples)))
	r.mu.Unlock()
	r.metrics.show(sums, excess)
	if !burnt || !set.GrayRollback {
		return
	}
	reason := fmt.Sprintf("%.1f%% of %d turns went badly, %.1f%% of the rest: more than the %s that it may be worse", 100*sums[Gray].share(), sums[Gray].N, 100*sums[Base].share(), set.GrayBudget)
	if err := r.Rollback(ctx, now.Version, reason, ByBudget); err != nil {
		r.log.Warn("the gray release was changed while it was judged", "err", err)
	}
}

// Sums are the turns of the last minute by group, of all servers, as last looked at.
func (r *Releases) Sums() (sums [NumGroups]Tally, excess float64) { return r.metrics.shown() }
