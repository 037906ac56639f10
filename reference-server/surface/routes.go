package surface

import (
	"net/http"
	"strings"

	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/token"
)

// Endpoint is one row of the route table.
type Endpoint struct {
	Method string
	Path   string
	Turn   bool       // takes part in the gates: drain, in flight, rate limits
	Role   token.Role // needed role; empty: no token at all
	route  route
	pass   bool // takes a pass in place of a token
	handle func(*exchange) error
}

// Endpoints is the public route table, complete: a test holds every row
// against every kind of caller.
func (s *Surface) Endpoints() []Endpoint {
	return []Endpoint{
		{Method: "POST", Path: "/v1/chat", route: routeChat, Turn: true, Role: token.User, handle: s.chat},
		{Method: "POST", Path: "/chat", route: routeChat, Turn: true, Role: token.User, handle: s.chat},
		{Method: "POST", Path: "/v1/chat/stream", route: routeStream, Turn: true, Role: token.User, handle: s.stream},
		{Method: "POST", Path: "/v1/chat/async", route: routeAsync, Turn: true, Role: token.User, handle: s.async},
		{Method: "POST", Path: "/v1/chat/ticket", route: routeWindow, Role: token.User, handle: s.pass},
		{Method: "GET", Path: "/v1/chat/ws", route: routeWindow, Role: token.User, pass: true, handle: s.windowOpen},
		{Method: "GET", Path: "/v1/jobs/{id}", route: routeJob, Role: token.User, handle: s.jobGet},
		{Method: "DELETE", Path: "/v1/jobs/{id}", route: routeJob, Role: token.User, handle: s.jobDelete},
		{Method: "GET", Path: "/v1/dialogs/{id}", route: routeDialog, Role: token.User, handle: s.dialogGet},
		{Method: "DELETE", Path: "/v1/dialogs/{id}", route: routeDialog, Role: token.User, handle: s.dialogDelete},
		{Method: "GET", Path: "/v1/tickets/{id}", route: routeTicket, Role: token.User, handle: s.ticketGet},
		{Method: "POST", Path: "/v1/agent/ticket", route: routeAgent, Role: token.Agent, handle: s.pass},
		{Method: "GET", Path: "/v1/agent/ws", route: routeAgent, Role: token.Agent, pass: true, handle: s.agentSocketOpen},
	}
}

// Handler serves all of it.
func (s *Surface) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range s.Endpoints() {
		mux.HandleFunc(e.Method+" "+e.Path, s.serve(e))
	}
	mux.HandleFunc("GET /healthz", s.Live)
	mux.HandleFunc("GET /readyz", s.Ready)
	if s.Mint != nil {
		mux.HandleFunc("POST /dev/token", s.serve(Endpoint{route: routeOther, handle: s.devToken}))
	}
	mux.HandleFunc("/", s.serve(Endpoint{route: routeOther, handle: func(x *exchange) error { return unknownPath(mux, x.r) }}))
	return mux
}

// unknownPath tells a wrong method from a wrong path, and which would be right.
func unknownPath(mux *http.ServeMux, r *http.Request) error {
	var allowed []string
	for _, method := range []string{http.MethodDelete, http.MethodGet, http.MethodHead, http.MethodPost} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		return problem.NotFound
	}
	p := *problem.Method
	p.Header = map[string]string{"Allow": strings.Join(allowed, ", ")}
	return &p
}
