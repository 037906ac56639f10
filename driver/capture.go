package driver

import (
	"bytes"
	"fmt"
)

// asked gives the request of x as a person reads it; over HTTP/2 as it would be
// over HTTP/1.1. nil where nobody looks.
func (l *line) asked(x *exchange, q *request) []byte {
	switch {
	case l.client.plan.opts.Capture == nil:
		return nil
	case l.client.binary:
		return q.appendHTTP1(nil, &x.values)
	}
	return append([]byte(nil), x.out...)
}

// show hands the request and the answer in x to who looks.
func (l *line) show(x *exchange, request []byte) {
	capture := l.client.plan.opts.Capture
	if capture == nil {
		return
	}
	answer := x.in
	if l.client.binary && x.head.status != 0 {
		answer = append(fmt.Appendf(nil, "HTTP/2 %d\r\n\r\n", x.head.status), answer...)
	}
	if len(x.notes) > 0 {
		answer = append(append(bytes.Clone(bytes.TrimRight(answer, "\r\n")), "\n\n"...), x.notes...)
	}
	capture(request, answer)
}
