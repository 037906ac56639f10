package main

import (
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// D15: a server that closes kept connections at random: every turn is sent once,
// and what it cost is told.
func TestNothingIsSentTwice(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"per-user", "shared"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(20261111, 1))
			var dropped, closed int // without an answer; after one
			srv := &talker{}
			srv.odd = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				srv.mu.Lock()
				dice := random.IntN(10)
				if n > 1 && dice == 0 {
					dropped++
				}
				if n > 1 && dice == 1 {
					closed++
				}
				srv.mu.Unlock()
				if n == 1 || dice > 1 {
					return false
				}
				c, b, err := w.(http.Hijacker).Hijack()
				if err != nil {
					t.Error(err)
					return true
				}
				if dice == 1 {
					srv.mu.Lock()
					srv.count.Answered++
					srv.mu.Unlock()
					_, _ = b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{\"reply\":\"好的\"}")
					_ = b.Flush()
				}
				_ = c.Close()
				return true
			}
			dir := filepath.Join(t.TempDir(), "result")
			text := direct(srv.start(t), ", connections: "+policy, "{users: 8, for: 2s, drain: 5s}")
			text = strings.Replace(text, "think: 100ms", "think: 5ms", 1)
			r := cstest(t, "run", write(t, text), "--results-dir", dir, "--quiet")
			doc := open(t, dir)
			c, twice := srv.counts()
			if r.code == exitInternal || r.code == exitInvalid || doc.Counts.Turns < 500 || dropped < 20 || closed < 20 {
				t.Fatalf("exit %d, %d turns, %d dropped, %d closed\n%s", r.code, doc.Counts.Turns, dropped, closed, r.stderr)
			}
			if twice != 0 {
				t.Errorf("%d turns came twice", twice)
			}
			// The preflight's turn is one more. A turn written to a connection that the
			// server had closed was never read there: it failed, and was not tried again.
			unread := doc.Counts.TransportError - int64(dropped)
			if doc.Counts.OK != int64(c.Answered-1) || doc.Counts.Turns != int64(c.Turns-1)+unread || unread < 0 || unread > int64(closed) {
				t.Errorf("the server counted %+v, %d dropped, %d closed; cstest %+v", c, dropped, closed, doc.Counts)
			}
		})
	}
}

// D16: proxies, .netrc and redirects of the environment are nobody's way to the
// target's traffic, or to its credentials.
func TestCredentialsGoNowhereElse(t *testing.T) {
	t.Parallel()
	trap := listen(t, "127.0.0.1:0")
	caught := make(chan string, 100)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := trap.Accept()
			if err != nil {
				return
			}
			var b [512]byte
			n, _ := c.Read(b[:])
			caught <- string(b[:n])
			_ = c.Close()
		}
	}()
	defer func() {
		_ = trap.Close()
		<-done
		close(caught)
		for request := range caught {
			t.Errorf("somebody else was asked: %q", request)
		}
	}()
	elsewhere := "http://" + trap.Addr().String()
	authorized := make(map[string]int)
	srv := &talker{}
	srv.odd = func(n int, w http.ResponseWriter, r *http.Request) bool {
		srv.mu.Lock()
		authorized[r.Header.Get("Authorization")]++
		srv.mu.Unlock()
		if n == 1 || n%3 == 0 {
			return false // the preflight's, and some
		}
		w.Header().Set("Set-Cookie", "sid=1")
		w.Header().Set("Alt-Svc", `h2="`+trap.Addr().String()+`"`)
		http.Redirect(w, r, elsewhere+"/talk", []int{http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect}[n%3])
		return true
	}
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, ".netrc"), []byte("default login mallory password netrc-canary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Not a loopback name, which proxies are not used for.
	url := srv.start(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	name := "chat.example:" + port
	more := `, headers: {authorization: "Bearer ${env:TARGET_TOKEN}"}, resolve: {"` + name + `": "127.0.0.1:` + port + `"}`
	dir := filepath.Join(t.TempDir(), "result")
	cmd := command(t, "run", write(t, direct("http://"+name, more, "{arrivals: constant, stages: [{name: s, for: 2s, starts: 20/s}], drain: 5s}")), "--results-dir", dir, "--quiet")
	cmd.Env = append(cmd.Env, "HOME="+home, "NETRC="+filepath.Join(home, ".netrc"), "TARGET_TOKEN=sesame-open-1",
		"HTTP_PROXY="+elsewhere, "http_proxy="+elsewhere, "HTTPS_PROXY="+elsewhere, "ALL_PROXY="+elsewhere, "all_proxy="+elsewhere)
	r := finished(t, cmd)
	doc := open(t, dir)
	c, _ := srv.counts()
	// n counts from the preflight's turn: a third of those from 2 to 81 is answered.
	if r.code != exitFail || doc.Counts.Turns != 80 || c.Turns != 81 || doc.Counts.OK != 27 || doc.Counts.ClientError != 53 {
		t.Errorf("exit %d, counts %+v, the server's %+v\n%s", r.code, doc.Counts, c, r.stderr)
	}
	if len(authorized) != 1 || authorized["Bearer sesame-open-1"] != 81 {
		t.Errorf("authorized as %v", authorized)
	}
}
