package trial

import (
	"math"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// turnCost is the CPU time of a turn: the highest median that bench/peers.py
// measured for a plain turn over kept connections (bench/README.md). A core is
// planned for coresFull of it, so that lag stays the target's.
const (
	turnCost  = 20 * time.Microsecond
	coresFull = 0.5
)

// Needs is what one of the shards of a plan needs of its machine.
type Needs struct {
	Rate        unit.Rate // turns a second at the peak; 0: not known beforehand
	Cores       int       // whole ones
	Connections int       // open at a time; at least 1
	Ports       int       // of one address; more than driver.PerAddress are slow to find
	Descriptors int
}

// NeedsOf is what each of so many shards needs, the largest of them, by the plan
// and the measured cost of a turn.
func NeedsOf(s *scenario.Scenario, shards int) Needs {
	n := Needs{Cores: 1, Connections: max(expectedConnections(s, shards), 1)}
	if pool := s.Target.Pool; pool > 0 && s.Target.Connections == scenario.Shared {
		n.Connections = int(math.Ceil(float64(pool) / float64(max(shards, 1))))
	}
	if rate, known := s.PeakTurnsPerSecond(); known {
		n.Rate = rate / unit.Rate(max(shards, 1))
		n.Cores = max(1, int(math.Ceil(float64(n.Rate)*turnCost.Seconds()/coresFull)))
	}
	n.Ports = n.Connections
	n.Descriptors = n.Connections + spareDescriptors
	return n
}

// ManyPorts tells whether that many of one address are slow to find.
func (n Needs) ManyPorts() bool { return n.Ports > driver.PerAddress }

// ServedBy is how many turns a second so many cores are planned for.
func ServedBy(cores int) unit.Rate {
	return unit.Rate(float64(cores) * coresFull / turnCost.Seconds())
}
