package driver

import (
	"bytes"
)

// head is what matters of an answer's status line and headers.
type head struct {
	status     int
	length     int64 // -1: not given
	chunked    bool
	old        bool // HTTP/1.0
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

// statusLine reads "HTTP/1.1 200 OK".
func (h *head) statusLine(line []byte) (fault, bool) {
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return fault{Broken, "protocol error: not an HTTP/1.1 status line"}, false
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return fault{Broken, "protocol error: not an HTTP/1.1 status line"}, false
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.status < 100 || h.status > 599 {
		return fault{Broken, "protocol error: status outside 100 to 599"}, false
	}
	h.old = line[7] == '0'
	h.closing = h.old
	return fault{}, true
}

// field reads one header line.
func (h *head) field(line []byte) fault {
	i := bytes.IndexByte(line, ':')
	if i <= 0 {
		return fault{Broken, "protocol error: malformed header line"}
	}
	name, val := line[:i], line[i+1:]
	for _, c := range name {
		if !tokens[c] {
			return fault{Broken, "protocol error: malformed header line"}
		}
	}
	for len(val) > 0 && (val[0] == ' ' || val[0] == '\t') {
		val = val[1:]
	}
	for n := len(val); n > 0 && (val[n-1] == ' ' || val[n-1] == '\t'); n-- {
		val = val[:n-1]
	}
	return h.known(name, val)
}

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
				return fault{Broken, "protocol error: unknown transfer-encoding"}
			}
			h.chunked = true
		}
	}
	return fault{}
}

func (h *head) contentLength(val []byte) fault {
	if h.length >= 0 {
		return fault{Broken, "protocol error: content-length twice"}
	}
	if len(val) == 0 || len(val) > 18 {
		return fault{Broken, "protocol error: malformed content-length"}
	}
	n := int64(0)
	for _, c := range val {
		if c < '0' || c > '9' {
			return fault{Broken, "protocol error: malformed content-length"}
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

// headReader finds the end of a head that arrives in pieces. Each byte is looked
// at once.
type headReader struct {
	at      int  // where the next line begins
	seen    int  // up to where there is no end of line
	started bool // the status line was read
	interim int  // how many 1xx answers came before
}

// maxInterim bounds the 1xx answers before the real one.
const maxInterim = 16

// read takes lines off in until the empty one. done says that the head is whole,
// and r.at is then where the body begins. The slices in h point into in.
func (r *headReader) read(in []byte, h *head, l *limits) (f fault, done bool) {
	for {
		n := bytes.IndexByte(in[r.seen:], '\n')
		if n < 0 {
			r.seen = len(in)
			if len(in)-r.at > l.line {
				return fault{Oversized, "a header line is longer than the limit"}, false
			}
			if len(in) > l.head {
				return fault{Oversized, "the headers are longer than the limit"}, false
			}
			return fault{}, false
		}
		end := r.seen + n
		line := in[r.at:end]
		r.at, r.seen = end+1, end+1
		if r.at > l.head {
			return fault{Oversized, "the headers are longer than the limit"}, false
		}
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return fault{Broken, "protocol error: header line ends without CR LF"}, false
		}
		line = line[:len(line)-1]
		if len(line) > l.line {
			return fault{Oversized, "a header line is longer than the limit"}, false
		}
		if !clean(line) {
			return fault{Broken, "protocol error: control character in the headers"}, false
		}
		if f, done = r.line(line, h); f.bad() || done {
			return f, done
		}
	}
}

// line handles one line without its end.
func (r *headReader) line(line []byte, h *head) (fault, bool) {
	if !r.started {
		h.reset()
		f, ok := h.statusLine(line)
		r.started = ok
		return f, false
	}
	if len(line) > 0 {
		return h.field(line), false
	}
	if h.chunked && h.length >= 0 {
		return fault{Broken, "protocol error: both content-length and transfer-encoding"}, false
	}
	if h.chunked && h.old {
		return fault{Broken, "protocol error: transfer-encoding in an HTTP/1.0 answer"}, false
	}
	if h.status >= 200 {
		return fault{}, true
	}
	if h.status == 101 {
		return fault{Broken, "protocol error: the server switches protocols unasked"}, false
	}
	if r.interim++; r.interim > maxInterim {
		return fault{Broken, "protocol error: too many interim answers"}, false
	}
	r.started = false
	return fault{}, false
}

func clean(line []byte) bool {
	for _, c := range line {
		if c < 0x20 && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
