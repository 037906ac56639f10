package load

import (
	"fmt"
	"runtime/debug"

	"github.com/cstest/cstest/reason"
)

// Crash is a panic in a goroutine of the load. It ends the load, not the
// process: what the others measured is kept.
type Crash struct {
	Value string // what was panicked with; not yet without secrets
	Stack string
}

// Error names the panic, in one line.
func (c *Crash) Error() string { return "a goroutine of the load panicked: " + c.Value }

// mostCrash bounds the text of a panic.
const mostCrash = 4 << 10

// caught is deferred by the goroutines of the load. The first crash counts.
func (r *run) caught() {
	v := recover()
	if v == nil {
		return
	}
	text := fmt.Sprint(v)
	c := &Crash{Value: text[:min(len(text), mostCrash)], Stack: string(debug.Stack())}
	if !r.crash.CompareAndSwap(nil, c) {
		return
	}
	why := reason.Reasons{reason.New(reason.LoadPanicked)}
	r.aborted.CompareAndSwap(nil, &why)
	r.alarm.wake()
}
