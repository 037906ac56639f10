package model

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/cstest/cstest/reference-server/trace"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "1": time.Second, "60": time.Minute, "61": time.Minute, "9223372036854775807": time.Minute,
		"9223372036854775808": 0, "-1": 0, "1.5": 0, "soon": 0, "1a": 0,
		now.Add(7 * time.Second).Format(http.TimeFormat): 7 * time.Second,
		now.Add(2 * time.Hour).Format(http.TimeFormat):   time.Minute,
		now.Add(-time.Hour).Format(http.TimeFormat):      0,
		now.Format(http.TimeFormat):                      0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// head is an answer that has no body.
type head struct {
	code   int
	fields map[string]string
}

func (h head) status() int              { return h.code }
func (h head) field(name string) string { return h.fields[name] }
func (head) whole() ([]byte, error)     { return nil, nil }
func (head) reader() io.Reader          { return strings.NewReader("") }
func (head) discard()                   {}
func (head) done()                      {}

func TestAnswersThatAreNotRead(t *testing.T) {
	for _, c := range []struct {
		code       int
		kind, wait string
		fault      Fault
		after      time.Duration
	}{
		{200, "application/json", "", FaultNone, 0},
		{200, "application/json; charset=utf-8", "", FaultNone, 0},
		{200, "text/event-stream", "", FaultNone, 0},
		{200, "text/html", "", FaultGarbage, 0},
		{200, "application/json; charset", "", FaultGarbage, 0},
		{200, "", "", FaultGarbage, 0},
		{429, "", "", FaultBackOff, 0},
		{429, "", "3", FaultBackOff, 3 * time.Second},
		{503, "", "3", FaultBackOff, 3 * time.Second},
		{503, "", "", FaultTransient, 0},
		{500, "", "3", FaultTransient, 3 * time.Second},
		{408, "", "", FaultTransient, 0},
		{401, "", "", FaultConfig, 0},
		{403, "", "", FaultConfig, 0},
		{400, "", "", FaultPermanent, 0},
		{499, "", "", FaultPermanent, 0},
		{399, "", "", FaultGarbage, 0},
		{201, "application/json", "", FaultGarbage, 0},
	} {
		err := check(head{c.code, map[string]string{"Content-Type": c.kind, "Retry-After": c.wait}})
		var e *Error
		if FaultOf(err) != c.fault || errors.As(err, &e) && (e.Status != c.code || e.retryAfter != c.after) {
			t.Errorf("%d %q %q: %v, want %v after %v", c.code, c.kind, c.wait, err, c.fault, c.after)
		}
	}
}

// late is a network's error.
type late bool

func (late) Error() string   { return "late" }
func (l late) Timeout() bool { return bool(l) }
func (late) Temporary() bool { return false }

var _ net.Error = late(true)

func TestTransportErrors(t *testing.T) {
	gone, leave := context.WithCancel(t.Context())
	leave()
	over, cancel := context.WithDeadline(t.Context(), time.Unix(1, 0))
	defer cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		want Fault
		is   error
	}{
		{t.Context(), io.EOF, FaultTransient, io.EOF},
		{t.Context(), late(true), FaultTimeout, context.DeadlineExceeded},
		{t.Context(), late(false), FaultTransient, late(false)},
		{gone, io.EOF, FaultCancelled, context.Canceled},
		{over, io.EOF, FaultTimeout, context.DeadlineExceeded},
	} {
		if err := TransportError(c.ctx, c.err); FaultOf(err) != c.want || !errors.Is(err, c.is) {
			t.Errorf("%v: %v, want %v", c.err, err, c.want)
		}
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	for want, e := range map[string]*Error{
		"model: timeout":                       {Fault: FaultTimeout},
		"model: transient (status 500)":        {Fault: FaultTransient, Status: 500},
		"model: garbage: no text":              {Fault: FaultGarbage, Err: errors.New("no text")},
		"model: garbage (status 200): no text": {Fault: FaultGarbage, Status: 200, Err: errors.New("no text")},
		"model: breaker_open":                  {Fault: FaultRefused},
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Each API has its path, its form of prompt and its place for the text.
func TestBothAPIs(t *testing.T) {
	for api, want := range map[API]struct{ path, prompt, answer string }{
		Chat:        {"/v1/chat/completions", "messages.1.content", `{"choices":[{"message":{"content":"好的"}}]}`},
		Completions: {"/v1/completions", "prompt", `{"choices":[{"text":"好的"}]}`},
	} {
		var path, body string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			path, body = r.URL.Path, string(b)
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, want.answer)
		}))
		m := NewClient(srv.URL+"/", "", Options{API: api})
		text, err := m.Ask(t.Context(), m.Body(Prompt{Text: "怎么退货"}), trace.From(""), "")
		m.Close()
		srv.Close()
		if text != "好的" || err != nil || path != want.path || !strings.Contains(gjson.Get(body, want.prompt).Str, "怎么退货") {
			t.Errorf("%s: %q, %v; %s %s", api, text, err, path, body)
		}
	}
}

func TestTextsThatAreAnswers(t *testing.T) {
	m := &Client{chat: true}
	chat := func(text string) string { return `{"choices":[{"message":{"content":` + text + `}}]}` }
	long := strings.Repeat("a", MaxText)
	for _, c := range []struct {
		raw, want string
		fault     Fault
	}{
		{chat(`"好的"`), "好的", FaultNone},
		{chat(`"` + long + `"`), long, FaultNone},
		{chat(`"` + long + `a"`), "", FaultGarbage},
		{chat(`" \n"`), "", FaultGarbage},
		{chat(`""`), "", FaultGarbage},
		{chat(`5`), "", FaultGarbage},
		{chat(`null`), "", FaultGarbage},
		{chat("\"\xff\""), "", FaultGarbage},
		{chat(`"好的"`) + "}", "", FaultGarbage},
		{`{"choices":[]}`, "", FaultGarbage},
		{"", "", FaultGarbage},
	} {
		if text, err := m.decode([]byte(c.raw)); text != c.want || FaultOf(err) != c.fault {
			t.Errorf("%.60q: %.60q, %v", c.raw, text, err)
		}
	}
}
