package http1

import (
	"bytes"

	"github.com/cstest/cstest/driver/internal/wire"
)

// headReader finds the end of a head that arrives in pieces. Each byte is looked
// at once.
type headReader struct {
	at       int  // where the next line begins
	seen     int  // up to where there is no end of line
	started  bool // the status line was read
	old      bool // it was that of HTTP/1.0
	interim  int  // how many 1xx answers came before
	switches bool // the server may switch protocols
}

// read takes lines off in until the empty one. done says that the head is whole,
// and r.at is then where the body begins. The slices in h point into in.
func (r *headReader) read(in []byte, h *wire.Head, l *wire.Limits) (f wire.Fault, done bool) {
	for {
		n := bytes.IndexByte(in[r.seen:], '\n')
		if n < 0 {
			r.seen = len(in)
			if len(in)-r.at > l.Line {
				return wire.NewFault(wire.Oversized, "a header line is longer than the limit"), false
			}
			if len(in) > l.Head {
				return wire.NewFault(wire.Oversized, "the headers are longer than the limit"), false
			}
			return wire.Fault{}, false
		}
		end := r.seen + n
		line := in[r.at:end]
		if end >= l.Head {
			return wire.NewFault(wire.Oversized, "the headers are longer than the limit"), false
		}
		if f = sound(line, l); f.Bad() {
			return f, false
		}
		line = line[:len(line)-1]
		if r.started && len(line) > 0 {
			if end+1 == len(in) {
				r.seen = end // whether the field goes on is seen with the next byte
				return soFar(line, *h), false
			}
			if next := in[end+1]; next == ' ' || next == '\t' {
				// Folded, as was once allowed: the end of the line is space (RFC 9112, 5.2).
				in[end-1], in[end] = ' ', ' '
				r.seen = end + 1
				continue
			}
		}
		r.at, r.seen = end+1, end+1
		if f, done = r.line(line, h); f.Bad() || done {
			return f, done
		}
	}
}

// sound tells what is wrong with a line, up to its LF.
func sound(line []byte, l *wire.Limits) wire.Fault {
	switch n := len(line) - 1; {
	case n < 0 || line[n] != '\r':
		return wire.NewFault(wire.Broken, "protocol error: header line ends without CR LF")
	case n > l.Line:
		return wire.NewFault(wire.Oversized, "a header line is longer than the limit")
	case !wire.Clean(line[:n]):
		return wire.NewFault(wire.Broken, "protocol error: control character in the headers")
	}
	return wire.Fault{}
}

// line handles one line without its end.
func (r *headReader) line(line []byte, h *wire.Head) (wire.Fault, bool) {
	if !r.started {
		h.Reset()
		var f wire.Fault
		f, r.old, r.started = statusLine(line, h)
		return f, false
	}
	if len(line) > 0 {
		return field(line, h), false
	}
	if h.Chunked && h.Length >= 0 {
		return wire.NewFault(wire.Broken, "protocol error: both content-length and transfer-encoding"), false
	}
	if h.Chunked && r.old {
		return wire.NewFault(wire.Broken, "protocol error: transfer-encoding in an HTTP/1.0 answer"), false
	}
	if h.Status >= 200 || h.Status == 101 && r.switches {
		return wire.Fault{}, true
	}
	if h.Status == 101 {
		return wire.NewFault(wire.Broken, "protocol error: the server switches protocols unasked"), false
	}
	if r.interim++; r.interim > wire.MaxInterim {
		return wire.NewFault(wire.Broken, "protocol error: too many interim answers"), false
	}
	r.started = false
	return wire.Fault{}, false
}

// soFar tells what is wrong with a field that may go on, if that makes it no better.
func soFar(line []byte, h wire.Head) wire.Fault {
	if line[len(line)-1] == ':' {
		return wire.Fault{}
	}
	return field(line, &h)
}

// statusLine reads "HTTP/1.1 200 OK"; old tells that it is HTTP/1.0.
func statusLine(line []byte, h *wire.Head) (f wire.Fault, old, ok bool) {
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return wire.NewFault(wire.Broken, "protocol error: not an HTTP/1.1 status line"), false, false
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return wire.NewFault(wire.Broken, "protocol error: not an HTTP/1.1 status line"), false, false
		}
		h.Status = h.Status*10 + int(c-'0')
	}
	if h.Status < 100 {
		return wire.NewFault(wire.Broken, "protocol error: a status below 100"), false, false
	}
	old = line[7] == '0'
	h.Closing = old
	return wire.Fault{}, old, true
}

// field reads one field line.
func field(line []byte, h *wire.Head) wire.Fault {
	i := bytes.IndexByte(line, ':')
	if i < 0 || !wire.IsToken(line[:i]) {
		return wire.NewFault(wire.Broken, "protocol error: malformed header line")
	}
	name, val := line[:i], line[i+1:]
	for len(val) > 0 && (val[0] == ' ' || val[0] == '\t') {
		val = val[1:]
	}
	for n := len(val); n > 0 && (val[n-1] == ' ' || val[n-1] == '\t'); n-- {
		val = val[:n-1]
	}
	return h.Add(name, val)
}
