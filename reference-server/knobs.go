package refserver

import "github.com/cstest/cstest/reference-server/knobs"

// Knob describes one tunable of the server.
type Knob = knobs.Knob

// Knobs lists every knob with its default in the hardened profile, sorted by
// name.
func Knobs() []Knob { return knobs.List() }

// Profiles lists the names of the profiles, the default first.
func Profiles() []string { return knobs.Profiles() }
