//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// D7: a load that is sure not to fit is refused, and the message says what to change.
func TestTooFewDescriptorsAreRefused(t *testing.T) {
	t.Parallel()
	srv := &talker{}
	dir := filepath.Join(t.TempDir(), "result")
	r := limited(t, limitFiles, 64, "run", write(t, direct(srv.start(t), "", "{users: 50, for: 2s, drain: 5s}")), "--results-dir", dir)
	for _, want := range []string{"about 50 connections need 114 file descriptors", "this process may open 64", "ulimit -n 114", "--processes auto", "connections: shared", "h2c"} {
		if r.code != exitInvalid || !strings.Contains(r.stderr, want) {
			t.Errorf("exit %d, want %d and %q\n%s", r.code, exitInvalid, want, r.stderr)
		}
	}
	if c, _ := srv.counts(); c.Turns != 0 {
		t.Errorf("%d turns were sent", c.Turns)
	}
	// Over shared connections it fits.
	r = limited(t, limitFiles, 64, "run", write(t, direct(srv.start(t), ", connections: shared, pool: 10", "{users: 50, for: 2s, drain: 5s}")), "--results-dir", dir, "--quiet")
	if doc := open(t, dir); r.code != 0 || doc.Counts.DroppedGenerator != 0 || doc.Counts.OK < 500 {
		t.Errorf("shared: exit %d, %+v\n%s", r.code, doc.Counts, r.stderr)
	}
}

// D7: descriptors run out under load: our own fault, and the report is written.
func TestDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	srv := &talker{odd: func(n int, _ http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			select {
			case <-over:
			case <-r.Context().Done():
			}
		}
		return false
	}}
	url := srv.start(t)
	t.Cleanup(func() { close(over) })
	dir := filepath.Join(t.TempDir(), "result")
	text := strings.Replace(direct(url, ", timeout: 6s", "{arrivals: constant, stages: [{name: s, for: 4s, starts: 30/s}], drain: 1s}"), "timeout: 2s, timeout", "timeout", 1)
	r := limited(t, limitFiles, 64, "run", write(t, text), "--results-dir", dir, "--quiet")
	doc := open(t, dir)
	c := doc.Counts
	if r.code != exitInvalid || doc.Verdict != "invalid" || !mentions(doc.Reasons, "starts were dropped by the generator") {
		t.Fatalf("exit %d, %s %q\n%s", r.code, doc.Verdict, doc.Reasons, r.stderr)
	}
	if c.ConversationsPlanned != 120 || c.DroppedGenerator < 50 || c.DroppedGenerator > 110 || c.TransportError != 0 || c.Turns != c.Conversations {
		t.Errorf("counts %+v", c)
	}
	if n := errorsOf(doc, "dropped_generator", "too many open files"); n != c.DroppedGenerator {
		t.Errorf("%d of %d dropped starts say why: %+v", n, c.DroppedGenerator, doc.Errors)
	}
	for _, name := range []string{"report.html", "report.md", "junit.xml", "latency.hlog", "series.csv", "scenario.yaml", "journal.cst"} {
		if doc.Files[name] == "" {
			t.Errorf("%s is not in the result", name)
		}
	}
	checkAgain(t, dir, exitInvalid)
}

// D8: with little memory a load of many turns is the same load.
func TestLittleMemory(t *testing.T) {
	t.Parallel()
	srv := &talker{}
	dir := filepath.Join(t.TempDir(), "result")
	text := strings.Replace(direct(srv.start(t), "", "{users: 20, for: 2s, drain: 5s}"), "think: 100ms", "think: 2ms", 1)
	text = strings.Replace(text, "sla: {", "sla: {gate: measured, ", 1) // 20 users are too few to infer from
	cmd := command(t, "run", write(t, text), "--results-dir", dir, "--quiet")
	cmd.Env = append(cmd.Env, "GOMEMLIMIT=24MiB")
	r := finished(t, cmd)
	doc := open(t, dir)
	if r.code != 0 || doc.Counts.OK != doc.Counts.Turns || doc.Counts.Turns < 1000 {
		t.Errorf("exit %d, %+v\n%s", r.code, doc.Counts, r.stderr)
	}
	for _, p := range doc.Processes {
		limit := int64(64 << 20)
		if raced { // whose own memory grows with every goroutine there was
			limit = 320 << 20
		}
		if p.Name == "cstest" && p.MaxRSSBytes > limit {
			t.Errorf("%d MiB of memory for %d turns", p.MaxRSSBytes>>20, doc.Counts.Turns)
		}
	}
}

const (
	// inNetwork makes the test binary cstest in a network of its own, with a
	// talker at aloneAddress.
	inNetwork    = "TEST_BINARY_HAS_NETWORK"
	aloneAddress = "127.0.0.1:8080"
	alonePorts   = 30
)

// alone sets up the network this process is alone in, and is cstest there.
func alone(args []string) int {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err == nil {
		request := struct {
			name  [unix.IFNAMSIZ]byte
			flags uint16
			_     [22]byte
		}{flags: unix.IFF_UP}
		copy(request.name[:], "lo")
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&request))); errno != 0 {
			err = errno
		}
	}
	if err == nil {
		err = os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "40000 %d", 40000+alonePorts-1), 0)
	}
	var l net.Listener
	if err == nil {
		l, err = net.Listen("tcp", aloneAddress)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no network of its own:", err)
		return 99
	}
	srv := (&talker{}).server()
	go func() { _ = srv.Serve(l) }() // ends with the process
	return run(context.Background(), args, os.Stdin, os.Stdout, os.Stderr)
}

// D11: no port is left to connect from: our own fault, not the target's.
func TestPortsRunOut(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	// Every conversation holds its connection for 2 s: 60 at once.
	text := strings.Replace(direct("http://"+aloneAddress, "", "{arrivals: constant, stages: [{name: s, for: 3s, starts: 30/s}], drain: 5s}"), "think: 100ms", "think: 2s", 1)
	cmd := command(t, "run", write(t, text), "--results-dir", dir, "--quiet")
	cmd.Env = append(cmd.Env, inNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() == 99 {
		t.Skipf("no network of its own here: %v %s", err, errs.String())
	}
	doc := open(t, dir)
	c := doc.Counts
	if code := cmd.ProcessState.ExitCode(); code != exitInvalid || doc.Verdict != "invalid" {
		t.Fatalf("exit %d, %s %q, %+v\n%s", code, doc.Verdict, doc.Reasons, c, &errs)
	}
	if n := errorsOf(doc, "dropped_generator", "cannot assign requested address"); n != c.DroppedGenerator || n < 10 {
		t.Errorf("%d of %d dropped starts say why: %+v", n, c.DroppedGenerator, doc.Errors)
	}
	// What was sent was answered: the target has no part in it.
	if c.OK < alonePorts || c.OK != c.Turns || c.Conversations+c.DroppedGenerator != 90 {
		t.Errorf("counts %+v", c)
	}
}
