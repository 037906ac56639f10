package load

import (
	"bytes"
	"time"

	"github.com/cstest/cstest/measure"
)

// serverTimes appends the metrics of a Server-Timing header (W3C Server Timing,
// section 3): a name each, with the `dur` that it has, in milliseconds. What is not
// of that form is left out. The names are parts of header.
func serverTimes(to []measure.ServerTime, header []byte) []measure.ServerTime {
	for len(header) > 0 && len(to) < measure.MaxServerTimes {
		var metric []byte
		metric, header = cutOutside(header, ',')
		name, params := cutOutside(metric, ';')
		name = bytes.TrimSpace(name)
		if !isName(name) {
			continue
		}
		for len(params) > 0 {
			var param []byte
			param, params = cutOutside(params, ';')
			key, val, _ := bytes.Cut(param, []byte("="))
			if !bytes.EqualFold(bytes.TrimSpace(key), []byte("dur")) {
				continue
			}
			if took, ok := milliseconds(bytes.Trim(bytes.TrimSpace(val), `"`)); ok {
				to = append(to, measure.ServerTime{Name: name, Took: took})
			}
			break // the first of a name counts
		}
	}
	return to
}

// cutOutside cuts at the first sep that is not in a quoted string.
func cutOutside(b []byte, sep byte) (before, after []byte) {
	quoted := false
	for i := 0; i < len(b); i++ {
		switch {
		case quoted && b[i] == '\\':
			i++
		case b[i] == '"':
			quoted = !quoted
		case b[i] == sep && !quoted:
			return b[:i], b[i+1:]
		}
	}
	return b, nil
}

// isName: a metric's name is a token; what is printed later is kept to letters that
// every terminal and page shows as they are.
func isName(b []byte) bool {
	for _, c := range b {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return len(b) > 0 && len(b) <= 40
}

// milliseconds reads a plain decimal of at most a day.
func milliseconds(b []byte) (time.Duration, bool) {
	const day = int64(24 * time.Hour)
	n, unit, dot := int64(0), int64(time.Millisecond), false
	for _, c := range b {
		switch {
		case c == '.' && !dot:
			dot = true
		case c < '0' || c > '9':
			return 0, false
		case dot:
			unit /= 10
			n += int64(c-'0') * unit
		default:
			n = n*10 + int64(c-'0')*int64(time.Millisecond)
		}
		if n > day {
			return 0, false
		}
	}
	return time.Duration(n), len(b) > 0
}
