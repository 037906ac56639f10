package result

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
)

// apartMost is how far apart shards may start without being told: seconds of the
// sum are a second long.
const apartMost = time.Second

// Merge adds shards of one load up, to be judged as one run. Their order does
// not matter; those that are missing are among the facts of the sum. The error,
// a reason that says what to do, is of runs that are not parts of one load, and
// of one that is there twice.
func Merge(shards ...*Recovered) (*Recovered, error) {
	parts, err := partsOf(shards)
	if err != nil {
		return nil, err
	}
	journals := make([]*measure.Recovered, len(parts))
	for i, p := range parts {
		journals[i] = p.journal
	}
	merged, err := measure.Merge(journals...)
	if err != nil {
		return nil, err
	}
	facts := *merged.Facts
	facts.Missing, facts.Cut = missing(parts), cutOff(parts)
	facts.Unsent = unsent(parts, parts[0].timeout)
	for _, p := range parts {
		for _, h := range p.holes() {
			facts.Gaps -= h.Gaps // told among those that are cut
		}
	}
	// The journals of those are named one by one.
	facts.Interrupted = slices.DeleteFunc(slices.Clone(facts.Interrupted), func(r reason.Reason) bool {
		return len(facts.Cut) > 0 && r.Code == reason.JournalEndsEarly
	})
	sum := &Recovered{
		path: parts[0].path, journal: merged, About: parts[0].About,
		Recording: Recording{Snapshot: merged.Snapshot, Facts: &facts, Signal: parts[0].Signal},
	}
	sum.About.Overrides = slices.DeleteFunc(slices.Clone(sum.About.Overrides), func(o string) bool { return strings.HasPrefix(o, shardOverride) })
	var last time.Time
	for _, p := range parts {
		sum.Warnings = append(sum.Warnings, p.Warnings...)
		sum.Signal = min(sum.Signal, p.Signal)
		sum.About.InconclusivePasses = sum.About.InconclusivePasses && p.About.InconclusivePasses
		if !p.Started.IsZero() && (sum.Started.IsZero() || p.Started.Before(sum.Started)) {
			sum.Started = p.Started
		}
		if p.Started.After(last) {
			last = p.Started
		}
	}
	slices.SortFunc(sum.Warnings, reason.Compare)
	sum.Warnings = slices.CompactFunc(sum.Warnings, func(a, b reason.Reason) bool { return reason.Compare(a, b) == 0 })
	if apart := last.Sub(sum.Started); apart > apartMost {
		sum.Warnings = append(sum.Warnings, reason.New(reason.ShardsApart, apart))
	}
	return sum, nil
}

// ArmedOnce adds what the mock LLM told who armed it for all shards. With nil the
// sum says that storms and calls are not known, where the scenario has some.
func (r *Recovered) ArmedOnce(f *measure.Facts) {
	if f != nil {
		r.Facts.Storms, r.Facts.Calls, r.Facts.LLMCalls, r.Facts.LLMKnown = f.Storms, f.Calls, f.LLMCalls, f.LLMKnown
		return
	}
	s, err := r.scenario()
	if err == nil && !r.Facts.LLMKnown && s.LLM != nil && s.LLM.Admin != "" {
		r.Warnings = append(r.Warnings, reason.New(reason.StormsUnknown))
	}
}

// part is a run and which part of a load it is.
type part struct {
	*Recovered
	shard   Shard
	seed    uint64
	timeout time.Duration // of a turn
}

// partsOf gives the shards in order. It errs, and says what to do, unless they
// are different parts of the same load.
func partsOf(shards []*Recovered) ([]part, error) {
	if len(shards) == 0 {
		return nil, errors.New("a sum takes at least one shard")
	}
	parts := make([]part, len(shards))
	for i, r := range shards {
		p, err := partOf(r)
		if err != nil {
			return nil, err
		}
		if len(shards) > 1 && p.shard.N == 1 {
			return nil, refused(reason.MergeWholeRun, r.where)
		}
		parts[i] = p
	}
	slices.SortStableFunc(parts, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.shard.N, b.shard.N), cmp.Compare(a.shard.I, b.shard.I))
	})
	for k, p := range parts[1:] {
		first, before := parts[0], parts[k]
		here, there := p.where, first.where
		switch {
		case p.shard.N != first.shard.N:
			return nil, refused(reason.MergeOtherNumber, there, first.shard.String(), here, p.shard.String())
		case p.shard == before.shard && here == before.where && p.path == p.where: // a log has no directory
			return nil, refused(reason.MergeDroveTwice, p.shard.String())
		case p.shard == before.shard:
			return nil, refused(reason.MergeTwice, before.where, here, p.shard.String())
		case p.seed != first.seed:
			return nil, refused(reason.MergeOtherSeed, there, strconv.FormatUint(first.seed, 10), here, strconv.FormatUint(p.seed, 10))
		case p.About.Scenario != first.About.Scenario:
			return nil, refused(reason.MergeOtherScenario, there, here)
		}
	}
	return parts, nil
}

func refused(code reason.Code, args ...any) error { return reason.Err(reason.New(code, args...)) }

// partOf reads which part of a load a run was.
func partOf(r *Recovered) (part, error) {
	shard, err := r.About.shard()
	if err != nil {
		return part{}, fmt.Errorf("%s: %w", r.path, err)
	}
	s, err := r.scenario()
	if err != nil {
		return part{}, err
	}
	return part{r, shard, s.Seed, s.Target.Timeout.D()}, nil
}

// holes are the stretches that the journal of a part lacks; none where it is all of a
// load, for then nothing tells what they held.
func (p *part) holes() []measure.Hole {
	if p.shard.N == 1 {
		return nil
	}
	return p.journal.Holes
}

// lacks tells whether something that was intended in a second may be missing from the
// journal of a part: all is there that was intended a timeout before it ends.
func (p *part) lacks(second int, timeout time.Duration) bool {
	from := func(at time.Duration) int { return int(max(at-timeout, 0) / time.Second) }
	return !p.journal.Closed && second >= from(p.Snapshot.Elapsed) || slices.ContainsFunc(p.holes(), func(h measure.Hole) bool {
		return second >= from(h.From) && time.Duration(second)*time.Second < h.To
	})
}

// cutOff names what parts did that their journals do not have, in order of their
// numbers.
func cutOff(parts []part) (list []measure.Cut) {
	for _, p := range parts {
		for _, h := range p.holes() {
			list = append(list, measure.Cut{Shard: p.shard.String(), After: h.From, Until: h.To})
		}
		if p.shard.N > 1 && !p.journal.Closed {
			list = append(list, measure.Cut{Shard: p.shard.String(), After: p.Snapshot.Elapsed})
		}
	}
	return list
}

// missing names the parts that are not among some of one load, in order of their numbers.
func missing(parts []part) (names []string) {
	have := map[int]bool{}
	for _, p := range parts {
		have[p.shard.I] = true
	}
	n := parts[0].shard.N
	for i := range n {
		if !have[i] {
			names = append(names, Shard{i, n}.String())
		}
	}
	return names
}
