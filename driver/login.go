package driver

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
	"github.com/golang-jwt/jwt/v5"
	"github.com/tidwall/gjson"
)

// userState is what the driver keeps of a user from one conversation to the next.
type userState struct {
	login map[string]string // what the login saved; nil before it
	token string            // the signed token
	until time.Time         // when it should be signed anew
}

// signer makes the tokens of users.
type signer struct {
	secret []byte
	sub    wire.Text
	ttl    time.Duration
	issuer string
	aud    string
	kid    string
	claims map[string]wire.Text
}

// newSigner gives nil where the target has no JWT.
func newSigner(target *scenario.Target, opts *Options) (*signer, error) {
	if target.Auth == nil || target.Auth.JWT == nil {
		return nil, nil
	}
	j := target.Auth.JWT
	secret, err := opts.bind(j.Secret, template.Text)
	if err != nil {
		return nil, fmt.Errorf("auth.jwt.secret: %w", err)
	}
	key, ok := secret.Constant()
	if !ok || key == "" {
		return nil, errors.New("auth.jwt.secret: write the secret, ${env:NAME} or ${file:PATH}")
	}
	s := &signer{secret: []byte(key), ttl: time.Duration(j.TTL), issuer: j.Issuer, aud: j.Audience, kid: j.Kid, claims: map[string]wire.Text{}}
	if s.sub, err = opts.bind(j.Sub, template.Text); err != nil {
		return nil, fmt.Errorf("auth.jwt.sub: %w", err)
	}
	for name, text := range j.Claims {
		if s.claims[name], err = opts.bind(text, template.Text); err != nil {
			return nil, fmt.Errorf("auth.jwt.claims.%s: %w", name, err)
		}
	}
	return s, nil
}

// sign gives the user a token that lives long enough for this turn, a new one
// when the last tenth of its life has begun.
func (s *signer) sign(user *User, now time.Time) error {
	if user.state.token != "" && now.Before(user.state.until) {
		return nil
	}
	v := wire.Values{Of: &values{user: user, turn: &Turn{}}}
	claims := jwt.MapClaims{
		"sub": string(s.sub.Append(nil, &v)), "iat": now.Unix(), "exp": now.Add(s.ttl).Unix(),
	}
	if s.issuer != "" {
		claims["iss"] = s.issuer
	}
	if s.aud != "" {
		claims["aud"] = s.aud
	}
	for name, text := range s.claims {
		claims[name] = string(text.Append(nil, &v))
	}
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	if s.kid != "" {
		token.Header["kid"] = s.kid
	}
	signed, err := token.SignedString(s.secret)
	if err != nil {
		return fmt.Errorf("sign the user's token: %w", err)
	}
	user.state.token, user.state.until = signed, now.Add(s.ttl-s.ttl/10)
	return nil
}

// login is the request before a user's first turn.
type login struct {
	wire.Request
	save map[string]string
}

func (p *plan) newLogin(target *scenario.Target, prefix string, base []wire.Field) (*login, error) {
	l := target.Login
	if l == nil {
		return nil, nil
	}
	// What the login will save cannot be sent by it.
	var fields []wire.Field
	for _, f := range base {
		if !usesLogin(f.Value) {
			fields = append(fields, f)
		}
	}
	q := wire.Request{Method: string(l.Method)}
	if !wire.IsToken(q.Method) {
		return nil, fmt.Errorf("login.method: %.20q is not a method", q.Method)
	}
	var err error
	if q.Path, err = p.pathOf(prefix, l.Path); err != nil {
		return nil, fmt.Errorf("login.path: %w", err)
	}
	if len(l.Body) > 0 {
		if q.Body, err = p.opts.bindBody(l.Body); err != nil {
			return nil, fmt.Errorf("login.body: %w", err)
		}
		fields = append(fields, wire.Field{Name: "content-type", Value: raw("application/json")})
	}
	q.Bodied = !q.Body.Empty() || l.Method == scenario.MethodPost || l.Method == scenario.MethodPut
	if q.Fields, err = headers(l.Headers, fields, &p.opts); err != nil {
		return nil, fmt.Errorf("login.headers: %w", err)
	}
	return &login{Request: q, save: l.Save}, nil
}

// login sends the login and keeps what it saves. An answer that refuses it is
// the turn's answer.
func (l *line) login(x *exchange, reply *Reply) wire.Fault {
	p := l.client.plan
	x.Deadline = reply.Begun + p.Timeout
	f := l.client.carrier.RoundTrip(&l.link, &x.Exchange, &p.login.Request)
	l.show(x, l.asked(x, &p.login.Request))
	if f.Bad() {
		f.Message = "login: " + f.Message
		return f
	}
	if x.Head.Status >= 300 {
		reply.Status, reply.Message = x.Head.Status, "login refused"
		return wire.NewFault(Complete, "login refused")
	}
	saved := make(map[string]string, len(p.login.save))
	for name, path := range p.login.save {
		if !gjson.ValidBytes(x.Body) {
			return wire.NewFault(Malformed, "login: the answer is not valid JSON")
		}
		r := gjson.GetBytes(x.Body, path)
		if !r.Exists() {
			return wire.NewFault(Malformed, "login: nothing at "+path+" in the answer")
		}
		saved[name] = strings.Clone(r.String())
	}
	l.user.state.login = saved
	x.begin()
	reply.Login = p.Now() - reply.Begun
	return wire.Fault{}
}
