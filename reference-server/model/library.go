package model

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	idleLimit = 60 * time.Second
	dialLimit = 5 * time.Second
	userAgent = "cstest-reference-server"
)

func newDialer(o Options) *net.Dialer {
	return &net.Dialer{Timeout: min(o.DialLimit, dialLimit), KeepAlive: 15 * time.Second}
}

// library carries requests with net/http, to every server that plain does not
// speak to.
type library struct {
	url    string
	key    string
	client *http.Client
}

func newLibrary(url, key string, o Options) *library {
	t := &http.Transport{
		DialContext:            newDialer(o).DialContext,
		DisableKeepAlives:      !o.Keepalive,
		DisableCompression:     true,
		MaxIdleConns:           o.MaxIdle,
		MaxIdleConnsPerHost:    o.MaxIdle,
		MaxConnsPerHost:        o.MaxConns,
		IdleConnTimeout:        idleLimit,
		TLSHandshakeTimeout:    dialLimit,
		MaxResponseHeaderBytes: maxModelHead,
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        8 << 10,
	}
	return &library{url: url, key: key, client: &http.Client{
		Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (l *library) close() { l.client.CloseIdleConnections() }

func (l *library) post(ctx context.Context, r request) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	// Never replayed behind our back: retries have a budget.
	req.GetBody = nil
	req.Header["User-Agent"] = []string{userAgent}
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["Traceparent"] = []string{r.traceparent}
	if r.purpose != "" {
		req.Header["X-Request-Purpose"] = []string{r.purpose}
	}
	if l.key != "" {
		req.Header["Authorization"] = []string{"Bearer " + l.key}
	}
	resp, err := l.client.Do(req) //nolint:bodyclose // done does
	if err != nil {
		return nil, err
	}
	return libraryAnswer{resp}, nil
}

type libraryAnswer struct{ resp *http.Response }

func (a libraryAnswer) status() int { return a.resp.StatusCode }

func (a libraryAnswer) field(name string) string { return a.resp.Header.Get(name) }

func (a libraryAnswer) reader() io.Reader { return a.resp.Body }

func (a libraryAnswer) discard() { _, _ = io.CopyN(io.Discard, a.resp.Body, maxDiscard) }

func (a libraryAnswer) done() { a.resp.Body.Close() }

func (a libraryAnswer) whole() ([]byte, error) {
	size := int64(1024)
	if a.resp.ContentLength > maxModelBody {
		return nil, errTooLarge
	}
	if a.resp.ContentLength > 0 {
		size = a.resp.ContentLength + bytes.MinRead
	}
	buf := bytes.NewBuffer(make([]byte, 0, size))
	if _, err := buf.ReadFrom(io.LimitReader(a.resp.Body, maxModelBody+1)); err != nil {
		return nil, err
	}
	if buf.Len() > maxModelBody {
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}
