package trial

import (
	"fmt"
	"os"

	"github.com/cstest/cstest/scenario"
)

// spare descriptors: files, the journal, the servers' pipes, the runtime's own.
const spareDescriptors = 64

// reserved is how many descriptors the load cannot take: a run that eats all the
// others must still be able to write its report.
const reserved = 8

// reserve is descriptors that the load cannot take.
type reserve []*os.File

// takeReserve takes the reserve, as much of it as there is.
func takeReserve() (r reserve) {
	for range reserved {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		r = append(r, f)
	}
	return r
}

// release gives the reserve back.
func (r reserve) release() {
	for _, f := range r {
		_ = f.Close() // nothing was written
	}
}

// checkDescriptors refuses a load that is sure to need more connections than
// this process may open.
func checkDescriptors(s *scenario.Scenario, shards int) error {
	limit := descriptorLimit()
	need := int64(expectedConnections(s, shards)) + spareDescriptors
	if limit == 0 || need <= limit || s.Load.Open() && need <= 2*limit {
		return nil // an open load's connections are an estimate; what cannot be opened is counted
	}
	return &LimitError{What: fmt.Sprintf(
		"about %d connections need %d file descriptors and this process may open %d: raise the limit (ulimit -n %d), or use --processes auto, connections: shared, or http: h2c",
		need-spareDescriptors, need, limit, need)}
}

// LimitError is a plan that this machine's limits do not allow.
type LimitError struct{ What string }

// Error says which limit and what to change.
func (e *LimitError) Error() string { return e.What }
