// Package model asks the model: one attempt (client.go), in streams as well
// (stream.go), with retry, bulkhead and breaker around it (caller.go, breaker.go).
//
// What goes wrong is typed once (fault.go), and the type decides everything else:
// whether another attempt may help, whether the breaker hears of it, and whether
// it speaks against the model's health.
//
// The package knows nothing of dialogs: it gets a Prompt in its own terms.
package model
