package sla

import (
	"slices"
	"strings"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/unit"
)

// When a machine's processors do not suffice through no fault of the run: they are
// all in use, something waits for one, and others than the run have a part of them;
// or the hypervisor has.
const (
	starvedBusy     = 0.9 // share of the processors' time
	starvedPressure = 0.2 // share of the time
	starvedOthers   = 0.2 // share of the processors
	starvedSteal    = 0.1 // share of their time
)

// starved gives the seconds in which others took the processors of the machine that
// the generator, or a target beside it, needed.
func (j *judge) starved() (list []int) {
	for _, s := range j.host() {
		at := j.snap.At(s.Second)
		if at != nil && at.Turns() > 0 && (robbed(s) || crowded(s, j.facts.Host.Cores)) {
			list = append(list, s.Second)
		}
	}
	return list
}

func robbed(s measure.HostSecond) bool { return s.Steal >= starvedSteal }

func crowded(s measure.HostSecond, cores int) bool {
	return s.Busy >= starvedBusy && s.Pressure >= starvedPressure && s.Others >= starvedOthers*float64(cores)
}

// host is what the machine told of the seconds that were recorded.
func (j *judge) host() []measure.HostSecond {
	if j.facts.Host == nil {
		return nil
	}
	return j.facts.Host.Seconds
}

// warnStarved says in how many seconds it was so, and by how much.
func (j *judge) warnStarved(warn func(code reason.Code, args ...any)) {
	var crowd, rob []measure.HostSecond
	for _, s := range j.host() {
		switch {
		case crowded(s, j.facts.Host.Cores):
			crowd = append(crowd, s)
		case robbed(s):
			rob = append(rob, s)
		}
	}
	mean := func(list []measure.HostSecond, of func(measure.HostSecond) float64) (sum float64) {
		for _, s := range list {
			sum += of(s) / float64(len(list))
		}
		return sum
	}
	all, lag := len(j.host()), j.result.Generator.LagP99
	if n := len(crowd); n > 0 {
		others := mean(crowd, func(s measure.HostSecond) float64 { return s.Others })
		pressure := unit.Share(mean(crowd, func(s measure.HostSecond) float64 { return s.Pressure }))
		if names := j.busiest(); names != "" {
			warn(reason.HostStarvedBy, n, all, j.facts.Host.Cores, names, others, pressure, lag)
		} else {
			warn(reason.HostStarved, n, all, j.facts.Host.Cores, others, pressure, lag)
		}
	}
	if n := len(rob); n > 0 {
		warn(reason.HostStolen, n, all, unit.Share(mean(rob, func(s measure.HostSecond) float64 { return s.Steal })), lag)
	}
}

func (j *judge) busiest() string {
	names := make([]string, 0, len(j.facts.Host.Others))
	for _, p := range j.facts.Host.Others {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// union is the sorted union of two sorted lists.
func union(a, b []int) []int {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
