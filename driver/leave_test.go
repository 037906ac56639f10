package driver

import (
	"testing"
	"time"
)

// A user who leaves ends the turn then, over every wire; nothing is sent for who has
// left already, and the next turn is a turn as any.
func TestUsersLeaveOverEveryWire(t *testing.T) {
	all, _ := wires(t)
	for _, w := range all {
		t.Run(w.name, func(t *testing.T) {
			base := time.Now()
			d := open(t, &w.target, Options{Base: base})
			line := d.Open(&User{ID: "u"})
			defer line.Close()
			for _, c := range []struct {
				name, say string
				patience  time.Duration // from now; 0: no end
				left      bool
				sent      bool
			}{
				{"warm", "hi", 0, false, true},
				{"leaves", "hold", 50 * time.Millisecond, true, true},
				{"has left", "hi", -time.Millisecond, true, false},
				{"stays", "hi", time.Minute, false, true},
			} {
				turn := Turn{Text: []byte(c.say), TurnID: []byte(c.name)}
				asked := time.Since(base)
				if c.patience != 0 {
					turn.Leave = asked + c.patience
				}
				var r Reply
				line.Do(&turn, &r)
				want := Complete
				if c.left {
					want = TimedOut
				}
				if r.Left != c.left || r.Reason != want || (r.Sent > 0) != c.sent {
					t.Errorf("%s: left %t, reason %v %q, sent %v", c.name, r.Left, r.Reason, r.Message, r.Sent)
				}
				if c.left && r.Message != "the customer left: no answer within load.patience" {
					t.Errorf("%s: %q", c.name, r.Message)
				}
				if c.left && r.Done < turn.Leave {
					t.Errorf("%s: done at %v, before %v", c.name, r.Done, turn.Leave)
				}
				line.Free(&r)
			}
		})
	}
}
