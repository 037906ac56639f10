package token

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/tidwall/gjson"
)

// shape refuses what the JWT library lets through: critical extensions, keys
// carried along, duplicate members, a missing type.
func (v *Verifier) shape(token string) error {
	for i := range len(token) {
		// Go's base64 skips line ends even when strict.
		if c := token[i]; c <= ' ' || c == '=' || c >= 0x7f {
			return fmt.Errorf("%w: character %d does not belong there", ErrToken, i)
		}
	}
	head, rest, ok := strings.Cut(token, ".")
	body, _, ok2 := strings.Cut(rest, ".")
	if !ok || !ok2 {
		return fmt.Errorf("%w: want three segments", ErrToken)
	}
	for i, segment := range []string{head, body} {
		raw, err := base64.RawURLEncoding.Strict().DecodeString(segment)
		if err != nil || !gjson.ValidBytes(raw) {
			return fmt.Errorf("%w: segment %d is not base64url of JSON", ErrToken, i+1)
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
		return fmt.Errorf("%w: want a JSON object", ErrToken)
	}
	doc.ForEach(func(key, value gjson.Result) bool {
		name := key.String()
		if slices.Contains(seen[:n], name) {
			bad = fmt.Errorf("%w: member twice", ErrToken)
			return false
		}
		if n == len(seen) {
			bad = fmt.Errorf("%w: more than %d members", ErrToken, len(seen))
			return false
		}
		seen[n] = name
		n++
		if !header {
			if (name == "exp" || name == "iat" || name == "nbf") && value.Type != gjson.Number {
				bad = fmt.Errorf("%w: %s must be a number", ErrToken, name)
			}
			return bad == nil
		}
		switch name {
		case "crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c", "x5t", "cty":
			bad = fmt.Errorf("%w: header %s is not accepted", ErrToken, name)
		case "typ":
			typ = value.Type == gjson.String && strings.EqualFold(value.Str, "JWT")
		}
		return bad == nil
	})
	if bad == nil && header && !typ {
		bad = fmt.Errorf("%w: typ must be JWT", ErrToken)
	}
	return bad
}
