package token

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"

	"github.com/cstest/cstest/reference-server/dialog"
)

// What a token may hold.
const (
	MaxKid    = 64 // bytes
	MaxUID    = 64 // characters
	maxTenant = 64
	maxToken  = 4096 // bytes
	leeway    = 30 * time.Second
	issuer    = "cstest"
	audience  = "chat"
)

// Role is what a caller may do.
type Role string

// The roles.
const (
	User  Role = "user"
	Agent Role = "agent"
)

// DevLife is how long a token of POST /dev/token is good.
const DevLife = 2 * time.Hour

// DefaultTenant is that of tokens without one.
const DefaultTenant = "default"

// Identity is who a verified token speaks for.
type Identity struct {
	dialog.Owner
	Role  Role
	Until time.Time // the token is taken
}

// Verifier checks tokens against a ring of HS256 keys. Safe for concurrent use.
type Verifier struct {
	keys   map[string][]byte
	parser *jwt.Parser
	now    func() time.Time
	known  *otter.Cache[string, Identity] // tokens that were accepted, by their every byte
}

const (
	knownTokens   = 20_000
	knownTokenMax = 1024 // bytes; longer ones are verified each time
)

// NewVerifier checks with keys, by key id.
func NewVerifier(keys map[string][]byte, now func() time.Time) *Verifier {
	return &Verifier{keys: keys, now: now, known: otter.Must(&otter.Options[string, Identity]{MaximumSize: knownTokens}), parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithLeeway(leeway), jwt.WithIssuedAt(), jwt.WithTimeFunc(now))}
}

// Why nobody is known to call.
var (
	ErrToken = errors.New("token not accepted")          // the caller's fault
	ErrNoKey = errors.New("no key to check tokens with") // the operator's
)

// Request reads the identity from the one Authorization header of r. ErrNoKey
// means that the server has no key at all.
func (v *Verifier) Request(r *http.Request) (Identity, error) {
	if len(v.keys) == 0 {
		return Identity{}, ErrNoKey
	}
	h := r.Header.Values("Authorization")
	if len(h) != 1 {
		return Identity{}, fmt.Errorf("%w: want one Authorization header, got %d", ErrToken, len(h))
	}
	token, ok := strings.CutPrefix(h[0], "Bearer ")
	if !ok {
		return Identity{}, fmt.Errorf("%w: want Authorization: Bearer TOKEN", ErrToken)
	}
	return v.verify(token)
}

// verify checks signature and claims. Everything wrong with the token wraps
// ErrToken.
func (v *Verifier) verify(token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, fmt.Errorf("%w: longer than %d bytes", ErrToken, maxToken)
	}
	if who, ok := v.known.GetIfPresent(token); ok && v.now().Before(who.Until) {
		return who, nil
	}
	if err := v.shape(token); err != nil {
		return Identity{}, err
	}
	// A map, because into a struct encoding/json reads Role for role, and ſub for sub.
	claims := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(token, claims, v.key); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	who, err := identityOf(claims)
	if err != nil {
		return Identity{}, err
	}
	expiry, err := claims.GetExpirationTime()
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	who.Until = expiry.Add(leeway)
	if len(token) <= knownTokenMax {
		v.known.Set(strings.Clone(token), who)
	}
	return who, nil
}

// identityOf reads who the claims of a verified token speak for.
func identityOf(claims jwt.MapClaims) (Identity, error) {
	who := Identity{Owner: dialog.Owner{Tenant: DefaultTenant}, Role: User}
	for name, at := range map[string]*string{"sub": &who.UID, "tenant": &who.Tenant, "role": (*string)(&who.Role)} {
		value, given := claims[name]
		if !given {
			continue
		}
		text, ok := value.(string)
		if !ok {
			return Identity{}, fmt.Errorf("%w: %s must be a string", ErrToken, name)
		}
		if text != "" {
			*at = text
		}
	}
	_, issued := claims["iat"]
	switch {
	case !issued:
		return Identity{}, fmt.Errorf("%w: iat is missing", ErrToken)
	case !PlainName(who.UID, MaxUID):
		return Identity{}, fmt.Errorf("%w: sub must have 1 to %d printable characters", ErrToken, MaxUID)
	case !PlainName(who.Tenant, maxTenant):
		return Identity{}, fmt.Errorf("%w: tenant must have 1 to %d printable characters", ErrToken, maxTenant)
	case who.Role != User && who.Role != Agent:
		return Identity{}, fmt.Errorf("%w: role is not known", ErrToken)
	}
	return who, nil
}

// key finds the key that the token names.
func (v *Verifier) key(t *jwt.Token) (any, error) {
	kid, ok := t.Header["kid"].(string)
	if !ok || kid == "" || len(kid) > MaxKid {
		return nil, errors.New("kid is missing")
	}
	k, ok := v.keys[kid]
	if !ok {
		return nil, errors.New("kid is not known")
	}
	return k, nil
}

// Sign makes a token for who, good for ttl.
func (v *Verifier) Sign(who Identity, kid string, ttl time.Duration) (string, error) {
	k, ok := v.keys[kid]
	if !ok {
		return "", ErrNoKey
	}
	now := v.now()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": who.UID, "tenant": who.Tenant, "role": who.Role,
		"iat": now.Unix(), "exp": now.Add(ttl).Unix(),
	})
	t.Header["kid"] = kid
	return t.SignedString(k)
}

// Usable says whether there is any key to check tokens with.
func (v *Verifier) Usable() bool { return len(v.keys) > 0 }
