// Package learn makes a scenario of a production chat log: when conversations
// begin, how many turns they have, how long people think, and what they ask
// about. Nothing leaves the machine, and no personal datum of the log leaves the
// package: each is replaced by a look-alike, the same one wherever it stands.
package learn
