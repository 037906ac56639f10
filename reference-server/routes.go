package refserver

import (
	"net/http"
)

// endpoint is one row of the route table.
type endpoint struct {
	method string
	path   string
	route  route
	turn   bool   // takes part in the gates: drain, in flight, rate limits
	role   string // needed role; empty: no token at all
	pass   bool   // takes a pass in place of a token
	handle func(*exchange) error
}

// endpoints is the public route table, complete: a test holds every row
// against every kind of caller.
func (s *Server) endpoints() []endpoint {
	return []endpoint{
		{method: "POST", path: "/v1/chat", route: routeChat, turn: true, role: roleUser, handle: s.chat},
		{method: "POST", path: "/chat", route: routeChat, turn: true, role: roleUser, handle: s.chat},
		{method: "POST", path: "/v1/chat/stream", route: routeStream, turn: true, role: roleUser, handle: s.stream},
		{method: "POST", path: "/v1/chat/async", route: routeAsync, turn: true, role: roleUser, handle: s.async},
		{method: "GET", path: "/v1/jobs/{id}", route: routeJob, role: roleUser, handle: s.jobGet},
		{method: "DELETE", path: "/v1/jobs/{id}", route: routeJob, role: roleUser, handle: s.jobDelete},
		{method: "GET", path: "/v1/dialogs/{id}", route: routeDialog, role: roleUser, handle: s.dialogGet},
		{method: "DELETE", path: "/v1/dialogs/{id}", route: routeDialog, role: roleUser, handle: s.dialogDelete},
		{method: "GET", path: "/v1/tickets/{id}", route: routeTicket, role: roleUser, handle: s.ticketGet},
		{method: "POST", path: "/v1/agent/ticket", route: routeAgent, role: roleAgent, handle: s.agentPass},
		{method: "GET", path: "/v1/agent/ws", route: routeAgent, role: roleAgent, pass: true, handle: s.agentSocketOpen},
	}
}

func (s *Server) publicRoutes() http.Handler {
	mux := http.NewServeMux()
	for _, e := range s.endpoints() {
		mux.HandleFunc(e.method+" "+e.path, s.serve(e))
	}
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	if s.cfg.Dev {
		mux.HandleFunc("POST /dev/token", s.serve(endpoint{route: routeOther, handle: s.devToken}))
	}
	mux.HandleFunc("/", s.serve(endpoint{route: routeOther, handle: func(x *exchange) error { return unknownPath(mux, x.r) }}))
	return mux
}

// unknownPath tells a wrong method from a wrong path.
func unknownPath(mux *http.ServeMux, r *http.Request) error {
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		probe := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
			return problemMethod
		}
	}
	return problemNotFound
}
