package driver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/cstest/cstest/driver/internal/wire"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// open gives a driver for target and closes it with the test.
func open(t testing.TB, target *scenario.Target, opts Options) Driver {
	t.Helper()
	if target.Timeout == 0 {
		target.Timeout = unit.Duration(5 * time.Second)
	}
	d, err := New(target, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

func TestReferenceTurn(t *testing.T) {
	var got map[string]string
	var header http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ := io.ReadAll(r.Body)
		got = nil
		if err := json.Unmarshal(body, &got); err != nil {
			t.Errorf("body %s: %v", body, err)
		}
		io.WriteString(w, `{"dialog_id":"d1","answer":"券还能用 \u2713","tier":"faq","degraded":true,"source":"cache","context":{"status":"ok","turns":2},"turn_id":"t1","trace_id":"abc"}`) //nolint:errcheck // the client may be gone
	}))
	defer srv.Close()
	d := open(t, &scenario.Target{URL: srv.URL, Auth: &scenario.Auth{Bearer: "${users.token}"}}, Options{})
	line := d.Open(&User{ID: "u1", Vars: map[string]string{"users.token": "tok"}})
	defer line.Close()
	var r Reply
	line.Do(&Turn{Text: []byte("你好 \"x\"\n"), TraceID: [16]byte{1}, SpanID: [8]byte{2}}, &r)
	if r.Reason != Complete || r.Status != 200 || string(r.DialogID) != "d1" || string(r.Answer) != "券还能用 ✓" ||
		string(r.Tier) != "faq" || !r.Degraded || !r.Cached || r.ContextTurns != 2 || string(r.ContextStatus) != "ok" ||
		string(r.TurnID) != "t1" || string(r.TraceID) != "abc" || !r.OK {
		t.Errorf("reply %+v", r)
	}
	if r.Begun > r.Sent || r.Sent >= r.FirstByte || r.FirstByte > r.Done || r.Connect <= 0 {
		t.Errorf("times begun %d sent %d first %d done %d connect %d", r.Begun, r.Sent, r.FirstByte, r.Done, r.Connect)
	}
	line.Free(&r)
	if len(got) != 1 || got["text"] != "你好 \"x\"\n" {
		t.Errorf("first turn sent %v", got)
	}
	if h := header.Get("Authorization"); h != "Bearer tok" {
		t.Errorf("authorization %q", h)
	}
	if h := header.Get("Traceparent"); h != "00-01000000000000000000000000000000-0200000000000000-01" {
		t.Errorf("traceparent %q", h)
	}
	line.Do(&Turn{Text: []byte("again"), DialogID: []byte("d1"), TurnID: []byte("k")}, &r)
	if r.Reason != Complete || r.Connect != 0 {
		t.Errorf("second turn: reason %d %s, connect %d", r.Reason, r.Message, r.Connect)
	}
	line.Free(&r)
	if len(got) != 3 || got["dialog_id"] != "d1" || got["turn_id"] != "k" {
		t.Errorf("second turn sent %v", got)
	}
	if n := d.Connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// filled gives v as templates take it.
func filled(v values) *wire.Values { return &wire.Values{Of: &v} }
