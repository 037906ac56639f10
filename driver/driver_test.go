package driver

import (
	"cmp"
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

// given puts something in everywhere that target says nothing: the driver has no
// defaults. The numbers are not scenario's.
func given(target *scenario.Target) *scenario.Target {
	target.API = cmp.Or(target.API, scenario.APIReference)
	target.HTTP = cmp.Or(target.HTTP, scenario.HTTP1)
	target.Mode = cmp.Or(target.Mode, scenario.ModeSync)
	target.Connections = cmp.Or(target.Connections, scenario.PerUser)
	target.Pool = cmp.Or(target.Pool, 16)
	target.Timeout = cmp.Or(target.Timeout, unit.Duration(5*time.Second))
	l := &target.Limits
	l.Headers, l.Line = cmp.Or(l.Headers, 64<<10), cmp.Or(l.Line, 256<<10)
	l.Body, l.Ratio = cmp.Or(l.Body, 1<<20), cmp.Or(l.Ratio, 100)
	if target.Request != nil {
		target.Request.Method = cmp.Or(target.Request.Method, scenario.MethodPost)
	}
	if target.Login != nil {
		target.Login.Method = cmp.Or(target.Login.Method, scenario.MethodPost)
	}
	if a := target.Auth; a != nil && a.JWT != nil {
		a.JWT.Sub, a.JWT.TTL = cmp.Or(a.JWT.Sub, "${user.id}"), cmp.Or(a.JWT.TTL, unit.Duration(2*time.Hour))
	}
	if target.Mode == scenario.ModeAgents {
		if target.Agents == nil {
			target.Agents = &scenario.Agents{}
		}
		a := target.Agents
		a.Sockets, a.Path = cmp.Or(a.Sockets, 4), cmp.Or(a.Path, "/v1/agent/ws")
		a.Reply = cmp.Or(a.Reply, "您好,已为您处理。")
		if a.Queues == nil {
			a.Queues = []string{scenario.AllQueues}
		}
	}
	return target
}

// open gives a driver for target and closes it with the test.
func open(t testing.TB, target *scenario.Target, opts Options) Driver {
	t.Helper()
	d, err := New(given(target), opts)
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
