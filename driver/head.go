package driver

import (
	"bytes"
)

// head is what matters of an answer's status line and headers.
type head struct {
	status     int
	length     int64 // -1: not given
	chunked    bool
	closing    bool // the connection ends with this answer
	encoding   encoding
	location   []byte
	retryAfter []byte
	eventual   bool // content-type is text/event-stream
}

type encoding uint8

const (
	identity encoding = iota
	gzipped
	unknownEncoding
)

func (h *head) reset() { *h = head{length: -1} }

// tokens are the bytes of a header's name (RFC 9110, 5.6.2).
var tokens = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()

// known keeps the fields that matter; names are compared without case.
func (h *head) known(name, val []byte) fault {
	switch len(name) {
	case 8:
		if fold(name, "location") {
			h.location = val
		}
	case 10:
		if fold(name, "connection") {
			h.connection(val)
		}
	case 11:
		if fold(name, "retry-after") {
			h.retryAfter = val
		}
	case 12:
		if fold(name, "content-type") {
			h.eventual = len(val) >= 17 && fold(val[:17], "text/event-stream")
		}
	case 14:
		if fold(name, "content-length") {
			return h.contentLength(val)
		}
	case 16:
		if fold(name, "content-encoding") {
			if h.encoding != identity || !fold(val, "gzip") && !fold(val, "identity") {
				h.encoding = unknownEncoding
			} else if fold(val, "gzip") {
				h.encoding = gzipped
			}
		}
	case 17:
		if fold(name, "transfer-encoding") {
			if h.chunked || !fold(val, "chunked") {
				return newFault(Broken, "protocol error: unknown transfer-encoding")
			}
			h.chunked = true
		}
	}
	return fault{}
}

func (h *head) contentLength(val []byte) fault {
	if h.length >= 0 {
		return newFault(Broken, "protocol error: content-length twice")
	}
	if len(val) == 0 || len(val) > 18 {
		return newFault(Broken, "protocol error: malformed content-length")
	}
	n := int64(0)
	for _, c := range val {
		if c < '0' || c > '9' {
			return newFault(Broken, "protocol error: malformed content-length")
		}
		n = n*10 + int64(c-'0')
	}
	h.length = n
	return fault{}
}

// connection looks for the options close and keep-alive.
func (h *head) connection(val []byte) {
	for len(val) > 0 {
		option, rest, _ := bytes.Cut(val, []byte(","))
		option = bytes.TrimSpace(option)
		switch {
		case fold(option, "close"):
			h.closing = true
		case fold(option, "keep-alive"):
			h.closing = false
		}
		val = rest
	}
}

// fold compares b with lower without regard to ASCII case.
func fold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range b {
		c := b[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// isToken tells whether s is a token of RFC 9110.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokens[s[i]] {
			return false
		}
	}
	return s != ""
}

// clean tells whether line has no control character but tabs.
func clean(line []byte) bool {
	for _, c := range line {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// maxInterim bounds the 1xx answers before the real one.
const maxInterim = 16
