package refserver

import "github.com/cstest/cstest/reference-server/knobs"

// Knob describes one tunable of the server.
type Knob = knobs.Knob

// Knobs lists every knob with its default in the hardened profile, sorted by
// name.
func Knobs() []Knob { return knobs.List() }

// ErrUnknownKnob is what KnobProblems says of a name that no knob has.
var ErrUnknownKnob = knobs.ErrUnknown

// KnobProblems says what the server would refuse of knobs set on top of a profile,
// by their names; under "" what is wrong with them together.
func KnobProblems(profile string, set map[string]string) map[string]error {
	return knobs.Problems(profile, set)
}

// Profiles lists the names of the profiles, the default first.
func Profiles() []string { return knobs.Profiles() }
