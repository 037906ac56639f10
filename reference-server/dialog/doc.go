// Package dialog keeps the state of dialogs in Redis: what a turn leaves behind
// (record.go, notes.go), how turns begin and commit without gaps and without
// scripts (store.go, begin.go, lease.go, hold.go, commit.go), how those of many
// dialogs go together (ferry.go), how a commit that Redis did not answer in time is
// finished (late.go), and the ids that carry their owner (ids.go).
//
// The guarantees: the turns of an epoch are numbered without gaps; a turn sees
// every committed turn before it; the same turn_id is answered once, with the
// same bytes; nobody sees another's dialog; lost state is a new epoch.
package dialog
