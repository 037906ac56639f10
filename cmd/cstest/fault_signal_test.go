//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cstest/cstest/result"
)

// leave is how long a run may take after the signal to leave at once: the
// product's 2 s, and as much again for a busy machine.
const leave = 4 * time.Second

// endless is a load of turns that take longer than anybody waits here.
func endless(t *testing.T) string {
	srv := &talker{}
	return write(t, strings.Replace(direct(srv.start(t), "", "{arrivals: constant, stages: [{name: s, for: 5m, starts: 12/s}], drain: 25s}"), "think: 100ms", "think: 1m", 1))
}

// D2: hung up, it is out at once, and its journal tells the rest.
func TestHangupLeavesAtOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "result")
	r := launch(t, "run", endless(t), "--results-dir", dir)
	r.says(t, "\n00:01 ")
	asked := time.Now()
	r.signal(t, syscall.SIGHUP)
	if code := r.ends(t); code != 129 {
		t.Fatalf("exit %d, want 129\n%s", code, &r.stderr)
	}
	if took := time.Since(asked); took > leave {
		t.Errorf("out %s after SIGHUP", took)
	}
	doc := open(t, dir)
	if doc.Verdict != "incomplete" || doc.ExitCode != 129 || doc.Counts.OK < 12 {
		t.Errorf("%s, exit code %d, %+v", doc.Verdict, doc.ExitCode, doc.Counts)
	}
	checkAgain(t, dir, 129)
}

// D2: nobody reads what it says any more: the run goes on and is written.
func TestReadersThatLeave(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		both bool // standard error too
		code int
	}{{"standard output", false, exitResults}, {"both", true, exitResults}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			read, written, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			srv := &talker{}
			dir := filepath.Join(t.TempDir(), "result")
			cmd := command(t, "run", write(t, direct(srv.start(t), "", "{arrivals: constant, stages: [{name: s, for: 2s, starts: 60/s}], drain: 5s}")), "--results-dir", dir)
			var errs bytes.Buffer
			cmd.Stdout, cmd.Stderr = written, &errs
			if tt.both {
				cmd.Stderr = written
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			_ = written.Close()
			if tt.both {
				var b [1]byte
				if _, err := read.Read(b[:]); err != nil {
					t.Error(err)
				}
			}
			_ = read.Close()
			_ = cmd.Wait() // how it ended is in ProcessState
			state := cmd.ProcessState
			if state.ExitCode() != tt.code {
				t.Errorf("%s, want exit status %d\n%s", state, tt.code, &errs)
			}
			if !tt.both && !strings.Contains(errs.String(), "standard output: ") {
				t.Errorf("standard error does not say why: %s", &errs)
			}
			if doc := open(t, dir); doc.Verdict != "pass" || doc.Counts.OK != 240 {
				t.Errorf("%s, %+v", doc.Verdict, doc.Counts)
			}
		})
	}
}

// D3: killed at any instant, what was told is in the journal.
func TestKilledAtRandomInstants(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(20261111, 3))
	line := regexp.MustCompile(`\n00:0(\d) `)
	srv := &talker{}
	url := srv.start(t)
	for i := range 6 {
		delay := time.Duration(random.Int64N(int64(2500 * time.Millisecond)))
		t.Run(fmt.Sprintf("%d after %s", i, delay.Round(time.Millisecond)), func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "result")
			r := launch(t, "run", write(t, direct(url, "", "{arrivals: constant, stages: [{name: s, for: 5m, starts: 30/s}], drain: 5s}")), "--results-dir", dir)
			at(t, time.Now(), delay)
			r.signal(t, syscall.SIGKILL)
			r.ends(t)
			told := 0
			if m := line.FindAllStringSubmatch("\n"+r.stderr.String(), -1); m != nil {
				told, _ = strconv.Atoi(m[len(m)-1][1])
			}
			if _, err := os.Stat(filepath.Join(dir, result.DocumentFile)); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("a killed run has a result: %v", err)
			}
			again := cstest(t, "report", dir)
			if _, err := os.Stat(filepath.Join(dir, result.JournalFile)); err != nil {
				if again.code != exitUsage || told > 0 || strings.Count(again.stderr, "\n") != 1 {
					t.Errorf("killed before it began: exit %d, %d s told\n%s", again.code, told, again.stderr)
				}
				return
			}
			if again.code == exitUsage && told == 0 && strings.Contains(again.stderr, "no journal") {
				return // killed while it wrote the first record
			}
			doc := open(t, dir)
			if again.code != 11 || doc.Verdict != "incomplete" || !mentions(doc.Warnings, "without the end of the run") {
				t.Errorf("exit %d, %s, warnings %q\n%s", again.code, doc.Verdict, doc.Warnings, again.stderr)
			}
			// Every whole second that was told is there, with the starts of its plan.
			if doc.DurationS < float64(told) || doc.Counts.Conversations < int64(30*(told-1)) {
				t.Errorf("%.1f s and %d conversations in the journal, %d s were told", doc.DurationS, doc.Counts.Conversations, told)
			}
		})
	}
}

// pty is a pseudo terminal and what was written to it.
type pty struct {
	master, tty *os.File
	before      unix.Termios
	mu          sync.Mutex
	screen      bytes.Buffer
	closed      chan struct{}
}

func newPTY(t *testing.T) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	raw, err := master.SyscallConn() // not Fd, after which Close would no longer end a Read
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	var unlocked, named error
	err = raw.Control(func(fd uintptr) {
		unlocked = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		n, named = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	})
	if err := errors.Join(err, unlocked, named); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: 100, Row: 30}); err != nil {
		t.Fatal(err)
	}
	p := &pty{master: master, tty: tty, closed: make(chan struct{})}
	p.before = p.modes(t)
	go func() {
		defer close(p.closed)
		b := make([]byte, 4096)
		for {
			n, err := master.Read(b)
			p.mu.Lock()
			p.screen.Write(b[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		_ = tty.Close()
		_ = master.Close()
		<-p.closed
	})
	return p
}

func (p *pty) modes(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

func (p *pty) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.screen.String()
}

// on starts cstest on the terminal, which is its controlling one.
func (p *pty) on(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{cmd: command(t, args...), done: make(chan struct{})}
	env := r.cmd.Env[:0]
	for _, kv := range r.cmd.Env {
		if !strings.HasPrefix(kv, "NO_COLOR=") && !strings.HasPrefix(kv, "TERM=") {
			env = append(env, kv)
		}
	}
	r.cmd.Env = append(env, "TERM=xterm-256color")
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = p.tty, p.tty, p.tty
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = r.cmd.Wait() // how it ended is in ProcessState
		close(r.done)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // mostly gone already
		<-r.done
	})
	until(t, "the live view", func() bool {
		s := p.String()
		return strings.Contains(s, "\x1b[?1049h") && strings.Contains(s, "direct") && p.modes(t).Lflag&unix.ICANON == 0
	})
	return r
}

// D2: however it ends, short of being killed, the terminal is the user's again.
func TestTerminalIsTheUsersAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(p *pty, r *running) error
		code int
	}{
		{"two signals", func(_ *pty, r *running) error {
			return errors.Join(r.cmd.Process.Signal(syscall.SIGTERM), r.cmd.Process.Signal(syscall.SIGTERM))
		}, 143},
		{"hung up", func(_ *pty, r *running) error { return r.cmd.Process.Signal(syscall.SIGHUP) }, 129},
		{"ctrl-c twice", func(p *pty, _ *running) error { _, err := p.master.WriteString("\x03\x03"); return err }, 130},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPTY(t)
			dir := filepath.Join(t.TempDir(), "result")
			r := p.on(t, "run", endless(t), "--results-dir", dir)
			asked := time.Now()
			if err := tt.end(p, r); err != nil {
				t.Fatal(err)
			}
			if code := r.ends(t); code != tt.code {
				t.Fatalf("exit %d, want %d", code, tt.code)
			}
			if took := time.Since(asked); took > leave {
				t.Errorf("out after %s", took)
			}
			if got := p.modes(t); got != p.before {
				t.Errorf("terminal modes %+v, were %+v", got, p.before)
			}
			// What is printed after the live view comes last.
			until(t, "the summary", func() bool { return strings.Contains(p.String(), "report.html") })
			out := p.String()
			for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}} {
				if on, off := strings.LastIndex(out, pair[0]), strings.LastIndex(out, pair[1]); on < 0 || off < on {
					t.Errorf("%q at %d is not taken back by %q at %d", pair[0], on, pair[1], off)
				}
			}
			if doc := open(t, dir); doc.Verdict != "incomplete" {
				t.Errorf("verdict %s", doc.Verdict)
			}
		})
	}
}

// D2: the terminal's window is closed: the kernel hangs up.
func TestClosedTerminal(t *testing.T) {
	t.Parallel()
	p := newPTY(t)
	dir := filepath.Join(t.TempDir(), "result")
	r := p.on(t, "run", endless(t), "--results-dir", dir)
	asked := time.Now()
	_ = p.tty.Close()
	_ = p.master.Close()
	if code := r.ends(t); code != 129 {
		t.Errorf("exit %d, want 129 (%s)", code, r.cmd.ProcessState)
	}
	if took := time.Since(asked); took > leave {
		t.Errorf("out after %s", took)
	}
	if doc := open(t, dir); doc.Verdict != "incomplete" || doc.ExitCode != 129 {
		t.Errorf("%s, exit code %d", doc.Verdict, doc.ExitCode)
	}
}
