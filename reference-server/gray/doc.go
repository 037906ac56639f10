// Package gray releases to a few first: a set of knobs of their own (another model,
// prompt or deadline) for a share of the users, who are told apart by their uid
// (groups.go). The release lives in Redis, for all servers (release.go, board.go). It
// ends when people promote it, so that its knobs are everybody's, or roll it back, or
// by itself when the group fares worse than the rest by more than its budget allows
// (judge.go, counts.go).
package gray
