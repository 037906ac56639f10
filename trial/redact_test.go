package trial

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cstest/cstest/scenario"

	"github.com/cstest/cstest/measure"
)

func noCanary(s string) string { return strings.ReplaceAll(s, "canary", "[redacted]") }

func TestRedactFailuresMakesOneOfThoseThatOnlyASecretToldApart(t *testing.T) {
	s := &measure.Snapshot{Failures: []measure.FailureCount{
		{Outcome: measure.ServerError, Message: "bad canary", Count: 3, First: measure.Failure{Message: "bad canary", At: 2 * time.Second, TraceID: "canary-1"}},
		{Outcome: measure.Timeout, Message: "bad [redacted]", Count: 5},
		{Outcome: measure.ServerError, Message: "bad [redacted]", Count: 4, First: measure.Failure{Message: "bad [redacted]", At: time.Second, TraceID: "t2"}},
	}}
	redactFailures(s, noCanary)
	if len(s.Failures) != 2 || s.Failures[0].Count != 7 || s.Failures[1].Count != 5 {
		t.Fatalf("failures %+v", s.Failures)
	}
	if f := s.Failures[0]; f.Message != "bad [redacted]" || f.First.At != time.Second || f.First.TraceID != "t2" || f.First.Message != "bad [redacted]" {
		t.Errorf("first %+v", f)
	}
}

func TestCredentialsAndMask(t *testing.T) {
	request := "POST /chat HTTP/1.1\r\nhost: h\r\nAuthorization: Bearer tok.en.0123\r\nCookie: sid=12345678\r\nx-api-key: short\r\nX-Token: S3030303\r\nx-user: u1\r\n\r\nauthorization: Bearer body0123"
	secret := secretHeadersOf(&scenario.Target{
		Headers: map[string]string{"x-user": "${user.id}"},
		Request: &scenario.Request{Headers: map[string]string{"x-token": "${login.sid}"}},
	})
	want := "Bearer tok.en.0123|tok.en.0123|sid=12345678|S3030303"
	if got := strings.Join(secret.credentials(request), "|"); got != want {
		t.Errorf("credentials %q, want %q", got, want)
	}
	masked := "POST /chat HTTP/1.1\nhost: h\nAuthorization: [redacted]\nCookie: [redacted]\nx-api-key: [redacted]\nX-Token: [redacted]\nx-user: u1\n\nauthorization: Bearer body0123"
	if got := secret.mask(request); got != masked {
		t.Errorf("masked %q", got)
	}
}

// What a login has from a data table or from outside is not shown, neither in
// the request nor, where it is long enough to be told from ordinary text, in
// what comes back. What cstest itself put there is.
func TestLoginIsMasked(t *testing.T) {
	login := &scenario.Step{Body: []byte(`{"user":"${user.id}","pin":"${accounts.pin}","deep":[{"password":"${accounts.password}"}],"app":"shop"}`)}
	sent := "POST /login HTTP/1.1\r\nhost: x\r\n\r\n" + `{"user":"u1","pin":"1234","deep":[{"password":"sesame-open-1"}],"app":"shop"}`
	got, values := maskLogin(login, sent)
	want := "POST /login HTTP/1.1\r\nhost: x\r\n\r\n" + `{"user":"u1","pin":"[redacted]","deep":[{"password":"[redacted]"}],"app":"shop"}`
	if got != want || !slices.Equal(values, []string{"sesame-open-1"}) {
		t.Errorf("got %q, %q", got, values)
	}
	if got, values := maskLogin(&scenario.Step{}, "GET /login HTTP/1.1\r\n\r\n"); got != "GET /login HTTP/1.1\r\n\r\n" || values != nil {
		t.Errorf("without a body: %q, %q", got, values)
	}
}
