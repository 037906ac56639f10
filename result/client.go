package result

import (
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/sla"
)

// Client is how the target treated the model, as the mock LLM saw it: its calls for users'
// turns. Of those without a trace id of the run it is not known for which turn they were.
type Client struct {
	Calls   int64 `json:"calls"`
	Tied    int64 `json:"tied"` // carry a trace id of the run
	Failed  int64 `json:"failed"`
	Retries int64 `json:"retries"`
	Open    int64 `json:"open"` // not ended when the mock told
	Unread  int64 `json:"unread"`
	// FirstWaits and SecondWaits are before the first and the second retry of a request
	// where nobody said how long to wait.
	FirstWaits  Waits           `json:"first_waits"`
	SecondWaits Waits           `json:"second_waits"`
	Findings    []ClientFinding `json:"findings"`
}

// Waits are so many, with a median known to a fifth; null of none.
type Waits struct {
	N        int64  `json:"n"`
	MedianNs *int64 `json:"median_ns"`
}

func waitsOf(list []measure.WaitBucket) Waits {
	median, n := measure.MedianWait(list)
	if n == 0 {
		return Waits{}
	}
	ns := median.Nanoseconds()
	return Waits{n, &ns}
}

// ClientFinding is one thing that a target must not do to the model: N of Of, Share of
// them, or the Figure of what is no share. Of Unclear of them it cannot be told; Partly:
// of a sample of what there was. State is found, none, or not_seen: then nothing
// came that would have shown it, or it cannot be told, and Reason says which.
type ClientFinding struct {
	Name        scenario.ClientFinding `json:"name"`
	State       string                 `json:"state"`
	N           int64                  `json:"n"`
	Of          int64                  `json:"of"`
	Share       *float64               `json:"share"`
	Figure      *float64               `json:"figure"`
	Unclear     int64                  `json:"unclear"`
	Partly      bool                   `json:"partly"`
	Reason      string                 `json:"reason"`
	ReasonCodes reason.Reasons         `json:"reason_codes"`
	Examples    []ClientExample        `json:"examples"`
}

// ClientExample is a turn of a finding; AtS is null where that is no instant.
type ClientExample struct {
	TraceID string   `json:"trace_id"`
	AtS     *float64 `json:"at_s"`
}

func clientOf(in input) *Client {
	c := in.Facts.Client
	if c == nil {
		return nil
	}
	out := &Client{
		Calls: c.Calls + c.Untraced + c.Foreign, Tied: c.Calls, Failed: c.Failed, Retries: c.Retries, Open: c.Open, Unread: c.Late + c.More,
		FirstWaits: waitsOf(c.FirstWaits), SecondWaits: waitsOf(c.SecondWaits),
		Findings: []ClientFinding{},
	}
	for _, f := range in.judged.Client {
		row := ClientFinding{
			Name: f.What, State: f.State.String(), N: f.N, Of: f.Of, Unclear: f.Unclear, Partly: f.Partly,
			Reason: f.Text.Text(reason.English), ReasonCodes: f.Text.OrEmpty(), Examples: []ClientExample{},
		}
		switch {
		case f.What == scenario.ClientCallsPerTurn && f.State == sla.Unseen:
		case f.What == scenario.ClientCallsPerTurn || f.What == scenario.ClientInFlight:
			row.Figure = known(f.Figure)
		case f.Of > 0:
			row.Share = known(float64(f.N) / float64(f.Of))
		}
		for _, e := range f.Examples {
			example := ClientExample{TraceID: e.TraceID}
			if e.At != 0 {
				example.AtS = optionalS(&e.At)
			}
			row.Examples = append(row.Examples, example)
		}
		out.Findings = append(out.Findings, row)
	}
	return out
}
