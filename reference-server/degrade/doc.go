// Package degrade decides how good a service users get: the tiers and the one
// pure function that moves between them (tiers.go), the watch that counts how
// model, FAQ and Redis do and asks for a decision once a second (watch.go,
// window.go), and the switch by which a person overrides it (switch.go).
package degrade
