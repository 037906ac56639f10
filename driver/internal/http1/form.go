package http1

import (
	"strconv"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// Form is a request as HTTP/1.1 writes it.
type Form struct {
	head   wire.Text // everything up to the value of Content-Length, or the empty line
	body   wire.Text
	bodied bool
}

// NewForm renders what does not change of q's head.
func NewForm(q *wire.Request, t *wire.Target) *Form {
	raw := template.Raw[wire.Values]
	head := []wire.Text{raw(q.Method + " "), q.Path, raw(" HTTP/1.1\r\nHost: " + t.Host + "\r\n")}
	for _, f := range q.Fields {
		if f.Maybe {
			head = append(head, template.Maybe(f.Name+": ", f.Value, "\r\n"))
			continue
		}
		head = append(head, raw(f.Name+": "), f.Value, raw("\r\n"))
	}
	switch {
	case q.Upgrade != "":
		head = append(head, raw("connection: Upgrade\r\nupgrade: "+q.Upgrade+"\r\n"))
	case t.Connections == scenario.PerTurn:
		head = append(head, raw("connection: close\r\n"))
	}
	if q.Bodied {
		head = append(head, raw("content-length: "))
	} else {
		head = append(head, raw("\r\n"))
	}
	return &Form{head: template.Join(head...), body: q.Body, bodied: q.Bodied}
}

// Append writes the whole request after b, which must be empty.
func (f *Form) Append(b []byte, v *wire.Values) []byte {
	b = f.head.Append(b, v)
	if !f.bodied {
		return b
	}
	// The length goes before the body it is the length of: room for three digits
	// is right for nearly all, other lengths move the body.
	const room = "000\r\n\r\n"
	at := len(b)
	b = append(b, room...)
	b = f.body.Append(b, v)
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
