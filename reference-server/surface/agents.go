package surface

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/token"
	"github.com/cstest/cstest/reference-server/wire"
	"github.com/cstest/cstest/reference-server/ws"
)

// pass trades a token for a pass, which opens a socket.
func (s *Surface) pass(x *exchange) error {
	if s.Draining() {
		return problem.Draining
	}
	if q := s.Gates.Own(x.who.Owner, limits(x.set), x.start); q != nil {
		return s.limited(q)
	}
	pass, err := s.Passes.Issue(x.r.Context(), x.who)
	if err != nil {
		return err
	}
	x.send(http.StatusOK, wire.JSON(nil).Object("").String("ticket", pass).Int("expires_in_s", int64(token.PassLife.Seconds())).EndObject())
	return nil
}

// UpgradeRefusals are the codes with which an agent's socket is refused.
func UpgradeRefusals() []string {
	return []string{problem.Upgrade.Code, problem.Handshake.Code, problem.Origin.Code, problem.Subprotocol.Code, problem.Sockets.Code, problem.Draining.Code}
}

// agentSocketOpen upgrades the connection of an agent. The socket lives on
// after the exchange.
func (s *Surface) agentSocketOpen(x *exchange) error {
	refuse := func(p *problem.Problem) error {
		s.Desk.Refused(p.Code)
		return p
	}
	if p := s.handshake(x.r, desk.Protocol, problem.Subprotocol); p != nil {
		return refuse(p)
	}
	err := s.Desk.Accept(x.w, x.r, desk.Agent{Owner: x.who.Owner, TraceID: x.tr.ID, Until: x.who.Until}, int(x.set.AgentMaxSockets))
	var broken *ws.HandshakeError
	switch {
	case errors.As(err, &broken):
		s.Desk.Refused(problem.Handshake.Code)
		x.status = http.StatusBadRequest // it has been answered
		return nil
	case errors.Is(err, desk.ErrDraining):
		return refuse(problem.Draining)
	case errors.Is(err, desk.ErrFull):
		return refuse(problem.Sockets)
	}
	x.status = http.StatusSwitchingProtocols
	return err
}

// handshake says what is wrong with the request for an upgrade to a subprotocol; nil:
// nothing, another: what is said where the subprotocol is not offered.
func (s *Surface) handshake(r *http.Request, subprotocol string, another *problem.Problem) *problem.Problem {
	switch {
	case r.Method != http.MethodGet || r.ProtoMajor != 1 || r.ProtoMinor < 1 || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") ||
		r.Header.Get("Sec-Websocket-Version") != "13":
		return problem.Upgrade
	case !goodKey(r.Header.Values("Sec-Websocket-Key")):
		return problem.Handshake
	case !s.sameOrigin(r):
		return problem.Origin
	case !slices.Contains(tokens(r.Header, "Sec-Websocket-Protocol"), subprotocol):
		return another
	}
	return nil
}

// sameOrigin: a caller without Origin is no browser. A browser must be on a
// page of this very host, or of one in the list. On loopback the host must be
// an address: a name can be made to resolve to loopback by anybody.
func (s *Surface) sameOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	if slices.Contains(s.Origins, values[0]) {
		return true
	}
	u, err := url.Parse(values[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return false
	}
	name := u.Hostname()
	return !s.Loopback() || name == "localhost" || net.ParseIP(name) != nil
}

// tokens are the comma-separated values of a header.
func tokens(h http.Header, name string) []string {
	var list []string
	for _, v := range h.Values(name) {
		for t := range strings.SplitSeq(v, ",") {
			list = append(list, strings.TrimSpace(t))
		}
	}
	return list
}

func hasToken(h http.Header, name, token string) bool {
	return slices.ContainsFunc(tokens(h, name), func(t string) bool { return strings.EqualFold(t, token) })
}

func goodKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(b) == 16
}
