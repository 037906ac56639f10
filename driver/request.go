package driver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// request is one kind of request, ready to be filled: the turn, its login, or
// the question after a job.
type request struct {
	method string
	path   bound
	fields []field
	body   bound
	bodied bool // has a body, even if empty

	fields2 fieldBlock // HTTP/2: the header block
	head    bound      // HTTP/1.1: everything up to the value of Content-Length or the empty line
	events  bool       // the answer is a stream of events
}

// field is a header.
type field struct {
	name  string // lower case
	value bound
}

// headers turns a scenario's map into fields, sorted by name, over defaults.
func headers(own map[string]string, defaults []field, opts *Options) ([]field, error) {
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
		if scenario.ConnectionHeader(lower) {
			return nil, fmt.Errorf("header %s: it belongs to the connection and is written by cstest", lower)
		}
		value, err := opts.bind(own[name], template.Header)
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
		{"user-agent", raw("cstest")},
		{"accept", raw("application/json")},
	}
	if auth := target.Auth; auth != nil {
		var token bound
		switch {
		case auth.JWT != nil:
			token = bearer()
		case auth.Bearer != "":
			var err error
			if token, err = opts.bind(auth.Bearer, template.Header); err != nil {
				return nil, fmt.Errorf("auth.bearer: %w", err)
			}
		default:
			return nil, errors.New("auth: give bearer or jwt")
		}
		fields = append(fields, field{"authorization", template.Join(raw("Bearer "), token)})
	}
	return headers(target.Headers, fields, opts)
}

// compile renders what does not change of the HTTP/1.1 head.
func (q *request) compile(host string, closing bool) {
	head := []bound{raw(q.method + " "), q.path, raw(" HTTP/1.1\r\nHost: " + host + "\r\n")}
	for _, f := range q.fields {
		head = append(head, raw(f.name+": "), f.value, raw("\r\n"))
	}
	if closing {
		head = append(head, raw("connection: close\r\n"))
	}
	if q.bodied {
		head = append(head, raw("content-length: "))
	} else {
		head = append(head, raw("\r\n"))
	}
	q.head = template.Join(head...)
}

// appendHTTP1 writes the whole request after b, which must be empty.
func (q *request) appendHTTP1(b []byte, v *values) []byte {
	b = q.head.Append(b, v)
	if !q.bodied {
		return b
	}
	// The length goes before the body it is the length of: room for three digits
	// is right for nearly all, other lengths move the body.
	const room = "000\r\n\r\n"
	at := len(b)
	b = append(b, room...)
	b = q.body.Append(b, v)
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
