package trial

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/cstest/cstest/driver"
	"github.com/cstest/cstest/scenario"
	"github.com/cstest/cstest/unit"
)

// names is a name server that says 127.0.0.1 until it fails.
type names struct {
	asked   atomic.Int64 // for addresses of version 4
	failing atomic.Bool
}

// serve answers on a socket of its own and makes it the process's name server.
func (n *names) serve(t *testing.T) {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		b := make([]byte, 1500)
		for {
			size, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if answer, err := n.answer(b[:size]); err == nil {
				_, _ = c.WriteTo(answer, from)
			}
		}
	})
	former := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
	t.Cleanup(func() {
		net.DefaultResolver = former
		_ = c.Close()
		serving.Wait()
	})
}

func (n *names) answer(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, errors.Join(err, errors.New("no question"))
	}
	m.Response, m.Additionals = true, nil
	q := m.Questions[0]
	if q.Type == dnsmessage.TypeA {
		n.asked.Add(1)
	}
	switch {
	case n.failing.Load():
		m.RCode = dnsmessage.RCodeServerFailure
	case q.Type == dnsmessage.TypeA:
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 0},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return m.Pack()
}

// A name is looked up once a run: name servers that fail under load do not fail
// the target, and nothing is asked that the target's name server would have to bear.
func TestNamesAreLookedUpOnce(t *testing.T) {
	n := &names{}
	n.serve(t)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"success":true,"reply":"ok","response":"ok","answer":"ok","data":{"reply":"ok"}}`))
	}))
	defer srv.Close()
	target := scenario.Target{
		URL: strings.Replace(srv.URL, "127.0.0.1", "chat.test", 1), API: scenario.APICustom,
		HTTP: scenario.HTTP1, Mode: scenario.ModeSync, Connections: scenario.PerTurn, Timeout: unit.Duration(5 * time.Second),
		Limits:  scenario.Limits{Headers: 1 << 16, Line: 1 << 16, Body: 1 << 20, Ratio: 100},
		Request: &scenario.Request{Method: scenario.MethodPost, Path: "/", Body: []byte(`{"text":"${turn.text}"}`)}, Response: &scenario.Response{Answer: "reply"},
	}
	do := func(d driver.Driver) (driver.Reason, string) {
		line := d.Open(&driver.User{ID: "u"})
		defer line.Close()
		var r driver.Reply
		line.Do(&driver.Turn{Text: []byte("hi")}, &r)
		defer line.Free(&r)
		return r.Reason, r.Message
	}
	d, err := driver.New(&target, driver.Options{Base: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i := range 20 {
		if i == 1 {
			n.failing.Store(true)
		}
		if reason, message := do(d); reason != driver.Complete {
			t.Fatalf("turn %d: %d %q", i, reason, message)
		}
	}
	if asked := n.asked.Load(); asked != 1 {
		t.Errorf("asked %d times for 20 connections", asked)
	}
	// A run that begins now is told that it is the name, no refused connection.
	fresh, err := driver.New(&target, driver.Options{Base: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if reason, message := do(fresh); reason != driver.Unreachable || !strings.HasPrefix(message, "name lookup") {
		t.Errorf("%d %q", reason, message)
	}
	_, err = checkAddress(patient(t), &target, nil)
	var refused *TargetError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "chat.test") {
		t.Errorf("before the load: %v", err)
	}
}
