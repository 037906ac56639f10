package trial

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// abortRule is the sink that ends a load early: the share of turns that were not
// answered stays at Bad or above for a whole time.
type abortRule struct {
	rule  *scenario.Abort // nil: there is none
	abort func(why reason.Reasons)
	since time.Duration // end of the last interval that was well, or that saw nothing
}

// take has the load end when the rule is broken.
func (a *abortRule) take(c *cut) {
	if why := a.breach(c.last); len(why) > 0 {
		a.abort(why)
	}
}

// breach takes an interval and gives the reason to abort, or nothing.
func (a *abortRule) breach(last *measure.Snapshot) reason.Reasons {
	if a.rule == nil || a.rule.Bad <= 0 || last == nil || last.Elapsed == 0 { // nobody told yet
		return nil
	}
	turns := last.Turns()
	bad := turns - last.Answered()
	if turns == 0 || float64(bad) < float64(a.rule.Bad)*float64(turns) {
		a.since = last.Elapsed
		return nil
	}
	if last.Elapsed-a.since < a.rule.For.D() {
		return nil
	}
	return reason.Reasons{reason.New(reason.GuardAbort, a.rule.Bad, a.rule.For, last.Elapsed.Round(time.Second))}
}
