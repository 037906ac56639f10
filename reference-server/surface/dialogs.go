package surface

import (
	"context"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/wire"
)

// dialogGet shows the turns of a dialog, as they were masked.
func (s *Surface) dialogGet(x *exchange) error {
	id, err := s.owned(x, dialog.IDDialog)
	if err != nil {
		return err
	}
	turns, err := s.Dialogs.History(x.r.Context(), id)
	if err != nil {
		return err
	}
	if len(turns) == 0 {
		return problem.NotFound
	}
	j := wire.JSON(nil).Object("").String("dialog_id", id).Int("epoch", turns[0].Epoch).Array("turns")
	for i := range turns {
		said := gjson.GetManyBytes(turns[i].Response, "answer", "tier")
		j = j.Object("").Int("seq", int64(turns[i].Seq)).String("turn_id", turns[i].TurnID).String("user", turns[i].User).
			String("answer", said[0].Str).String("tier", said[1].Str)
		if len(turns[i].Notes) > 0 {
			j = j.Array("replies")
			for _, n := range turns[i].Notes {
				j = j.Object("").StringIf("ticket_id", n.Ticket).StringIf("agent", n.Agent).StringIf("turn_id", n.Turn).String("text", n.Text).EndObject()
			}
			j = j.EndArray()
		}
		j = j.EndObject()
	}
	x.send(http.StatusOK, j.EndArray().EndObject())
	return nil
}

// dialogDelete erases a dialog with its jobs, its tickets and what waits to be asked
// again; erasing nothing is fine, too. The dialog goes first, for the mark that it leaves:
// whatever is written of it from then on is refused, or taken back by its writer, on any
// server; and what was written before is found by what follows. Without Redis it fails,
// and says so: nobody could tell the other servers.
func (s *Surface) dialogDelete(x *exchange) error {
	id, err := s.owned(x, dialog.IDDialog)
	if err != nil {
		return err
	}
	for _, erase := range []func(context.Context, string) error{s.Dialogs.Erase, s.Jobs.Erase, s.Desk.Erase, s.Backflow.Erase} {
		if err := erase(x.r.Context(), id); err != nil {
			return err
		}
	}
	x.status = http.StatusNoContent
	x.w.WriteHeader(http.StatusNoContent)
	return nil
}

// ticketGet shows where a hand-off stands.
func (s *Surface) ticketGet(x *exchange) error {
	id, err := s.owned(x, dialog.IDTicket)
	if err != nil {
		return err
	}
	t, ok, err := s.Desk.Ticket(x.r.Context(), id)
	if err != nil {
		return err
	}
	if !ok {
		return problem.Lost // the id is good: there was such a ticket
	}
	x.send(http.StatusOK, t.JSON())
	return nil
}
