package customer

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/cstest/cstest/reference-server/dialog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// opened is a room with a server in front of it, whose customers say.
func opened(t *testing.T, live Live, within time.Duration, say func(context.Context, []byte) []byte) (*Room, string) {
	t.Helper()
	if live.Most == 0 {
		live.Most = 100
	}
	r := New(func() Live { return live }, NewMetrics(prometheus.NewRegistry()))
	r.within = within
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		err := r.Accept(w, req, Caller{Owner: dialog.Owner{Tenant: "t", UID: req.URL.Query().Get("uid")}, Until: time.Now().Add(time.Hour), Say: say})
		switch {
		case errors.Is(err, ErrMany):
			http.Error(w, "many", http.StatusTooManyRequests)
		case errors.Is(err, ErrFull), errors.Is(err, ErrDraining):
			http.Error(w, "full", http.StatusServiceUnavailable)
		}
	}))
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		r.Run(ctx)
		close(ended)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
		end, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		r.Drain(end)
		srv.Close()
		if r.Open() != 0 {
			t.Errorf("%d sockets are left", r.Open())
		}
	})
	return r, strings.Replace(srv.URL, "http", "ws", 1)
}

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	conn, _, err := websocket.Dial(context.Background(), url, &websocket.DialOptions{Subprotocols: []string{Protocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// until waits for what is about to be, ten seconds at most.
func until(t *testing.T, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatal("it never came to be")
		}
		time.Sleep(time.Millisecond)
	}
}

func echo(_ context.Context, message []byte) []byte { return message }

// A customer who sends and does not read holds a socket for no longer than an answer
// may take.
func TestWhoDoesNotReadIsClosed(t *testing.T) {
	large := bytes.Repeat([]byte("x"), 1<<20)
	said := make(chan struct{}, 1)
	r, url := opened(t, Live{Ping: time.Hour, Pong: time.Hour}, 50*time.Millisecond, func(context.Context, []byte) []byte {
		select {
		case said <- struct{}{}:
		default:
		}
		return large
	})
	conn := dial(t, url)
	for r.Open() > 0 {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = conn.Write(ctx, websocket.MessageText, []byte("more")) // it may be gone
		cancel()
		select {
		case <-said:
		case <-time.After(time.Millisecond): // it is not read from while it does not read
		}
	}
}

// A frame that was begun must come whole.
func TestAFrameThatStopsIsNotWaitedFor(t *testing.T) {
	r, url := opened(t, Live{Ping: time.Hour, Pong: time.Hour}, 50*time.Millisecond, echo)
	raw, err := net.Dial("tcp", strings.TrimPrefix(url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_, _ = raw.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: " + Protocol + "\r\n\r\n"))
	_, _ = raw.Write([]byte{0x81, 0x80 | 100, 1, 2, 3, 4, 'x'}) // 1 byte of 100
	b := make([]byte, 4096)
	for {
		if _, err := raw.Read(b); err != nil {
			break
		}
	}
	until(t, func() bool { return r.Open() == 0 })
}

// Who leaves within a turn is noticed by it, and a turn under way is answered before
// the socket is closed.
func TestLeavingAndDraining(t *testing.T) {
	begun, left, go1 := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r, url := opened(t, Live{Ping: time.Hour, Pong: time.Hour}, time.Second, func(ctx context.Context, message []byte) []byte {
		begun <- struct{}{}
		if string(message) == "leave" {
			<-ctx.Done()
			close(left)
			return nil
		}
		<-go1
		return []byte("answered")
	})
	gone := dial(t, url+"?uid=a")
	if err := gone.Write(context.Background(), websocket.MessageText, []byte("leave")); err != nil {
		t.Fatal(err)
	}
	<-begun
	_ = gone.CloseNow()
	<-left

	stays := dial(t, url+"?uid=b")
	if err := stays.Write(context.Background(), websocket.MessageText, []byte("stay")); err != nil {
		t.Fatal(err)
	}
	<-begun
	drained := make(chan struct{})
	go func() {
		r.Drain(context.Background())
		close(drained)
	}()
	if err := stays.Write(context.Background(), websocket.MessageText, []byte("too late")); err != nil {
		t.Fatal(err)
	}
	close(go1)
	if _, b, err := stays.Read(context.Background()); err != nil || string(b) != "answered" {
		t.Errorf("a turn under way: %q, %v", b, err)
	}
	if _, _, err := stays.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusGoingAway {
		t.Errorf("then %v", err)
	}
	<-drained
	if _, resp, err := websocket.Dial(context.Background(), url, nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a socket is opened while the server goes down: %v", err)
	}
}

// Sockets that nobody speaks at: idle ones are closed with 1000, those whose other side
// is gone with 1008, and those that answer stay.
func TestSilentSockets(t *testing.T) {
	_, url := opened(t, Live{Idle: time.Nanosecond, Ping: time.Hour, Pong: time.Hour}, time.Second, echo)
	if _, _, err := dial(t, url).Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("idle: %v", err)
	}
	r, url := opened(t, Live{Ping: time.Nanosecond, Pong: 100 * time.Millisecond}, time.Second, echo)
	deaf := dial(t, url) // nobody reads, so nobody answers pings
	hears := dial(t, url)
	reading := hears.CloseRead(context.Background())
	until(t, func() bool { return r.Open() == 1 })
	if reading.Err() != nil {
		t.Error("who answers pings is closed as well")
	}
	if _, _, err := deaf.Read(context.Background()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("deaf: %v", err)
	}
}

func TestSocketsHaveBounds(t *testing.T) {
	r, url := opened(t, Live{Most: 3, MostUser: 2, Ping: time.Hour, Pong: time.Hour}, time.Second, echo)
	dial(t, url+"?uid=a")
	last := dial(t, url+"?uid=a")
	if _, resp, err := websocket.Dial(context.Background(), url+"?uid=a", nil); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a third socket of one customer: %v", err)
	}
	dial(t, url+"?uid=b")
	if _, resp, err := websocket.Dial(context.Background(), url+"?uid=c", nil); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a fourth socket: %v", err)
	}
	_ = last.Close(websocket.StatusNormalClosure, "")
	until(t, func() bool { return r.Open() == 2 })
	dial(t, url+"?uid=c")
}
