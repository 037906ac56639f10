package refserver

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/desk"
	"github.com/cstest/cstest/reference-server/dialog"
)

// onceTicketLife is how long a one-time ticket is good. A browser cannot send
// an Authorization header with an upgrade, so it trades its token for one.
const onceTicketLife = 30 * time.Second

// onceKey never holds the ticket itself: who can read Redis gains nothing.
func onceKey(ticket string) string {
	sum := sha256.Sum256([]byte(ticket))
	return "agt:{" + hex.EncodeToString(sum[:16]) + "}"
}

// onceTicket is what Redis keeps of a one-time ticket.
type onceTicket struct {
	UID    string `json:"uid"`
	Tenant string `json:"tenant"`
	Role   string `json:"role"`
}

// agentTicket trades an agent's token for a one-time ticket.
func (s *Server) agentTicket(x *exchange) error {
	if s.draining.Load() {
		return problemDraining
	}
	if q := s.gates.allowUser(x.who, x.set, x.start); q != nil {
		return x.limited(q)
	}
	ticket := rand.Text()
	b, err := json.Marshal(onceTicket{x.who.UID, x.who.Tenant, x.who.role})
	if err != nil {
		return err
	}
	if err := s.store.Redis.Set(x.r.Context(), onceKey(ticket), b, onceTicketLife).Err(); err != nil {
		return problemState
	}
	x.send(http.StatusOK, fmt.Appendf(nil, `{"ticket":%q,"expires_in_s":%d}`, ticket, int(onceTicketLife.Seconds())))
	return nil
}

// redeem uses up a one-time ticket. Errors are *problem.
func (s *Server) redeem(x *exchange, ticket string) (identity, error) {
	if len(s.cfg.Secrets) == 0 {
		return identity{}, problemNoKey
	}
	if len(ticket) == 0 || len(ticket) > 64 {
		return identity{}, problemToken
	}
	b, err := s.store.Redis.GetDel(x.r.Context(), onceKey(ticket)).Bytes()
	if dialog.IsNil(err) {
		return identity{}, problemToken
	}
	if err != nil {
		return identity{}, problemState
	}
	var t onceTicket
	if json.Unmarshal(b, &t) != nil {
		return identity{}, problemToken
	}
	return identity{Owner: dialog.Owner{Tenant: t.Tenant, UID: t.UID}, role: t.Role}, nil
}

// identify finds out who calls: by the Authorization header, or by a one-time
// ticket where the endpoint takes them, never by both. A token in the query is
// refused even beside a good header, because URLs end up in logs. Errors are
// *problem.
func (x *exchange) identify(e endpoint) (identity, error) {
	if e.once {
		q := x.r.URL.Query()
		for name := range q {
			if slices.Contains([]string{"token", "access_token", "id_token", "jwt", "bearer", "authorization"}, strings.ToLower(name)) {
				return identity{}, problemToken
			}
		}
		if tickets, ok := q["ticket"]; ok {
			if len(tickets) != 1 || len(x.r.Header.Values("Authorization")) > 0 {
				return identity{}, problemToken
			}
			return x.srv.redeem(x, tickets[0])
		}
	}
	who, err := x.srv.verifier.request(x.r)
	if err != nil {
		return identity{}, tokenProblem(err)
	}
	return who, nil
}

var (
	problemUpgrade = &problem{status: http.StatusUpgradeRequired, code: "upgrade-required", detail: "this is a WebSocket of RFC 6455 over HTTP/1.1",
		header: map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}}
	problemHandshake   = &problem{status: http.StatusBadRequest, code: "handshake", detail: "Sec-WebSocket-Key must be there once, with 16 bytes in base64"}
	problemSubprotocol = &problem{status: http.StatusBadRequest, code: "subprotocol", detail: "the subprotocol " + desk.Protocol + " is needed"}
	problemOrigin      = &problem{status: http.StatusForbidden, code: "origin", detail: "a page of another origin may not open this"}
	problemSockets     = &problem{status: http.StatusServiceUnavailable, code: "sockets-full", detail: "too many agents are connected here", retry: 5 * time.Second}
)

// agentSocketOpen upgrades the connection of an agent. The socket lives on
// after the exchange.
func (s *Server) agentSocketOpen(x *exchange) error {
	refuse := func(p *problem) error {
		s.metrics.desk.Refused(p.code)
		return p
	}
	if p := s.handshake(x.r); p != nil {
		return refuse(p)
	}
	err := s.desk.Accept(x.w, x.r, desk.Agent{Owner: x.who.Owner, TraceID: x.tr.ID}, int(x.set.agentMaxSockets))
	var broken *desk.HandshakeError
	switch {
	case errors.As(err, &broken):
		s.metrics.desk.Refused(problemHandshake.code)
		x.status = http.StatusBadRequest // it has been answered
		return nil
	case errors.Is(err, desk.ErrDraining):
		return refuse(problemDraining)
	case errors.Is(err, desk.ErrFull):
		return refuse(problemSockets)
	}
	x.status = http.StatusSwitchingProtocols
	return err
}

// handshake says what is wrong with the request for an upgrade; nil: nothing.
func (s *Server) handshake(r *http.Request) *problem {
	switch {
	case r.ProtoMajor != 1 || r.ProtoMinor < 1 || !hasToken(r.Header, "Connection", "upgrade") || !hasToken(r.Header, "Upgrade", "websocket") ||
		r.Header.Get("Sec-Websocket-Version") != "13":
		return problemUpgrade
	case !goodKey(r.Header.Values("Sec-Websocket-Key")):
		return problemHandshake
	case !s.sameOrigin(r):
		return problemOrigin
	case !slices.Contains(tokens(r.Header, "Sec-Websocket-Protocol"), desk.Protocol):
		return problemSubprotocol
	}
	return nil
}

// sameOrigin: a caller without Origin is no browser. A browser must be on a
// page of this very host, or of one in the list. On loopback the host must be
// an address: a name can be made to resolve to loopback by anybody.
func (s *Server) sameOrigin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	if slices.Contains(s.cfg.TrustedOrigins, values[0]) {
		return true
	}
	u, err := url.Parse(values[0])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return false
	}
	name := u.Hostname()
	return !loopback(s.publicAddr) || name == "localhost" || net.ParseIP(name) != nil
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
