package front

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a connection that brings what it is given and notes what is done with it.
type script struct {
	net.Conn
	start  time.Time
	brings []string
	fails  string // what fails
	did    []string
}

var errScript = errors.New("so it is written")

func (s *script) do(what string) error {
	s.did = append(s.did, what)
	if word, _, _ := strings.Cut(what, " "); word == s.fails {
		return errScript
	}
	return nil
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.brings) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.brings[0])
	s.brings = s.brings[1:]
	return n, nil
}

func (s *script) Write(p []byte) (int, error) {
	at := time.Since(s.start)
	return len(p), s.do("write " + string(p[max(0, len(p)-4):]) + " at " + at.String())
}

func (s *script) Close() error         { return s.do("close at " + time.Since(s.start).String()) }
func (s *script) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9} }
func (s *script) SetReadDeadline(t time.Time) error {
	return s.do("read until " + t.Sub(s.start).String())
}

func (s *script) SetWriteDeadline(t time.Time) error {
	return s.do("write-until " + t.Sub(s.start).String())
}

func (s *script) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(s.did, want) {
		t.Errorf("did %q, want %q", s.did, want)
	}
}

// Each answer is sent when it is due, and its connection closed.
func TestHeldAnswersComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		now, soon, late, last := &script{start: time.Now()}, &script{start: time.Now()}, &script{start: time.Now()}, &script{start: time.Now()}
		h.send(now, []byte("none"), 0)
		now.want(t, "write none at 0s", "close at 0s")
		h.send(soon, []byte("soon"), time.Second)
		time.Sleep(500 * time.Millisecond)
		h.send(late, []byte("late"), time.Second)
		h.send(last, []byte("last"), time.Hour)
		time.Sleep(9500 * time.Millisecond)
		synctest.Wait()
		soon.want(t, "write soon at 1s", "close at 1s")
		late.want(t, "write late at 1.5s", "close at 1.5s")
		last.want(t)
		another := &script{start: last.start}
		h.send(another, []byte("more"), time.Hour)
		h.close()
		h.close()
		synctest.Wait()
		last.want(t, "write last at 10s", "close at 10s")
		another.want(t, "write more at 10s", "close at 10s")
		behind := &script{start: last.start}
		h.send(behind, []byte("over"), time.Hour)
		behind.want(t, "write over at 10s", "close at 10s")
	})
}

// One too many is not held back.
func TestHeldAnswersAreBounded(t *testing.T) {
	h := &held{queue: make(chan answer, 1)} // and nobody sends them
	first, second := &script{start: time.Now()}, &script{start: time.Now()}
	h.send(first, []byte("1"), time.Hour)
	h.send(second, []byte("2"), time.Hour)
	if len(first.did) != 0 || len(second.did) != 2 {
		t.Errorf("%q and %q, want the second at once", first.did, second.did)
	}
}

// An answer on a kept connection has five seconds to be sent, and the request behind it
// as long to come as behind any other.
func TestKeptConnectionsHaveTheirTime(t *testing.T) {
	const wrote, limit, until = "write busy at 2s", "write-until 7s", "read until 1m17s"
	for name, c := range map[string]struct {
		idle   bool
		hold   time.Duration
		brings []string
		fails  string
		want   []string
		text   string
		err    error
	}{
		"answered":     {true, 2 * time.Second, []string{post("no"), post("yes")}, "", []string{limit, wrote, until}, post("yes"), nil},
		"not idle":     {false, 2 * time.Second, []string{post("no")}, "", nil, post("no"), nil},
		"at the end":   {true, 2 * time.Second, []string{post("no")}, "", []string{limit, wrote, until}, "", io.EOF},
		"nothing yet":  {true, 2 * time.Second, []string{"", "x"}, "", nil, "", nil},
		"cannot write": {true, 2 * time.Second, []string{post("no"), post("yes")}, "write", []string{limit, wrote}, "", errScript},
		"cannot wait":  {true, 2 * time.Second, []string{post("no"), post("yes")}, "read", []string{limit, wrote, until}, "", errScript},
		"not held":     {true, 0, []string{post("no"), post("yes")}, "", []string{"write-until 5s", "write busy at 0s", "read until 1m15s"}, post("yes"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := desk{hold: c.hold}
				d.crowded.Store(true)
				s := &script{start: time.Now(), brings: c.brings, fails: c.fails}
				k := &kept{Conn: s, desk: &d}
				k.waits.Store(c.idle)
				p := make([]byte, most)
				n, err := k.Read(p)
				if string(p[:n]) != c.text || !errors.Is(err, c.err) {
					t.Errorf("%q, %v; want %q, %v", p[:n], err, c.text, c.err)
				}
				s.want(t, c.want...)
				if c.idle && d.address.Load() != "127.0.0.1:9" && len(c.want) > 0 {
					t.Errorf("asked by %q", d.address.Load())
				}
			})
		})
	}
}

// What goes on with something that the server has the beginning of is no request, though
// it looks like one: to answer it would join the beginning with the request behind it.
func TestWhatGoesOnIsNoRequest(t *testing.T) {
	var d desk
	d.crowded.Store(true)
	long := "POST /x HTTP/1.1\r\nX-Long: " + strings.Repeat("x", most)
	k := &kept{Conn: &script{brings: []string{long[:most], post("no"), post("no")}}, desk: &d}
	begin := func(k *kept) {
		State(k, http.StateIdle)
		_ = k.SetReadDeadline(time.Time{})
	}
	begin(k)
	p := make([]byte, most)
	for i, want := range []string{long[:most], post("no"), post("no")} {
		if n, err := k.Read(p); err != nil || string(p[:n]) != want {
			t.Errorf("%d: %.40q, %v; want %.40q", i, p[:n], err, want)
		}
	}
	for _, state := range []http.ConnState{http.StateNew, http.StateActive, http.StateHijacked} {
		k := &kept{Conn: &script{brings: []string{post("no")}}, desk: &d}
		State(k, http.StateIdle)
		State(k, state)
		_ = k.SetReadDeadline(time.Time{})
		if n, err := k.Read(p); err != nil || string(p[:n]) != post("no") {
			t.Errorf("%s: %q, %v", state, p[:n], err)
		}
	}
	k = &kept{Conn: &script{brings: []string{post("no"), post("no")}}, desk: &d}
	begin(k)
	for range 2 {
		if n, err := k.Read(p[:most-1]); err != nil || string(p[:n]) != post("no") {
			t.Errorf("with bytes before it: %q, %v", p[:n], err)
		}
	}
	k = &kept{Conn: &script{brings: []string{post("no")}}, desk: &d}
	begin(k)
	_ = k.SetReadDeadline(time.Time{}) // it had bytes, and reads on
	if n, err := k.Read(p); err != nil || string(p[:n]) != post("no") {
		t.Errorf("behind the beginning: %q, %v", p[:n], err)
	}
	if n := d.seen.Load(); n != 0 {
		t.Errorf("the desk was asked %d times", n)
	}
}
