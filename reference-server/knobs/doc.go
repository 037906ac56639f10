// Package knobs holds the settings of the server: what each knob is called and
// does (table.go), its value (settings.go) in each profile (profiles.go), which
// combinations cannot work (check.go), and the set that holds at the moment
// (live.go).
package knobs
