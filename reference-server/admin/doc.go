// Package admin is the operators' HTTP side: health (health.go), the state of
// the server (state.go), its knobs (knobs.go) and the switch over its tiers
// (switches.go). Only operators come in (admin.go).
package admin
