package load

import (
	"strings"
	"testing"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
)

// What is refused begins at status 300, and an id is too long from its bound's next byte.
func TestClassifyAtItsBounds(t *testing.T) {
	reply := func(status, id int) *driver.Reply {
		return &driver.Reply{Status: status, OK: true, Answer: []byte("你好"), DialogID: []byte(strings.Repeat("d", id))}
	}
	for _, c := range []struct {
		status, id int
		answered   bool
	}{{299, 1, true}, {300, 1, false}, {200, longestID, true}, {200, longestID + 1, false}} {
		j := Classify(reply(c.status, c.id), &Asked{}, &Rules{})
		if answered := j.Outcome == measure.OK; answered != c.answered {
			t.Errorf("status %d, id of %d bytes: %v %q", c.status, c.id, j.Outcome, j.Message)
		}
	}
}

func TestClassifySaysThatNobodyWasReached(t *testing.T) {
	j := Classify(&driver.Reply{Reason: driver.Unreachable}, &Asked{}, &Rules{})
	if j.Outcome != measure.TransportError || j.Message != "cannot connect" {
		t.Errorf("%v %q", j.Outcome, j.Message)
	}
}
