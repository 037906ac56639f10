//go:build unix

package driver

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
)

// descriptors counts the open ones of this process.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Skip(err)
	}
	return len(list)
}

// serveAt serves on an address that is free again; "127.0.0.1:0" is any.
func serveAt(t *testing.T, address string, handler http.Handler) *httptest.Server {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(handler)
	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	srv.Listener = l
	srv.Start()
	return srv
}

// A server with two thousand sockets open goes away and comes back: every customer
// redials, in vain at first, until it has a socket again, each exactly one, and their
// next turns open none. No descriptor is left behind.
func TestRedialStorm(t *testing.T) {
	const customers = 2000
	reply := func(c *chatConn, m string) {
		if seat := field(m, "join"); seat != "<nil>" {
			c.Send(`{"seat":"s-` + seat + `"}`)
			return
		}
		c.Send(`{"text":"` + field(m, "text") + " at " + field(m, "seat") + `"}`)
	}
	before := descriptors(t)
	old := &chatSocket{say: reply}
	srv := serveAt(t, "127.0.0.1:0", old)
	address := srv.Listener.Addr().String()
	d := mappedAt(t, srv.URL, `
timeout: 60s
socket:
  redial: {after: 20ms, backoff: 3, at_most: 2s}
  first: [{body: {join: "${user.id}"}, save: {seat: seat}}]
request: {body: {text: "${turn.text}", seat: "${saved.seat}"}}
response: {answer: text}`)
	lines := make([]Channel, customers)
	say := func(text string) {
		t.Helper()
		var wg sync.WaitGroup
		next := make(chan int)
		for range 32 {
			wg.Go(func() {
				for i := range next {
					checkTold(t, told(lines[i], text), fmt.Sprintf("%s at s-u%d", text, i))
				}
			})
		}
		for i := range lines {
			next <- i
		}
		close(next)
		wg.Wait()
	}
	for i := range lines {
		lines[i] = d.Open(&User{ID: fmt.Sprintf("u%d", i)})
	}
	say("a")
	open := descriptors(t)
	if n := d.Traffic(); n.SocketsOpened != customers || old.count() != customers {
		t.Fatalf("%d sockets opened, the server has %d", n.SocketsOpened, old.count())
	}

	if err := srv.Listener.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range customers {
		_ = old.conn(i).CloseNow() // as the end of a process does
	}
	srv.Close()
	eventually(t, "every customer has redialled in vain", func() bool { return d.Traffic().RedialsFailed >= customers })
	again := &chatSocket{say: reply}
	srv = serveAt(t, address, again)
	t.Cleanup(srv.Close)
	eventually(t, "every customer has a socket again", func() bool { return d.Traffic().SocketsRedialled == customers })
	n := d.Traffic()
	if again.count() != customers || n.SocketsOpened != 2*customers || n.SocketsReopened != customers {
		t.Errorf("the new server has %d sockets; %+v", again.count(), n)
	}
	if got := descriptors(t); got > open {
		t.Errorf("%d descriptors are open, %d were before the server went away", got, open)
	}
	say("b")
	if n := d.Traffic(); n.SocketsOpened != 2*customers || again.count() != customers {
		t.Errorf("turns opened sockets: %+v", n)
	}
	for _, line := range lines {
		line.Close()
	}
	srv.Close()
	eventually(t, "the server has seen every socket's end", func() bool { return descriptors(t) <= before+8 })
}
