// Package refserver is the reference server: the e-commerce chat API that
// ships with cstest as the system under test, and a worked example of how such
// a server survives a sale.
//
// A turn passes, in this order: limits, trace, drain gate, in-flight gate,
// authentication, rate limits, body, dialog id, begin (one Redis round trip),
// masking, intent, tier, then the hot cache, the model, the FAQ, a ticket or a
// fixed text, output checks, masking again, commit (one Redis round trip), answer.
//
// Where the model does not answer in time, users get the next best tier:
// llm → faq → handoff → static (tiers.go is the whole decision). The profiles
// article-0 … article-3 are the stages of a published tuning story, kept as
// sets of knobs so that they can be measured against the hardened one.
//
// Two rooms hold what needs no state: answer tells what a message is about, finds
// reviewed answers and checks what leaves; pii masks personal data.
//
// Tickets go to people: over WebSocket to every agent of the tenant, on whichever
// server (agents.go, bus.go). One agent wins a ticket (claim.go), and the reply
// becomes part of the dialog (notes.go).
//
// The package talks to Redis through go-redis, always. Without a URL it starts
// an embedded miniredis in the same process: volatile, one lock, and no claims
// about capacity.
package refserver
