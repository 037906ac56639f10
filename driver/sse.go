package driver

import "bytes"

// sse takes a stream of events apart as the HTML standard says: lines end with
// CR, LF or CRLF, a BOM at the start is skipped, data of several lines is
// joined with LF, comments and unknown fields are ignored. How the bytes are cut
// into pieces makes no difference.
type sse struct {
	line  []byte // a line that is not whole yet
	data  []byte // of the event so far
	name  []byte
	some  bool // a data field was there
	cr    bool // the byte before was CR
	begun bool // behind where a BOM may stand
}

func (s *sse) reset() {
	*s = sse{line: s.line[:0], data: s.data[:0], name: s.name[:0]}
}

// next takes bytes off in until an event is whole. It gives how many it took;
// whole says that s.name and s.data are an event, until the next call. limit
// bounds a line and an event's data.
func (s *sse) next(in []byte, limit int) (used int, whole bool, f fault) {
	for used < len(in) {
		if s.cr {
			s.cr = false
			if in[used] == '\n' {
				used++
				continue
			}
		}
		rest := in[used:]
		n := lineEnd(rest)
		if n < 0 {
			s.line = append(s.line, rest...)
			if len(s.line) > limit {
				return used, false, fault{Oversized, "a line of the stream is longer than the limit"}
			}
			return len(in), false, fault{}
		}
		line := rest[:n]
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line = s.line
		}
		if len(line) > limit || len(s.data)+len(line) > 2*limit {
			return used, false, fault{Oversized, "a line of the stream is longer than the limit"}
		}
		used += n + 1
		s.cr = rest[n] == '\r'
		whole = s.field(line)
		s.line = s.line[:0]
		if whole {
			return used, true, fault{}
		}
	}
	return used, false, fault{}
}

// lineEnd gives the first CR or LF.
func lineEnd(b []byte) int {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		return bytes.IndexByte(b, '\r')
	}
	if cr := bytes.IndexByte(b[:n], '\r'); cr >= 0 {
		return cr
	}
	return n
}

// field takes one line; it tells whether an event ends with it.
func (s *sse) field(line []byte) (whole bool) {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if len(line) == 0 {
		if !s.some {
			s.name = s.name[:0]
			return false
		}
		return true
	}
	name, val, _ := bytes.Cut(line, []byte(":"))
	if len(val) > 0 && val[0] == ' ' {
		val = val[1:]
	}
	switch string(name) {
	case "data":
		if s.some {
			s.data = append(s.data, '\n')
		}
		s.data = append(s.data, val...)
		s.some = true
	case "event":
		s.name = append(s.name[:0], val...)
	}
	return false
}

// taken makes ready for the next event.
func (s *sse) taken() {
	s.data, s.name, s.some = s.data[:0], s.name[:0], false
}
