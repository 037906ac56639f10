package sla

import (
	"time"

	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// ClientState is whether something that a target must not do to the model was seen.
type ClientState uint8

// The states. Unseen is never good: nothing came that would have shown it, or it could
// not be told.
const (
	Unseen ClientState = iota
	Clean
	Found
)

// String is the state's name in result.json.
func (s ClientState) String() string { return [...]string{"not_seen", "none", "found"}[s] }

// ClientFinding is one thing that the target did to the model, or did not: N of Of, or
// Figure where it is one. Text says it, and why where it is Unseen.
type ClientFinding struct {
	What     scenario.ClientFinding
	State    ClientState
	N, Of    int64
	Unclear  int64 // of Of: it cannot be told
	Partly   bool  // N is of a sample of what there was
	Figure   float64
	Text     reason.Reasons
	Examples []measure.TurnExample
}

// What is too little to tell, and what is much.
const (
	clientLeast   = 10                    // events from which absence is told
	clientTied    = 0.99                  // share of calls that must belong to a turn
	amplified     = 1.5                   // calls per turn in a storm over those in calm
	atOnce        = 12 * time.Millisecond // a wait that is none; the buckets are a fifth wide
	growing       = 1.3                   // of the second wait over the first
	flightLeast   = 20                    // calls open at a time, below which no cap is tried
	flightFollows = 0.8                   // of the turns in flight: the calls follow them
	flightHeld    = 2.0                   // turns in flight over calls: something holds them
)

// clientFindings are all, in the order of reports; nil where no mock LLM told.
func (j *judge) clientFindings() []ClientFinding {
	c := j.facts.Client
	if c == nil {
		return nil
	}
	list := []ClientFinding{
		j.amplification(c), j.tied(c, early(c)), j.tied(c, again4xx(c)), j.tied(c, j.afterLeft(c)), j.tied(c, j.broken(c)),
		j.tied(c, backoff(c)), j.inFlight(),
	}
	return list
}

// tied takes back that nothing was found where not all calls could be looked at.
func (j *judge) tied(c *measure.Client, f ClientFinding) ClientFinding {
	share, ok := c.Tied()
	if f.State == Found || !ok || share >= clientTied {
		return f
	}
	f.State = Unseen
	f.Text = reason.Reasons{reason.New(reason.ClientUntied, c.Untraced+c.Foreign, c.Calls+c.Untraced+c.Foreign)}
	return f
}

// counted is a finding of a share of events, that says none when there was none to see.
func counted(what scenario.ClientFinding, f measure.Finding, text, none reason.Code) ClientFinding {
	out := ClientFinding{What: what, N: f.N, Of: f.Of, Examples: f.Examples}
	switch {
	case f.N > 0:
		out.State = Found
	case f.Of > 0:
		out.State = Clean
	default:
		out.Text = reason.Reasons{reason.New(none)}
		return out
	}
	out.Text = reason.Reasons{reason.New(text, f.N, f.Of)}
	return out
}

func early(c *measure.Client) ClientFinding {
	f := counted(scenario.ClientRetryAfter, c.RetriedEarly, reason.ClientEarly, reason.ClientNotTold)
	f.unclear(c.EarlyUnclear, reason.ClientEarlyUnclear)
	return f
}

// unclear notes that of so many more it cannot be told.
func (f *ClientFinding) unclear(n int64, code reason.Code) {
	if n == 0 {
		return
	}
	f.Unclear = n
	if f.State == Clean {
		f.State = Unseen
	}
	f.Text = append(f.Text, reason.New(code, n))
}

func again4xx(c *measure.Client) ClientFinding {
	return counted(scenario.ClientRetries4xx, c.Retried4xx, reason.ClientAgain4xx, reason.ClientNo4xx)
}

func (j *judge) afterLeft(c *measure.Client) ClientFinding {
	e := j.facts.Ends
	if e != nil && e.Untold {
		return ClientFinding{What: scenario.ClientAfterLeft, Text: reason.Reasons{reason.New(reason.ClientUntold)}}
	}
	f := counted(scenario.ClientAfterLeft, c.AfterLeft, reason.ClientAfterLeft, reason.ClientNobodyLeft)
	if e == nil {
		return f
	}
	if f.Of == 0 && e.Left.N > 0 {
		f.Text = reason.Reasons{reason.New(reason.ClientLeftUncalled, e.Left.N)}
	}
	f.Partly = e.Left.Halved > 0 || c.Known < 1
	return f
}

// broken is of all broken answers: one that was asked for again was not passed on.
func (j *judge) broken(c *measure.Client) ClientFinding {
	f := counted(scenario.ClientBroken, measure.Finding{N: c.PassedOn.N, Of: c.Broken, Examples: c.PassedOn.Examples}, reason.ClientBroken, reason.ClientNothingBroken)
	f.unclear(c.PassedOnUnclear, reason.ClientBrokenUnclear)
	if e := j.facts.Ends; e == nil || e.Good.Halved > 0 || c.Known < 1 {
		f.Partly = true
	}
	return f
}

// backoff is told by the medians of the waits before first and second retries: a single
// wait that is drawn at random may be shorter than the one before.
func backoff(c *measure.Client) ClientFinding {
	first, n := measure.MedianWait(c.FirstWaits)
	second, m := measure.MedianWait(c.SecondWaits)
	f := ClientFinding{What: scenario.ClientBackoff, N: c.NotLonger.N, Of: c.NotLonger.Of}
	say := func(s ClientState, code reason.Code, args ...any) ClientFinding {
		f.State, f.Text = s, reason.Reasons{reason.New(code, args...)}
		if s == Found {
			f.Examples = c.NotLonger.Examples
		}
		return f
	}
	switch {
	case c.Failed == 0:
		return say(Unseen, reason.ClientNothingFailed)
	case n == 0 && c.Retries == 0 && c.Failed >= clientLeast:
		return say(Clean, reason.ClientNoRetries, c.Failed)
	case n < clientLeast:
		return say(Unseen, reason.ClientFewRetries, n)
	case first <= atOnce && (m < clientLeast || second <= atOnce):
		return say(Found, reason.ClientAtOnce, n, first)
	case m == 0:
		return say(Clean, reason.ClientOnce, n, first)
	case m < clientLeast:
		return say(Unseen, reason.ClientFewSecond, m)
	case float64(second) < growing*float64(first):
		return say(Found, reason.ClientConstant, first, second, f.N, f.Of)
	}
	return say(Clean, reason.ClientGrows, first, second)
}

// amplification is the calls per turn, in calm and in the storm that has the most.
func (j *judge) amplification(c *measure.Client) ClientFinding {
	f := ClientFinding{What: scenario.ClientCallsPerTurn, N: c.Calls + c.Untraced + c.Foreign, Of: j.snap.Turns()}
	calm, calmKnown := j.calmCalls()
	worst, stormy := 0.0, false
	for i := range j.storms {
		if v, ok := j.callsInside(j.storms[i]); ok {
			worst, stormy = max(worst, v), true
		}
	}
	f.Figure = max(calm, worst)
	if c.MaxCalls > 0 {
		f.Examples = []measure.TurnExample{{TraceID: c.MaxCallsOf}}
	}
	switch {
	case !calmKnown && !stormy:
		f.Text = reason.Reasons{reason.New(reason.NoTurnSent)}
		return f
	case !stormy:
		f.State, f.Text = Clean, reason.Reasons{reason.New(reason.ClientCallsCalm, calm)}
	case !calmKnown:
		f.State, f.Text = Clean, reason.Reasons{reason.New(reason.ClientCallsStorm, worst)}
	default:
		f.State, f.Text = Clean, reason.Reasons{reason.New(reason.ClientCalls, calm, worst)}
		if calm > 0 && worst >= amplified*max(calm, 1) { // who asks the model less than once a turn multiplies nothing
			f.State = Found
		}
	}
	if c.MaxCalls > 0 {
		f.Text = append(f.Text, reason.New(reason.ClientMost, c.MaxCalls))
	}
	return f
}

// calmCalls is the calls per turn of the seconds that no storm touches.
func (j *judge) calmCalls() (float64, bool) {
	var calm []int
	for i := range j.snap.Seconds {
		if second := j.snap.First + i; !j.stormy(second, measure.Storm{}) {
			calm = append(calm, second)
		}
	}
	return j.callsPerTurnOf(j.calls(), calm)
}

// inFlight tells of the calls open at a time in storms that make calls long: whether they
// grew with the turns in flight or something held them.
func (j *judge) inFlight() ClientFinding {
	f := ClientFinding{What: scenario.ClientInFlight}
	turns := map[int]int64{}
	for _, s := range j.facts.Generator.Seconds {
		turns[s.Second] = s.InFlight
	}
	var peak, waiting, beside int64
	for _, c := range j.facts.Calls {
		f.N = max(f.N, c.Open)
		if !j.slowAt(c.Second) {
			continue
		}
		waiting = max(waiting, turns[c.Second])
		if c.Open > peak {
			peak, beside = c.Open, max(turns[c.Second-1], turns[c.Second], turns[c.Second+1])
		}
	}
	f.Figure, f.Of = float64(f.N), max(waiting, beside)
	switch {
	case f.N == 0:
		f.Text = reason.Reasons{reason.New(reason.NoTurnSent)}
	case peak >= flightLeast && float64(peak) >= flightFollows*float64(beside):
		f.State, f.Text = Found, reason.Reasons{reason.New(reason.ClientFlightGrew, peak, beside)}
	case waiting >= flightLeast && float64(waiting) >= flightHeld*float64(peak):
		f.State, f.Text = Clean, reason.Reasons{reason.New(reason.ClientFlightHeld, peak, waiting)}
	default:
		f.Text = reason.Reasons{reason.New(reason.ClientFlightUnseen, f.N)}
	}
	return f
}

// slowAt tells whether a second lies in a storm in which calls are not over soon.
func (j *judge) slowAt(second int) bool {
	for _, s := range j.storms {
		switch scenario.FaultKind(s.Kind) {
		case scenario.FaultHang, scenario.FaultSlow, scenario.FaultDrip:
			if touches([]Span{{edge(s.Start), edge(s.End)}}, second) {
				return true
			}
		case scenario.FaultStatus, scenario.FaultReset, scenario.FaultTruncate, scenario.FaultGarbage, scenario.FaultHTML, scenario.FaultWrongContentType,
			scenario.FaultEmpty, scenario.FaultOversized, scenario.FaultErrorInStream, scenario.FaultLeak, scenario.FaultEscape, scenario.FaultFailFirst:
		}
	}
	return false
}

// client judges what the target did to the model. It is a census, from which nothing is
// inferred; what was not seen is not good.
func (j *judge) client(r *Judged, o scenario.Objective) {
	r.Unit, r.Target = "count", o.Max
	var f ClientFinding
	for _, x := range j.result.Client {
		if x.What == o.Client {
			f = x
		}
	}
	if j.facts.Client == nil {
		j.notVerified(r, reason.New(reason.ClientUnknown))
		return
	}
	r.N, r.Bad, r.Measured = f.Of, f.N, float64(f.N)
	over, open := r.Measured > o.Max, f.State == Unseen || f.Partly || f.Of < clientLeast
	switch o.Client {
	case scenario.ClientCallsPerTurn:
		r.Measured, r.Bad = f.Figure, 0
		over, open = f.Figure > o.Max, f.State == Unseen
	case scenario.ClientInFlight:
		r.Bad = 0
		// A cap that no load came near was not tried.
		open = float64(f.Of) <= o.Max
	case scenario.ClientBackoff:
		r.Target, over, open = 0, f.State == Found, f.State == Unseen
	case scenario.ClientRetryAfter:
		r.Unit, r.Target = "share", float64(o.Target)
		if f.Of > 0 {
			r.Measured = 1 - float64(f.N)/float64(f.Of)
			over = r.Measured < r.Target
			open = f.Of < clientLeast || r.Measured-float64(f.Unclear)/float64(f.Of) < r.Target || f.N == 0 && f.State == Unseen && f.Unclear == 0
		}
	case scenario.ClientRetries4xx, scenario.ClientAfterLeft, scenario.ClientBroken:
		if f.Unclear > 0 { // known but for those
			open = f.Partly || f.Of < clientLeast || r.Measured+float64(f.Unclear) > o.Max
		}
	}
	r.Lower, r.Upper = r.Measured, r.Measured
	switch {
	case over:
		r.Verdict = Fail
	case open:
		r.Verdict = Inconclusive
	}
	r.Reason = reason.Reasons{reason.New(reason.ClientJudged, r.Verdict.Word(), f.Text)}
	if r.Verdict == Inconclusive {
		r.Reason = append(r.Reason, j.stillOpen(f, o)...)
	}
}

// stillOpen says why a finding does not decide, where its text does not.
func (j *judge) stillOpen(f ClientFinding, o scenario.Objective) reason.Reasons {
	switch {
	case o.Client == scenario.ClientInFlight:
		return reason.Reasons{reason.New(reason.ClientCapUntried, f.Of, o.Max)}
	case f.State == Unseen && f.Unclear == 0:
		return nil
	case f.Partly:
		return reason.Reasons{reason.New(reason.ClientPartly)}
	case f.Of < clientLeast && o.Client != scenario.ClientBackoff:
		return reason.Reasons{reason.New(reason.ClientTooFew, f.Of, int64(clientLeast))}
	}
	return nil
}
