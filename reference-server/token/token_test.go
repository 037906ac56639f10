package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/reference-server/dialog"
)

var testSecret = []byte("0123456789abcdef0123456789abcdef")

var b64 = base64.RawURLEncoding

// forge signs any header and claims with a key.
func forge(header, claims string, key []byte) string {
	input := b64.EncodeToString([]byte(header)) + "." + b64.EncodeToString([]byte(claims))
	m := hmac.New(sha256.New, key)
	m.Write([]byte(input))
	return input + "." + b64.EncodeToString(m.Sum(nil))
}

const goodHeader = `{"alg":"HS256","typ":"JWT","kid":"k1"}`

func goodClaims(change map[string]any) string {
	now := time.Now().Unix()
	m := map[string]any{"iss": "cstest", "aud": "chat", "sub": "u1", "iat": now, "exp": now + 3600}
	for k, v := range change {
		if v == nil {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	b, _ := json.Marshal(m)
	return string(b)
}

func testVerifier() *Verifier {
	return NewVerifier(map[string][]byte{"k1": testSecret}, time.Now)
}

func TestTokensAccepted(t *testing.T) {
	now := time.Now().Unix()
	for name, c := range map[string]struct {
		claims string
		want   Identity
	}{
		"plain":                      {goodClaims(nil), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"tenant and role":            {goodClaims(map[string]any{"tenant": "t2", "role": "agent"}), Identity{Owner: dialog.Owner{Tenant: "t2", UID: "u1"}, Role: "agent"}},
		"audience among several":     {goodClaims(map[string]any{"aud": []string{"other", "chat"}}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"expired within the leeway":  {goodClaims(map[string]any{"exp": now - 20}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"issued ahead in the leeway": {goodClaims(map[string]any{"iat": now + 20}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"Role is not role":           {goodClaims(map[string]any{"Role": "agent", "TENANT": "t2", "Sub": "u2"}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"Role beside role":           {goodClaims(map[string]any{"role": "user", "Role": "agent"}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "u1"}, Role: "user"}},
		"a space inside":             {goodClaims(map[string]any{"sub": "王 小明"}), Identity{Owner: dialog.Owner{Tenant: "default", UID: "王 小明"}, Role: "user"}},
		"64 Chinese characters":      {goodClaims(map[string]any{"sub": strings.Repeat("客", 64)}), Identity{Owner: dialog.Owner{Tenant: "default", UID: strings.Repeat("客", 64)}, Role: "user"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := testVerifier().verify(forge(goodHeader, c.claims, testSecret))
			if until := time.Until(got.Until); err == nil && (until <= 0 || until > 2*time.Hour+leeway) {
				t.Errorf("taken for %s more", until)
			}
			got.Until = time.Time{}
			if err != nil || got != c.want {
				t.Errorf("verify = %+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func TestTokensRefused(t *testing.T) {
	now := time.Now().Unix()
	good := forge(goodHeader, goodClaims(nil), testSecret)
	parts := strings.Split(good, ".")
	head := func(h string) string { return forge(h, goodClaims(nil), testSecret) }
	body := func(change map[string]any) string { return forge(goodHeader, goodClaims(change), testSecret) }
	unsigned := func(alg string) string {
		return b64.EncodeToString([]byte(`{"alg":"`+alg+`","typ":"JWT","kid":"k1"}`)) + "." + parts[1] + "."
	}
	raw := func(claims string) string { return forge(goodHeader, claims, testSecret) }
	for name, token := range map[string]string{
		"alg none":                  unsigned("none"),
		"alg None":                  unsigned("None"),
		"alg nOnE":                  unsigned("nOnE"),
		"alg empty":                 unsigned(""),
		"null signature":            parts[0] + "." + parts[1] + ".",
		"zero signature":            parts[0] + "." + parts[1] + "." + b64.EncodeToString(make([]byte, 32)),
		"blank password":            forge(goodHeader, goodClaims(nil), nil),
		"dev secret":                forge(goodHeader, goodClaims(nil), []byte("cstest-development-secret-loopback-only")),
		"dictionary secret":         forge(goodHeader, goodClaims(nil), []byte("secret")),
		"alg HS512":                 head(`{"alg":"HS512","typ":"JWT","kid":"k1"}`),
		"alg RS256":                 head(`{"alg":"RS256","typ":"JWT","kid":"k1"}`),
		"embedded jwk":              head(`{"alg":"HS256","typ":"JWT","kid":"k1","jwk":{"kty":"oct","k":"AAAA"}}`),
		"jku":                       head(`{"alg":"HS256","typ":"JWT","kid":"k1","jku":"http://127.0.0.1:1/keys"}`),
		"x5u":                       head(`{"alg":"HS256","typ":"JWT","kid":"k1","x5u":"http://127.0.0.1:1/keys"}`),
		"kid traversal":             head(`{"alg":"HS256","typ":"JWT","kid":"../../../../dev/null"}`),
		"kid SQL":                   head(`{"alg":"HS256","typ":"JWT","kid":"k1' OR '1'='1"}`),
		"kid unknown":               head(`{"alg":"HS256","typ":"JWT","kid":"k2"}`),
		"kid missing":               head(`{"alg":"HS256","typ":"JWT"}`),
		"kid array":                 head(`{"alg":"HS256","typ":"JWT","kid":["k1"]}`),
		"kid 10 KB":                 head(`{"alg":"HS256","typ":"JWT","kid":"` + strings.Repeat("k", 10<<10) + `"}`),
		"crit":                      head(`{"alg":"HS256","typ":"JWT","kid":"k1","crit":["exp"]}`),
		"crit empty":                head(`{"alg":"HS256","typ":"JWT","kid":"k1","crit":[]}`),
		"b64 false":                 head(`{"alg":"HS256","typ":"JWT","kid":"k1","b64":false}`),
		"zip":                       head(`{"alg":"HS256","typ":"JWT","kid":"k1","zip":"DEF"}`),
		"nested":                    head(`{"alg":"HS256","typ":"JWT","kid":"k1","cty":"JWT"}`),
		"typ missing":               head(`{"alg":"HS256","kid":"k1"}`),
		"typ other":                 head(`{"alg":"HS256","typ":"at+jwt","kid":"k1"}`),
		"typ number":                head(`{"alg":"HS256","typ":1,"kid":"k1"}`),
		"duplicate alg":             head(`{"alg":"none","alg":"HS256","typ":"JWT","kid":"k1"}`),
		"duplicate sub":             raw(fmt.Sprintf(`{"iss":"cstest","aud":"chat","sub":"u2","sub":"u1","iat":%d,"exp":%d}`, now, now+60)),
		"two segments":              parts[0] + "." + parts[1],
		"four segments":             good + "." + parts[2],
		"a thousand segments":       strings.Repeat("a.", 1000),
		"empty":                     "",
		"dots":                      "..",
		"longer than 4 KiB":         good + strings.Repeat("A", 4096),
		"padding":                   good + "=",
		"space inside":              parts[0] + ". " + parts[1] + "." + parts[2],
		"newline at the end":        good + "\n",
		"exp missing":               body(map[string]any{"exp": nil}),
		"exp string":                body(map[string]any{"exp": fmt.Sprint(now + 3600)}),
		"exp negative":              body(map[string]any{"exp": -1}),
		"exp 1e400":                 raw(`{"iss":"cstest","aud":"chat","sub":"u1","iat":1,"exp":1e400}`),
		"exp beyond the leeway":     body(map[string]any{"exp": now - 31}),
		"nbf in the future":         body(map[string]any{"nbf": now + 60}),
		"iat in the future":         body(map[string]any{"iat": now + 60}),
		"iat missing":               body(map[string]any{"iat": nil}),
		"iss wrong":                 body(map[string]any{"iss": "cstest2"}),
		"iss missing":               body(map[string]any{"iss": nil}),
		"aud wrong":                 body(map[string]any{"aud": "chat2"}),
		"aud missing":               body(map[string]any{"aud": nil}),
		"aud empty array":           body(map[string]any{"aud": []string{}}),
		"aud array of others":       body(map[string]any{"aud": []string{"cha", "t"}}),
		"sub missing":               body(map[string]any{"sub": nil}),
		"sub empty":                 body(map[string]any{"sub": ""}),
		"sub array":                 body(map[string]any{"sub": []string{"u1"}}),
		"sub number":                body(map[string]any{"sub": 1}),
		"sub 65 characters":         body(map[string]any{"sub": strings.Repeat("客", 65)}),
		"sub with newline":          body(map[string]any{"sub": "u1\nu2"}),
		"sub with escape":           body(map[string]any{"sub": "u1\x1b[31m"}),
		"sub of spaces":             body(map[string]any{"sub": "  "}),
		"sub with a space behind":   body(map[string]any{"sub": "u1 "}),
		"sub of ideographic spaces": body(map[string]any{"sub": "\u3000"}),
		"sub of zero width":         body(map[string]any{"sub": "\u200b"}),
		"sub with zero width":       body(map[string]any{"sub": "u1\u200b"}),
		"sub with a soft hyphen":    body(map[string]any{"sub": "u\u00ad1"}),
		"sub with a direction mark": body(map[string]any{"sub": "u1\u202e"}),
		"sub of a Hangul filler":    body(map[string]any{"sub": "\u3164"}),
		"sub of blank Braille":      body(map[string]any{"sub": "\u2800"}),
		"sub with a selector":       body(map[string]any{"sub": "u1\ufe0f"}),
		"sub with a joiner":         body(map[string]any{"sub": "u1\u034f"}),
		"sub with a tag":            body(map[string]any{"sub": "u1\U000e0041"}),
		"Sub for sub":               body(map[string]any{"sub": nil, "Sub": "u1"}),
		"long s for sub":            body(map[string]any{"sub": nil, "\u017fub": "u1"}),
		"Exp over a past exp":       raw(fmt.Sprintf(`{"iss":"cstest","aud":"chat","sub":"u1","iat":%d,"exp":%d,"Exp":%d}`, now-90, now-60, now+3600)),
		"EXP for exp":               body(map[string]any{"exp": nil, "EXP": now + 3600}),
		"Aud for aud":               body(map[string]any{"aud": nil, "Aud": "chat"}),
		"role number":               body(map[string]any{"role": 1}),
		"tenant null":               raw(fmt.Sprintf(`{"iss":"cstest","aud":"chat","sub":"u1","tenant":null,"iat":%d,"exp":%d}`, now, now+60)),
		"tenant with NUL":           body(map[string]any{"tenant": "a\x00b"}),
		"role unknown":              body(map[string]any{"role": "admin"}),
		"claims not an object":      raw(`[]`),
		"claims broken":             raw(`{"iss":`),
		"signature of other claims": parts[0] + "." + b64.EncodeToString([]byte(goodClaims(map[string]any{"sub": "u2"}))) + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			who, err := testVerifier().verify(token)
			if !errors.Is(err, ErrToken) {
				t.Errorf("verify = %+v, %v; want ErrToken", who, err)
			}
			if err != nil && strings.Contains(err.Error(), string(testSecret)) {
				t.Errorf("the error shows the key: %v", err)
			}
		})
	}
}

func TestEveryFlippedBitOfATokenIsRefused(t *testing.T) {
	good := forge(goodHeader, goodClaims(nil), testSecret)
	v := testVerifier()
	for i := range len(good) {
		for bit := range 8 {
			bad := []byte(good)
			bad[i] ^= 1 << bit
			if who, err := v.verify(string(bad)); err == nil {
				t.Fatalf("byte %d bit %d flipped: accepted as %+v", i, bit, who)
			}
		}
	}
}

func TestKeyRotation(t *testing.T) {
	other := []byte(strings.Repeat("b", 32))
	old := forge(goodHeader, goodClaims(nil), testSecret)
	both := NewVerifier(map[string][]byte{"k1": testSecret, "k2": other}, time.Now)
	for _, tok := range []string{old, forge(`{"alg":"HS256","typ":"JWT","kid":"k2"}`, goodClaims(nil), other)} {
		if _, err := both.verify(tok); err != nil {
			t.Errorf("while both keys are known: %v", err)
		}
	}
	if _, err := both.verify(forge(goodHeader, goodClaims(nil), other)); err == nil {
		t.Error("a token signed with k2 under kid k1 was accepted")
	}
	if _, err := NewVerifier(map[string][]byte{"k2": other}, time.Now).verify(old); !errors.Is(err, ErrToken) {
		t.Errorf("retired key: %v, want ErrToken", err)
	}
}
