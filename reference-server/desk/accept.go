package desk

import (
	"bufio"
	"net"
	"net/http"

	"github.com/coder/websocket"

	"github.com/cstest/cstest/reference-server/dialog"
)

// Agent is whoever opened a socket.
type Agent struct {
	dialog.Owner
	TraceID string
}

// Accept upgrades the connection of an agent whose request was found good; the
// socket lives on after it. Errors: ErrDraining and ErrFull, for which the
// caller answers, and *HandshakeError.
func (d *Desk) Accept(w http.ResponseWriter, r *http.Request, a Agent, limit int) error {
	if err := d.reserve(int64(limit)); err != nil {
		return err
	}
	h := &hijacked{ResponseWriter: w}
	// Who may open it was decided before, with words of the server for a no.
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{Subprotocols: []string{Protocol}, InsecureSkipVerify: true})
	if err != nil {
		d.unreserve()
		return &HandshakeError{err}
	}
	d.metrics.accepted.Inc()
	newSocket(d, a, conn, h.conn).start()
	return nil
}

// HandshakeError is for a request that could not be upgraded. It has been
// answered.
type HandshakeError struct{ err error }

// Error is what the WebSocket library found wrong.
func (e *HandshakeError) Error() string { return e.err.Error() }

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
