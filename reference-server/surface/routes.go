package surface

import (
	"net/http"

	"github.com/cstest/cstest/reference-server/routes"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/wire"
)

// Endpoint is one row of the route table.
type Endpoint struct {
	Method string
	Path   string
	Turn   bool       // takes part in the gates: drain, in flight, rate limits
	Role   token.Role // needed role; empty: no token at all
	route  route
	early  bool // waits for room among the turns in flight, or is turned away
	pass   bool // takes a pass in place of a token
	free   bool // stands before every gate: who asks so judges the server
	handle func(*exchange) error
}

// Endpoints is the public route table, complete: tests hold every row against every
// kind of caller, and every other spelling of its path.
func (s *Surface) Endpoints() []Endpoint {
	list := []Endpoint{
		{Method: "POST", Path: "/v1/chat", route: routeChat, Turn: true, Role: token.User, early: true, handle: s.chat},
		{Method: "POST", Path: "/chat", route: routeChat, Turn: true, Role: token.User, early: true, handle: s.chat},
		{Method: "POST", Path: "/v1/chat/stream", route: routeStream, Turn: true, Role: token.User, early: true, handle: s.stream},
		{Method: "POST", Path: "/v1/chat/async", route: routeAsync, Turn: true, Role: token.User, handle: s.async},
		{Method: "POST", Path: "/v1/chat/ticket", route: routeCustomer, Role: token.User, handle: s.pass},
		{Method: "GET", Path: "/v1/chat/ws", route: routeCustomer, Role: token.User, pass: true, handle: s.customerSocketOpen},
		{Method: "GET", Path: "/v1/jobs/{id}", route: routeJob, Role: token.User, handle: s.jobGet},
		{Method: "DELETE", Path: "/v1/jobs/{id}", route: routeJob, Role: token.User, handle: s.jobDelete},
		{Method: "GET", Path: "/v1/dialogs/{id}", route: routeDialog, Role: token.User, handle: s.dialogGet},
		{Method: "DELETE", Path: "/v1/dialogs/{id}", route: routeDialog, Role: token.User, handle: s.dialogDelete},
		{Method: "GET", Path: "/v1/tickets/{id}", route: routeTicket, Role: token.User, handle: s.ticketGet},
		{Method: "POST", Path: "/v1/agent/ticket", route: routeAgent, Role: token.Agent, handle: s.pass},
		{Method: "GET", Path: "/v1/agent/ws", route: routeAgent, Role: token.Agent, pass: true, handle: s.agentSocketOpen},
		{Method: "GET", Path: "/healthz", route: routeHealth, free: true, handle: health(s.Live)},
		{Method: "GET", Path: "/readyz", route: routeHealth, free: true, handle: health(s.Ready)},
	}
	if s.Mint != nil {
		list = append(list, Endpoint{Method: "POST", Path: "/dev/token", route: routeOther, handle: s.devToken})
	}
	return list
}

// health answers with what another room knows of the server.
func health(of func() (status int, document wire.JSON)) func(*exchange) error {
	return func(x *exchange) error {
		x.send(of())
		return nil
	}
}

// Handler serves all of it: what is at no path of the table, too, goes through the same
// exchange.
func (s *Surface) Handler() http.Handler {
	var table routes.Table[http.HandlerFunc]
	for _, e := range s.Endpoints() {
		table.Add(e.Method, e.Path, s.serve(e))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, refused := table.Find(r)
		if refused != nil {
			answer = s.serve(Endpoint{route: routeOther, handle: func(*exchange) error { return refused }})
		}
		answer(w, r)
	})
}
