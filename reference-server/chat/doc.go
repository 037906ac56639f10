// Package chat is a turn on its way to an answer: let in (entry.go), begun and
// committed (state.go), decided by intent and tier (decide.go), answered by the
// model (prompt.go, stream.go), from memory (hot.go) or the FAQ (faq.go), or
// handed to people (people.go), and screened on the way in and out (screen.go).
// turn.go is the walk, response.go what the caller gets, job.go the same turn
// from a queue. It knows of no HTTP: what went wrong is an Error with a stable
// code, and a stream is a function that takes pieces of text.
package chat
