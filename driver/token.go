package driver

import (
	"errors"
	"fmt"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/template"
	"github.com/golang-jwt/jwt/v5"
)

// userState is what the driver keeps of a user from one conversation to the next.
type userState struct {
	sessions *wire.Sessions // of TLS; nil before the first

	in    bool              // logged in, as far as is known
	login map[string]string // what the login saved
	jar   *jar              // its cookies; nil before the first
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
	signed, err := s.signed(s.own(user, now))
	if err != nil {
		return err
	}
	user.state.token, user.state.until = signed, now.Add(s.ttl-s.ttl/10)
	return nil
}

// own are the claims of a token of the user's.
func (s *signer) own(user *User, now time.Time) jwt.MapClaims {
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
	return claims
}

// signed gives the token that makes the claims.
func (s *signer) signed(claims jwt.MapClaims) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodHS256, claims)
	if s.kid != "" {
		token.Header["kid"] = s.kid
	}
	signed, err := token.SignedString(s.secret)
	if err != nil {
		return "", fmt.Errorf("sign the user's token: %w", err)
	}
	return signed, nil
}
