package trial

import (
	"testing"
	"time"

	"github.com/cstest/cstest/measure"
)

// An interval that nobody told of neither begins a breach nor ends one.
func TestSilenceEndsNoBreach(t *testing.T) {
	s := parse(t, anyTarget+"}", "{stages: [{name: s, for: 10s, starts: 10/s}]}\nguard: {abort: {bad: 50%, for: 2s}}")
	plan := Plan(s)
	bad := func(until time.Duration) *measure.Snapshot {
		r := measure.NewRecorder(plan, 1)
		r.Lane(0).Started(0)
		r.Lane(0).Record(&measure.Turn{Outcome: measure.ServerError, Sent: 1, Done: time.Millisecond})
		cut, err := r.Cut(until)
		if err != nil {
			t.Fatal(err)
		}
		return cut
	}
	b := abortRule{rule: s.Guard.Abort}
	if got := b.breach(bad(time.Second)); len(got) > 0 {
		t.Errorf("after a second: %q", got)
	}
	if got := b.breach(measure.NewInterval(plan)); len(got) > 0 {
		t.Errorf("on silence: %q", got)
	}
	if got, want := b.breach(bad(2*time.Second)), "guard.abort: at least 50 % of turns bad for 2 s, at 2 s"; got.String() != want {
		t.Errorf("after two seconds: %q, want %q", got, want)
	}
}
