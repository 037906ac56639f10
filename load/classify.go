package load

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
)

// Asked is what a turn asked, for Classify to hold the reply against.
type Asked struct {
	Turn     int    // from 1
	DialogID []byte // sent; empty when the dialog was new
	TraceID  [16]byte
	TurnID   [16]byte
	Canary   Canary
	Memory   bool // the text carried the canary
	// Kept tells of each turn before this one (index turn − 1) whether the dialog
	// in front of the model must hold it: it was answered, and the server did not
	// say that it lost it.
	Kept []bool
	// Elsewhere: the id in the answer is that of another dialog of the run.
	Elsewhere bool
	Owed      bool // the contract of the rate limit covered the turn
	Expect    *Expectation
}

// Judgement is what a turn was.
type Judgement struct {
	Outcome  measure.Outcome
	Tier     measure.Tier // of answered turns
	Excluded bool         // judged by no budget
	Planted  bool
	Memory   measure.Memory
	Message  string // why it was not ok: short, without what differs from turn to turn
	Kept     bool   // later turns must find this one in front of the model
	Untold   bool   // the answer has no word on being degraded where the scenario says it has, though a tier if it should
}

// longestID is how long a server's name for a dialog may be: it is kept for as
// long as the conversation lasts.
const longestID = 1 << 10

// Classify says what a turn was. It is pure, allocates nothing and never
// panics, whatever the reply holds. The first of these that fits:
//
//	integrity        another dialog's id, another conversation's canary, the answer to another of our turns
//	let_in           an answer to a turn that had to be refused
//	refused          the refusal of such a turn; with another status than those expected it is a client_error
//	transport_error  no connection, reset, EOF, a protocol error
//	timeout          the client's deadline, a stall
//	server_error     5xx (but see shed); a malformed or oversized body; on a 2xx also an error in the place of an answer
//	                 or after the begin of one, response.ok not there or not true, no answer, a dialog id beyond all measure
//	truncated        a stream without its terminal event, of api openai also one without a finish_reason
//	shed             503 with a code that says so: shed, draining, queue-full, overloaded. A 503 without one is a
//	                 server_error: Retry-After alone does not tell a full house from a broken one
//	rate_limited     429, judged by the policy
//	client_error     any other status from 300
//	context_lost     answered without the dialog so far
//	degraded         the server says so, or that it had no dialog state; where it never says, a tier below llm; a canned
//	                 line; a tier that nobody mapped; a finish_reason of length, content_filter or another that is no end
//	unexpected       the turn's expectation was not met
//	ok
//
// A status of 300 or more is judged by the status alone: `response.ok` false
// beside a 429 is what a 429 looks like. A turn that was interrupted is censored.
func Classify(r *driver.Reply, a *Asked, rules *Rules) Judgement {
	e := echo{}
	if a.Memory {
		e = readEcho(r.Answer, &a.Canary, a.required)
	}
	j := Judgement{Planted: rules.planted.in(r.Answer)}
	switch {
	case a.foreignDialog(r):
		j.Outcome, j.Message = measure.Integrity, "answer carries another dialog's id"
	case e.foreign:
		j.Outcome, j.Message = measure.Integrity, "answer carries another conversation's canary"
	case a.foreignTurn(r):
		j.Outcome, j.Message = measure.Integrity, "answer is to another turn"
	case a.Expect != nil && len(a.Expect.refused) > 0 && a.Expect.heldOut(r, &j):
	case r.Reason != driver.Complete:
		j.Outcome, j.Message = broken(r)
	case r.Status >= 300:
		a.refused(r, rules, &j)
	case r.Missing.Has(driver.PlaceOK):
		j.Outcome, j.Message = measure.ServerError, "response.ok is not in the answer"
	case !r.OK:
		j.Outcome, j.Message = measure.ServerError, "response.ok is not true"
		if r.Said != "" {
			j.Message = r.Said
		}
	case isBlank(r.Answer) && !callsTools(r.Finish):
		j.Outcome, j.Message = measure.ServerError, "empty answer"
	case len(r.DialogID) > longestID:
		j.Outcome, j.Message = measure.ServerError, "dialog id of more than 1 KiB"
	default:
		a.answered(r, rules, &e, &j)
	}
	return j
}

// broken is a reply without a whole answer.
func broken(r *driver.Reply) (measure.Outcome, string) {
	outcome, message := measure.TransportError, "connection broken"
	switch r.Reason {
	case driver.Unreachable:
		message = "cannot connect"
	case driver.TimedOut:
		outcome, message = measure.Timeout, "no answer in time"
	case driver.Malformed:
		outcome, message = measure.ServerError, "malformed answer"
	case driver.Oversized:
		outcome, message = measure.ServerError, "answer beyond target.limits"
	case driver.Truncated:
		outcome, message = measure.Truncated, "stream ended without its terminal event"
	case driver.Interrupted:
		outcome, message = measure.Censored, "unanswered when the load ended"
	case driver.Exhausted:
		outcome, message = measure.DroppedGenerator, "out of descriptors or ports"
	case driver.Complete, driver.Broken:
	}
	if r.Message != "" {
		message = r.Message
	}
	return outcome, message
}

// heldOut judges the reply to a turn that must be refused; false where it is neither
// a refusal nor an answer, but a failure like any other. A login that is refused says
// nothing of the turn.
func (x *Expectation) heldOut(r *driver.Reply, j *Judgement) bool {
	whole := r.Reason == driver.Complete && (r.Status >= 300 || !r.OK)
	listed := (whole || r.Denied) && slices.Contains(x.refused, r.Status) || r.Closed > 0 && slices.Contains(x.refused, r.Closed)
	switch {
	case r.Step != "" || r.Status < http.StatusSwitchingProtocols || r.Status >= 500:
		return false
	case r.Status < 300 && r.OK && !r.Missing.Has(driver.PlaceOK) && (!isBlank(r.Answer) || callsTools(r.Finish)):
		j.Outcome, j.Message = measure.LetIn, "answered, though it had to be refused"
	case listed:
		j.Outcome = measure.Refused
	case !whole || r.Status < 300 || r.Status == 429:
		return false
	default:
		j.Outcome, j.Message = measure.ClientError, "refused with a status that expect.refused does not name"
	}
	return true
}

// refused is a reply with a status of 300 or more.
func (a *Asked) refused(r *driver.Reply, rules *Rules, j *Judgement) {
	switch {
	case r.Status == 503 && saysShed(r.Code):
		j.Outcome = measure.Shed
	case r.Status >= 500:
		j.Outcome = measure.ServerError
	case r.Status == 429:
		j.Outcome = measure.RateLimited
		j.Excluded = rules.excludeAll || rules.excludeOver && !a.Owed
	case r.Status < 400:
		j.Outcome, j.Message = measure.ClientError, "a redirect, which is not followed"
	default:
		j.Outcome = measure.ClientError
	}
}

func saysShed(code []byte) bool {
	switch string(code) {
	case "shed", "draining", "queue-full", "overloaded":
		return true
	}
	return false
}

// answered is a whole answer with a good status: was it a good one?
func (a *Asked) answered(r *driver.Reply, rules *Rules, e *echo, j *Judgement) {
	var unmapped bool
	if j.Tier, unmapped = tierOf(r.Tier); r.Unmapped {
		j.Tier, unmapped = measure.TierUnknown, true
	}
	unsaid := r.Missing.Has(driver.PlaceDegraded)
	why := rules.lesser(r, j.Tier > measure.TierLLM && (!rules.saysDegraded || unsaid), unmapped)
	unavailable := string(r.ContextStatus) == "unavailable"
	j.Kept = !unavailable && j.Tier != measure.TierStatic
	if why == cannedLine {
		j.Tier = measure.TierStatic
	}
	// What others than the model say need not know the dialog.
	fromModel := why == "" && !r.Cached && j.Tier <= measure.TierLLM
	if a.Memory && fromModel && e.seen && e.count > 0 {
		j.Memory = measure.Verified
	}
	if lost := a.lost(r, e, fromModel); lost != "" {
		j.Outcome, j.Message = measure.ContextLost, lost
		return
	}
	switch {
	case why != "":
		j.Outcome, j.Message = measure.Degraded, why
	case unavailable:
		j.Outcome, j.Message = measure.Degraded, "answered without dialog state"
	case !rules.finished(r.Finish):
		j.Outcome, j.Message = measure.Degraded, unfinished(r.Finish)
	case a.Expect != nil && !a.Expect.met(r.Answer):
		j.Outcome, j.Message = measure.Unexpected, "expectation not met"
	}
	good := j.Outcome == measure.OK || j.Outcome == measure.Unexpected
	j.Untold = good && unsaid && !r.Missing.Has(driver.PlaceTier)
}

const cannedLine = "canned line"

// lesserTier is said of an answer that is not the model's, and of it byTier, where
// the tier is known.
const lesserTier = "degraded"

var byTier = [measure.Tiers]string{lesserTier, "degraded, by the model", "answered by the FAQ", "handed to a person", "a fixed text"}

// lesser tells what makes an answer a lesser one, whatever it knows of the dialog;
// below is a tier that the model does not answer at. Empty: nothing does.
func (rules *Rules) lesser(r *driver.Reply, below, unmapped bool) (why string) {
	switch {
	case isCanned(r.Answer, rules):
		return cannedLine
	case r.Degraded || below:
		return lesserTier
	case unmapped:
		return measure.UnmappedTier
	}
	return ""
}

// finished tells whether an answer came to an end of its own, or to one that the
// scenario allows.
func (rules *Rules) finished(why []byte) bool {
	switch string(why) {
	case "", "stop", "end_turn", "eos", "stop_sequence":
		return true
	}
	if callsTools(why) {
		return true
	}
	return slices.Contains(rules.finishes, string(why))
}

// callsTools tells whether the model asked for tools: an answer without text.
func callsTools(finish []byte) bool {
	return string(finish) == "tool_calls" || string(finish) == "function_call"
}

// unfinished is the message of an answer that ended otherwise.
func unfinished(why []byte) string {
	switch string(why) {
	case "length":
		return "cut off: finish_reason length"
	case "content_filter":
		return "filtered: finish_reason content_filter"
	}
	return "finish_reason is none of those known"
}

// lost tells why the answer was given without the dialog so far; empty when it
// was not, as far as can be seen. What the server never had it cannot lose: a
// dialog whose turns so far failed, or were answered by a tier that openly keeps
// nothing, may expire.
func (a *Asked) lost(r *driver.Reply, e *echo, fromModel bool) string {
	status := string(r.ContextStatus)
	switch {
	case status == "expired" && a.anyKept():
		return "the server says the dialog expired"
	case status == "new" && len(a.DialogID) > 0 && a.anyKept():
		return "the server began the dialog anew"
	case !fromModel:
		return ""
	case status == "unavailable" && a.anyKept():
		return "the server says the dialog is unavailable"
	case !a.Memory || !e.seen:
		return ""
	case e.count == 0:
		return "the model did not see the turn"
	case !e.order:
		return "the model saw the dialog out of order"
	case e.last != a.Turn:
		return "the model did not see the turn last"
	case e.missing:
		return "the model saw the dialog with a gap"
	case r.ContextTurns >= 0:
		// The server may have trimmed: as long as it says, but not shorter.
		if e.count != min(r.ContextTurns, mostSeen) {
			return "the model saw another length of dialog than the server says"
		}
		return ""
	}
	for turn := 1; turn < e.first; turn++ {
		if a.required(turn) {
			return "the model did not see the start of the dialog"
		}
	}
	return ""
}

// required tells whether the model must have seen a turn, counted from 1.
func (a *Asked) required(turn int) bool { return turn <= len(a.Kept) && a.Kept[turn-1] }

func (a *Asked) anyKept() bool { return slices.Contains(a.Kept, true) }

// foreignDialog: the answer is under the id of another dialog of ours. An id that
// only differs from the one sent accuses nobody: some servers change it from turn
// to turn. One that says it began a new dialog has lost the old one, not mixed it up.
func (a *Asked) foreignDialog(r *driver.Reply) bool {
	if !a.Elsewhere || len(a.DialogID) == 0 {
		return false
	}
	status := string(r.ContextStatus)
	return status != "new" && status != "expired"
}

// foreignTurn: the answer names another turn of ours. Trace id and turn id are 8
// bytes of the run and 8 of the turn; what does not begin with the run's bytes was
// made up by a server with ids of its own.
func (a *Asked) foreignTurn(r *driver.Reply) bool {
	return ofAnother(&a.TraceID, r.TraceID) || ofAnother(&a.TurnID, r.TurnID)
}

// ofAnother tells whether got, in hexadecimal, is one of our ids, but not own.
func ofAnother(own *[16]byte, got []byte) bool {
	if len(got) != 2*len(own) {
		return false
	}
	const digits = "0123456789abcdef"
	for i := range got {
		nibble := own[i/2] >> 4
		if i%2 == 1 {
			nibble = own[i/2] & 15
		}
		if got[i] != digits[nibble] {
			return i >= len(got)/2
		}
	}
	return false
}

// isBlank tells whether an answer is nothing but space.
func isBlank(answer []byte) bool { return len(bytes.TrimSpace(answer)) == 0 }

func isCanned(answer []byte, rules *Rules) bool {
	_, busy, _ := bytes.Cut(answer, []byte("系统繁忙"))
	for _, comma := range []string{",", "\uff0c"} {
		if rest, ok := bytes.CutPrefix(busy, []byte(comma)); ok && bytes.HasPrefix(bytes.TrimLeft(rest, " "), []byte("请稍后再试")) {
			return true
		}
	}
	for i := range rules.canned {
		if rules.canned[i].in(answer) {
			return true
		}
	}
	return rules.standIns && standsIn(answer)
}

// met tells whether an answer is as expected.
func (x *Expectation) met(answer []byte) bool {
	return (len(x.contains) == 0 || bytes.Contains(answer, x.contains)) &&
		(len(x.notContains) == 0 || !bytes.Contains(answer, x.notContains)) &&
		(x.matches == nil || x.matches.Match(answer))
}
