package host

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// between is what the machine as a whole did between two readings.
func between(before, now *reading) measure.HostSecond {
	share := func(part, whole time.Duration) float64 {
		if part <= 0 || whole <= 0 {
			return 0
		}
		return min(float64(part)/float64(whole), 1)
	}
	all := now.all - before.all
	return measure.HostSecond{
		Pressure: share(now.pressure-before.pressure, now.at.Sub(before.at)),
		Busy:     share(now.busy-before.busy, all), Steal: share(now.steal-before.steal, all),
	}
}

// rest is all that processes used but this one and those it started, for one whose
// target is among these or on another machine. Nothing where this one is not found:
// the /proc is another's.
func rest(before, now *reading, self int) (time.Duration, map[string]time.Duration) {
	if _, found := now.procs[self]; !found {
		return 0, nil
	}
	byName := map[string]time.Duration{}
	left := now.processes - before.processes
	for pid, p := range now.procs {
		d := used(before, now, pid)
		if under(now, pid, self) {
			left -= d
		} else {
			byName[p.name] += d
		}
	}
	return max(left, 0), byName
}

// strange is what those used of whom it is sure that the target is not among them, own
// being its processes as far as they are known:
// processes that had been at work before the load, as far as they were then, and
// those that came since under a name that nothing had.
func strange(early, first, before, now *reading, self int, own map[int]bool) (time.Duration, map[string]time.Duration) {
	if _, found := now.procs[self]; !found {
		return 0, nil
	}
	names := map[string]bool{}
	for _, p := range first.procs {
		names[p.name] = true
	}
	warm, took := first.at.Sub(early.at), now.at.Sub(before.at)
	var sum time.Duration
	byName := map[string]time.Duration{}
	for pid, p := range now.procs {
		if under(now, pid, self) || underAny(now, pid, own) {
			continue
		}
		d := used(before, now, pid)
		switch was, there := first.procs[pid]; {
		case there && was.born == p.born:
			usual := 0.0
			if warm > 0 {
				usual = float64(used(early, first, pid)) / float64(warm)
			}
			d = min(d, time.Duration(usual*float64(took)))
		case names[p.name]:
			d = 0
		}
		sum += d
		byName[p.name] += d
	}
	return sum, byName
}

// underAny is under of any of several: those of a target, which was busy before the
// load if it had just been started.
func underAny(r *reading, pid int, own map[int]bool) bool {
	for one := range own {
		if under(r, pid, one) {
			return true
		}
	}
	return false
}

// used is what a process used between two readings.
func used(before, now *reading, pid int) time.Duration {
	p := now.procs[pid]
	if was, there := before.procs[pid]; there && was.born == p.born {
		return max(p.cpu-was.cpu, 0)
	}
	return p.cpu
}

// under tells whether a process is self or was started by it or by one that was.
func under(r *reading, pid, self int) bool {
	for range len(r.procs) {
		if pid == self {
			return true
		}
		p, there := r.procs[pid]
		if !there || p.parent == pid {
			return false
		}
		pid = p.parent
	}
	return false
}
