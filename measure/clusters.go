package measure

import (
	"math"
	"math/bits"
)

// MaxTogether is of how many budgets it is counted how their bad turns fall
// together in conversations: the first of a plan that are Together.
const MaxTogether = 8

// Dialog is what budgets found of the turns of one conversation so far. Its zero
// value has none. Lane.Record adds to it by Turn.Dialog and Lane.Ended takes it; it
// is a conversation's own, and not safe for concurrent use.
type Dialog struct{ turns, bad [MaxTogether]uint16 }

// Clusters are sums over the conversations that have ended, in each of which a
// budget judged n turns and found b of them bad. What they say of correlation is
// with sla.
type Clusters struct {
	Turns    int64 // Σn
	Pairs    int64 // Σn(n−1): ordered pairs of turns of one conversation
	BadFirst int64 // Σb(n−1): pairs whose first is bad
	BadBoth  int64 // Σb(b−1): pairs of two bad ones
}

// clusters are those of the budgets of a plan that are Together.
type clusters [MaxTogether]Clusters

// together are the budgets of a plan that clusters are kept of, a bit each.
func together(p *Plan) (set uint64) {
	for b, budget := range p.Budgets {
		if budget.Together && bits.OnesCount64(set) < MaxTogether {
			set |= 1 << b
		}
	}
	return set
}

// placeOf is where the clusters of a budget of a set are.
func placeOf(set uint64, budget int) int { return bits.OnesCount64(set & (1<<budget - 1)) }

// Together gives the clusters of a budget of the plan, false where none are kept.
func (s *Snapshot) Together(budget int) (Clusters, bool) {
	set := together(s.Plan)
	if set&(1<<budget) == 0 {
		return Clusters{}, false
	}
	return s.Clusters[placeOf(set, budget)], true
}

// add counts a number of turns of a budget, all of them bad or all good.
func (d *Dialog) add(place int, turns uint16, bad bool) {
	if d.turns[place] > math.MaxUint16-turns {
		return // its first 65,535 turns tell enough
	}
	d.turns[place] += turns
	if bad {
		d.bad[place] += turns
	}
}

// end adds a conversation that has ended.
func (c *clusters) end(d *Dialog) {
	for i, turns := range d.turns {
		if turns == 0 {
			continue
		}
		n, bad := int64(turns), int64(d.bad[i])
		c[i].add(Clusters{Turns: n, Pairs: n * (n - 1), BadFirst: bad * (n - 1), BadBoth: bad * (bad - 1)})
	}
}

func (c *clusters) merge(o *clusters) {
	for i := range c {
		c[i].add(o[i])
	}
}

func (c *Clusters) add(o Clusters) {
	c.Turns, c.Pairs = saturating(c.Turns, o.Turns), saturating(c.Pairs, o.Pairs)
	c.BadFirst, c.BadBoth = saturating(c.BadFirst, o.BadFirst), saturating(c.BadBoth, o.BadBoth)
}

// appendTo appends the binary form: as many as are kept, then four figures each.
func (c *clusters) appendTo(b []byte, plan *Plan) []byte {
	kept := bits.OnesCount64(together(plan))
	for _, sum := range c[:kept] {
		b = appendInt(b, sum.Turns)
		b = appendInt(b, sum.Pairs)
		b = appendInt(b, sum.BadFirst)
		b = appendInt(b, sum.BadBoth)
	}
	return b
}

// clusters reads what appendTo wrote for the same plan.
func (d *decoder) clusters(c *clusters, plan *Plan) {
	for i := range bits.OnesCount64(together(plan)) {
		c[i] = Clusters{Turns: d.int(mostTime), Pairs: d.int(mostTime), BadFirst: d.int(mostTime), BadBoth: d.int(mostTime)}
		if c[i].BadFirst > c[i].Pairs || c[i].BadBoth > c[i].BadFirst {
			d.fail()
		}
	}
}
