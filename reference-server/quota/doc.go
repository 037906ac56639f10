// Package quota bounds what one caller, and all of them, may ask for: token
// buckets (gates.go, keyed.go) and bodies that are being read (bodies.go).
package quota
