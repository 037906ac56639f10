package main

import (
	"math"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cstest/cstest/result"
)

// at waits until so much of the load has passed, from when its first second was told.
func at(t *testing.T, begun time.Time, d time.Duration) {
	t.Helper()
	timer := time.NewTimer(time.Until(begun.Add(d)))
	defer timer.Stop()
	<-timer.C
}

// errorsOf adds up the failures of an outcome whose message has the text.
func errorsOf(doc *result.Document, outcome, text string) (n int64) {
	for _, e := range doc.Errors {
		if e.Outcome == outcome && strings.Contains(e.Message, text) {
			n += e.Count
		}
	}
	return n
}

// A1: the target is killed under load and comes back 5 s later on its port.
func TestTargetKilledAndRestarted(t *testing.T) {
	t.Parallel()
	const rate, dead = 20, 5 * time.Second
	url, process := targetProcess(t, "127.0.0.1:0", "")
	address := strings.TrimPrefix(url, "http://")
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, direct(url, "", "{arrivals: constant, stages: [{name: s, for: 9s, starts: 20/s}], drain: 10s}")), "--results-dir", dir)
	r.says(t, "\n00:01 ")
	killed := time.Now()
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	at(t, killed, dead)
	url2, _ := targetProcess(t, address, "")
	back := time.Since(killed)
	r.says(t, "\n00:09 ")
	after := statsOf(t, url2)
	code := r.ends(t)
	doc := open(t, dir)
	if code == exitInvalid || code == exitTarget || code == exitInternal || doc.ExitCode != code {
		t.Fatalf("exit %d\n%s", code, &r.stderr)
	}
	// The plan goes on: every second has its starts, in the outage too.
	for _, s := range doc.Series[:9] {
		if s.Starts != rate {
			t.Errorf("second %d has %d starts, want %d", s.TS, s.Starts, rate)
		}
	}
	c := doc.Counts
	if c.Conversations != 9*rate || c.DroppedGenerator+c.DroppedTarget != 0 || c.Turns != c.OK+c.TransportError {
		t.Errorf("counts %+v", c)
	}
	if refused := errorsOf(doc, "transport_error", "connection refused"); refused < rate*4 {
		t.Errorf("%d turns were refused in %s at %d starts a second", refused, back, rate)
	}
	if n := len(doc.Availability.Outages); n != 1 {
		t.Fatalf("outages %+v, want one", doc.Availability.Outages)
	}
	// In whole seconds, so up to a second more at either end.
	if o := doc.Availability.Outages[0]; o.Cause != "transport_error" || o.LengthS < back.Seconds()-1.5 || o.LengthS > back.Seconds()+1.5 {
		t.Errorf("outage %+v, the target was gone for %s", o, back)
	}
	// Reconnecting is no storm: a conversation opens one connection, and nobody
	// tries again on the side.
	if after.Connections > after.Turns || after.Early > 3*rate {
		t.Errorf("after its return: %+v; %d starts a second should open as many connections", after, rate)
	}
}

// A1, for users who do not think: they wait between two refused connections.
func TestRefusedUsersDoNotStorm(t *testing.T) {
	t.Parallel()
	const users = 10
	url, process := targetProcess(t, "127.0.0.1:0", "")
	address := strings.TrimPrefix(url, "http://")
	dir := filepath.Join(t.TempDir(), "result")
	text := strings.Replace(direct(url, "", "{users: 10, for: 6s, drain: 5s}"), "think: 100ms, turns: [{say: 你好}, {say: 再见}]", "think: 0s, turns: [{say: 你好}]", 1)
	text += "guard: {max_turns: 2k/s}\n"
	r := launch(t, "run", write(t, text), "--results-dir", dir)
	r.says(t, "\n00:01 ")
	killed := time.Now()
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	at(t, killed, 3*time.Second)
	url2, _ := targetProcess(t, address, "")
	back := time.Since(killed)
	r.says(t, "\n00:06 ")
	after := statsOf(t, url2)
	r.ends(t)
	doc := open(t, dir)
	refused := errorsOf(doc, "transport_error", "connection refused")
	// A user pauses 50 to 150 ms, 100 in the mean.
	mean := float64(users) * back.Seconds() / 0.1
	if got := float64(refused); got < mean*0.5 || got > mean*1.5 {
		t.Errorf("%d connections refused in %s, want about %.0f", refused, back, mean)
	}
	if after.Connections != users {
		t.Errorf("%d connections after its return, want one for each of %d users", after.Connections, users)
	}
}

// A3: a server that stands still for S in a run of T at a constant rate makes
// P99 of response time S − 0.01·T: the share S/T waits, evenly between S and 0.
func TestFreezeHasItsClosedForm(t *testing.T) {
	t.Parallel()
	const total, rate = 6 * time.Second, 100
	url, process := targetProcess(t, "127.0.0.1:0", "")
	dir := filepath.Join(t.TempDir(), "result")
	text := strings.Replace(direct(url, ", timeout: 10s", "{arrivals: constant, stages: [{name: s, for: 6s, starts: 100/s}], drain: 10s}"), "timeout: 2s, timeout", "timeout", 1)
	text = strings.Replace(text, "turns: [{say: 你好}, {say: 再见}]", "turns: [{say: 你好}]", 1)
	text = strings.Replace(text, "{p90: 5s}", "{p50: 500ms}", 1)
	r := launch(t, "run", write(t, text), "--results-dir", dir)
	r.says(t, "\n00:02 ")
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	at(t, stopped, 1500*time.Millisecond)
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	frozen := time.Since(stopped)
	if code := r.ends(t); code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, &r.out, &r.stderr)
	}
	doc := open(t, dir)
	if c := doc.Counts; c.Turns != rate*6 || c.OK != c.Turns {
		t.Fatalf("counts %+v", c)
	}
	truth := (frozen - total/100).Seconds()
	p99 := float64(*doc.Latency.Response.P99Ns) / 1e9
	if math.Abs(p99-truth) > 0.03*truth+0.1 {
		t.Errorf("P99 %.3f s; frozen for %.3f s of 6, the closed form gives %.3f", p99, frozen.Seconds(), truth)
	}
	// As many turns are above half a second as were intended more than that before
	// the thaw; those that waited are then answered one after the other, which only
	// adds. Half of all were not touched.
	if p50 := float64(*doc.Latency.Response.P50Ns) / 1e9; p50 > truth/4 {
		t.Errorf("P50 %.3f s", p50)
	}
	slow := -1.0
	for _, o := range doc.Objectives {
		if o.Name == "latency-p50" {
			slow = float64(o.Bad) / float64(o.N)
		}
	}
	if want := (frozen.Seconds() - 0.5) / 6; slow < want-0.03 || slow > want+0.08 {
		t.Errorf("%.1f %% of turns above 0.5 s, want %.1f %%", 100*slow, 100*want)
	}
}

// A4: a listener that is closed refuses, one that does not accept lets nobody in.
func TestFullQueueAndClosedListener(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name             string
		shut             func(t *testing.T, l *gate)
		outcome, message string
	}{
		{"closed listener", func(_ *testing.T, l *gate) { _ = l.Close() }, "transport_error", "connection refused"},
		{"accept queue full", func(t *testing.T, l *gate) { l.fill(t) }, "timeout", "connecting took longer than the timeout"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := &gate{TCPListener: listen(t, "127.0.0.1:0").(*net.TCPListener), over: make(chan struct{})}
			srv := &talker{}
			var once sync.Once
			srv.odd = func(n int, w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set("Connection", "close")
				if n == 20 {
					once.Do(func() { tt.shut(t, l) })
				}
				return false
			}
			srv.serve(t, l)
			t.Cleanup(func() { close(l.over) }) // before the server's end, which waits for Accept
			dir := filepath.Join(t.TempDir(), "result")
			text := strings.Replace(direct("http://"+l.Addr().String(), ", timeout: 1s", "{arrivals: constant, stages: [{name: s, for: 2s, starts: 30/s}], drain: 5s}"), "timeout: 2s, timeout", "timeout", 1)
			r := measured(t, "run", write(t, text), "--results-dir", dir, "--quiet")
			if r.code != exitFail {
				t.Fatalf("exit %d\n%s", r.code, r.stderr)
			}
			doc := open(t, dir)
			if n := errorsOf(doc, tt.outcome, tt.message); n < 50 || doc.Counts.Conversations != 60 {
				t.Errorf("%d turns with %s %q, counts %+v, errors %+v", n, tt.outcome, tt.message, doc.Counts, doc.Errors)
			}
		})
	}
}

// gate is a listener that stops to accept.
type gate struct {
	*net.TCPListener
	mu     sync.Mutex
	filled bool
	over   chan struct{}
}

func (g *gate) Accept() (net.Conn, error) {
	for {
		c, err := g.TCPListener.Accept()
		g.mu.Lock()
		filled := g.filled
		g.mu.Unlock()
		if err != nil || !filled {
			return c, err
		}
		_ = c.Close()
		<-g.over
	}
}

// fill leaves the queue of connections that wait to be accepted as short as it
// can be, and full.
func (g *gate) fill(t *testing.T) {
	g.mu.Lock()
	g.filled = true
	g.mu.Unlock()
	raw, err := g.SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	if err := raw.Control(func(fd uintptr) {
		if err := syscall.Listen(int(fd), 0); err != nil {
			t.Error(err)
		}
	}); err != nil {
		t.Error(err)
	}
	for range 8 {
		if c, err := net.DialTimeout("tcp", g.Addr().String(), 100*time.Millisecond); err == nil {
			t.Cleanup(func() { _ = c.Close() })
		}
	}
}

// A4: another process takes the target's port.
func TestAnotherServerOnThePortIsTold(t *testing.T) {
	t.Parallel()
	url, process := targetProcess(t, "127.0.0.1:0", "chat/1.0")
	address := strings.TrimPrefix(url, "http://")
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", write(t, direct(url, "", "{arrivals: constant, stages: [{name: s, for: 5s, starts: 20/s}], drain: 5s}")), "--results-dir", dir)
	r.says(t, "\n00:01 ")
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "the end of the first server", func() bool {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	targetProcess(t, address, "other/2.0")
	code := r.ends(t)
	doc := open(t, dir)
	const want = `a different SUT answered from second `
	if code != 11 || doc.Verdict != "inconclusive" || !mentions(doc.Reasons, want, `it says "Server: other/2.0", before the load it was "Server: chat/1.0"`) || !mentions(doc.Warnings, want) {
		t.Errorf("exit %d, %s, reasons %q, warnings %q", code, doc.Verdict, doc.Reasons, doc.Warnings)
	}
	if !strings.Contains(r.out.String(), "different SUT") {
		t.Errorf("a person is not told:\n%s", &r.out)
	}
	checkAgain(t, dir, code)
}

func TestTheSameServerIsNotAnother(t *testing.T) {
	t.Parallel()
	srv := &talker{name: "chat/1.0"}
	dir := filepath.Join(t.TempDir(), "result")
	r := cstest(t, "run", write(t, direct(srv.start(t), "", "{arrivals: constant, stages: [{name: s, for: 2s, starts: 60/s}], drain: 5s}")), "--results-dir", dir, "--quiet")
	doc := open(t, dir)
	if r.code != 0 || mentions(doc.Reasons, "different SUT") || mentions(doc.Warnings, "who it is") {
		t.Errorf("exit %d, reasons %q, warnings %q\n%s", r.code, doc.Reasons, doc.Warnings, r.stderr)
	}
	// Asking costs no turn: the server saw the preflight's and those of the load.
	if c, twice := srv.counts(); int64(c.Turns) != doc.Counts.Turns+1 || twice != 0 {
		t.Errorf("the server counted %+v, %d turns were sent; %d twice", c, doc.Counts.Turns, twice)
	}
}
