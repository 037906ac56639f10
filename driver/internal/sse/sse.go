// Package sse reads streams of server-sent events.
package sse

import (
	"bytes"
	"errors"
)

// ErrTooLong says that a line or an event is longer than the caller allows.
var ErrTooLong = errors.New("a line of the stream is longer than the limit")

// errorName is the name of an event, and of a line, that says that the server failed.
const errorName = "error"

// Parser takes a stream of events apart as the HTML standard says: lines end with
// CR, LF or CRLF, a BOM at the start is skipped, data of several lines is
// joined with LF, comments and unknown fields are ignored. How the bytes are cut
// into pieces makes no difference. Beyond the standard, an event of the name error
// needs no data, and a line "error: …", as some servers write where they fail, is
// an event of that name at once.
type Parser struct {
	Data []byte // of the event so far
	Name []byte

	line  []byte // a line that is not whole yet
	some  bool   // a data field was there
	cr    bool   // the byte before was CR
	begun bool   // behind where a BOM may stand
}

// Reset begins another stream.
func (s *Parser) Reset() {
	*s = Parser{line: s.line[:0], Data: s.Data[:0], Name: s.Name[:0]}
}

// Next takes bytes off in until an event is whole. It gives how many it took;
// whole says that s.Name and s.Data are an event, until the next call. limit
// bounds a line and an event's data.
func (s *Parser) Next(in []byte, limit int) (used int, whole bool, err error) {
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
				return used, false, ErrTooLong
			}
			return len(in), false, nil
		}
		line := rest[:n]
		if len(s.line) > 0 {
			s.line = append(s.line, line...)
			line = s.line
		}
		if len(line) > limit || len(s.Data)+len(line) > 2*limit {
			return used, false, ErrTooLong
		}
		used += n + 1
		s.cr = rest[n] == '\r'
		whole = s.field(line)
		s.line = s.line[:0]
		if whole {
			return used, true, nil
		}
	}
	return used, false, nil
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
func (s *Parser) field(line []byte) (whole bool) {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	if len(line) == 0 {
		if !s.some && string(s.Name) != errorName {
			s.Name = s.Name[:0]
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
			s.Data = append(s.Data, '\n')
		}
		s.Data = append(s.Data, val...)
		s.some = true
	case "event":
		s.Name = append(s.Name[:0], val...)
	case errorName:
		s.Data, s.Name = append(s.Data[:0], val...), append(s.Name[:0], errorName...)
		return true
	}
	return false
}

// Clear makes ready for the next event of the stream.
func (s *Parser) Clear() {
	s.Data, s.Name, s.some = s.Data[:0], s.Name[:0], false
}
