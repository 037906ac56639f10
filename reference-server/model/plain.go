package model

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// plain carries requests over kept connections of HTTP/1.1 without TLS, each on
// the goroutine that asks.
type plain struct {
	head      []byte // of every request, up to what differs
	pool      *pool
	exchanges sync.Pool
}

// isPlain says whether plain speaks to the server of u. Rare forms of a URL are
// left to net/http.
func isPlain(u *url.URL) bool {
	return u.Scheme == "http" && u.User == nil && u.Hostname() != "" &&
		strings.IndexFunc(u.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '%' }) < 0
}

func newPlain(u *url.URL, key string, o Options) *plain {
	head := "POST " + u.RequestURI() + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: " + userAgent + "\r\nContent-Type: application/json\r\n"
	if key != "" {
		head += "Authorization: Bearer " + key + "\r\n"
	}
	if !o.Keepalive {
		head += "Connection: close\r\n"
	}
	return &plain{head: []byte(head), pool: newPool(u, o)}
}

func (p *plain) close() { p.pool.close() }

func (p *plain) post(ctx context.Context, r request) (answer, error) {
	c, err := p.pool.get(ctx)
	if err != nil {
		return nil, err
	}
	x, ok := p.exchanges.Get().(*exchange)
	if !ok {
		x = newExchange(p)
	}
	x.begin(ctx, c)
	if err := x.ask(p.head, r); err != nil {
		x.done()
		return nil, err
	}
	return x, nil
}

// appendRequest writes the request that begins with head.
func appendRequest(b, head []byte, r request) []byte {
	b = append(b, head...)
	b = append(b, "Traceparent: "...)
	b = append(b, r.traceparent...)
	if r.purpose != "" {
		b = append(b, "\r\nX-Request-Purpose: "...)
		b = append(b, r.purpose...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(r.body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, r.body...)
}
