package find

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// State is what an answer says of conditions.
type State uint8

// The states.
const (
	Silent State = iota // a value that is asked for is not there, and no other speaks against it
	Holds
	Fails
)

// All are conditions that have to hold together. The zero All says nothing.
type All []condition

type condition struct {
	path    string // of the place, as the scenario has it
	place   Place
	equals  *string
	in      []string
	not     *string
	exists  *bool
	matches *regexp.Regexp
	bare    bool
}

// Conditions makes list ready.
func Conditions(list scenario.Conditions, paths *Paths) (All, error) {
	var all All
	for i := range list {
		c := &list[i]
		place, err := Compile(c.Path, paths)
		if err != nil {
			return nil, fmt.Errorf("%.60q: %w", c.Path, err)
		}
		one := condition{path: c.Path, place: place, exists: c.Exists, bare: c.Bare()}
		one.equals, one.not = (*string)(c.Equals), (*string)(c.Not)
		for _, l := range c.In {
			one.in = append(one.in, string(l))
		}
		if c.Matches != "" {
			if one.matches, err = regexp.Compile(c.Matches); err != nil {
				return nil, fmt.Errorf("%.60q: %w", c.Matches, err)
			}
		}
		all = append(all, one)
	}
	return all, nil
}

// Named tells whether there are any.
func (all All) Named() bool { return len(all) > 0 }

// In tells what a says of them.
func (all All) In(a *Answer) State {
	state := Holds
	if len(all) == 0 {
		return Silent
	}
	for i := range all {
		switch one, _ := all[i].in1(a); one {
		case Fails:
			return Fails
		case Silent:
			state = Silent
		case Holds:
		}
	}
	return state
}

// Hold tells whether there are any and all of them hold.
func (all All) Hold(a *Answer) bool {
	holds, _ := all.Reach(a)
	return holds
}

// Reach is how near an answer comes to conditions: more where more of them hold, one
// after the other, and where the next has a value to look at.
type Reach int

// Reach is Hold, and where they do not hold how near a comes.
func (all All) Reach(a *Answer) (holds bool, near Reach) {
	for i := range all {
		state, kind := all[i].in1(a)
		if state == Holds {
			continue
		}
		near = Reach(2 * i)
		if kind != jsonscan.Nothing {
			near++
		}
		return false, near
	}
	return len(all) > 0, 0
}

// Why names the first condition that does not hold: by the place where there is nothing,
// or the value is another. It says the same for the same cause, so not the value.
func (all All) Why(a *Answer) string {
	if holds, near := all.Reach(a); !holds {
		return all.WhyAt(near)
	}
	return ""
}

// WhyAt is Why of an answer that came so near.
func (all All) WhyAt(near Reach) string {
	i := int(near / 2)
	if i >= len(all) {
		return ""
	}
	c := &all[i]
	if near%2 == 0 {
		return "there is nothing at " + c.path
	}
	return "what is at " + c.path + " does not fit (" + c.asks() + ")"
}

// longestAsked bounds what is said of a condition.
const longestAsked = 40

// asks says what the value has to be, as the scenario writes it.
func (c *condition) asks() string {
	var list []string
	add := func(word, value string) {
		if len(value) > longestAsked {
			value = strings.ToValidUTF8(value[:longestAsked], "") + "…"
		}
		list = append(list, word+": "+value)
	}
	if c.bare {
		add("equals", "true")
	}
	if c.equals != nil {
		add("equals", *c.equals)
	}
	if c.in != nil {
		add("in", "["+strings.Join(c.in, ", ")+"]")
	}
	if c.not != nil {
		add("not", *c.not)
	}
	if c.exists != nil {
		add("exists", strconv.FormatBool(*c.exists))
	}
	if c.matches != nil {
		add("matches", c.matches.String())
	}
	return wire.Visible([]byte(strings.Join(list, ", ")))
}

// Places gives the places of the conditions.
func (all All) Places() (list []*Place) {
	for i := range all {
		list = append(list, &all[i].place)
	}
	return list
}

// in1 tells what a says of the condition, and what stands at its place.
func (c *condition) in1(a *Answer) (State, jsonscan.Kind) {
	v := c.place.In(a)
	if c.exists != nil {
		is := v.Kind == jsonscan.Text || v.Kind != jsonscan.Nothing && v.Kind != jsonscan.Null && string(v.Text) != "[]"
		switch {
		case is != *c.exists:
			return Fails, v.Kind
		case !is:
			return Holds, v.Kind
		}
	}
	switch {
	case v.Kind == jsonscan.Nothing:
		return Silent, v.Kind
	case c.holds(v):
		return Holds, v.Kind
	}
	return Fails, v.Kind
}

// holds tells whether the value is as all that is said of it. Values compare as the
// texts that they are written as.
func (c *condition) holds(v Value) bool {
	switch {
	case c.bare:
		return v.Kind == jsonscan.True
	case c.equals != nil && string(v.Text) != *c.equals:
		return false
	case c.not != nil && string(v.Text) == *c.not:
		return false
	case c.matches != nil && !c.matches.Match(v.Text):
		return false
	}
	return c.in == nil || slices.Contains(c.in, string(v.Text))
}
