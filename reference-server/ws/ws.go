// Package ws is what the WebSockets of this server share, the agents' and the
// customers': the upgrade, the close codes, and what a failed read means.
package ws

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
)

// Close codes of RFC 6455 and its registry.
const (
	Normal      = 1000
	GoingAway   = 1001
	Protocol    = 1002
	Unsupported = 1003
	Payload     = 1007
	Policy      = 1008
	TooBig      = 1009
	TryAgain    = 1013
)

// CloseCodes are the values of a label that tells how sockets ended; gone: without a
// code.
func CloseCodes() []string {
	return []string{"1000", "1001", "1002", "1003", "1007", "1008", "1009", "1013", "gone", "other"}
}

// HandshakeError is for a request that could not be upgraded. It has been answered.
type HandshakeError struct{ err error }

// Error is what the WebSocket library found wrong.
func (e *HandshakeError) Error() string { return e.err.Error() }

// Accept upgrades a request that was found good to a subprotocol, and gives the
// connection below as well. The error is a *HandshakeError.
func Accept(w http.ResponseWriter, r *http.Request, subprotocol string) (*websocket.Conn, net.Conn, error) {
	h := &hijacked{ResponseWriter: w}
	// Who may open it was decided before, with words of the server for a no.
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}, InsecureSkipVerify: true})
	if err != nil {
		return nil, nil, &HandshakeError{err}
	}
	return conn, h.conn, nil
}

// hijacked keeps the connection that an upgrade takes over.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

// Hijack is that of the wrapped writer.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = c
	return c, rw, err
}

// ReadFault is the close code for what went wrong with a read; 0 means that there is
// nobody left to tell. who is at the other end.
func ReadFault(err error, who string) (code int, reason string) {
	var gone *net.OpError
	switch code := websocket.CloseStatus(err); {
	case code != -1:
		return int(code), "closed by the " + who
	case errors.Is(err, websocket.ErrMessageTooBig):
		return TooBig, "a message may have 16 KiB"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &gone),
		errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return 0, "the connection is gone"
	}
	return Protocol, "this is not RFC 6455"
}
