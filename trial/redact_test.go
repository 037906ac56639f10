package trial

import (
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
