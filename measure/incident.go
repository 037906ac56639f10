package measure

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/reason"
)

// IncidentKind is what an incident is.
type IncidentKind string

// The kinds of incidents.
const (
	OtherTarget IncidentKind = "other_target" // another server than the one the preflight met answered
	Suspended   IncidentKind = "suspended"    // the generator's machine slept
	Sessions    IncidentKind = "sessions"     // something about the target's sessions that its turns do not show
	ClockStep   IncidentKind = "clock_step"   // its wall clock was set; durations are not measured with it
)

// Incident is something that happened to a run as a whole and that its turns do
// not show. At and By are on the monotonic clock of the load.
type Incident struct {
	Kind IncidentKind  `json:"kind"`
	At   time.Duration `json:"at_ns"`
	By   time.Duration `json:"by_ns,omitempty"` // length of a sleep, size of a step
	What reason.Reason `json:"what"`
}

// mergeIncidents keeps each incident of both once, in an order of their own: what
// happened to one shard happened to the run.
func mergeIncidents(a, b []Incident) []Incident {
	order := func(a, b Incident) int {
		return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(string(a.Kind), string(b.Kind)), cmp.Compare(a.By, b.By), reason.Compare(a.What, b.What))
	}
	all := slices.Concat(a, b)
	slices.SortFunc(all, order)
	return slices.CompactFunc(all, func(a, b Incident) bool { return order(a, b) == 0 })
}
