package desk

import (
	"net/http"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/ws"
)

// Agent is whoever opened a socket.
type Agent struct {
	dialog.Owner
	TraceID string
	Until   time.Time // its token is taken: then the socket ends
}

// Accept upgrades the connection of an agent whose request was found good; the
// socket lives on after it. Errors: ErrDraining and ErrFull, for which the
// caller answers, and *ws.HandshakeError.
func (d *Desk) Accept(w http.ResponseWriter, r *http.Request, a Agent, limit int) error {
	if err := d.reserve(int64(limit)); err != nil {
		return err
	}
	conn, raw, err := ws.Accept(w, r, Protocol)
	if err != nil {
		d.unreserve()
		return err
	}
	d.metrics.accepted.Inc()
	newSocket(d, a, conn, raw).start()
	return nil
}
