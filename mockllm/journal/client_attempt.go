package journal

import (
	"slices"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/draw"
)

// stillOpen is the end of an attempt that has none yet.
const stillOpen = int64(1<<63 - 1)

// attempt is an Entry as far as it tells of the client. Its end is when it was
// answered or left, not when the write returned: a client may have its answer, and
// come again, before.
type attempt struct {
	begin, end int64
	retryAfter int64
	body       uint64
	said       Said
	status     uint16
	outcome    Outcome
}

// traced is an attempt of a turn.
type traced struct {
	key   draw.Key
	later bool // not the first
	attempt
}

// attemptOf is the part of an entry that tells of the client.
func (e *Entry) attempt() attempt {
	return attempt{
		begin: int64(e.T), end: int64(e.T + e.Injected), retryAfter: int64(e.RetryAfter), body: e.Body, said: e.Said,
		status: e.Status, outcome: e.Outcome,
	}
}

// answered tells whether the attempt got what the model says.
func (a *attempt) answered() bool {
	return slices.Contains(answeredBy[:], a.outcome)
}

// answeredBy are the outcomes with which an answer came whole.
var answeredBy = [...]Outcome{
	OutcomeOK, kindOutcome(config.KindSlow), kindOutcome(config.KindLeak), kindOutcome(config.KindEscape),
	kindOutcome(config.KindDrip), kindOutcome(config.KindOversized), kindOutcome(config.KindWrongContentType),
}

// failed tells whether it ended without.
func (a *attempt) failed() bool { return a.end != stillOpen && !a.answered() }

// damaged tells whether it got a 200 without the answer.
func (a *attempt) damaged() bool {
	return a.failed() && a.status == 200 && a.outcome != OutcomeGone && a.outcome != kindOutcome(config.KindHang)
}

// pointless tells whether no retry can mend what it got.
func (a *attempt) pointless() bool {
	s := a.status
	return s >= 400 && s < 500 && s != 408 && s != 409 && s != 425 && s != 429
}

func kindOutcome(k config.Kind) Outcome { return OutcomeKind + Outcome(k) }

// ownTime tells whether a retry came when the client chose, and not as Retry-After said.
func (a *attempt) ownTime(next *attempt) bool {
	return a.retryAfter == 0 || next.begin < a.end+a.retryAfter-earlyAllowed
}

// after gives the first attempt of the same request that began when attempt i had
// ended, unless it followed another one that ended later, and the first of another.
func after(calls []attempt, i int) (same, other *attempt) {
	c := &calls[i]
	for k := range calls {
		n := &calls[k]
		switch {
		case k == i || n.begin < c.end:
		case n.body != c.body:
			if other == nil || n.begin < other.begin {
				other = n
			}
		case same == nil || n.begin < same.begin:
			same = n
		}
	}
	if same != nil && former(calls, indexOf(calls, same)) != c {
		same = nil
	}
	return same, other
}

// former gives the attempt of the same request that ended last before attempt i began.
func former(calls []attempt, i int) (f *attempt) {
	for k := range calls {
		if b := &calls[k]; k != i && b.body == calls[i].body && b.end <= calls[i].begin && b.failed() && (f == nil || b.end > f.end) {
			f = b
		}
	}
	return f
}

func indexOf(calls []attempt, a *attempt) int {
	for i := range calls {
		if &calls[i] == a {
			return i
		}
	}
	return 0
}

// attempt is the part of a record that tells of the client.
func (r *Record) attempt() attempt {
	return attempt{
		begin: r.TNs, end: r.TNs + r.InjectedNs, retryAfter: r.RetryAfterNs, body: r.Body,
		status: uint16(r.Status), outcome: parseOutcome(r.Outcome, r.Status),
	}
}
