package result

import (
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// Client is how the target treated the model, as the mock LLM saw it: its calls for users'
// turns. Of those without a trace id of the run it is not known for which turn they were.
type Client struct {
	Calls    int64           `json:"calls"`
	Tied     int64           `json:"tied"` // carry a trace id of the run
	Failed   int64           `json:"failed"`
	Retries  int64           `json:"retries"`
	Open     int64           `json:"open"` // not ended when the mock told
	Unread   int64           `json:"unread"`
	Findings []ClientFinding `json:"findings"`
}

// ClientFinding is one thing that a target must not do to the model: N of Of, Share of
// them, or the Figure of what is no share. State is found, none, or not_seen: then nothing
// came that would have shown it, or it cannot be told, and Reason says which.
type ClientFinding struct {
	Name        scenario.ClientFinding `json:"name"`
	State       string                 `json:"state"`
	N           int64                  `json:"n"`
	Of          int64                  `json:"of"`
	Share       *float64               `json:"share"`
	Figure      *float64               `json:"figure"`
	Unclear     int64                  `json:"unclear"`
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
		Findings: []ClientFinding{},
	}
	for _, f := range in.judged.Client {
		row := ClientFinding{
			Name: f.What, State: f.State.String(), N: f.N, Of: f.Of, Unclear: f.Unclear,
			Reason: f.Text.Text(reason.English), ReasonCodes: f.Text.OrEmpty(), Examples: []ClientExample{},
		}
		switch {
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
