package refserver

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cstest/cstest/reference-server/wire"
)

// problem is an error answer in the form of RFC 9457.
type problem struct {
	status int
	code   string // stable
	detail string // for people; never what the caller sent
	retry  time.Duration
	header map[string]string
}

// Error is the code.
func (p *problem) Error() string { return p.code }

var (
	problemSyntax      = &problem{status: http.StatusBadRequest, code: "bad-request", detail: "the body must be one JSON object with the fields dialog_id, turn_id, text and uid, each at most once"}
	problemToken       = &problem{status: http.StatusUnauthorized, code: "unauthorized", detail: "a valid bearer token is needed", header: map[string]string{"WWW-Authenticate": `Bearer realm="chat", error="invalid_token"`}}
	problemUID         = &problem{status: http.StatusForbidden, code: "uid-mismatch", detail: "uid is not the one in the token"}
	problemRole        = &problem{status: http.StatusForbidden, code: "forbidden", detail: "this needs another role"}
	problemNotFound    = &problem{status: http.StatusNotFound, code: "not-found", detail: "there is nothing here, or it is not yours"}
	problemMethod      = &problem{status: http.StatusMethodNotAllowed, code: "method-not-allowed", detail: "another method is needed"}
	problemBusy        = &problem{status: http.StatusConflict, code: "turn-in-progress", detail: "a turn of this dialog is in progress", retry: time.Second}
	problemReused      = &problem{status: http.StatusUnprocessableEntity, code: "turn-id-reused", detail: "turn_id was used with another text"}
	problemLarge       = &problem{status: http.StatusRequestEntityTooLarge, code: "body-too-large", detail: "the body may have 16 KiB at most"}
	problemType        = &problem{status: http.StatusUnsupportedMediaType, code: "unsupported-media-type", detail: "the body must be application/json without content coding"}
	problemRateLimited = &problem{status: http.StatusTooManyRequests, code: "rate-limited", detail: "客服繁忙", retry: time.Second}
	problemShed        = &problem{status: http.StatusServiceUnavailable, code: "shed", detail: "too many turns in flight", retry: time.Second}
	problemDraining    = &problem{status: http.StatusServiceUnavailable, code: "draining", detail: "the server is going down", retry: 5 * time.Second, header: map[string]string{"Connection": "close"}}
	problemState       = &problem{status: http.StatusServiceUnavailable, code: "state-unavailable", detail: "dialog state cannot be reached", retry: 5 * time.Second}
	problemNoKey       = &problem{status: http.StatusInternalServerError, code: "misconfigured", detail: "the server has no key to check tokens with"}
	problemInternal    = &problem{status: http.StatusInternalServerError, code: "internal", detail: "an error of the server; its log has the details under the trace id"}
	problemGone        = &problem{status: 499, code: "client-closed", detail: "the caller left"}
)

func problemFields(detail string) *problem {
	return &problem{status: http.StatusUnprocessableEntity, code: "invalid-field", detail: detail}
}

// write sends the problem.
func (p *problem) write(w http.ResponseWriter, traceID string) {
	h := w.Header()
	h["Content-Type"] = []string{"application/problem+json"}
	for k, v := range p.header {
		h.Set(k, v)
	}
	if p.retry > 0 {
		h["Retry-After"] = []string{strconv.Itoa(int((p.retry + time.Second - 1) / time.Second))}
	}
	b := wire.JSON(make([]byte, 0, 256)).Object("").String("type", "about:blank").String("title", http.StatusText(p.status)).
		Int("status", int64(p.status)).String("code", p.code).String("detail", p.detail).String("trace_id", traceID).EndObject()
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	w.WriteHeader(p.status)
	_, _ = w.Write(b)
}
