package refserver

import (
	"maps"
	"strings"
	"testing"
	"time"
)

// A token that is none lets nobody in, whichever way is tried: a request, the ticket that
// opens a socket, a customer's socket, an agent's.
func TestForgedTokensOpenNothing(t *testing.T) {
	l := newScriptedLLM(t)
	s := startServer(t, l.url, nil)
	other := Secret(strings.Repeat("o", 32))
	hour := time.Now().Add(-time.Hour).Unix()
	of := func(role string, change map[string]any) string {
		claims := map[string]any{"role": role}
		maps.Copy(claims, change)
		return goodClaims(claims)
	}
	for _, way := range []struct{ method, path, role, other string }{
		{"POST", "/v1/chat", "user", "agent"},
		{"POST", "/v1/chat/ticket", "user", "agent"},
		{"POST", "/v1/agent/ticket", "agent", "user"},
		{"WS", "/v1/chat/ws", "user", "agent"},
		{"WS", "/v1/agent/ws", "agent", "user"},
	} {
		status := func(token string) int {
			if way.method == "POST" {
				return send(t, way.method, s.URL()+way.path, token, `{"text":"随便说点什么"}`).status
			}
			protocol := "cs.chat.v1"
			if strings.Contains(way.path, "agent") {
				protocol = "cs.agent.v1"
			}
			_, resp := upgradeRawAt(t, s, way.path, "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: "+protocol, "Authorization: Bearer "+token)
			return resp.StatusCode
		}
		good := forge(goodHeader, of(way.role, nil), testSecret)
		if got := status(good); got != 200 && got != 101 {
			t.Fatalf("%s %s: %d with a good token", way.method, way.path, got)
		}
		head, signature, _ := strings.Cut(good, ".")
		claims, signature, _ := strings.Cut(signature, ".")
		for name, c := range map[string]struct {
			token string
			want  int
		}{
			"expired":                   {forge(goodHeader, of(way.role, map[string]any{"iat": hour - 3600, "exp": hour}), testSecret), 401},
			"never expires":             {forge(goodHeader, of(way.role, map[string]any{"exp": nil}), testSecret), 401},
			"of an hour to come":        {forge(goodHeader, of(way.role, map[string]any{"nbf": hour + 7200}), testSecret), 401},
			"of another issuer":         {forge(goodHeader, of(way.role, map[string]any{"iss": "evil"}), testSecret), 401},
			"for another audience":      {forge(goodHeader, of(way.role, map[string]any{"aud": "shop"}), testSecret), 401},
			"of nobody":                 {forge(goodHeader, of(way.role, map[string]any{"sub": nil}), testSecret), 401},
			"signed with another key":   {forge(goodHeader, of(way.role, nil), other), 401},
			"of a key nobody knows":     {forge(`{"alg":"HS256","typ":"JWT","kid":"k9"}`, of(way.role, nil), testSecret), 401},
			"not signed":                {forge(`{"alg":"none","typ":"JWT","kid":"k1"}`, of(way.role, nil), testSecret), 401},
			"with an empty signature":   {head + "." + claims + ".", 401},
			"with a tampered one":       {head + "." + claims + "." + strings.Map(func(r rune) rune { return 'A' }, signature), 401},
			"with other claims":         {head + "." + b64.EncodeToString([]byte(of(way.role, map[string]any{"sub": "u2"}))) + "." + signature, 401},
			"of another role":           {forge(goodHeader, of(way.other, nil), testSecret), 403},
			"cut off":                   {head + "." + claims, 401},
			"of three dots and no more": {"..", 401},
		} {
			if got := status(c.token); got != c.want {
				t.Errorf("%s %s: %d with a token %s, want %d", way.method, way.path, got, name, c.want)
			}
		}
	}
}
