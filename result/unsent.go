package result

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// unsent is what missing and cut shards would have sent, in each second as many
// as the whole ones did on average, rounded up: shards take every Nth start. Of a
// cut shard all is known that was intended a timeout before it was cut. It is nil
// where nothing is missing, and where no shard is whole to go by.
func unsent(parts []part, timeout time.Duration) []measure.UnsentSecond {
	n := parts[0].shard.N
	var whole, cut []part
	for _, p := range parts {
		switch {
		case !p.journal.Closed || len(p.holes()) > 0:
			cut = append(cut, p)
		case len(p.Facts.Interrupted) == 0:
			whole = append(whole, p)
		}
	}
	if n == 1 || len(whole) == 0 || len(parts) == n && len(cut) == 0 {
		return nil
	}
	plan := parts[0].Snapshot.Plan
	var list []measure.UnsentSecond
	for second := range plan.Seconds() + 1 {
		lacking := n - len(parts)
		for _, p := range cut {
			if p.lacks(second, timeout) {
				lacking++
			}
		}
		if lacking > 0 {
			list = append(list, unsentIn(second, lacking, len(plan.Budgets), whole, cut, timeout))
		}
	}
	return list
}

// unsentIn is what so many shards would have sent in a second, less what the cut
// ones did.
func unsentIn(second, lacking, budgets int, whole, cut []part, timeout time.Duration) measure.UnsentSecond {
	u := measure.UnsentSecond{Second: second, Budgets: make([]uint32, budgets)}
	seen := make([]int64, budgets+1)
	known := make([]int64, budgets+1)
	for _, p := range whole {
		count(seen, p.Snapshot, second)
	}
	for _, p := range cut {
		if p.lacks(second, timeout) {
			count(known, p.Snapshot, second)
		}
	}
	share := func(i int) uint32 {
		w := int64(len(whole))
		return uint32(max((seen[i]*int64(lacking)+w-1)/w-known[i], 0))
	}
	for i := range u.Budgets {
		u.Budgets[i] = share(i)
	}
	u.Starts = share(budgets)
	return u
}

// count adds a second's budgets, and behind them its starts.
func count(to []int64, s *measure.Snapshot, second int) {
	at := s.At(second)
	if at == nil {
		return
	}
	for i := range at.Budgets {
		if i < len(to)-1 {
			to[i] += int64(at.Budgets[i].N)
		}
	}
	to[len(to)-1] += int64(at.Starts)
}
