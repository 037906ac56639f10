package mockllm

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/mockllm/config"
	"github.com/cstest/cstest/mockllm/internal/jsontext"
	"github.com/cstest/cstest/mockllm/internal/openai"
	"github.com/cstest/cstest/mockllm/internal/prompt"
	"github.com/cstest/cstest/mockllm/internal/transport"
)

// route is what a path leads to.
type route uint8

const (
	routeNone route = iota
	routeChat
	routeCompletions
	routeResponses
	routeMessages
	routeEmbeddings
	routeModerations
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
	case "/responses":
		return routeResponses
	case "/messages":
		return routeMessages
	case "/embeddings":
		return routeEmbeddings
	case "/moderations":
		return routeModerations
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

// apis are the APIs of the routes that ask something.
var apis = [...]prompt.API{
	routeChat: prompt.Chat, routeCompletions: prompt.Completions, routeResponses: prompt.Responses,
	routeMessages: prompt.Messages, routeEmbeddings: prompt.Embeddings, routeModerations: prompt.Moderations,
}

// asks reports whether a POST there is a call.
func (r route) asks() bool { return r >= routeChat && r <= routeModerations }

// deploymentOf takes Azure's prefixes off a path, and gives the deployment that
// one names: /openai/deployments/NAME/chat/completions, /openai/v1/responses.
func deploymentOf(path []byte) (rest, name []byte) {
	rest, azure := bytes.CutPrefix(path, []byte("/openai/"))
	if !azure {
		return path, nil
	}
	after, named := bytes.CutPrefix(rest, []byte("deployments/"))
	if !named {
		return path[len("/openai"):], nil
	}
	i := bytes.IndexByte(after, '/')
	if i <= 0 || i > config.MaxModelLen {
		return path, nil
	}
	return after[i:], after[:i]
}

const modelPrefix = "/models/"

// page answers everything but a completion that is to be served.
func (s *Server) page(r route, path, method string, encoded bool) (transport.Head, []byte) {
	post := r.asks()
	switch {
	case r == routeNone:
		return errorPage(&prompt.Error{Status: 404, Message: "unknown URL: this server has /v1/chat/completions, /v1/completions, /v1/responses, /v1/messages, /v1/embeddings, /v1/moderations, /v1/models, /healthz and /metrics", Kind: "invalid_request_error", Code: "unknown_url"})
	case post && method == http.MethodPost && encoded:
		return errorPage(&prompt.Error{Status: 415, Message: "send the request body without Content-Encoding", Kind: "invalid_request_error", Code: "unsupported_encoding"})
	case post:
		h, body := errorPage(&prompt.Error{Status: 405, Message: "method " + jsontext.Clip(method, 16) + " is not allowed here: use POST", Kind: "invalid_request_error", Code: "method_not_allowed"})
		h.Allow = "POST"
		return h, body
	case method != http.MethodGet && method != http.MethodHead:
		h, body := errorPage(&prompt.Error{Status: 405, Message: "method " + jsontext.Clip(method, 16) + " is not allowed here: use GET", Kind: "invalid_request_error", Code: "method_not_allowed"})
		h.Allow = "GET"
		return h, body
	}
	switch r {
	case routeModels:
		return transport.Head{Status: 200, ContentType: typeJSON}, s.models()
	case routeModel:
		name, err := url.PathUnescape(path[strings.Index(path, modelPrefix)+len(modelPrefix):])
		if err != nil || !slices.Contains(s.modelNames(), name) {
			return errorPage(prompt.NoModel(jsontext.Clip(name, config.MaxModelLen)))
		}
		return transport.Head{Status: 200, ContentType: typeJSON}, appendModel(nil, name)
	case routeMetrics:
		return s.scrape()
	case routeNone, routeChat, routeCompletions, routeResponses, routeMessages, routeEmbeddings, routeModerations,
		routeHealth:
	}
	return transport.Head{Status: 200, ContentType: typeJSON}, []byte(`{"status":"ok"}`)
}

func errorPage(e *prompt.Error) (transport.Head, []byte) {
	return transport.Head{Status: e.Status, ContentType: typeJSON}, openai.AppendError(nil, e)
}

// modelNames lists the models that the server tells of.
func (s *Server) modelNames() []string {
	if names := s.setup.Load().cfg.Models; len(names) > 0 {
		return names
	}
	return []string{prompt.AnyModel}
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
	return append(jsontext.AppendString(append(dst, `{"id":`...), name), `,"object":"model","created":1700000000,"owned_by":"cstest"}`...)
}
