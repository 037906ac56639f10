package model

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/trace"
)

// MaxText is how many bytes one answer may have.
const MaxText = 16 << 10

const (
	maxModelBody  = 256 << 10
	maxRetryAfter = 60 * time.Second
	maxTokens     = 200
)

// Client makes single attempts at the model's API. Safe for concurrent use.
type Client struct {
	url    string
	key    string
	chat   bool
	client *http.Client
}

// NewClient speaks to the API at base, with key as bearer token unless empty.
func NewClient(base string, key string, o Options) *Client {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: min(o.DialLimit, 5*time.Second), KeepAlive: 15 * time.Second}).DialContext,
		DisableKeepAlives:      !o.Keepalive,
		DisableCompression:     true,
		MaxIdleConns:           o.MaxIdle,
		MaxIdleConnsPerHost:    o.MaxIdle,
		MaxConnsPerHost:        o.MaxConns,
		IdleConnTimeout:        60 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        8 << 10,
	}
	path := "/v1/chat/completions"
	if o.API == Completions {
		path = "/v1/completions"
	}
	return &Client{
		url: strings.TrimSuffix(base, "/") + path, key: key, chat: o.API == Chat,
		client: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
}

// Close closes connections that are idle.
func (m *Client) Close() { m.client.CloseIdleConnections() }

// Body encodes the prompt for this API.
func (m *Client) Body(p Prompt) []byte {
	b := make([]byte, 0, 1024)
	if m.chat {
		return p.appendChat(b, false)
	}
	return p.appendCompletion(b)
}

// StreamBody encodes the prompt for a streamed answer.
func (m *Client) StreamBody(p Prompt) []byte { return p.appendChat(make([]byte, 0, 1024), true) }

// Ask makes one attempt. purpose marks calls that are no user's turn. Errors
// are *Error.
func (m *Client) Ask(ctx context.Context, body []byte, tr trace.Context, purpose string) (string, error) {
	resp, err := m.send(ctx, body, tr, purpose)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := readBody(resp)
	if err != nil {
		if errors.Is(err, errTooLarge) {
			return "", &Error{Fault: FaultGarbage, Status: resp.StatusCode, Err: err}
		}
		return "", TransportError(ctx, err)
	}
	return m.decode(raw)
}

// send makes the request and turns every status but 200 into a typed error.
func (m *Client) send(ctx context.Context, body []byte, tr trace.Context, purpose string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		return nil, &Error{Fault: FaultPermanent, Err: err}
	}
	// Never replayed behind our back: retries have a budget.
	req.GetBody = nil
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["Traceparent"] = []string{tr.Child()}
	if purpose != "" {
		req.Header["X-Request-Purpose"] = []string{purpose}
	}
	if m.key != "" {
		req.Header["Authorization"] = []string{"Bearer " + m.key}
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, TransportError(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || t != "application/json" && t != "text/event-stream" {
			discard(resp)
			return nil, &Error{Fault: FaultGarbage, Status: resp.StatusCode, Err: errors.New("content type is not JSON")}
		}
		return resp, nil
	}
	discard(resp)
	return nil, &Error{Fault: statusFault(resp), Status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

func statusFault(resp *http.Response) Fault {
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		return FaultBackOff
	case code == http.StatusRequestTimeout, code >= 500:
		return FaultTransient
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return FaultConfig
	case code >= 400:
		return FaultPermanent
	}
	return FaultGarbage
}

// discard reads a little so that the connection can be used again.
func discard(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	resp.Body.Close()
}

var errTooLarge = fmt.Errorf("answer is larger than %d bytes", maxModelBody)

func readBody(resp *http.Response) ([]byte, error) {
	size := int64(1024)
	if resp.ContentLength > maxModelBody {
		return nil, errTooLarge
	}
	if resp.ContentLength > 0 {
		size = resp.ContentLength + bytes.MinRead
	}
	buf := bytes.NewBuffer(make([]byte, 0, size))
	if _, err := buf.ReadFrom(io.LimitReader(resp.Body, maxModelBody+1)); err != nil {
		return nil, err
	}
	if buf.Len() > maxModelBody {
		return nil, errTooLarge
	}
	return buf.Bytes(), nil
}

// TransportError types what went wrong below HTTP: cancelled, late or transient.
func TransportError(ctx context.Context, err error) error {
	var ne net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &Error{Fault: FaultCancelled, Err: context.Canceled}
	case ctx.Err() != nil, errors.As(err, &ne) && ne.Timeout():
		return &Error{Fault: FaultTimeout, Err: context.DeadlineExceeded}
	}
	return &Error{Fault: FaultTransient, Err: err}
}

func (m *Client) decode(raw []byte) (string, error) {
	if !utf8.Valid(raw) || !gjson.ValidBytes(raw) {
		return "", Garbage("answer is not JSON")
	}
	path := "choices.0.text"
	if m.chat {
		path = "choices.0.message.content"
	}
	text := gjson.GetBytes(raw, path)
	if text.Type != gjson.String || strings.TrimSpace(text.Str) == "" {
		return "", Garbage("answer has no text")
	}
	if len(text.Str) > MaxText {
		return "", Garbage("answer is too long")
	}
	return text.Str, nil
}

// retryAfter reads seconds or an HTTP date and clamps to 0 … 60 s.
func retryAfter(h string, now time.Time) time.Duration {
	if h == "" {
		return 0
	}
	if n, err := strconv.ParseUint(h, 10, 63); err == nil {
		return time.Duration(min(n, uint64(maxRetryAfter/time.Second))) * time.Second
	}
	t, err := http.ParseTime(h)
	if err != nil {
		return 0
	}
	return max(0, min(t.Sub(now), maxRetryAfter))
}
