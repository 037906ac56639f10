package refserver

import (
	"crypto/rand"
	"encoding/hex"
)

// trace is a W3C trace context: the ids of traceparent.
type trace struct {
	id    string // 32 lower-case hex digits
	flags string // 2 hex digits
}

// traceFrom reads a traceparent header. Anything malformed, all-zero or longer
// than the one known form starts a new trace.
func traceFrom(h string) trace {
	if len(h) == 55 && h[:3] == "00-" && h[35] == '-' && h[52] == '-' &&
		lowerHex(h[3:35]) && lowerHex(h[36:52]) && lowerHex(h[53:]) &&
		!zeros(h[3:35]) && !zeros(h[36:52]) {
		return trace{id: h[3:35], flags: h[53:]}
	}
	return trace{id: randomHex(16), flags: "01"}
}

// child is the traceparent of a call made on behalf of this trace: the same
// trace id, a new span.
func (t trace) child() string {
	var span [8]byte
	rand.Read(span[:])
	b := make([]byte, 0, 55)
	b = append(b, "00-"...)
	b = append(b, t.id...)
	b = append(b, '-')
	b = hex.AppendEncode(b, span[:])
	b = append(b, '-')
	return string(append(b, t.flags...))
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
