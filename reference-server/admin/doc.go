// Package admin is the operators' HTTP side: health (health.go), the state of
// the server (state.go), its knobs (knobs.go), the switch over its tiers
// (switches.go), the gray release (gray.go) and what is asked again (backflow.go).
// routes.go lists it all, and exchange.go is what every request goes through: only
// operators come in.
package admin
