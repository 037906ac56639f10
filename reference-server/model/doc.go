// Package model asks the model: one attempt (client.go), in streams as well
// (stream.go), with retry, bulkhead and breaker around it (caller.go, breaker.go).
//
// An attempt is carried over kept connections (plain.go): what they are and when
// one is used again is pool.go's, what is sent and read on one exchange.go's. TLS
// is left to net/http (library.go).
//
// What goes wrong is typed once (fault.go), and the type decides everything else:
// whether another attempt may help, whether the breaker hears of it, and whether
// it speaks against the model's health.
//
// The package knows nothing of dialogs: it gets a Prompt in its own terms.
package model
