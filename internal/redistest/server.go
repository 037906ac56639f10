// Package redistest starts redis-servers for tests.
package redistest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Server is a redis-server of a test's own, which ends with the test.
type Server struct {
	Addr string // stays the same when it is started again

	program, dir string
	args         []string
	process      *os.Process
	ended        chan struct{}
}

// answers is how long a redis-server may take to answer, to its start too: it shares
// the machine with all other tests.
const answers = 30 * time.Second

// Start starts one that keeps nothing, or skips the test where there is none.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, "--appendonly", "no")
}

// StartKeeping starts one that writes every command to its file before it answers.
func StartKeeping(t testing.TB) *Server {
	t.Helper()
	return start(t, "--appendonly", "yes", "--appendfsync", "always")
}

func start(t testing.TB, args ...string) *Server {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("no redis-server here")
	}
	s := &Server{program: program, dir: t.TempDir(), args: args}
	t.Cleanup(s.Kill)
	// A port that was free just now may be another's by the time it is asked for.
	for range 5 {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s.Addr = ln.Addr().String()
		if err := ln.Close(); err != nil {
			t.Fatal(err)
		}
		if s.begin(t) {
			return s
		}
	}
	t.Fatal("redis-server ended at once, at five ports")
	return nil
}

// Restart starts it again, where it was and with what it had kept.
func (s *Server) Restart(t testing.TB) {
	t.Helper()
	if !s.begin(t) {
		t.Fatal("redis-server ended at once")
	}
}

// begin waits until it answers; false when it ended.
func (s *Server) begin(t testing.TB) bool {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(s.program, append([]string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", s.dir}, s.args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	s.process, s.ended = cmd.Process, ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // killed is no success
	}()
	for late := time.Now().Add(answers); time.Now().Before(late); {
		if s.ask("PING") == "+PONG" {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond): // another process: nothing to wait on
		}
	}
	t.Fatal("redis-server does not answer")
	return false
}

// URL is its address as programs take it.
func (s *Server) URL() string { return "redis://" + s.Addr }

// PID is its process.
func (s *Server) PID() int { return s.process.Pid }

// Kill ends it at once, whatever it is doing.
func (s *Server) Kill() {
	if s.process != nil {
		_ = s.process.Kill() // it may have ended already
		<-s.ended
	}
}

// Signal sends it a signal.
func (s *Server) Signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// Tell gives it a command that it must obey.
func (s *Server) Tell(t testing.TB, command ...string) {
	t.Helper()
	if got := s.ask(command...); !strings.HasPrefix(got, "+") {
		t.Fatalf("%v: %q", command, got)
	}
}

// ask is the first line of its reply; empty without one.
func (s *Server) ask(command ...string) string {
	c, err := net.Dial("tcp", s.Addr)
	if err != nil {
		return ""
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(answers)); err != nil {
		return ""
	}
	if _, err := c.Write([]byte(strings.Join(command, " ") + "\r\n")); err != nil {
		return ""
	}
	line, _ := bufio.NewReader(c).ReadString('\n') // a connection that was cut is no reply
	return strings.TrimRight(line, "\r\n")
}

// Forget takes away what it kept, while it is not running.
func (s *Server) Forget(t testing.TB) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(s.dir, "appendonlydir")); err != nil {
		t.Fatal(err)
	}
}
