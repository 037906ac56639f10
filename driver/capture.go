package driver

import (
	"bytes"
	"fmt"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/driver/internal/wire"
)

// asked gives the request of x as a person reads it; over HTTP/2 as it would be
// over HTTP/1.1. nil where nobody looks.
func (l *line) asked(x *exchange, q *wire.Request) []byte {
	switch {
	case l.client.plan.opts.Capture == nil:
		return nil
	case l.client.binary:
		return http1.NewForm(q, &l.client.plan.Target).Append(nil, &x.Values)
	}
	return append([]byte(nil), x.Out...)
}

// show hands the request and the answer in x to who looks.
func (l *line) show(x *exchange, request []byte) {
	capture := l.client.plan.opts.Capture
	if capture == nil {
		return
	}
	answer := x.In
	switch {
	case l.client.binary && x.Head.Status != 0:
		answer = append(fmt.Appendf(nil, "HTTP/2 %d\r\n\r\n", x.Head.Status), x.Legible(x.In)...)
	case x.Start > 0:
		answer = append(bytes.Clone(x.In[:x.Start]), x.Legible(x.Body)...)
	}
	if len(x.notes) > 0 {
		answer = append(append(bytes.Clone(bytes.TrimRight(answer, "\r\n")), "\n\n"...), x.notes...)
	}
	capture(request, answer)
}
