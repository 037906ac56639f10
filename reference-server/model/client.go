package model

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/tidwall/gjson"
	"golang.org/x/net/http/httpguts"

	"github.com/cstest/cstest/reference-server/trace"
)

// MaxText is how many bytes one answer may have.
const MaxText = 16 << 10

const maxTokens = 200

// Client makes single attempts at the model's API. Safe for concurrent use.
type Client struct {
	chat    bool
	carrier carrier
	refused error // why nothing can be sent
}

// NewClient speaks to the API at base, with key as bearer token unless empty.
func NewClient(base, key string, o Options) *Client {
	path := "/v1/chat/completions"
	if o.API == Completions {
		path = "/v1/completions"
	}
	m := &Client{chat: o.API == Chat}
	if !httpguts.ValidHeaderFieldValue(key) {
		m.refused = &Error{Fault: FaultConfig, Err: errors.New("the key has characters that no header may have")}
	}
	o.Keepalive = o.Keepalive && o.MaxIdle > 0
	target := strings.TrimSuffix(base, "/") + path
	if u, err := url.Parse(target); err == nil && isPlain(u) {
		m.carrier = newPlain(u, key, o)
	} else {
		m.carrier = newLibrary(target, key, o)
	}
	return m
}

// Close closes connections that are idle.
func (m *Client) Close() { m.carrier.close() }

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
	a, err := m.send(ctx, body, tr, purpose)
	if err != nil {
		return "", err
	}
	defer a.done()
	raw, err := a.whole()
	if errors.Is(err, errTooLarge) {
		return "", &Error{Fault: FaultGarbage, Status: a.status(), Err: err}
	}
	if err != nil {
		return "", TransportError(ctx, err)
	}
	return m.decode(raw)
}

// send makes the request and turns every answer that is not to be read into a
// typed error.
func (m *Client) send(ctx context.Context, body []byte, tr trace.Context, purpose string) (answer, error) {
	if m.refused != nil {
		return nil, m.refused
	}
	r := request{body, tr.Child(), purpose}
	if !httpguts.ValidHeaderFieldValue(r.traceparent) || !httpguts.ValidHeaderFieldValue(purpose) {
		return nil, &Error{Fault: FaultPermanent, Err: errors.New("trace or purpose has characters that no header may have")}
	}
	a, err := m.carrier.post(ctx, r)
	if err != nil {
		return nil, TransportError(ctx, err)
	}
	if err := check(a); err != nil {
		a.discard()
		a.done()
		return nil, err
	}
	return a, nil
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
