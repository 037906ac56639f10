package tui

import (
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"
	"go.uber.org/goleak"
)

// TestMain lets one thing be: killed, Bubble Tea closes the epoll descriptor
// that its reader may still wait on, and that reader never comes back.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/muesli/cancelreader.(*epollCancelReader).wait"),
		goleak.IgnoreAnyFunction("github.com/charmbracelet/ultraviolet.(*TerminalReader).StreamEvents"))
}

// counter counts writes.
type counter struct{ writes, bytes atomic.Int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.writes.Add(1)
	c.bytes.Add(int64(len(b)))
	return len(b), nil
}

// TestDrawsAtMostTwiceASecond: a hundred updates a second, and none.
func TestDrawsAtMostTwiceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out counter
		o := enOptions()
		o.Out = &out
		ui := New(o)
		result := make(chan error, 1)
		go func() { result <- ui.Run() }()
		for i := range 1000 {
			ui.Update(Frame{Elapsed: time.Duration(i) * 10 * time.Millisecond, Total: time.Minute, Phase: Loading, InFlight: int64(i)})
			time.Sleep(10 * time.Millisecond)
		}
		busy := out.writes.Load()
		if busy < 18 || busy > 25 {
			t.Errorf("%d writes in 10 s of constant change, want 2 a second, and those of the beginning", busy)
		}
		time.Sleep(time.Second)
		busy = out.writes.Load()
		time.Sleep(10 * time.Second)
		if idle := out.writes.Load() - busy; idle != 0 {
			t.Errorf("%d writes in 10 s without change", idle)
		}
		ui.Quit()
		if err := <-result; err != nil {
			t.Error(err)
		}
	})
}

// TestStuckTerminalHoldsNobody: a terminal that takes nothing delays neither
// Update nor, beyond its grace, Quit. Real time: in a synctest bubble a
// goroutine that waits for the renderer's mutex stops the clock.
func TestStuckTerminalHoldsNobody(t *testing.T) {
	g := &gate{open: make(chan struct{}), reached: make(chan struct{}, 1)}
	o := enOptions()
	o.Out = g
	ui := New(o)
	result := start(ui)
	<-g.reached
	for i := range 10_000 {
		ui.Update(Frame{Elapsed: time.Duration(i) * time.Second, Total: time.Minute, Phase: Loading})
	}
	ui.Quit()
	if err := <-result; !errors.Is(err, ErrStalled) {
		t.Errorf("Run returned %v, want ErrStalled", err)
	}
	close(g.open) // what was stuck ends, or goleak says so
}

func start(ui *UI) chan error {
	result := make(chan error, 1)
	go func() { result <- ui.Run() }()
	return result
}

// TestQuitComesWhenItLikes: before Run, twice, from OnStop, from many at once.
func TestQuitComesWhenItLikes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		early := New(Options{Out: io.Discard})
		early.Quit()
		if err := early.Run(); err != nil {
			t.Errorf("Run after Quit: %v", err)
		}

		in, keys := io.Pipe()
		var ui *UI
		var hard []bool
		ui = New(Options{In: in, Out: io.Discard, OnStop: func(h bool) {
			hard = append(hard, h)
			ui.Quit()
		}})
		result := make(chan error, 1)
		go func() { result <- ui.Run() }()
		if _, err := keys.Write([]byte("q")); err != nil {
			t.Fatal(err)
		}
		if err := <-result; err != nil {
			t.Error(err)
		}
		if len(hard) != 1 || hard[0] {
			t.Errorf("q asked for %v", hard)
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(ui.Quit)
			all.Go(func() { ui.Update(Frame{}) })
		}
		all.Wait()
		_ = keys.Close()
	})
}

// TestColourIsOffWhenAsked: bold and dim may stay, colours not.
func TestColourIsOffWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, colour := range []bool{true, false} {
			g := openGate()
			o := enOptions()
			o.Out, o.Color = g, colour
			t.Setenv("TERM", "xterm-256color")
			t.Setenv("TTY_FORCE", "1")
			t.Setenv("NO_COLOR", "")
			ui := New(o)
			result := make(chan error, 1)
			go func() { result <- ui.Run() }()
			for _, f := range sale(40 * time.Second) {
				ui.Update(f)
			}
			time.Sleep(time.Second)
			ui.Quit()
			if err := <-result; err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(g.String(), "\x1b[38;") || strings.Contains(g.String(), ";38;"); got != colour {
				t.Errorf("colour %t: sequences of colour in the output: %t", colour, got)
			}
		}
	})
}

func BenchmarkDraw(b *testing.B) {
	m := screen(b, enOptions(), 80, 24, sale(100*time.Second))
	b.ReportAllocs()
	for b.Loop() {
		m.draw()
	}
}

func TestLargeScreensAreDrawnLessOften(t *testing.T) {
	d := newFeed()
	m := newModel(enOptions(), d)
	for _, c := range []struct {
		w, h int
		want time.Duration
	}{{80, 24, 500 * time.Millisecond}, {120, 40, 500 * time.Millisecond}, {200, 60, time.Second}, {-1, -1, 500 * time.Millisecond}, {1 << 20, 1 << 20, time.Second}} {
		m.Update(tea.WindowSizeMsg{Width: min(c.w, 300), Height: min(c.h, 100)})
		if got := gapOf(d.cells.Load()); got != c.want {
			t.Errorf("%dx%d: a frame every %s, want %s", c.w, c.h, got, c.want)
		}
	}
}
