package driver

import (
	"bytes"
	"fmt"

	"github.com/cstest/cstest/driver/internal/http1"
	"github.com/cstest/cstest/driver/internal/wire"
)

// asked gives the request of x as a person reads it; over HTTP/2 as it would be
// over HTTP/1.1. nil where nobody looks.
func (ch *channel) asked(x *exchange, q *wire.Request) []byte {
	switch {
	case ch.client.plan.opts.Capture == nil:
		return nil
	case ch.client.binary:
		return http1.NewForm(q, &ch.client.plan.Target).Append(nil, &x.Values)
	}
	return append([]byte(nil), x.Out...)
}

// show hands the request and the answer in x to who looks.
func (ch *channel) show(x *exchange, request []byte) {
	capture := ch.client.plan.opts.Capture
	if capture == nil {
		return
	}
	answer := x.In
	switch {
	case ch.client.binary && x.Head.Status != 0:
		answer = append(fmt.Appendf(nil, "HTTP/2 %d\r\n\r\n", x.Head.Status), x.Legible(x.In)...)
	case x.Start > 0:
		answer = append(bytes.Clone(x.In[:x.Start]), x.Legible(x.Body)...)
	}
	if len(x.notes) > 0 {
		answer = append(append(bytes.Clone(bytes.TrimRight(answer, "\r\n")), "\n\n"...), x.notes...)
	}
	capture(request, answer)
}
