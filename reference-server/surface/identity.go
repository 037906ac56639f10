package surface

import (
	"hash/maphash"
	"slices"
	"strings"

	"github.com/cstest/cstest/reference-server/problem"
	"github.com/cstest/cstest/reference-server/token"
)

// identify finds out who calls: by the Authorization header, or by a pass
// where the Endpoint takes them, never by both. A token in the query is
// refused even beside a good header, because URLs end up in logs.
func (s *Surface) identify(x *exchange, e Endpoint) (token.Identity, error) {
	if x.r.URL.RawQuery == "" {
		return s.Tokens.Request(x.r)
	}
	q := x.r.URL.Query()
	for name := range q {
		if slices.Contains([]string{"token", "access_token", "id_token", "jwt", "bearer", "authorization"}, strings.ToLower(name)) {
			return token.Identity{}, problem.Token
		}
	}
	passes, ok := q["ticket"]
	switch {
	case !ok, !e.pass:
		return s.Tokens.Request(x.r)
	case len(passes) != 1 || len(x.r.Header.Values("Authorization")) > 0:
		return token.Identity{}, problem.Token
	case !s.Tokens.Usable():
		return token.Identity{}, problem.NoKey
	}
	return s.Passes.Redeem(x.r.Context(), passes[0])
}

// caller tells apart those who are turned away, before anything is known of them: by the
// token that they hold, or over a socket by who they are.
func (s *Surface) caller(x *exchange) uint64 {
	if x.r == nil {
		return maphash.Comparable(s.callers, x.who.Owner)
	}
	return maphash.String(s.callers, x.r.Header.Get("Authorization"))
}
