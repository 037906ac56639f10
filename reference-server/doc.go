// Package refserver is the reference server: the e-commerce chat API that
// ships with cstest as the system under test, and a worked example of how such
// a server survives a sale.
//
// # A turn's way through the rooms
//
// Read it in this order; each room is a package of its own, is handed what it
// needs, and knows nothing of the server around it.
//
//  1. surface takes the request: the table of endpoints (surface/routes.go), in
//     which routes finds the path as it was sent, and what every request goes
//     through, one that finds nothing too (surface/exchange.go): drain, who calls
//     (surface/identity.go, by a token or a pass: token), what a caller may ask
//     for (quota), panics, the log (surface/log.go), the body (surface/body.go,
//     surface/request.go). What goes wrong is told as a problem. An id of a
//     dialog, job or ticket says whose it is before anything is looked up.
//  2. chat makes a turn of it (chat/turn.go: this walk in code), with the knobs of its
//     user's release group (gray). admission lets it in, or turns it away before it has
//     cost any state (chat/entry.go). While it turns many away, front does so before the
//     HTTP server knows of a request (surface/early.go).
//  3. pii masks personal data in the text (chat/screen.go), before anything is
//     kept of it or shown to anybody.
//  4. dialog begins the turn: it takes the lease and reads the turns so far, in
//     one round trip to Redis (chat/state.go). A first turn has nothing to read.
//  5. answer tells what the message is about: some intents go to a person on
//     the best of days. degrade says which tier the server stands at: llm, faq,
//     handoff, static. From the two, chat/decide.go takes the way on.
//  6. model is asked with the dialog so far (chat/prompt.go), within the turn's
//     deadline, behind bulkhead, retry budget and breaker; the answers to a few
//     reviewed questions come from memory (chat/hot.go). Where the model does not
//     answer in time, the FAQ of answer does (chat/faq.go); what neither can, desk
//     hands to a person as a ticket (chat/people.go).
//  7. answer takes out what may not leave, and pii masks once more
//     (chat/screen.go).
//  8. dialog commits the turn, in one more round trip; only then the answer
//     goes out (chat/response.go, surface/chat.go). wire renders it as JSON.
//     Agents hear of a ticket now, so that no reply comes before its turn.
//  9. What got a worse answer than it deserves goes into backflow, which asks the
//     model again when it is well (chat/backflow.go). The better answer waits in the
//     dialog for the next turn, and beside the ticket for the agent.
//
// surface/stream.go sends the same turn piece by piece (chat/stream.go); jobs
// runs it from a queue (surface/jobs.go, chat/job.go); customer holds the sockets of
// customers, who say their turns over them (surface/customers.go), and agents work at
// desk over theirs (surface/agents.go). ws is what both kinds of socket share. trace
// carries the caller's trace through all of it.
//
// The server itself is server.go (what it is made of), redis.go, listeners.go,
// background.go (what runs beside requests) and drain.go (how it ends). knobs
// holds its settings; rooms.go tells each room its part of them. admin is where
// operators look and turn them.
//
// The profiles article-0 … article-3 are the stages of a published tuning story,
// kept as sets of knobs so that they can be measured against the hardened one.
//
// The package talks to Redis through go-redis, always. Without a URL it starts
// an embedded miniredis in the same process: volatile, one lock, and no claims
// about capacity.
package refserver
