// Package problem is what callers are told when something went wrong: the
// server's errors in the form of RFC 9457, each with a stable code.
package problem

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/wire"
)

// Problem is an error answer in the form of RFC 9457. It is never changed once
// made; a copy may be.
type Problem struct {
	Status int
	Code   string            // stable
	Detail string            // for people; never what the caller sent
	Retry  time.Duration     // told as Retry-After; 0: not
	Header map[string]string // sent with it
}

// Error is the code.
func (p *Problem) Error() string { return p.Code }

// The problems.
var (
	Syntax      = &Problem{Status: http.StatusBadRequest, Code: "bad-request", Detail: "the body must be one JSON object with the fields dialog_id, turn_id, text and uid, each at most once"}
	Token       = &Problem{Status: http.StatusUnauthorized, Code: "unauthorized", Detail: "a valid bearer token is needed", Header: map[string]string{"WWW-Authenticate": `Bearer realm="chat", error="invalid_token"`}}
	UID         = &Problem{Status: http.StatusForbidden, Code: "uid-mismatch", Detail: "uid is not the one in the token"}
	Role        = &Problem{Status: http.StatusForbidden, Code: "forbidden", Detail: "this needs another role"}
	NotFound    = &Problem{Status: http.StatusNotFound, Code: "not-found", Detail: "there is nothing here, or it is not yours"}
	Lost        = &Problem{Status: http.StatusGone, Code: "lost", Detail: "this was yours and is not kept any more: it ended long ago, was erased, or was lost with the state; ask again"}
	Method      = &Problem{Status: http.StatusMethodNotAllowed, Code: "method-not-allowed", Detail: "another method is needed"}
	Busy        = &Problem{Status: http.StatusConflict, Code: "turn-in-progress", Detail: "a turn of this dialog is in progress", Retry: time.Second}
	Reused      = &Problem{Status: http.StatusUnprocessableEntity, Code: "turn-id-reused", Detail: "turn_id was used with another text"}
	Large       = &Problem{Status: http.StatusRequestEntityTooLarge, Code: "body-too-large", Detail: "the body may have 16 KiB at most"}
	Type        = &Problem{Status: http.StatusUnsupportedMediaType, Code: "unsupported-media-type", Detail: "the body must be application/json in UTF-8, without content coding"}
	RateLimited = &Problem{Status: http.StatusTooManyRequests, Code: "rate-limited", Detail: "客服繁忙", Retry: time.Second}
	Shed        = &Problem{Status: http.StatusServiceUnavailable, Code: "shed", Detail: "too many turns in flight", Retry: time.Second}
	Draining    = &Problem{Status: http.StatusServiceUnavailable, Code: "draining", Detail: "the server is going down", Retry: 5 * time.Second, Header: map[string]string{"Connection": "close"}}
	State       = &Problem{Status: http.StatusServiceUnavailable, Code: "state-unavailable", Detail: "dialog state cannot be reached", Retry: 5 * time.Second}
	NoKey       = &Problem{Status: http.StatusInternalServerError, Code: "misconfigured", Detail: "the server has no key to check tokens with"}
	Internal    = &Problem{Status: http.StatusInternalServerError, Code: "internal", Detail: "an error of the server; its log has the details under the trace id"}
	Bodies      = &Problem{Status: http.StatusTooManyRequests, Code: "rate-limited", Detail: "too many bodies of yours are being read", Retry: time.Second}
	Polls       = &Problem{Status: http.StatusTooManyRequests, Code: "rate-limited", Detail: "too many polls wait; ask without wait", Retry: time.Second}
	Cut         = &Problem{Status: http.StatusBadGateway, Code: "model-interrupted", Detail: "the model broke off; ask again"}
	Gone        = &Problem{Status: 499, Code: "client-closed", Detail: "the caller left"}
)

// The problems of an upgrade to a WebSocket.
var (
	Upgrade = &Problem{
		Status: http.StatusUpgradeRequired, Code: "upgrade-required", Detail: "this is a WebSocket of RFC 6455 over HTTP/1.1",
		Header: map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
	}
	Handshake   = &Problem{Status: http.StatusBadRequest, Code: "handshake", Detail: "Sec-WebSocket-Key must be there once, with 16 bytes in base64"}
	Subprotocol = &Problem{Status: http.StatusBadRequest, Code: "subprotocol", Detail: "the subprotocol cs.agent.v1 is needed"}
	Origin      = &Problem{Status: http.StatusForbidden, Code: "origin", Detail: "a page of another origin may not open this"}
	Sockets     = &Problem{Status: http.StatusServiceUnavailable, Code: "sockets-full", Detail: "too many agents are connected here", Retry: 5 * time.Second}
	Protocol    = &Problem{Status: http.StatusBadRequest, Code: "subprotocol", Detail: "the subprotocol cs.chat.v1 is needed"}
	Customers   = &Problem{Status: http.StatusServiceUnavailable, Code: "sockets-full", Detail: "too many customers are connected here", Retry: 5 * time.Second}
	OwnSockets  = &Problem{Status: http.StatusTooManyRequests, Code: "rate-limited", Detail: "too many sockets of yours are open", Retry: time.Second}
)

// The problems of the switch and of releases.
var (
	NoVersion    = &Problem{Status: http.StatusPreconditionRequired, Code: "precondition-required", Detail: "send If-Match with the version that GET shows"}
	StaleVersion = &Problem{Status: http.StatusPreconditionFailed, Code: "stale-version", Detail: "it was changed in between: read it again"}
	NoRelease    = &Problem{Status: http.StatusConflict, Code: "no-release", Detail: "no release is running: there is nothing to promote or roll back"}
)

// Fields says what is wrong with a field.
func Fields(detail string) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid-field", Detail: detail}
}

// Limited says that a bucket is empty: its name, how much it holds, and when there will be
// something in it.
func Limited(bucket string, limit int, wait time.Duration) *Problem {
	p := *RateLimited
	p.Retry = wait
	p.Header = map[string]string{
		"RateLimit-Policy": `"` + bucket + `";q=` + strconv.Itoa(limit),
		"RateLimit":        `"` + bucket + `";r=0;t=` + strconv.Itoa(int(wait.Seconds())+1),
	}
	return &p
}

// Document is the problem as a message over a socket, where there are no headers: it
// names the turn that it answers, "" where that is not known, and when to come back.
func (p *Problem) Document(traceID, turnID string) []byte {
	j := p.document(traceID).StringIf("turn_id", turnID)
	if p.Retry > 0 {
		j = j.Int("retry_after_s", p.retryAfter())
	}
	return j.EndObject()
}

// document is an object that is still open.
func (p *Problem) document(traceID string) wire.JSON {
	return wire.JSON(make([]byte, 0, 256)).Object("").String("type", "about:blank").String("title", http.StatusText(p.Status)).
		Int("status", int64(p.Status)).String("code", p.Code).String("detail", p.Detail).String("trace_id", traceID)
}

// retryAfter is the wait in whole seconds.
func (p *Problem) retryAfter() int64 { return int64((p.Retry + time.Second - 1) / time.Second) }

// Write sends the problem.
func (p *Problem) Write(w http.ResponseWriter, traceID string) {
	h := w.Header()
	h["Content-Type"] = []string{"application/problem+json"}
	for k, v := range p.Header {
		h.Set(k, v)
	}
	if p.Retry > 0 {
		h["Retry-After"] = []string{strconv.FormatInt(p.retryAfter(), 10)}
	}
	b := p.document(traceID).EndObject()
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(p.Status)
	_, _ = w.Write(b)
}
