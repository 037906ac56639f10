package wire

import (
	"bytes"
	"strings"
)

// Head is what matters of an answer's status line and headers.
type Head struct {
	Status     int
	Length     int64 // -1: not given
	Chunked    bool
	Closing    bool // the connection ends with this answer
	codings    codings
	Location   []byte
	RetryAfter []byte
	Cookie     bool     // it sets one
	eventual   bool     // content-type is text/event-stream
	kind       [64]byte // the content-type, as much of it as fits
	kindLength uint8
	timing     []byte // server-timing, as much of it as is kept

	Keep   bool        // all fields are kept
	Fields []HeadField // where Keep says so
}

// HeadField is a header of an answer.
type HeadField struct {
	Name  string // lower case
	Value []byte
}

// Field gives the first header of that name, in lower case.
func (h *Head) Field(name string) (val []byte, ok bool) {
	for i := range h.Fields {
		if h.Fields[i].Name == name {
			return h.Fields[i].Value, true
		}
	}
	return nil, false
}

// Reset forgets the former answer.
func (h *Head) Reset() {
	*h = Head{Length: -1, Keep: h.Keep, Fields: h.Fields[:0], timing: h.timing[:0]}
}

// maxTiming is how much of Server-Timing is kept, in bytes.
const maxTiming = 512

// ServerTiming is what the answer says of the server's own time (W3C Server-Timing),
// empty where it says nothing. It is valid until Reset.
func (h *Head) ServerTiming() []byte { return h.timing }

// ContentType is what the answer says that its body is, cut if it is long.
func (h *Head) ContentType() string { return string(h.kind[:h.kindLength]) }

// tokens are the bytes of a header's name (RFC 9110, 5.6.2).
var tokens = func() (t [256]bool) {
	for _, c := range []byte("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
		t[c] = true
	}
	return t
}()

// Add keeps the fields that matter; names are compared without case.
func (h *Head) Add(name, val []byte) Fault {
	if h.Keep {
		// A copy: what the carrier read it into may be used again.
		h.Fields = append(h.Fields, HeadField{strings.ToLower(string(name)), bytes.Clone(val)})
	}
	switch len(name) {
	case 8:
		if fold(name, "location") {
			h.Location = val
		}
	case 10:
		h.Cookie = h.Cookie || fold(name, "set-cookie")
		if fold(name, "connection") {
			h.connection(val)
		}
	case 11:
		if fold(name, "retry-after") {
			h.RetryAfter = val
		}
	case 12:
		if fold(name, "content-type") {
			h.kindLength = uint8(copy(h.kind[:], val))
			h.eventual = len(val) >= 17 && fold(val[:17], "text/event-stream")
		}
	case 13:
		if fold(name, "server-timing") && len(h.timing)+len(val) < maxTiming {
			if len(h.timing) > 0 {
				h.timing = append(h.timing, ',')
			}
			h.timing = append(h.timing, val...)
		}
	case 14:
		if fold(name, "content-length") {
			return h.contentLength(val)
		}
	case 16:
		if fold(name, "content-encoding") {
			h.codings.add(val)
		}
	case 17:
		if fold(name, "transfer-encoding") {
			if h.Chunked || !fold(val, "chunked") {
				return NewFault(Broken, "protocol error: unknown transfer-encoding")
			}
			h.Chunked = true
		}
	}
	return Fault{}
}

func (h *Head) contentLength(val []byte) Fault {
	if h.Length >= 0 {
		return NewFault(Broken, "protocol error: content-length twice")
	}
	if len(val) == 0 || len(val) > 18 {
		return NewFault(Broken, "protocol error: malformed content-length")
	}
	n := int64(0)
	for _, c := range val {
		if c < '0' || c > '9' {
			return NewFault(Broken, "protocol error: malformed content-length")
		}
		n = n*10 + int64(c-'0')
	}
	h.Length = n
	return Fault{}
}

// connection looks for the options close and keep-alive.
func (h *Head) connection(val []byte) {
	for len(val) > 0 {
		option, rest, _ := bytes.Cut(val, []byte(","))
		option = bytes.TrimSpace(option)
		switch {
		case fold(option, "close"):
			h.Closing = true
		case fold(option, "keep-alive"):
			h.Closing = false
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

// IsToken tells whether s is a token of RFC 9110.
func IsToken[T string | []byte](s T) bool {
	for i := range len(s) {
		if !tokens[s[i]] {
			return false
		}
	}
	return len(s) > 0
}

// Clean tells whether line has no control character but tabs.
func Clean(line []byte) bool {
	for _, c := range line {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// MaxInterim bounds the 1xx answers before the real one.
const MaxInterim = 16
