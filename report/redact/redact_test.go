package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const canary = "s3cr€t/+Pa?s\"w&rd"

// spellings are the forms in which others write a secret, made by their own code.
func spellings(t *testing.T) map[string]string {
	t.Helper()
	quoted, err := json.Marshal(canary)
	if err != nil {
		t.Fatal(err)
	}
	ascii := strings.ReplaceAll(strings.Trim(string(quoted), `"`), "€", `\u20ac`)
	return map[string]string{
		"raw": canary, "query": url.QueryEscape(canary), "path": url.PathEscape(canary), "json": string(quoted[1 : len(quoted)-1]), "ascii json": ascii,
		"userinfo": url.UserPassword("u", canary).String()[2:], "hex": hex.EncodeToString([]byte(canary)), "HEX": fmt.Sprintf("%X", canary),
		"lower percent": strings.ToLower(url.QueryEscape("€/+")) + "", "base64": base64.StdEncoding.EncodeToString([]byte(canary)),
		"base64url": base64.RawURLEncoding.EncodeToString([]byte(canary)),
	}
}

func TestScrubMasksEveryForm(t *testing.T) {
	for name, form := range spellings(t) {
		if name == "lower percent" {
			continue
		}
		got := scrub("before "+form+" after", indexOf([]string{canary}))
		if strings.Contains(got, form) || !strings.Contains(got, Mark) || !strings.HasPrefix(got, "before ") || !strings.HasSuffix(strings.TrimRight(got, "="), " after") {
			t.Errorf("%s: %q became %q", name, form, got)
		}
	}
	for _, prefix := range []string{"u:", "ab:", "abc:"} {
		encoded := base64.StdEncoding.EncodeToString([]byte(prefix + canary + "tail"))
		got := scrub("Basic "+encoded, indexOf([]string{canary}))
		raw, _ := base64.StdEncoding.DecodeString(encoded)
		if !strings.Contains(string(raw), canary) || !strings.Contains(got, Mark) || strings.Contains(got, encoded[8:20]) {
			t.Errorf("base64 of %q…: %q became %q", prefix, encoded, got)
		}
	}
}

func TestScrubAcrossWrites(t *testing.T) {
	text := "head " + canary + " mid s3cr " + url.QueryEscape(canary) + " tail s3cr"
	want := "head [redacted] mid s3cr [redacted] tail s3cr"
	for size := 1; size <= len(text); size++ {
		var out bytes.Buffer
		w := &scrubber{out: &out, index: indexOf([]string{canary, "ab"})}
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			if k, err := w.Write([]byte(rest[:n])); k != n || err != nil {
				t.Fatal(k, err)
			}
			rest = rest[n:]
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Fatalf("in pieces of %d: %q", size, out.String())
		}
	}
}

func TestScrubHoldsBackOnlyWhatMayBeASecret(t *testing.T) {
	var out bytes.Buffer
	w := &scrubber{out: &out, index: indexOf([]string{canary})}
	if _, err := w.Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a line\n" {
		t.Errorf("after one line: %q", out.String())
	}
	if _, err := w.Write([]byte("x s3c")); err != nil {
		t.Fatal(err)
	}
	if out.String() != "a line\nx " {
		t.Errorf("after the start of a secret: %q", out.String())
	}
}

func TestRedactorKnowsWhatLooksSecret(t *testing.T) {
	r := New([]string{"redis://:pa55%2Fw0rd@10.0.0.7:6379/0", "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG\n-----END KEY-----", canary})
	for in, want := range map[string]string{
		"no token here, 403 at 10.0.0.7":                         "no token here, 403 at 10.0.0.7",
		"header Authorization: Bearer abcdef0123456789 refused":  "header Authorization: Bearer [redacted] refused",
		"bearer of bad news":                                     "bearer of bad news",
		"basic dXNlcjpwYXNzd29yZA== is wrong":                    "basic [redacted] is wrong",
		"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJl": "got [redacted]",
		"cannot dial redis://u:hunter22@h:1/0":                   "cannot dial redis://[redacted]@h:1/0",
		"a ratio 3:4 @ noon, see http://h:80/a@b":                "a ratio 3:4 @ noon, see http://h:80/a@b",
		"wrong password pa55/w0rd":                               "wrong password [redacted]",
		"line MIIEvQIBADANBgkqhkiG of the key":                   "line [redacted] of the key",
		"token " + canary + " is bad":                            "token [redacted] is bad",
		"cut in the middle: s3cr€t/+P":                           "cut in the middle: [redacted]",
		"cut in the middle: s3cr€t/+P…":                          "cut in the middle: [redacted]…",
		"too short to tell: s3c":                                 "too short to tell: s3c",
		"":                                                       "",
	} {
		if got := r.Text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}
