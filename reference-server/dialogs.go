package refserver

import (
	"errors"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/wire"
)

// owned checks an id in the path, before anything is looked up.
func (x *exchange) owned(kind byte) (string, error) {
	id := x.r.PathValue("id")
	if !dialog.IsID(id) || !x.srv.ids.Owns(id, kind, x.who.Owner) {
		return "", problemNotFound
	}
	return id, nil
}

func stateProblem(err error) error {
	if errors.Is(err, dialog.ErrState) {
		return problemState
	}
	return err
}

// dialogGet shows the turns of a dialog, as they were masked.
func (s *Server) dialogGet(x *exchange) error {
	id, err := x.owned(dialog.IDDialog)
	if err != nil {
		return err
	}
	turns, err := s.store.History(x.r.Context(), id)
	if err != nil {
		return stateProblem(err)
	}
	if len(turns) == 0 {
		return problemNotFound
	}
	j := wire.JSON(nil).Object("").String("dialog_id", id).Int("epoch", turns[0].Epoch).Array("turns")
	for i := range turns {
		said := gjson.GetManyBytes(turns[i].Response, "answer", "tier")
		j = j.Object("").Int("seq", int64(turns[i].Seq)).String("turn_id", turns[i].TurnID).String("user", turns[i].User).
			String("answer", said[0].Str).String("tier", said[1].Str)
		if len(turns[i].Notes) > 0 {
			j = j.Array("replies")
			for _, n := range turns[i].Notes {
				j = j.Object("").String("ticket_id", n.Ticket).String("agent", n.Agent).String("text", n.Text).EndObject()
			}
			j = j.EndArray()
		}
		j = j.EndObject()
	}
	x.send(http.StatusOK, j.EndArray().EndObject())
	return nil
}

// dialogDelete erases a dialog; erasing nothing is fine, too.
func (s *Server) dialogDelete(x *exchange) error {
	id, err := x.owned(dialog.IDDialog)
	if err != nil {
		return err
	}
	if err := s.store.Erase(x.r.Context(), id); err != nil {
		return stateProblem(err)
	}
	x.status = http.StatusNoContent
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

// ticketGet shows where a hand-off stands.
func (s *Server) ticketGet(x *exchange) error {
	id, err := x.owned(dialog.IDTicket)
	if err != nil {
		return err
	}
	t, ok, err := s.desk.Ticket(x.r.Context(), id)
	if err != nil {
		return stateProblem(err)
	}
	if !ok {
		return problemNotFound
	}
	x.send(http.StatusOK, t.JSON())
	return nil
}
