package refserver

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
)

const (
	maxModelBody  = 256 << 10
	maxModelText  = 16 << 10 // bytes of one answer
	maxRetryAfter = 60 * time.Second
	maxTokens     = 200
)

// fault is the type of a model error: what it means for retry, breaker and
// tiers.
type fault uint8

const (
	faultNone      fault = iota
	faultTransient       // fast and worth one more try: 5xx, reset, refused
	faultBackOff         // asked to wait: 429 or 503 with Retry-After
	faultTimeout         // no complete answer in time
	faultGarbage         // an answer that is none
	faultPermanent       // the request is at fault: 4xx
	faultConfig          // our key is not accepted: 401, 403
	faultCancelled       // the caller left
	faultRefused         // not sent: breaker open
	faultFull            // not sent: bulkhead full
)

var faultNames = [...]string{"ok", "transient", "backoff", "timeout", "garbage", "permanent", "config", "cancelled", "breaker_open", "bulkhead_full"}

// String is the name used in metrics, logs and degrade_reason.
func (f fault) String() string { return faultNames[f] }

// failure says whether the fault speaks against the model's health.
func (f fault) failure() bool {
	switch f {
	case faultTransient, faultBackOff, faultTimeout, faultGarbage, faultConfig:
		return true
	}
	return false
}

// llmError is a typed model error.
type llmError struct {
	fault      fault
	status     int
	retryAfter time.Duration // 0 to 60 s
	err        error
}

// Error says what happened, without anything the model sent.
func (e *llmError) Error() string {
	s := "model: " + e.fault.String()
	if e.status != 0 {
		s += " (status " + strconv.Itoa(e.status) + ")"
	}
	if e.err != nil {
		s += ": " + e.err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *llmError) Unwrap() error { return e.err }

func faultOf(err error) fault {
	var e *llmError
	switch {
	case err == nil:
		return faultNone
	case errors.As(err, &e):
		return e.fault
	case errors.Is(err, context.Canceled):
		return faultCancelled
	case errors.Is(err, context.DeadlineExceeded):
		return faultTimeout
	}
	return faultTransient
}

// model makes single attempts at the model's API. Safe for concurrent use.
type model struct {
	url    string
	key    Secret
	chat   bool
	client *http.Client
}

func newModel(base string, key Secret, s *settings) *model {
	t := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: min(s.llmTimeout.D(), 5*time.Second), KeepAlive: 15 * time.Second}).DialContext,
		DisableKeepAlives:      !s.llmKeepalive,
		DisableCompression:     true,
		MaxIdleConns:           int(s.llmMaxIdle),
		MaxIdleConnsPerHost:    int(s.llmMaxIdle),
		MaxConnsPerHost:        int(s.llmMaxConns),
		IdleConnTimeout:        60 * time.Second,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
		ReadBufferSize:         4 << 10,
		WriteBufferSize:        8 << 10,
	}
	path := "/v1/chat/completions"
	if s.llmAPI == "completions" {
		path = "/v1/completions"
	}
	return &model{url: strings.TrimSuffix(base, "/") + path, key: key, chat: s.llmAPI == "chat",
		client: &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

func (m *model) close() { m.client.CloseIdleConnections() }

// body encodes the prompt for this API.
func (m *model) body(p prompt) []byte {
	b := make([]byte, 0, 1024)
	if m.chat {
		return p.appendChat(b, maxTokens, false)
	}
	return p.appendCompletion(b, maxTokens)
}

// ask makes one attempt. purpose marks calls that are no user's turn. Errors
// are *llmError.
func (m *model) ask(ctx context.Context, body []byte, tr trace, purpose string) (string, error) {
	resp, err := m.send(ctx, body, tr, purpose)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	raw, err := readBody(resp)
	if err != nil {
		if errors.Is(err, errTooLarge) {
			return "", &llmError{fault: faultGarbage, status: resp.StatusCode, err: err}
		}
		return "", transportError(ctx, err)
	}
	return m.decode(raw)
}

// send makes the request and turns every status but 200 into a typed error.
func (m *model) send(ctx context.Context, body []byte, tr trace, purpose string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, m.url, bytes.NewReader(body))
	if err != nil {
		return nil, &llmError{fault: faultPermanent, err: err}
	}
	// Never replayed behind our back: retries have a budget.
	req.GetBody = nil
	req.Header["Content-Type"] = []string{"application/json"}
	req.Header["Traceparent"] = []string{tr.child()}
	if purpose != "" {
		req.Header["X-Request-Purpose"] = []string{purpose}
	}
	if m.key != "" {
		req.Header["Authorization"] = []string{"Bearer " + string(m.key)}
	}
	resp, err := m.client.Do(req)
	if err != nil {
		return nil, transportError(ctx, err)
	}
	if resp.StatusCode == http.StatusOK {
		if t, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err != nil || t != "application/json" && t != "text/event-stream" {
			discard(resp)
			return nil, &llmError{fault: faultGarbage, status: resp.StatusCode, err: errors.New("content type is not JSON")}
		}
		return resp, nil
	}
	discard(resp)
	return nil, &llmError{fault: statusFault(resp), status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

func statusFault(resp *http.Response) fault {
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") != "":
		return faultBackOff
	case code == http.StatusRequestTimeout, code >= 500:
		return faultTransient
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		return faultConfig
	case code >= 400:
		return faultPermanent
	}
	return faultGarbage
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

func transportError(ctx context.Context, err error) error {
	var ne net.Error
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return &llmError{fault: faultCancelled, err: context.Canceled}
	case ctx.Err() != nil, errors.As(err, &ne) && ne.Timeout():
		return &llmError{fault: faultTimeout, err: context.DeadlineExceeded}
	}
	return &llmError{fault: faultTransient, err: err}
}

func (m *model) decode(raw []byte) (string, error) {
	if !utf8.Valid(raw) || !gjson.ValidBytes(raw) {
		return "", &llmError{fault: faultGarbage, err: errors.New("answer is not JSON")}
	}
	path := "choices.0.text"
	if m.chat {
		path = "choices.0.message.content"
	}
	text := gjson.GetBytes(raw, path)
	if text.Type != gjson.String || strings.TrimSpace(text.Str) == "" {
		return "", &llmError{fault: faultGarbage, err: errors.New("answer has no text")}
	}
	if len(text.Str) > maxModelText {
		return "", &llmError{fault: faultGarbage, err: errors.New("answer is too long")}
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
