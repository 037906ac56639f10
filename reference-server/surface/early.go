package surface

import (
	"errors"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/cstest/cstest/reference-server/chat"
	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/quota"
	"github.com/cstest/cstest/reference-server/routes"
)

// Early is a front.Desk: a dialog that begins and would be turned away at once is so
// here, in the words of Handler, for a part of what it costs there.
type Early struct {
	surface *Surface
	table   routes.Table[Endpoint]
}

// Early makes the early side of the surface.
func (s *Surface) Early() *Early {
	e := &Early{surface: s}
	for _, row := range s.Endpoints() {
		e.table.Add(row.Method, row.Path, row)
	}
	return e
}

// Crowded says whether many turns are turned away.
func (e *Early) Crowded() bool { return e.surface.Chat.Limiter.Crowded() }

// Expect counts a request that is on its way to Handler, until arrived is called.
func (e *Early) Expect() (arrived func()) { return e.surface.Chat.Limiter.Expect() }

// Answer turns a request away, or does nothing and returns false. hold is for how long the
// answer is to be held back.
func (e *Early) Answer(w http.ResponseWriter, r *http.Request) (hold time.Duration, answered bool) {
	s := e.surface
	defer func() { // nobody else would in the loop that accepts connections
		if v := recover(); v != nil {
			s.Log.Error("panic", "value", v, "stack", string(debug.Stack()))
			hold, answered = 0, false
		}
	}()
	to, wrong := e.table.Find(r)
	if wrong != nil || !to.early || s.Draining() || prefersAsync(r) {
		return 0, false
	}
	x := s.exchange(w, r)
	hold, err := s.early(x)
	if !errors.Is(err, chat.ErrShed) {
		return 0, false
	}
	s.fail(x, err)
	s.note(x, to.route, to.Turn, time.Since(x.start)+hold)
	return hold, true
}

// early is chat.ErrShed where the chat turns a request away, as far as it is looked at:
// whose token it is costs more to find out than all else, and who is turned away gets
// nothing. Any other error is found again by Handler.
func (s *Surface) early(x *exchange) (hold time.Duration, err error) {
	if q := s.Gates.Refused.Peek(quota.Address(x.r.RemoteAddr), x.set.LimitRefused, x.start); q != nil {
		return 0, problem.RateLimited
	}
	if !strings.HasPrefix(x.r.Header.Get("Authorization"), "Bearer ") {
		return 0, problem.Token
	}
	body, err := readRequest(x.r)
	if err != nil {
		return 0, err
	}
	q, err := decodeRequest(body)
	if err != nil || q.dialogID != "" {
		return 0, err
	}
	return s.Chat.Refuse(s.caller(x), q.text)
}
