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

// What a server says in the place of response.ok being true is the message.
func TestClassifyRepeatsWhatIsSaidForOK(t *testing.T) {
	for said, want := range map[string]string{"": "response.ok is not true", "response.ok is false": "response.ok is false"} {
		j := Classify(&driver.Reply{Status: 200, Answer: []byte("你好"), Said: said}, &Asked{}, &Rules{})
		if j.Outcome != measure.ServerError || j.Message != want {
			t.Errorf("said %q: %v %q", said, j.Outcome, j.Message)
		}
	}
}

// The first turn of a dialog has nothing but itself to be seen, which verifies it.
func TestClassifyVerifiesAFirstTurn(t *testing.T) {
	for turns, want := range map[string]measure.Memory{" c:AAAAAAAA.1": measure.Verified, "": measure.NotVerified} {
		r, a := good(), third()
		r.Answer, r.ContextTurns, a.Turn, a.Kept = seen(turns), 1, 1, nil
		if j := Classify(r, a, rulesOf(t, nil)); j.Memory != want {
			t.Errorf("seen%s: %v, memory %v, want %v", turns, j.Outcome, j.Memory, want)
		}
	}
}

func TestBlankAnswers(t *testing.T) {
	for answer, want := range map[string]bool{"": true, " \t\r\n": true, "\u3000\u00a0": true, " n": false, "n ": false, "\u3000好": false, "好": false, "\x80": false} {
		if got := isBlank([]byte(answer)); got != want {
			t.Errorf("%q is blank: %v", answer, got)
		}
	}
}
