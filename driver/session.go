package driver

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	"github.com/cstest/cstest/driver/internal/find"
	"github.com/cstest/cstest/driver/internal/jsonscan"
	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
)

// session is what a user's requests have in common: login, cookies, and what a
// conversation begins with.
type session struct {
	login  []*step
	before []*step
	again  find.All // an answer that says that the login has run out
	lookup jsonscan.Places
	reads  bool
	origin *url.URL // where cookies are kept for; nil where they are not
}

// newSession compiles the steps around turns.
func (p *plan) newSession(target *scenario.Target, prefix string, base []wire.Field) error {
	s := &p.session
	var err error
	if s.login, err = p.newSteps(target.Login.All(), "login", prefix, base); err != nil {
		return errors.New(strings.Replace(err.Error(), "login[0].", "login.", 1))
	}
	if s.before, err = p.newSteps(target.Before, "before", prefix, base); err != nil {
		return err
	}
	if target.Login == nil {
		return nil
	}
	paths := &find.Paths{Of: map[int]string{}}
	if s.again, err = find.Conditions(target.Login.AgainOn, paths); err != nil {
		return err
	}
	s.lookup, s.reads = jsonscan.Compile(paths.Of), paths.Next > 0
	p.slots = max(p.slots, paths.Next)
	return nil
}

// enter logs the user in and begins the conversation, where that is still to be
// done. ready tells whether the turn may be sent; else reply or f says why not.
func (ch *channel) enter(x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	s, turn := &ch.client.plan.session, x.values.turn
	if len(ch.saved) > 0 || len(s.before) > 0 {
		if !ch.begun || ch.number != turn.Number {
			ch.number, ch.begun, ch.prepared = turn.Number, true, false
			ch.forgetSaved()
		}
	}
	in := len(s.login) == 0 || x.values.user.state.in
	if in && (len(s.before) == 0 || ch.prepared) {
		return true, wire.Fault{}
	}
	from := ch.client.plan.Now()
	if !in {
		if ready, f = ch.login(x, reply); !ready {
			return false, f
		}
		reply.LoggedIn = true
	}
	if !ch.prepared {
		if ready, f = ch.prepare(x, reply); !ready {
			return false, f
		}
	}
	ch.forget(x)
	reply.Login = ch.client.plan.Now() - from
	return true, wire.Fault{}
}

// login logs the user in.
func (ch *channel) login(x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	state := &ch.user.state
	state.login = make(map[string]string)
	x.Deadline = ch.client.plan.Now() + ch.client.plan.Timeout
	for _, s := range ch.client.plan.session.login {
		if ready, f = s.run(ch, x, reply, false); !ready {
			return false, f
		}
	}
	state.in = true
	return true, wire.Fault{}
}

// prepare does what a conversation begins with.
func (ch *channel) prepare(x *exchange, reply *Reply) (ready bool, f wire.Fault) {
	x.Deadline = ch.client.plan.Now() + ch.client.plan.Timeout
	for _, s := range ch.client.plan.session.before {
		if s.message {
			if ready, f = s.greet(ch, x, reply); !ready {
				return false, f
			}
			continue
		}
		if ready, f = s.run(ch, x, reply, false); !ready {
			return false, f
		}
	}
	ch.prepared = true
	return true, wire.Fault{}
}

// forget makes x ready for the turn, behind a login: what it took to connect is the
// turn's.
func (ch *channel) forget(x *exchange) {
	connect := x.Connect
	x.begin()
	x.Connect = connect
}

// expired tells whether the answer in x says that a login of an earlier turn has
// run out. The server has then done nothing, so that the turn may be sent again.
func (ch *channel) expired(x *exchange, reply *Reply) bool {
	s := &ch.client.plan.session
	if len(s.login) == 0 || x.values.turn.Forge != nil || reply.LoggedIn || !ch.user.state.in || x.Head.Status == 0 {
		return false
	}
	if x.Head.Status == http.StatusUnauthorized || x.again {
		return true
	}
	return !x.Streamed && s.says(x, x.Body)
}

// says tells whether an answer, or an event of a stream, is one of a login that has
// run out.
func (s *session) says(x *exchange, data []byte) bool {
	if !s.again.Named() {
		return false
	}
	look := find.Answer{JSON: x.scanner.Values, Head: &x.Head, Body: data}
	if !s.reads || !s.lookup.Find(&x.scanner, data) {
		look.JSON = nil
	}
	return s.again.Hold(&look)
}

// again logs in anew and sends the turn once more.
func (ch *channel) again(x *exchange, reply *Reply) wire.Fault {
	p := ch.client.plan
	*reply = Reply{OK: true, ContextTurns: -1, buffer: x, Begun: reply.Begun, Login: reply.Login}
	from := p.Now()
	ch.user.state.in = false
	ch.hangUp() // the socket is that of the login before
	ready, f := ch.login(x, reply)
	if !ready {
		return f
	}
	ch.forget(x)
	reply.LoggedIn, reply.Renewed, reply.Login = true, true, reply.Login+p.Now()-from
	x.Deadline = reply.until(x.values.turn, p.Now()+p.Timeout)
	return ch.turn(x, reply)
}

// jar keeps a user's cookies, for one origin.
type jar struct{ cookies *cookiejar.Jar }

// hear keeps the cookies that an answer to path sets.
func (s *session) hear(user *User, h *wire.Head, path string) {
	var set []*http.Cookie
	for _, f := range h.Fields {
		if f.Name != "set-cookie" {
			continue
		}
		if c, err := http.ParseSetCookie(string(f.Value)); err == nil {
			set = append(set, c)
		}
	}
	if len(set) == 0 {
		return
	}
	if user.state.jar == nil {
		cookies, err := cookiejar.New(nil) // without options it does not fail
		if err != nil {
			return
		}
		user.state.jar = &jar{cookies}
	}
	user.state.jar.cookies.SetCookies(s.at(path), set)
}

// at is the address of a request, for the rules of cookies.
func (s *session) at(path string) *url.URL {
	u := *s.origin
	u.Path, _, _ = strings.Cut(path, "?")
	return &u
}

// appendCookies writes the user's cookies that go with a request to path.
func (s *session) appendCookies(dst []byte, user *User, path string) []byte {
	if user.state.jar == nil {
		return dst
	}
	for i, c := range user.state.jar.cookies.Cookies(s.at(path)) {
		if i > 0 {
			dst = append(dst, "; "...)
		}
		dst = append(append(append(dst, c.Name...), '='), c.Value...)
	}
	return dst
}
