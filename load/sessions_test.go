package load

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/measure"
	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// What servers do with the names of dialogs, what turns come to, and what is said
// of it, once.
func TestWhatBecomesOfSessions(t *testing.T) {
	ok, integrity := measure.OK, measure.Integrity
	for name, tt := range map[string]struct {
		id      func(turn *driver.Turn, reply *driver.Reply)
		outcome measure.Outcome // of second turns
		says    []reason.Code
	}{
		"kept": {func(*driver.Turn, *driver.Reply) {}, ok, nil},
		"another id each turn": {func(turn *driver.Turn, r *driver.Reply) {
			r.DialogID = fmt.Appendf(nil, "%x-%d", turn.TraceID, turn.Index)
		}, ok, []reason.Code{reason.DialogChangesID}},
		"another dialog's id": {func(turn *driver.Turn, r *driver.Reply) {
			if turn.Index == 0 {
				r.DialogID = fmt.Appendf(nil, "d-%x", turn.TraceID)
				return
			}
			other := byte('0')
			if turn.DialogID[len(turn.DialogID)-1] == '0' {
				other = '1'
			}
			r.DialogID = append(turn.DialogID[:len(turn.DialogID)-1:len(turn.DialogID)-1], other)
		}, ok, []reason.Code{reason.DialogChangesID}},
		"the same id for all": {func(_ *driver.Turn, r *driver.Reply) { r.DialogID = []byte("one") }, ok, nil},
		"the id of the first dialog from the second turn on": {func(turn *driver.Turn, r *driver.Reply) {
			if firstDialog == "" {
				firstDialog = string(r.DialogID)
			}
			if turn.Index > 0 {
				r.DialogID = []byte(firstDialog)
			}
		}, integrity, nil},
		"never named": {func(_ *driver.Turn, r *driver.Reply) { r.DialogID = nil }, ok, []reason.Code{reason.DialogNeverNamed}},
		"a cookie":    {func(_ *driver.Turn, r *driver.Reply) { r.Cookie = true }, ok, []reason.Code{reason.CookieIgnored}},
		"logins": {func(turn *driver.Turn, r *driver.Reply) {
			r.LoggedIn, r.Renewed, r.Login = true, turn.Index == 1, time.Microsecond
		}, ok, []reason.Code{reason.LoginsMade}},
		"named when refused": {func(turn *driver.Turn, r *driver.Reply) {
			if turn.Index == 0 {
				r.DialogID = nil
				return
			}
			r.Status = 500
		}, measure.ServerError, []reason.Code{reason.DialogNeverNamed}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				firstDialog = ""
				sc := open(10, 2*time.Second, say("一", "二")...)
				sc.Target.API, sc.Target.Response = scenario.APICustom, &scenario.Response{DialogID: "id"}
				f := newFake()
				f.answer = func(_ time.Duration, _ *driver.User, turn *driver.Turn, r *driver.Reply) time.Duration {
					f.mu.Lock()
					defer f.mu.Unlock()
					tt.id(turn, r)
					return time.Millisecond
				}
				b, s := drive(t, always(), sc, f, nil)
				want := 20
				if tt.outcome == integrity {
					want = 19 // the first dialog's own id is its own
				}
				if got := b.outcomes()[tt.outcome]; tt.outcome == ok && got != 40 || tt.outcome != ok && got != want {
					t.Errorf("outcomes %v", b.outcomes())
				}
				var said []reason.Code
				for _, i := range s.Incidents {
					if i.Kind != measure.Sessions || i.At != 0 || i.By != 0 {
						t.Errorf("%+v", i)
					}
					said = append(said, i.What.Code)
				}
				if !slices.Equal(said, tt.says) {
					t.Errorf("says %v, want %v", said, tt.says)
				}
			})
		})
	}
}

var firstDialog string

// A place that was taken over is nobody's but the last one's.
func TestSessionsForgetRatherThanAccuse(t *testing.T) {
	s := newSessions()
	for k := range int64(3 * knownDialogs) {
		id := fmt.Appendf(nil, "dialog-%d", k)
		if s.ofAnother(id, k) {
			t.Fatalf("%s is new, and taken for another's", id)
		}
		s.claim(id, k)
		if s.ofAnother(id, k) || !s.ofAnother(id, k+1) {
			t.Fatalf("%s is not known to be conversation %d's", id, k)
		}
		s.claim(id, k+1)
		if s.ofAnother(id, k) {
			t.Fatalf("%s was taken over", id)
		}
	}
}
