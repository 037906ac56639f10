// Package refserver is the reference server: the e-commerce chat API that
// ships with cstest as the system under test, and a worked example of how such
// a server survives a sale.
//
// # A turn's way through the rooms
//
// Read it in this order; each room is a package of its own and knows nothing of
// the server around it.
//
//  1. The surface (routes.go, gate.go, auth.go): drain gate, admission, token,
//     rate limits, body. What is turned away here has cost no state.
//  2. dialog: the id says whose dialog it is; begin takes the lease and reads the
//     turns so far, in one round trip to Redis.
//  3. pii masks personal data in the text, before anything is kept of it.
//  4. answer tells what the message is about: some intents go to a person on
//     the best of days.
//  5. degrade says which tier the server stands at: llm, faq, handoff, static.
//  6. model is asked with the dialog so far, within the turn's deadline, behind
//     bulkhead, retry budget and breaker. Where it does not answer in time, the
//     FAQ of answer does, and where that has nothing, a person (tickets.go, and
//     agents.go for the sockets they work at).
//  7. answer checks what leaves, and pii masks it once more.
//  8. dialog: commit appends the turn, in one more round trip; only then the
//     answer goes out. wire renders it, as all JSON.
//
// turn.go is this walk in code, degrade.go its decision; jobs.go runs the same
// turn from a queue, stream.go sends it piece by piece. Knobs (knobs.go) are
// settings of the server; rooms.go tells each room its part of them.
//
// The profiles article-0 … article-3 are the stages of a published tuning story,
// kept as sets of knobs so that they can be measured against the hardened one.
//
// The package talks to Redis through go-redis, always. Without a URL it starts
// an embedded miniredis in the same process: volatile, one lock, and no claims
// about capacity.
package refserver
