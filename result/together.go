package result

import (
	"math"
	"strconv"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/sla"
)

// What most of the slowest turns have in common is said where a group has so much of
// them, so many times its share of all turns, and more than chance would give one of
// all the groups looked at once in a thousand runs (binomial upper bound, Bonferroni).
const (
	togetherShare = 0.8
	togetherLift  = 1.5
	togetherRisk  = 0.001
)

// group is some turns, and how many of them are among the slowest. Of turns that were
// not answered it is known how many are, not which: each counts for the share of them
// that are.
type group struct {
	slow, all float64
}

func (g *group) add(o group) { g.slow, g.all = g.slow+o.slow, g.all+o.all }

// togetherOf gives the best of the groups by turn and conversation, of those by tier,
// and of the stretches of seconds, as far as there are such.
func togetherOf(in input, edge int, slowest *Slowest) []Together {
	s := in.Snapshot
	from := measure.BandFrom(edge)
	failed := int64(0)
	for i := range s.FailedBands {
		failed += s.FailedBands[i].Turns
	}
	each := 0.0
	if failed > 0 {
		each = float64(slowest.Unanswered) / float64(failed)
	}
	out := []Together{}
	if t, ok := bestOf(slotGroups(s, from, each)); ok {
		out = append(out, t)
	}
	if t, ok := bestOf(tierGroups(s, from, float64(slowest.Unanswered), float64(failed))); ok {
		out = append(out, t)
	}
	if t, ok := stretch(in, from, each); ok {
		out = append(out, t)
	}
	return out
}

// candidate is a group with its name.
type candidate struct {
	Together
	group
}

// bestOf gives the group with the highest lift that stands out from the whole. The
// first of equals wins: they come from coarse to fine.
func bestOf(list []candidate, whole group) (best Together, found bool) {
	lift := 0.0
	for _, c := range list {
		c.Share, c.Expected = c.slow/whole.slow, c.all/whole.all
		if l := c.Share / c.Expected; standsOut(c.Together, whole.slow, len(list)) && l > lift*1.02 {
			best, lift, found = c.Together, l, true
		}
	}
	return best, found
}

// standsOut tells whether a group of one of so many has more of the slowest turns
// than it would by chance.
func standsOut(t Together, slow float64, groups int) bool {
	if !(t.Share >= togetherShare && t.Expected > 0 && t.Share >= togetherLift*t.Expected) {
		return false
	}
	n := int64(math.Round(slow))
	return n > 0 && sla.Lower(min(int64(math.Floor(t.Share*slow)), n), n, 1-togetherRisk/float64(groups), 1) > t.Expected
}

// slotGroups are the turns by their index, by conversation, and by both.
func slotGroups(s *measure.Snapshot, from time.Duration, each float64) (list []candidate, whole group) {
	place := map[[2]string]int{}
	add := func(by, name, of string, g group) {
		key := [2]string{by + of, name}
		at, ok := place[key]
		if !ok {
			at = len(list)
			place[key] = at
			list = append(list, candidate{Together: Together{By: by, Name: name, Of: of}})
		}
		list[at].add(g)
	}
	for _, by := range []string{"turn", "conversation", "slot"} {
		for i := range s.Slots {
			slot, of := &s.Slots[i], s.Plan.Slots[i]
			unanswered := float64(max(slot.Turns-slot.Answered, 0))
			g := group{slow: float64(above(slot.Response, from)) + unanswered*each, all: float64(slot.Answered) + unanswered}
			index := strconv.Itoa(of.Index + 1)
			switch by {
			case "turn":
				add(by, index, "", g)
				whole.add(g)
			case "conversation":
				add(by, of.Conversation, "", g)
			case "slot":
				add(by, index, of.Conversation, g)
			}
		}
	}
	return list, whole
}

// above counts the durations of a histogram from a bound on.
func above(h *measure.Histogram, from time.Duration) (n int64) {
	if h == nil {
		return 0
	}
	for v, count := range h.Buckets {
		if v >= from {
			n += count
		}
	}
	return n
}

// tierGroups: turns that were not answered are of no tier.
func tierGroups(s *measure.Snapshot, from time.Duration, slowFailed, failed float64) (list []candidate, whole group) {
	for tier := range measure.Tiers {
		t := &s.TierTimes[tier]
		g := group{float64(t.Above(from)), float64(t.N())}
		whole.add(g)
		if t.N() > 0 && measure.Tier(tier) != measure.TierUnknown {
			list = append(list, candidate{Together{By: "tier", Name: measure.Tier(tier).String()}, g})
		}
	}
	whole.add(group{slowFailed, failed})
	return list, whole
}

// stretch is the shortest run of seconds that holds most of the slowest turns.
func stretch(in input, from time.Duration, each float64) (Together, bool) {
	s := in.Snapshot
	seconds := make([]group, len(s.Seconds))
	var whole group
	for i := range s.Seconds {
		second := &s.Seconds[i]
		unanswered := float64(unanswered(second)) - float64(second.Outcomes[measure.DroppedTarget]) - float64(second.Outcomes[measure.Censored])
		seconds[i] = group{float64(second.Response.Above(from)) + unanswered*each, float64(second.Response.N()) + unanswered}
		whole.add(seconds[i])
	}
	var part group
	best, first, length := group{}, 0, math.MaxInt
	for start, end := 0, 0; end < len(seconds); end++ {
		part.add(seconds[end])
		for start <= end && part.slow-seconds[start].slow >= togetherShare*whole.slow {
			part.slow, part.all = part.slow-seconds[start].slow, part.all-seconds[start].all
			start++
		}
		if part.slow >= togetherShare*whole.slow && end-start+1 < length {
			best, first, length = part, start, end-start+1
		}
	}
	if whole.slow <= 0 || length == math.MaxInt {
		return Together{}, false
	}
	t := Together{By: "seconds", Share: best.slow / whole.slow, Expected: best.all / whole.all}
	begin, end := float64(s.First+first), float64(s.First+first+length)
	t.FromS, t.ToS = &begin, &end
	if storm := stormAt(in.judged.Storms, begin, end); storm != "" {
		t.By, t.Name = "storm", storm
	}
	// Every second may begin one, and every length of it is looked at.
	return t, standsOut(t, whole.slow, len(seconds)*len(seconds))
}

// stormAt names the storm that half of a stretch or more lies in.
func stormAt(storms []sla.StormResult, from, to float64) string {
	for _, storm := range storms {
		end := storm.End.Seconds()
		if storm.End <= 0 {
			end = math.Inf(1)
		}
		if min(to, end)-max(from, storm.Start.Seconds()) >= (to-from)/2 {
			return storm.Name
		}
	}
	return ""
}
