package result

import (
	"time"

	"github.com/cstest/cstest/measure"
)

// Observation is a figure of somebody's system, as `observe` of the scenario asks for
// it once a second. Values are parallel to the Series, null where it was not seen: Seen of
// Asked times. Error is what was said first when it was not told.
type Observation struct {
	Name   string     `json:"name"`
	Unit   string     `json:"unit"`
	Asked  int64      `json:"asked"`
	Seen   int64      `json:"seen"`
	Mean   *float64   `json:"mean"`
	Min    *float64   `json:"min"`
	Max    *float64   `json:"max"`
	MaxAtS *int       `json:"max_at_s"`
	Values []*float64 `json:"values"`
	Error  string     `json:"error"`
}

func observationsOf(in input) []Observation {
	var list []Observation
	end := int(in.Snapshot.Plan.End() / time.Second) // the entry behind it stands for many seconds
	for i := range in.Facts.Observed {
		f := &in.Facts.Observed[i]
		o := Observation{Name: f.Name, Unit: f.Unit, Asked: f.Asked, Error: f.Error, Values: make([]*float64, len(in.Snapshot.Seconds))}
		var sum float64
		for _, v := range f.Values {
			o.see(v)
			sum += v.Value
			if at := v.Second - in.Snapshot.First; at >= 0 && at < len(o.Values) && v.Second < end {
				o.Values[at] = known(v.Value)
			}
		}
		if o.Seen > 0 {
			o.Mean = known(sum / float64(o.Seen))
		}
		list = append(list, o)
	}
	return list
}

func (o *Observation) see(v measure.ObservedSecond) {
	o.Seen++
	if o.Min == nil || v.Value < *o.Min {
		o.Min = known(v.Value)
	}
	if o.Max == nil || v.Value > *o.Max {
		o.Max, o.MaxAtS = known(v.Value), &v.Second
	}
}
