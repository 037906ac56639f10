package result

import "github.com/cstest/cstest/reason"

// Output is what became of one that the run was told to while it was under way: how
// many seconds and turns it was told, and how many were dropped, for it was too slow
// or failed. Failed is how often it did, Error what it said first.
type Output struct {
	Kind           string `json:"kind"`
	To             string `json:"to"` // without credentials and query
	Seconds        int64  `json:"seconds"`
	SecondsDropped int64  `json:"seconds_dropped"`
	Turns          int64  `json:"turns"`
	TurnsDropped   int64  `json:"turns_dropped"`
	Failed         int64  `json:"failed"`
	Error          string `json:"error"`
}

// OutputWarnings says which outputs miss something.
func OutputWarnings(list []Output) (out reason.Reasons) {
	for _, o := range list {
		name := o.Kind + "=" + o.To
		if n := o.SecondsDropped + o.TurnsDropped; n > 0 && o.Error == "" {
			out = append(out, reason.New(reason.OutputSlow, name, o.SecondsDropped, o.TurnsDropped))
		} else if o.Failed > 0 {
			out = append(out, reason.New(reason.OutputFailed, name, o.SecondsDropped, o.TurnsDropped, o.Error))
		}
	}
	return out
}
