package remotewrite

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// brief lets little of an answer through, and that printable: the client reads answers
// to their end, and makes its errors of them. Those have the address too, so that user
// and password are not in it but added here.
type brief struct {
	inner *http.Transport
	user  *url.Userinfo // nil: nobody
}

// readAtMost is how much of an answer is read.
const readAtMost = 64 << 10

// RoundTrip is http.RoundTripper's.
func (b brief) RoundTrip(req *http.Request) (*http.Response, error) {
	if b.user != nil {
		req = req.Clone(req.Context())
		password, _ := b.user.Password()
		req.SetBasicAuth(b.user.Username(), password)
	}
	res, err := b.inner.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	said, err := io.ReadAll(io.LimitReader(res.Body, readAtMost))
	_ = res.Body.Close() // it is only read from
	if err != nil {
		return nil, err
	}
	res.Status = fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))
	res.Body = io.NopCloser(bytes.NewReader(fmt.Appendf(nil, "%.200q", said)))
	return res, nil
}

// CloseIdleConnections is what http.Client calls.
func (b brief) CloseIdleConnections() { b.inner.CloseIdleConnections() }
