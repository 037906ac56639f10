package driver

import (
	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// When is conditions on the answer to a turn, compiled. It is read-only and safe for
// concurrent use.
type When struct {
	all    find.All
	places jsonscan.Places
	slots  int
}

// NewWhen compiles conditions. Paths lead into the JSON of an answer; body:text and
// regex: look at what was answered, as text, whatever it came in.
func NewWhen(list scenario.Conditions) (*When, error) {
	paths := &find.Paths{Of: map[int]string{}}
	all, err := find.Conditions(list, paths)
	if err != nil {
		return nil, err
	}
	return &When{all: all, places: jsonscan.Compile(paths.Of), slots: paths.Next}, nil
}

// Hold tells whether all of them hold of a reply that was not freed yet.
func (w *When) Hold(r *Reply) bool {
	look := find.Answer{Head: &wire.Head{Status: r.Status}, Body: r.Answer}
	if w.slots > 0 {
		scanner := jsonscan.Scanner{Values: make([]jsonscan.Value, w.slots)}
		if w.places.Find(&scanner, r.Body) {
			look.JSON = scanner.Values
		}
	}
	return w.all.Hold(&look)
}
