package measure

import (
	"cmp"
	"slices"
	"time"
)

// Host is what a machine told of itself while a load ran on it.
type Host struct {
	Cores   int          `json:"cores"`
	Seconds []HostSecond `json:"seconds"`
	// Others are those without a part in the run that used most, the busiest first.
	Others []HostProcess `json:"others,omitempty"`
}

// HostSecond is one second of it.
type HostSecond struct {
	Second   int     `json:"t_s"`
	Pressure float64 `json:"pressure"`        // share of the time in which some process waited for a processor
	Busy     float64 `json:"busy"`            // share of the processors' time that was used
	Steal    float64 `json:"steal,omitempty"` // share of it that the hypervisor took
	// Others is how many processors those used that are known to have no part in the run.
	Others float64 `json:"others,omitempty"`
}

// HostProcess is what all processes of a name used.
type HostProcess struct {
	Name string        `json:"name"`
	CPU  time.Duration `json:"cpu_ns"`
}

// mergeHosts takes of each second what was worst: the machines of a run bear it together.
func mergeHosts(a, b *Host) *Host {
	if a == nil || b == nil {
		return cmp.Or(a, b)
	}
	used := map[string]time.Duration{}
	for _, p := range slices.Concat(a.Others, b.Others) {
		used[p.Name] += p.CPU
	}
	out := &Host{Cores: max(a.Cores, b.Cores)}
	for name, d := range used {
		out.Others = append(out.Others, HostProcess{name, d})
	}
	slices.SortFunc(out.Others, func(x, y HostProcess) int { return cmp.Or(cmp.Compare(y.CPU, x.CPU), cmp.Compare(x.Name, y.Name)) })
	out.Seconds = mergeSeconds(a.Seconds, b.Seconds, func(s HostSecond) int { return s.Second }, func(x, y HostSecond) HostSecond {
		return HostSecond{x.Second, max(x.Pressure, y.Pressure), max(x.Busy, y.Busy), max(x.Steal, y.Steal), max(x.Others, y.Others)}
	})
	return out
}
