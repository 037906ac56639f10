//go:build linux

package tui

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/sys/unix"
)

// terminal is a pseudo terminal: tty for the program, screen what it wrote.
type terminal struct {
	master, tty *os.File
	before      unix.Termios

	mu     sync.Mutex
	screen bytes.Buffer
	news   *sync.Cond
	closed chan struct{}
}

func openTerminal(t *testing.T, w, h int) *terminal {
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
	if err := raw.Control(func(fd uintptr) {
		unlocked = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0)
		n, named = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
	}); errors.Join(err, unlocked, named) != nil {
		t.Fatal(errors.Join(err, unlocked, named))
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(w), Row: uint16(h)}); err != nil {
		t.Fatal(err)
	}
	p := &terminal{master: master, tty: tty, closed: make(chan struct{})}
	p.news = sync.NewCond(&p.mu)
	p.before = p.modes(t)
	go p.read()
	t.Cleanup(func() {
		// The tty stays open: a killed program's reader may still look at it.
		_ = master.Close()
		<-p.closed
	})
	return p
}

func (p *terminal) read() {
	defer close(p.closed)
	buf := make([]byte, 4096)
	for {
		n, err := p.master.Read(buf)
		p.mu.Lock()
		p.screen.Write(buf[:n])
		p.news.Broadcast()
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// await waits for text on the screen.
func (p *terminal) await(t *testing.T, text string) {
	t.Helper()
	late := time.AfterFunc(20*time.Second, func() { p.mu.Lock(); p.news.Broadcast(); p.mu.Unlock() })
	defer late.Stop()
	until := time.Now().Add(20 * time.Second)
	p.mu.Lock()
	defer p.mu.Unlock()
	for !strings.Contains(p.screen.String(), text) {
		if time.Now().After(until) {
			t.Fatalf("%q did not appear in %q", text, p.screen.String())
		}
		p.news.Wait()
	}
}

func (p *terminal) modes(t *testing.T) unix.Termios {
	t.Helper()
	m, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return *m
}

// restored checks that modes, cursor and screen are the user's again.
func (p *terminal) restored(t *testing.T) {
	t.Helper()
	if got := p.modes(t); got != p.before {
		t.Errorf("terminal modes %+v, were %+v", got, p.before)
	}
	p.await(t, "\x1b[?1049l")
	p.await(t, "\x1b[?25h")
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.screen.String()
	for _, pair := range [][2]string{{"\x1b[?1049h", "\x1b[?1049l"}, {"\x1b[?25l", "\x1b[?25h"}} {
		if on, off := strings.LastIndex(out, pair[0]), strings.LastIndex(out, pair[1]); on < 0 || off < on {
			t.Errorf("%q at %d is not taken back by %q at %d", pair[0], on, pair[1], off)
		}
	}
}

func (p *terminal) options(onStop func(bool)) Options {
	o := enOptions()
	o.In, o.Out, o.OnStop = p.tty, p.tty, onStop
	return o
}

// TestTerminalIsRestored in every way out.
func TestTerminalIsRestored(t *testing.T) {
	t.Setenv("TERM", "xterm-256color")
	t.Run("quit", func(t *testing.T) {
		p := openTerminal(t, 80, 24)
		asked := make(chan bool, 4)
		ui := New(p.options(func(hard bool) { asked <- hard }))
		result := start(ui)
		for _, f := range sale(48 * time.Second) {
			ui.Update(f)
		}
		p.await(t, "midnight-sale")
		p.await(t, "STORM")
		if got := p.modes(t); got.Lflag&(unix.ICANON|unix.ECHO|unix.ISIG) != 0 {
			t.Errorf("not raw while it runs: %+v", got)
		}
		for i, key := range []string{"q", "\x03"} {
			if _, err := p.master.WriteString(key); err != nil {
				t.Fatal(err)
			}
			if hard := <-asked; hard != (i == 1) {
				t.Errorf("key %d asked for hard=%t", i+1, hard)
			}
		}
		ui.Quit()
		if err := <-result; err != nil {
			t.Error(err)
		}
		p.restored(t)
	})
	for _, c := range []struct {
		name, shows string
		start       func(Options) (run func() error, quit func())
	}{
		{"experiment", "article-2", func(o Options) (func() error, func()) {
			ui := NewExperiment(o)
			ui.Update(tuning())
			return ui.Run, ui.Quit
		}},
		{"capacity", "380.5 starts/s", func(o Options) (func() error, func()) {
			ui := NewCapacity(o)
			ui.Update(searching(8))
			return ui.Run, ui.Quit
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := openTerminal(t, 80, 24)
			asked := make(chan bool, 4)
			run, quit := c.start(p.options(func(hard bool) { asked <- hard }))
			result := make(chan error, 1)
			go func() { result <- run() }()
			p.await(t, c.shows)
			for i, key := range []string{"\x03", "q"} {
				if _, err := p.master.WriteString(key); err != nil {
					t.Fatal(err)
				}
				if hard := <-asked; hard != (i == 1) {
					t.Errorf("key %d asked for hard=%t", i+1, hard)
				}
			}
			quit()
			if err := <-result; err != nil {
				t.Error(err)
			}
			p.restored(t)
		})
	}
	t.Run("panic", func(t *testing.T) {
		p := openTerminal(t, 80, 24)
		ui := New(p.options(func(bool) { panic("in OnStop") }))
		result := start(ui)
		p.await(t, "midnight-sale")
		if _, err := p.master.WriteString("q"); err != nil {
			t.Fatal(err)
		}
		if err := <-result; err == nil || err.Error() != "it panicked: in OnStop" {
			t.Errorf("a panic ended in %v", err)
		}
		p.restored(t)
	})
	t.Run("stuck", func(t *testing.T) {
		p := openTerminal(t, 80, 24)
		o := p.options(nil)
		g := &gate{open: make(chan struct{}), reached: make(chan struct{}, 1)}
		o.Out = g
		ui := New(o)
		result := start(ui)
		<-g.reached
		if got := p.modes(t); got.Lflag&unix.ICANON != 0 {
			t.Errorf("not raw while it runs: %+v", got)
		}
		ui.Quit()
		if err := <-result; !errors.Is(err, ErrStalled) {
			t.Errorf("Run returned %v", err)
		}
		if got := p.modes(t); got != p.before {
			t.Errorf("terminal modes %+v, were %+v", got, p.before)
		}
		close(g.open)
	})
	t.Run("hung up", func(t *testing.T) {
		p := openTerminal(t, 80, 24)
		ui := New(p.options(nil))
		result := start(ui)
		p.await(t, "midnight-sale")
		_ = p.master.Close()
		for i := 0; ; i++ {
			ui.Update(Frame{Elapsed: time.Duration(i) * time.Second, Total: time.Hour})
			select {
			case err := <-result:
				if err == nil {
					t.Error("the terminal went away without an error")
				}
				return
			case <-time.After(20 * time.Millisecond):
			}
			if i > 500 {
				t.Fatal("Run holds on to a terminal that is gone")
			}
		}
	})
}

func TestAble(t *testing.T) {
	p := openTerminal(t, 80, 24)
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	for _, c := range []struct {
		name    string
		in, out *os.File
		environ []string
		want    bool
	}{
		{"terminal", p.tty, p.tty, []string{"TERM=xterm"}, true},
		{"dumb", p.tty, p.tty, []string{"TERM=dumb"}, false},
		{"no TERM", p.tty, p.tty, []string{"HOME=/"}, false},
		{"NO_COLOR", p.tty, p.tty, []string{"TERM=xterm", "NO_COLOR=1"}, false},
		{"empty NO_COLOR", p.tty, p.tty, []string{"TERM=xterm", "NO_COLOR="}, false},
		{"input from a file", file, p.tty, []string{"TERM=xterm"}, false},
		{"output to a file", p.tty, file, []string{"TERM=xterm"}, false},
		{"neither", nil, nil, []string{"TERM=xterm"}, false},
	} {
		if got := Able(c.in, c.out, c.environ); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// wrote is a terminal that tells of every write.
type wrote struct{ told chan int }

func (w *wrote) Write(b []byte) (int, error) {
	w.told <- len(b)
	return len(b), nil
}

// BenchmarkFrame is a frame all the way into the terminal's bytes, diff
// renderer and all. cpu-µs/frame times the frames a second that
// gapOf allows is what the view costs.
func BenchmarkFrame(b *testing.B) {
	for _, size := range []struct {
		name string
		w, h int
	}{{"80x24", 80, 24}, {"200x60", 200, 60}} {
		b.Run(size.name, func(b *testing.B) { benchmarkFrame(b, size.w, size.h) })
	}
}

func benchmarkFrame(b *testing.B, w, h int) {
	frames := sale(100 * time.Second)
	out := &wrote{told: make(chan int, 64)}
	d := newFeed()
	for _, f := range frames {
		d.Update(f)
	}
	p := tea.NewProgram(newModel(enOptions(), d), tea.WithInput(nil), tea.WithOutput(out), tea.WithoutSignalHandler(), tea.WithWindowSize(w, h), tea.WithFPS(120))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := p.Run(); err != nil {
			b.Error(err)
		}
	}()
	<-out.told
	begun, shown, i := cpu(b), 0, 0
	for b.Loop() {
		// Every frame differs from the last, so each is written.
		d.Update(frames[60+i%40])
		i++
		p.Send(freshMsg{})
		shown += <-out.told
	}
	b.ReportMetric(float64(cpu(b)-begun)/1e3/float64(i), "cpu-µs/frame")
	b.ReportMetric(float64(shown)/float64(i), "bytes/frame")
	b.StopTimer()
	p.Quit()
	<-done
}

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
