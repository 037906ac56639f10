package measure

import (
	"cmp"
	"slices"
)

// Observed is a figure of somebody's system as it was seen, by second.
type Observed struct {
	Name   string           `json:"name"`
	Unit   string           `json:"unit,omitempty"`
	Values []ObservedSecond `json:"values,omitempty"` // ascending, a second at most once
	// Asked is how often it was asked for, Error what was said first when it was not told.
	Asked int64  `json:"asked"`
	Error string `json:"error,omitempty"`
}

// ObservedSecond is what was seen in a second of the load.
type ObservedSecond struct {
	Second int     `json:"t_s"`
	Value  float64 `json:"value"`
}

// At is what was seen in a second; false where nothing was. Nil has seen nothing.
func (o *Observed) At(second int) (float64, bool) {
	if o == nil {
		return 0, false
	}
	low, high := 0, len(o.Values)
	for low < high {
		middle := (low + high) / 2
		if o.Values[middle].Second < second {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low < len(o.Values) && o.Values[low].Second == second {
		return o.Values[low].Value, true
	}
	return 0, false
}

// ObservedAs is the figure of a name; nil without one.
func (f *Facts) ObservedAs(name string) *Observed {
	for i := range f.Observed {
		if f.Observed[i].Name == name {
			return &f.Observed[i]
		}
	}
	return nil
}

// mergeObserved keeps of each figure what one shard saw: the one that saw more, for
// both asked the same.
func mergeObserved(a, b []Observed) []Observed {
	out := slices.Clone(a)
	for _, o := range b {
		i := slices.IndexFunc(out, func(x Observed) bool { return x.Name == o.Name })
		if i < 0 {
			out = append(out, o)
		} else if compareObserved(o, out[i]) > 0 {
			out[i] = o
		}
	}
	slices.SortFunc(out, func(x, y Observed) int { return cmp.Compare(x.Name, y.Name) })
	return out
}

func compareObserved(a, b Observed) int {
	c := cmp.Or(cmp.Compare(len(a.Values), len(b.Values)), cmp.Compare(a.Asked, b.Asked), cmp.Compare(a.Error, b.Error))
	for i := 0; c == 0 && i < len(a.Values); i++ {
		c = cmp.Or(cmp.Compare(a.Values[i].Second, b.Values[i].Second), cmp.Compare(a.Values[i].Value, b.Values[i].Value))
	}
	return c
}
