// Package wire renders JSON: answers, stored turns, prompts, events and problems
// all leave through it, so that escaping is decided in one place.
package wire

import (
	"strconv"
	"unicode/utf8"
)

// JSON is JSON text under construction. Each method appends one member and
// returns the longer text; an empty name appends an element of an array.
// Names are written as they are and must need no escaping. A JSON value is
// used like the result of append: by one goroutine, always the last one
// returned.
type JSON []byte

// Object begins an object.
func (j JSON) Object(name string) JSON { return append(j.member(name), '{') }

// EndObject ends the innermost object.
func (j JSON) EndObject() JSON { return append(j, '}') }

// Array begins an array.
func (j JSON) Array(name string) JSON { return append(j.member(name), '[') }

// EndArray ends the innermost array.
func (j JSON) EndArray() JSON { return append(j, ']') }

// String appends a string of any content.
func (j JSON) String(name, value string) JSON { return AppendString(j.member(name), value) }

// StringIf appends a string unless it is empty.
func (j JSON) StringIf(name, value string) JSON {
	if value == "" {
		return j
	}
	return j.String(name, value)
}

// Int appends a whole number.
func (j JSON) Int(name string, value int64) JSON { return strconv.AppendInt(j.member(name), value, 10) }

// Float appends a number with this many decimals, -1: as many as needed.
func (j JSON) Float(name string, value float64, decimals int) JSON {
	return strconv.AppendFloat(j.member(name), value, 'f', decimals, 64)
}

// Bool appends true or false.
func (j JSON) Bool(name string, value bool) JSON { return strconv.AppendBool(j.member(name), value) }

// Raw appends a value that is JSON already.
func (j JSON) Raw(name string, value []byte) JSON { return append(j.member(name), value...) }

// member writes what stands before a value: a comma where one is due, and the
// name.
func (j JSON) member(name string) JSON {
	if n := len(j); n > 0 && j[n-1] != '{' && j[n-1] != '[' {
		j = append(j, ',')
	}
	if name == "" {
		return j
	}
	j = append(j, '"')
	j = append(j, name...)
	return append(j, '"', ':')
}

const hexDigits = "0123456789abcdef"

// AppendString writes s as a JSON string. Broken UTF-8 becomes U+FFFD, and
// characters that end a script or a line in a browser are escaped.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			i++
			start = i
			continue
		}
		if r == 0x2028 || r == 0x2029 {
			b = append(b, s[start:i]...)
			b = append(b, `\u202`...)
			b = append(b, hexDigits[r&15])
			i += n
			start = i
			continue
		}
		i += n
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
