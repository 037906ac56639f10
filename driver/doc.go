// Package driver talks to a chat system: over HTTP/1.1, and HTTP/2 with TLS and
// without; for one answer, a stream of events, an asynchronous job, or with agents
// on WebSocket. A driver sends one turn and says what came back and when; it never
// judges, never retries and never sends a turn twice.
//
// # Where what is
//
// This package is the contract (driver.go), the channel that takes a turn through
// (channel.go), and what a target means by its bytes:
//
//	plan.go request.go template.go openai.go the target compiled into requests
//	bodies.go                                what is sent, as each kind of body
//	token.go session.go agents.go            who a user is, and who the agents are
//	steps.go poll.go job.go                  requests around the turn's, and asking again
//	extract.go events.go                     an answer, or a stream, taken apart
//	own.go ownstream.go                      the same, as a custom API says
//	socket.go opening.go speak.go customer.go a customer's WebSocket: its messages, its opening, turns, what is kept
//	exchange.go capture.go                   a turn's memory, and a look at it
//
// A channel fills a request, has a carrier send it, and reads the answer:
//
//	internal/http1      a carrier: one exchange at a time on a connection
//	internal/http2      a carrier: many, with one goroutine that reads
//	internal/wire       what carriers share: target, request, exchange, fault
//	internal/dial       opens connections, and looks at those that were idle
//	internal/socket     customers' sockets, and what comes over idle ones
//	internal/websocket  frames, messages and the upgrade of WebSocket
//	internal/socketio   packets of socket.io
//	internal/agents     agents' sockets, and tickets on their way to one
//	internal/sse        server-sent events
//	internal/ndjson     a JSON document a line
//	internal/find       places and conditions in answers
//	internal/jsonscan   values in JSON documents
//
// Nothing below internal knows of turns, users or templates' variables. What a
// carrier keeps of an exchange or a channel lies in wire.Exchange.State and wire.Link.
package driver
