package refserver

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/golang-jwt/jwt/v5"
	"github.com/maypok86/otter/v2"
	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/dialog"
)

const (
	maxKid    = 64
	maxUID    = 64 // characters
	maxTenant = 64
	maxToken  = 4096 // bytes
	leeway    = 30 * time.Second
	issuer    = "cstest"
	audience  = "chat"
	roleUser  = "user"
	roleAgent = "agent"
)

// defaultTenant is that of tokens without one.
const defaultTenant = "default"

// identity is who a verified token speaks for.
type identity struct {
	dialog.Owner
	role string
}

// verifier checks tokens against a ring of HS256 keys. Safe for concurrent use.
type verifier struct {
	keys   map[string]Secret
	parser *jwt.Parser
	now    func() time.Time
	known  *otter.Cache[string, verified] // tokens that were accepted, by their every byte
}

// verified is what a token proved, and until when.
type verified struct {
	who    identity
	expiry time.Time
}

const (
	knownTokens   = 20_000
	knownTokenMax = 1024 // bytes; longer ones are verified each time
)

func newVerifier(keys map[string]Secret, now func() time.Time) *verifier {
	return &verifier{keys: keys, now: now, known: otter.Must(&otter.Options[string, verified]{MaximumSize: knownTokens}), parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithStrictDecoding(), jwt.WithExpirationRequired(),
		jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithLeeway(leeway), jwt.WithIssuedAt(), jwt.WithTimeFunc(now))}
}

// errToken is the caller's fault: 401.
var errToken = errors.New("token not accepted")

type claims struct {
	jwt.RegisteredClaims
	Tenant string `json:"tenant"`
	Role   string `json:"role"`
}

// request reads the identity from the one Authorization header of r. errNoSecret
// means that the server has no key at all.
func (v *verifier) request(r *http.Request) (identity, error) {
	if len(v.keys) == 0 {
		return identity{}, errNoSecret
	}
	h := r.Header.Values("Authorization")
	if len(h) != 1 {
		return identity{}, fmt.Errorf("%w: want one Authorization header, got %d", errToken, len(h))
	}
	token, ok := strings.CutPrefix(h[0], "Bearer ")
	if !ok {
		return identity{}, fmt.Errorf("%w: want Authorization: Bearer TOKEN", errToken)
	}
	return v.verify(token)
}

// verify checks signature and claims. Everything wrong with the token wraps
// errToken.
func (v *verifier) verify(token string) (identity, error) {
	if len(token) > maxToken {
		return identity{}, fmt.Errorf("%w: longer than %d bytes", errToken, maxToken)
	}
	if k, ok := v.known.GetIfPresent(token); ok && v.now().Before(k.expiry.Add(leeway)) {
		return k.who, nil
	}
	if err := v.shape(token); err != nil {
		return identity{}, err
	}
	var c claims
	if _, err := v.parser.ParseWithClaims(token, &c, v.key); err != nil {
		return identity{}, fmt.Errorf("%w: %w", errToken, err)
	}
	who := identity{Owner: dialog.Owner{Tenant: c.Tenant, UID: c.Subject}, role: c.Role}
	if who.Tenant == "" {
		who.Tenant = defaultTenant
	}
	if who.role == "" {
		who.role = roleUser
	}
	switch {
	case c.IssuedAt == nil:
		return identity{}, fmt.Errorf("%w: iat is missing", errToken)
	case !plainName(who.UID, maxUID):
		return identity{}, fmt.Errorf("%w: sub must have 1 to %d printable characters", errToken, maxUID)
	case !plainName(who.Tenant, maxTenant):
		return identity{}, fmt.Errorf("%w: tenant must have 1 to %d printable characters", errToken, maxTenant)
	case who.role != roleUser && who.role != roleAgent:
		return identity{}, fmt.Errorf("%w: role is not known", errToken)
	}
	if len(token) <= knownTokenMax {
		v.known.Set(strings.Clone(token), verified{who, c.ExpiresAt.Time})
	}
	return who, nil
}

// shape refuses what the JWT library lets through: critical extensions, keys
// carried along, duplicate members, a missing type.
func (v *verifier) shape(token string) error {
	for i := range len(token) {
		// Go's base64 skips line ends even when strict.
		if c := token[i]; c <= ' ' || c == '=' || c >= 0x7f {
			return fmt.Errorf("%w: character %d does not belong there", errToken, i)
		}
	}
	head, rest, ok := strings.Cut(token, ".")
	body, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return fmt.Errorf("%w: want three segments", errToken)
	}
	for i, segment := range []string{head, body} {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
		if err != nil || !gjson.ValidBytes(raw) {
			return fmt.Errorf("%w: segment %d is not base64url of JSON", errToken, i+1)
		}
		if err := tokenMembers(raw, i == 0); err != nil {
			return err
		}
	}
	return nil
}

func tokenMembers(raw []byte, header bool) error {
	var bad error
	var seen [32]string
	n, typ := 0, false
	doc := gjson.ParseBytes(raw)
	if !doc.IsObject() {
		return fmt.Errorf("%w: want a JSON object", errToken)
	}
	doc.ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		if slices.Contains(seen[:n], name) {
			bad = fmt.Errorf("%w: member twice", errToken)
			return false
		}
		if n == len(seen) {
			bad = fmt.Errorf("%w: more than %d members", errToken, len(seen))
			return false
		}
		seen[n] = name
		n++
		if !header {
			if (name == "exp" || name == "iat" || name == "nbf") && value.Type != gjson.Number {
				bad = fmt.Errorf("%w: %s must be a number", errToken, name)
			}
			return bad == nil
		}
		switch name {
		case "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "cty":
			bad = fmt.Errorf("%w: header %s is not accepted", errToken, name)
		case "typ":
			typ = value.Type == gjson.String && strings.EqualFold(value.Str, "JWT")
		}
		return bad == nil
	})
	if bad == nil && header && !typ {
		bad = fmt.Errorf("%w: typ must be JWT", errToken)
	}
	return bad
}

// key finds the key that the token names.
func (v *verifier) key(t *jwt.Token) (any, error) {
	kid, ok := t.Header["kid"].(string)
	if !ok || kid == "" || len(kid) > maxKid {
		return nil, errors.New("kid is missing")
	}
	k, ok := v.keys[kid]
	if !ok {
		return nil, errors.New("kid is not known")
	}
	return []byte(k), nil
}

// sign makes a token for who, good for ttl.
func (v *verifier) sign(who identity, kid string, ttl time.Duration) (string, error) {
	k, ok := v.keys[kid]
	if !ok {
		return "", errNoSecret
	}
	now := v.now()
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": issuer, "aud": audience, "sub": who.UID, "tenant": who.Tenant, "role": who.role,
		"iat": now.Unix(), "exp": now.Add(ttl).Unix(),
	})
	t.Header["kid"] = kid
	return t.SignedString([]byte(k))
}

// plainName accepts 1 to n printable characters without controls.
func plainName(s string, n int) bool {
	if s == "" || !utf8.ValidString(s) || utf8.RuneCountInString(s) > n {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}

func tokenProblem(err error) error {
	if errors.Is(err, errNoSecret) {
		return problemNoKey
	}
	return problemToken
}
