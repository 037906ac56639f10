package mockllm

import (
	"bytes"
	"net/http"
	"time"

	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
)

const (
	typeJSON   = "application/json"
	typeEvents = "text/event-stream; charset=utf-8"
	typeText   = "text/plain; charset=utf-8"
	typeHTML   = "text/html; charset=utf-8"
)

// handler answers the requests of the public listener.
type handler struct{ srv *Server }

// Limits implements transport.Handler.
func (h handler) Limits() (time.Duration, int64) {
	cfg := &h.srv.setup.Load().cfg
	return cfg.Connect.D(), int64(cfg.MaxBody)
}

// Refusal implements transport.Handler.
func (h handler) Refusal(status int, message string) (transport.Head, []byte) {
	e := prompt.BadRequest("", "", "%s", message)
	if status == http.StatusRequestEntityTooLarge {
		e.Status, e.Code = status, "request_too_large"
	}
	return errorPage(e)
}

// Exchange implements transport.Handler.
func (h handler) Exchange() transport.Exchange { return &exchange{srv: h.srv} }

// exchange answers the requests of one connection, one at a time.
type exchange struct {
	srv  *Server
	call call
	in   inbound
}

// Serve implements transport.Exchange.
func (x *exchange) Serve(w transport.Wire, r *transport.Request) {
	path, _, _ := bytes.Cut(r.Path, []byte("?"))
	path, model := deploymentOf(path)
	target := routeOf(string(path))
	encoded := len(w.Header("Content-Encoding")) > 0
	if target.asks() && string(r.Method) == http.MethodPost && !encoded {
		x.in = inbound{
			api: apis[target], model: model, body: r.Body,
			traceparent: w.Header("Traceparent"), purpose: w.Header("X-Request-Purpose"),
			fault: w.Header("X-Mock-Fault"), delay: w.Header("X-Mock-Delay"),
		}
		x.srv.serve(&x.call, w, &x.in)
		return
	}
	head, body := x.srv.page(target, string(path), string(r.Method), encoded)
	_ = w.Respond(head, body)
}
