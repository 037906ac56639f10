// Package surface is the public HTTP side: the table of endpoints (routes.go),
// what every one of them goes through (exchange.go, identity.go, log.go,
// metrics.go), bodies (body.go, request.go), what is answered before all that
// (early.go), and the endpoints: a turn answered
// whole (chat.go), as a stream of events (stream.go), from a queue (jobs.go) or
// over a customer's socket (customers.go), what is kept of a user (dialogs.go), and agents (agents.go).
package surface
