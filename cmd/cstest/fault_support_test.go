package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// asTarget makes the test binary a chat server at the address it holds.
	asTarget = "TEST_BINARY_IS_TARGET"
	// These lower a limit of the process before it is anything else.
	limitFiles = "TEST_LIMIT_NOFILE"
	limitSize  = "TEST_LIMIT_FSIZE"
)

// lower sets the limits that a test asks for: soft and hard, for Go raises the
// soft one.
func lower(getenv func(string) string) {
	for name, which := range map[string]int{limitFiles: syscall.RLIMIT_NOFILE, limitSize: syscall.RLIMIT_FSIZE} {
		if n, err := strconv.ParseUint(getenv(name), 10, 64); err == nil {
			if err := syscall.Setrlimit(which, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
				panic(err)
			}
		}
	}
}

// talker is a chat server that counts. Its zero value answers every turn at once.
type talker struct {
	name string // what it calls itself
	// odd is called with the number of the turn, from 1; true: it has answered, or
	// not, in its own way.
	odd func(n int, w http.ResponseWriter, r *http.Request) bool

	mu     sync.Mutex
	traces map[string]int // turns by trace id
	count  counted
	began  time.Time // when the first connection came
}

// counted is what a talker counted. Connections are those that carried a turn.
type counted struct {
	Turns, Answered, Connections, Early int // Early: connections in the first second
}

// counts is a copy of what was counted, and how many trace ids came twice.
func (s *talker) counts() (c counted, twice int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.traces {
		if n > 1 {
			twice++
		}
	}
	return s.count, twice
}

type connKey struct{}

func (s *talker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.name != "" {
		w.Header().Set("Server", s.name)
	}
	switch {
	case r.URL.Path == "/stats":
		c, _ := s.counts()
		_ = json.NewEncoder(w).Encode(c) // whoever asked may be gone
		return
	case r.Method != http.MethodPost:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.count.Turns++
	n := s.count.Turns
	if s.traces == nil {
		s.traces = map[string]int{}
	}
	s.traces[r.Header.Get("traceparent")]++
	if first, ok := r.Context().Value(connKey{}).(*bool); ok && !*first {
		*first = true
		now := time.Now()
		if s.began.IsZero() {
			s.began = now
		}
		s.count.Connections++
		if now.Sub(s.began) < time.Second {
			s.count.Early++
		}
	}
	s.mu.Unlock()
	if s.odd != nil && s.odd(n, w, r) {
		return
	}
	s.answer(w)
}

func (s *talker) answer(w http.ResponseWriter) {
	s.mu.Lock()
	s.count.Answered++
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"reply":"好的"}`) // whoever asked may be gone
}

// mute is an error log for servers whose clients misbehave.
type mute struct{}

func (mute) Write(p []byte) (int, error) { return len(p), nil }

// serve has the server answer on l; the end of the test ends it.
func (s *talker) serve(t *testing.T, l net.Listener) {
	srv := s.server()
	done := make(chan struct{})
	go func() {
		_ = srv.Serve(l) // ends with Close
		close(done)
	}()
	t.Cleanup(func() {
		_ = srv.Close()
		<-done
	})
}

func (s *talker) server() *http.Server {
	return &http.Server{
		Handler: s, ErrorLog: quietLog(),
		ConnContext: contextWithFirst,
	}
}

// start gives the URL of the server on a port of its own.
func (s *talker) start(t *testing.T) string {
	t.Helper()
	l := listen(t, "127.0.0.1:0")
	s.serve(t, l)
	return "http://" + l.Addr().String()
}

func listen(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// beTarget is a talker in a process of its own, until its input ends.
func beTarget(address string, in io.Reader, out io.Writer) int {
	l, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(out, err)
		return 1
	}
	s := &talker{name: os.Getenv(asTarget + "_NAME")}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		os.Exit(0)
	}()
	fmt.Fprintln(out, "http://"+l.Addr().String())
	_ = s.server().Serve(l) // ends with the process
	return 1
}

// targetProcess starts a talker as a process at address.
func targetProcess(t *testing.T, address, name string) (url string, p *os.Process) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), asTarget+"="+address, asTarget+"_NAME="+name)
	url = started(t, cmd)
	if !strings.HasPrefix(url, "http://") {
		t.Fatalf("the target did not start: %s", url)
	}
	return url, cmd.Process
}

// statsOf asks a talker's process what it counted.
func statsOf(t *testing.T, url string) (c counted) {
	t.Helper()
	if err := json.NewDecoder(bufio.NewReader(strings.NewReader(get(t, url+"/stats")))).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// direct is a scenario for a talker; more are fields of the target, as ", http: h2c".
func direct(url, more, load string) string {
	return `version: 1
name: direct
seed: 5
target:
  {url: '` + url + `', api: custom, request: {path: /talk, body: {text: "${turn.text}"}}, response: {answer: reply}, timeout: 2s` + more + `}
load: ` + load + `
conversations:
  - {name: talk, think: 100ms, turns: [{say: 你好}, {say: 再见}]}
checks: {memory: off}
sla: {latency: {p90: 5s}, availability: 50%}
`
}

// limited is cstest with a lower limit.
func limited(t *testing.T, limit string, n int, args ...string) ended {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, limit+"="+strconv.Itoa(n))
	return finished(t, cmd)
}

func contextWithFirst(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, new(bool))
}

func quietLog() *log.Logger { return log.New(mute{}, "", 0) }

// finished runs a command to its end.
func finished(t testing.TB, cmd *exec.Cmd) ended {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return ended{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}
