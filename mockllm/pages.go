package mockllm

import (
	"github.com/cstest/cstest/mockllm/internal/transport"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// route is what a path leads to.
type route uint8

const (
	routeNone route = iota
	routeChat
	routeCompletions
	routeModels
	routeModel // the model that the path names
	routeHealth
	routeMetrics
)

// routeOf finds the route of a path. The prefix /v1 is optional, for clients
// whose base URL lacks it.
func routeOf(path string) route {
	path = strings.TrimPrefix(path, "/v1")
	switch path {
	case "/chat/completions":
		return routeChat
	case "/completions":
		return routeCompletions
	case "/models":
		return routeModels
	case "/healthz":
		return routeHealth
	case "/metrics":
		return routeMetrics
	}
	if strings.HasPrefix(path, modelPrefix) {
		return routeModel
	}
	return routeNone
}

const modelPrefix = "/models/"

// page answers everything but a completion that is to be served.
func (s *Server) page(r route, path, method string, encoded bool) (transport.Head, []byte) {
	post := r == routeChat || r == routeCompletions
	switch {
	case r == routeNone:
		return errorPage(&apiError{status: 404, message: "unknown URL: this server has /v1/chat/completions, /v1/completions, /v1/models, /healthz and /metrics", kind: "invalid_request_error", code: "unknown_url"})
	case post && method == http.MethodPost && encoded:
		return errorPage(&apiError{status: 415, message: "send the request body without Content-Encoding", kind: "invalid_request_error", code: "unsupported_encoding"})
	case post:
		h, body := errorPage(&apiError{status: 405, message: "method " + clip(method, 16) + " is not allowed here: use POST", kind: "invalid_request_error", code: "method_not_allowed"})
		h.Allow = "POST"
		return h, body
	case method != http.MethodGet && method != http.MethodHead:
		h, body := errorPage(&apiError{status: 405, message: "method " + clip(method, 16) + " is not allowed here: use GET", kind: "invalid_request_error", code: "method_not_allowed"})
		h.Allow = "GET"
		return h, body
	}
	switch r {
	case routeModels:
		return transport.Head{Status: 200, ContentType: typeJSON}, s.models()
	case routeModel:
		name, err := url.PathUnescape(path[strings.Index(path, modelPrefix)+len(modelPrefix):])
		if err != nil || !slices.Contains(s.modelNames(), name) {
			return errorPage(noModel(clip(name, maxModelLen)))
		}
		return transport.Head{Status: 200, ContentType: typeJSON}, appendModel(nil, name)
	case routeMetrics:
		return s.scrape()
	}
	return transport.Head{Status: 200, ContentType: typeJSON}, []byte(`{"status":"ok"}`)
}

func errorPage(e *apiError) (transport.Head, []byte) {
	return transport.Head{Status: e.status, ContentType: typeJSON}, e.body(nil)
}

// clip shortens what a client sent to something that can be shown.
func clip(s string, n int) string {
	return strings.ToValidUTF8(s[:min(len(s), n)], "?")
}

// modelNames lists the models that the server tells of.
func (s *Server) modelNames() []string {
	if names := s.setup.Load().cfg.Models; len(names) > 0 {
		return names
	}
	return []string{anyModel}
}

// models is the list of GET /v1/models.
func (s *Server) models() []byte {
	b := []byte(`{"object":"list","data":[`)
	for i, name := range s.modelNames() {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendModel(b, name)
	}
	return append(b, `]}`...)
}

func appendModel(dst []byte, name string) []byte {
	return append(appendString(append(dst, `{"id":`...), name), `,"object":"model","created":1700000000,"owned_by":"cstest"}`...)
}
