package driver

import (
	"bytes"
	"slices"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
)

// Forge is what a turn is sent with in the place of what is its user's own.
type Forge struct {
	Token   scenario.ForgedToken
	Claims  map[string]string // instead of a signed token's own
	Headers map[string]string // by name in lower case, one of Options.Forged; an empty one is left out
}

// apart tells whether the turn is sent with what is not its user's own, so that a socket
// that the user has open says who asks, and is no way for it.
func (t *Turn) apart() bool {
	f := t.Forge
	return t.As != nil || f != nil && (f.Token != "" || len(f.Claims)+len(f.Headers) > 0)
}

// apart has the turn over a socket of its own, which is opened with what is forged. The
// user's own is left as it is.
func (ch *channel) apart(x *exchange, reply *Reply) wire.Fault {
	other := &channel{client: ch.client, user: ch.user, saved: slices.Clone(ch.saved), forged: true, customer: &customer{}}
	other.customer.standing.Store(ch.customer.standing.Load())
	x.values.saved = other.saved
	f := other.speak(x, reply)
	x.values.saved = ch.saved
	other.hangUp()
	other.client.carrier.Leave(&other.link)
	return f
}

// forgeable has the requests of a turn look for what is forged. Others, and all of
// targets whose turns are their users' own, are as they ever were.
func (p *plan) forgeable() {
	if len(p.opts.Forged) == 0 {
		return
	}
	requests := []*wire.Request{&p.turn, &p.poll}
	for _, s := range p.then {
		if !s.message {
			requests = append(requests, &s.Request)
		}
	}
	if p.socket != nil {
		p.socket.forged = p.socket.upgrade
		requests = append(requests, &p.socket.forged)
	}
	for _, q := range requests {
		q.Fields = slices.Clone(q.Fields)
		for _, name := range p.opts.Forged {
			at := slices.IndexFunc(q.Fields, func(f wire.Field) bool { return f.Name == name })
			if at < 0 {
				at = len(q.Fields)
				q.Fields = append(q.Fields, wire.Field{Name: name})
			}
			f := &q.Fields[at]
			own := f.Value
			f.Value, f.Maybe = template.Instead(own, func(b []byte, v *wire.Values) ([]byte, bool) {
				return forgeHeader(b, v, name, own)
			}), true
		}
	}
}

const authorization = "authorization"

// forgeHeader appends what the turn has instead of a header; false where that is its
// user's own.
func forgeHeader(b []byte, v *wire.Values, name string, own wire.Text) ([]byte, bool) {
	forge := of(v).turn.Forge
	if forge == nil {
		return b, false
	}
	if value, forged := forge.Headers[name]; forged {
		return append(b, value...), true
	}
	switch {
	case name != authorization:
		return b, false
	case forge.Token == scenario.TokenMissing:
		return b, true
	case len(of(v).forged) > 0:
		return append(append(b, "Bearer "...), of(v).forged...), true
	case forge.Token == scenario.TokenTampered:
		from := len(b)
		b = own.Append(b, v)
		tamper(b[from:])
		return b, true
	}
	return b, false
}

// forge gives the token of a turn that is not its user's own.
func (s *signer) forge(f *Forge, user *User, now time.Time) ([]byte, error) {
	issued := now
	if f.Token == scenario.TokenExpired { // an hour ago, beyond what clocks may differ
		issued = now.Add(-time.Hour - s.ttl)
	}
	claims := s.own(user, issued)
	for name, value := range f.Claims {
		claims[name] = value
	}
	token, err := s.signed(claims)
	if err != nil {
		return nil, err
	}
	forged := []byte(token)
	if f.Token == scenario.TokenTampered {
		tamper(forged)
	}
	return forged, nil
}

// tamper changes a character of a token: of a JWT the first of its signature, whose
// bits all count; of others the one in the middle.
func tamper(token []byte) {
	if len(token) == 0 {
		return
	}
	at := bytes.LastIndexByte(token, '.') + 1
	if at == 0 || at == len(token) {
		at = len(token) - (len(token)-bytes.LastIndexByte(token, ' '))/2
	}
	at = min(at, len(token)-1)
	if token[at] == 'A' {
		token[at] = 'B'
		return
	}
	token[at] = 'A'
}
