package surface

import (
	"errors"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/dialog"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
)

// chat answers one turn.
func (s *Surface) chat(x *exchange) error {
	if prefersAsync(x.r) {
		x.w.Header().Set("Preference-Applied", "respond-async")
		return s.async(x)
	}
	if err := s.open(x); err != nil {
		return err
	}
	t := x.turn
	if err := t.Enter(x.r.Context()); err != nil {
		return err
	}
	defer t.Leave()
	body, err := t.Run(x.r.Context())
	if err != nil {
		return err
	}
	o := t.Outcome()
	tier, group := o.Tier.String(), o.Group
	if t.Replayed() {
		x.header("Idempotent-Replay", "true")
		tier, group = gjson.GetBytes(body, "tier").Str, gjson.GetBytes(body, "group").Str
	}
	x.header("X-Degrade-Tier", tier)
	x.header("X-Release-Group", group)
	x.header("Server-Timing", t.Timing())
	x.send(http.StatusOK, body)
	return nil
}

// open reads the turn of an authenticated caller.
func (s *Surface) open(x *exchange) error {
	body, err := s.readBody(x)
	if err != nil {
		return err
	}
	return s.openTurn(x, body)
}

// openTurn makes the turn of an authenticated caller's message.
func (s *Surface) openTurn(x *exchange, body []byte) error {
	q, err := decodeRequest(body)
	if err != nil {
		if errors.Is(err, errField) {
			return problem.Fields(strings.TrimPrefix(err.Error(), errField.Error()+": "))
		}
		return problem.Syntax
	}
	if q.uid != "" && q.uid != x.who.UID {
		return problem.UID
	}
	if q.dialogID == "" {
		if full := s.Gates.Dialogs.Take(quota.Key(x.who.Owner), x.set.LimitDialogs, x.start); full != nil {
			return s.limited(full)
		}
	}
	x.turn, err = s.Chat.Open(chat.Message{Who: x.who.Owner, Caller: s.caller(x), DialogID: q.dialogID, TurnID: q.turnID, Text: q.text, Start: x.start, Trace: x.tr})
	return err
}

// owned checks an id in the path, before anything is looked up.
func (s *Surface) owned(x *exchange, kind byte) (string, error) {
	id := x.r.PathValue("id")
	if !dialog.IsID(id) || !s.IDs.Owns(id, kind, x.who.Owner) {
		return "", problem.NotFound
	}
	return id, nil
}
