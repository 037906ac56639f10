package scenario

import (
	"encoding/json"

	"github.com/cstest/cstest/unit"
)

// span and timing are the mock's own forms of a latency.
type span struct {
	Min unit.Duration `json:"min"`
	Max unit.Duration `json:"max"`
}

type timing struct {
	Constant   unit.Duration `json:"constant,omitzero"`
	Uniform    *span         `json:"uniform,omitempty"`
	Median     unit.Duration `json:"median,omitzero"`
	P99        unit.Duration `json:"p99,omitzero"`
	FirstToken *Dist         `json:"first_token,omitempty"`
	PerToken   *Dist         `json:"per_token,omitempty"`
}

func uniform(low, high unit.Duration) *span {
	if high == 0 {
		return nil
	}
	return &span{low, high}
}

// MarshalJSON writes the form of the mock's configuration, where a uniform
// distribution is {"uniform": {"min": …, "max": …}}.
func (l Latency) MarshalJSON() ([]byte, error) {
	return json.Marshal(timing{l.Constant, uniform(l.Min, l.Max), l.Median, l.P99, l.FirstToken, l.PerToken})
}

// MarshalJSON writes the form of the mock's configuration.
func (d Dist) MarshalJSON() ([]byte, error) {
	return json.Marshal(timing{Constant: d.Constant, Uniform: uniform(d.Min, d.Max), Median: d.Median, P99: d.P99})
}
