package refserver

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/desk"
)

var (
	problemUpgrade = &problem{
		status: http.StatusUpgradeRequired, code: "upgrade-required", detail: "this is a WebSocket of RFC 6455 over HTTP/1.1",
		header: map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"},
	}
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
