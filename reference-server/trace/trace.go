// Package trace carries W3C trace contexts from a request to the model and into
// stored jobs.
package trace

import (
	"crypto/rand"
	"encoding/hex"
)

// Context is a W3C trace context: the ids of traceparent.
type Context struct {
	ID    string // 32 lower-case hex digits
	Flags string // 2 hex digits
}

// From reads a traceparent header. Anything malformed, all-zero or longer than
// the one known form starts a new trace.
func From(h string) Context {
	if len(h) == 55 && h[:3] == "00-" && h[35] == '-' && h[52] == '-' &&
		lowerHex(h[3:35]) && lowerHex(h[36:52]) && lowerHex(h[53:]) &&
		!zeros(h[3:35]) && !zeros(h[36:52]) {
		return Context{ID: h[3:35], Flags: h[53:]}
	}
	var id [16]byte
	rand.Read(id[:])
	return Context{ID: hex.EncodeToString(id[:]), Flags: "01"}
}

// Child is the traceparent of a call made on behalf of this trace: the same
// trace id, a new span.
func (c Context) Child() string {
	var span [8]byte
	rand.Read(span[:])
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = append(b, c.ID...)
	b = append(b, '-')
	b = hex.AppendEncode(b, span[:])
	b = append(b, '-')
	return string(append(b, c.Flags...))
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func zeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}
