package surface

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/customer"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/trace"
	"github.com/cstest/cstest/reference-server/ws"
)

// CustomerRefusals are the codes with which a customer's socket is refused.
func CustomerRefusals() []string {
	return []string{problem.Upgrade.Code, problem.Handshake.Code, problem.Origin.Code, problem.Protocol.Code, problem.Customers.Code, problem.OwnSockets.Code, problem.Draining.Code}
}

// customerSocketOpen upgrades the connection of a customer. The socket lives on after the
// exchange.
func (s *Surface) customerSocketOpen(x *exchange) error {
	refuse := func(p *problem.Problem) error {
		s.Customers.Refused(p.Code)
		return p
	}
	if p := s.handshake(x.r, customer.Protocol, problem.Protocol); p != nil {
		return refuse(p)
	}
	who := x.who
	err := s.Customers.Accept(x.w, x.r, customer.Caller{
		Owner: who.Owner, Until: who.Until,
		Say: func(ctx context.Context, message []byte) []byte { return s.say(ctx, who, message) },
	})
	var broken *ws.HandshakeError
	switch {
	case errors.As(err, &broken):
		s.Customers.Refused(problem.Handshake.Code)
		x.status = http.StatusBadRequest // it has been answered
		return nil
	case errors.Is(err, customer.ErrDraining):
		return refuse(problem.Draining)
	case errors.Is(err, customer.ErrFull):
		return refuse(problem.Customers)
	case errors.Is(err, customer.ErrMany):
		return refuse(problem.OwnSockets)
	}
	x.status = http.StatusSwitchingProtocols
	return err
}

// say answers a message over a customer's socket: the body of POST /v1/chat, with the
// document that it would have been answered with.
func (s *Surface) say(ctx context.Context, who token.Identity, message []byte) []byte {
	x := &exchange{set: s.Knobs.Load(), tr: trace.From(""), start: time.Now(), who: who, status: http.StatusOK}
	document, err := s.sayTurn(ctx, x, message)
	if err != nil {
		p := s.problem(x, err)
		if errors.Is(err, chat.ErrShed) {
			s.metrics.rejected["shed"].Inc()
		}
		x.status = p.Status
		document = p.Document(x.tr.ID, turnIDIn(message))
	}
	s.note(x, routeCustomerTurn, true, time.Since(x.start))
	return document
}

func (s *Surface) sayTurn(ctx context.Context, x *exchange, message []byte) (_ []byte, err error) {
	defer s.recovered(x, &err)
	if s.Draining() {
		s.metrics.rejected["draining"].Inc()
		return nil, problem.Draining
	}
	if q := s.turnQuota(x); q != nil {
		return nil, s.limited(q)
	}
	if err := s.openTurn(x, message); err != nil {
		return nil, err
	}
	if err := x.turn.Enter(ctx); err != nil {
		return nil, err
	}
	defer x.turn.Leave()
	return x.turn.Run(ctx)
}

// turnIDIn is the id by which a message names its turn, "" where it has no good one.
func turnIDIn(message []byte) string {
	if id := gjson.GetBytes(message, "turn_id").Str; dialog.IsTurnID(id) {
		return id
	}
	return ""
}
