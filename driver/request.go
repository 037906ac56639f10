package driver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/scenario"
)

// request is one kind of request, ready to be filled: the turn, its login, or
// the question after a job.
type request struct {
	method string
	path   template
	fields []field
	body   template
	bodied bool // has a body, even if empty

	fields2 fieldBlock // HTTP/2: the header block
	head    template   // HTTP/1.1: everything up to the value of Content-Length or the empty line
	events  bool       // the answer is a stream of events
}

// field is a header.
type field struct {
	name  string // lower case
	value template
}

// hopByHop are the fields that belong to the connection, not to a scenario.
var hopByHop = []string{"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "keep-alive", "proxy-connection"}

// headers turns a scenario's map into fields, sorted by name, over defaults.
func headers(own map[string]string, defaults []field, secrets func(string) (string, error)) ([]field, error) {
	fields := slices.Clone(defaults)
	names := make([]string, 0, len(own))
	for name := range own {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lower := strings.ToLower(name)
		if !token(lower) {
			return nil, fmt.Errorf("header %.60q: not a header's name", name)
		}
		if slices.Contains(hopByHop, lower) {
			return nil, fmt.Errorf("header %s: it belongs to the connection and is written by cstest", lower)
		}
		value, err := parseTemplate(own[name], escapeHeader, secrets)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", lower, err)
		}
		if i := slices.IndexFunc(fields, func(f field) bool { return f.name == lower }); i >= 0 {
			fields[i].value = value
			continue
		}
		fields = append(fields, field{lower, value})
	}
	return fields, nil
}

// token tells whether s is a token of RFC 9110.
func token(s string) bool {
	for i := range len(s) {
		if !tokens[s[i]] {
			return false
		}
	}
	return s != ""
}

// defaults are the fields of every request of the target.
func (p *plan) defaults(target *scenario.Target, opts *Options) ([]field, error) {
	fields := []field{
		{"user-agent", template{}.raw("cstest")},
		{"accept", template{}.raw("application/json")},
	}
	if auth := target.Auth; auth != nil {
		value := template{}.raw("Bearer ")
		switch {
		case auth.JWT != nil:
			value = append(value, piece{kind: bearer})
		case auth.Bearer != "":
			token, err := parseTemplate(auth.Bearer, escapeHeader, opts.Secrets)
			if err != nil {
				return nil, fmt.Errorf("auth.bearer: %w", err)
			}
			for _, piece := range token {
				if piece.kind == literal {
					value = value.raw(piece.before)
				} else {
					value = append(value, piece)
				}
			}
		default:
			return nil, errors.New("auth: give bearer or jwt")
		}
		fields = append(fields, field{"authorization", value})
	}
	return headers(target.Headers, fields, opts.Secrets)
}

// traceparent is the W3C header of a turn.
func traceparent() field {
	return field{"traceparent", template{
		{kind: literal, before: "00-"}, {kind: traceID}, {kind: literal, before: "-"}, {kind: spanID}, {kind: literal, before: "-01"},
	}}
}

// compile renders what does not change of the HTTP/1.1 head.
func (q *request) compile(host string, closing bool) {
	t := template{}.raw(q.method + " ")
	t = append(t, q.path...)
	t = t.raw(" HTTP/1.1\r\nHost: " + host + "\r\n")
	for _, f := range q.fields {
		t = t.raw(f.name + ": ")
		for _, p := range f.value {
			if p.kind == literal {
				t = t.raw(p.before)
			} else {
				t = append(t, p)
			}
		}
		t = t.raw("\r\n")
	}
	if closing {
		t = t.raw("connection: close\r\n")
	}
	if q.bodied {
		t = t.raw("content-length: ")
	} else {
		t = t.raw("\r\n")
	}
	q.head = t
}

// appendHTTP1 writes the whole request after b, which must be empty.
func (q *request) appendHTTP1(b []byte, v *values) []byte {
	b = q.head.append(b, v)
	if !q.bodied {
		return b
	}
	// The length goes before the body it is the length of: room for three digits
	// is right for nearly all, other lengths move the body.
	const room = "000\r\n\r\n"
	at := len(b)
	b = append(b, room...)
	b = q.body.append(b, v)
	n := len(b) - at - len(room)
	if n >= 100 && n <= 999 {
		b[at], b[at+1], b[at+2] = byte('0'+n/100), byte('0'+n/10%10), byte('0'+n%10)
		return b
	}
	var digits [20]byte
	length := strconv.AppendInt(digits[:0], int64(n), 10)
	from, to := at+len(room), at+len(length)+4
	for len(b) < to+n {
		b = append(b, 0)
	}
	copy(b[to:to+n], b[from:from+n])
	b = append(b[:at], length...)
	b = append(b, "\r\n\r\n"...)
	return b[:to+n]
}
