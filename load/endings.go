package load

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/scenario"
)

// endings notes turns that the mock LLM is asked about when the load is over. Safe for
// concurrent use; nil notes none.
type endings struct {
	hears   bool // the target is told when a user leaves
	damaged []Window

	mu    sync.Mutex
	notes measure.Ends
}

// damagedUntil is how long after a fault its calls may be answered.
const damagedUntil = 10 * time.Second

// newEndings gives nil where there is no mock LLM.
func newEndings(sc *scenario.Scenario) *endings {
	if sc.LLM == nil {
		return nil
	}
	e := &endings{hears: sc.Target.Mode == scenario.ModeSync || sc.Target.Mode == scenario.ModeStream}
	for _, f := range sc.LLM.Faults {
		switch f.Kind {
		case scenario.FaultTruncate, scenario.FaultGarbage, scenario.FaultHTML, scenario.FaultEmpty, scenario.FaultErrorInStream, scenario.FaultReset:
			w := Window{Start: f.At.D(), End: f.At.D() + f.For.D() + damagedUntil}
			if f.For == 0 {
				w.End = 1<<63 - 1
			}
			e.damaged = append(e.damaged, w)
		case scenario.FaultStatus, scenario.FaultSlow, scenario.FaultHang, scenario.FaultWrongContentType, scenario.FaultOversized,
			scenario.FaultDrip, scenario.FaultLeak, scenario.FaultEscape, scenario.FaultFailFirst: // answers stay whole, or are none
		}
	}
	return e
}

// note takes a turn that is over; again says that it will be tried again.
func (e *endings) note(t *measure.Turn, reply *driver.Reply, again bool) {
	if e == nil {
		return
	}
	turn := measure.EndedTurn{Turn: binary.BigEndian.Uint64(t.TraceID[8:]), At: t.Done}
	switch {
	case (t.Outcome == measure.Timeout || reply.Left) && !again:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.notes.Left.Add(&turn)
	case t.Outcome == measure.OK && slices.ContainsFunc(e.damaged, func(w Window) bool { return t.Done >= w.Start && t.Intended <= w.End }):
		turn.Said = measure.SaidOf(reply.Answer)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.notes.Good.Add(&turn)
	}
}

// told is what was noted; nil where nothing was.
func (e *endings) told() *measure.Ends {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notes.Untold = !e.hears
	return &e.notes
}

// TracePrefix is how the trace ids of all turns begin, in hexadecimal digits.
func TracePrefix(seed uint64) string { return fmt.Sprintf("%016x", runTag(seed)) }
