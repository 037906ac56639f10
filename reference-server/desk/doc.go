// Package desk hands questions to people: tickets that wait in queues, agents who
// claim them over a WebSocket, and replies that go back into the dialog.
//
// A ticket lives in Redis, and in the journal of one server while Redis is away.
// Wherever it lives, exactly one agent wins it; a claim without a reply runs out
// and the ticket is pushed again. Servers that share a Redis tell each other of
// tickets over its publish and subscribe, which may lose messages: what waits is
// listed again whenever the connection is back.
package desk
