// Package tui tells people a run while it lasts: a Bubble Tea view on a
// terminal (UI), one line a second everywhere else (Lines). Both take Frames and
// neither ever makes the caller wait: what a slow terminal cannot show is
// dropped.
package tui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

// The least time between two frames drawn for new figures. The renderer looks at
// every cell of the screen for each, so a large one is drawn half as often: both
// cost well under 1 % of a core. Keys are answered within 100 ms all the same.
const (
	frameGap      = 500 * time.Millisecond
	frameGapLarge = time.Second
	largeScreen   = 5000 // cells: 80x24 has 1920, 120x40 4800, 200x60 12000
)

// gapOf is the least time between two frames on a screen of so many cells.
func gapOf(cells int64) time.Duration {
	if cells > largeScreen {
		return frameGapLarge
	}
	return frameGap
}

// quitGrace is how long a terminal may take to be restored.
const quitGrace = time.Second

// ErrStalled is what Run returns when the terminal took no more output and
// could not be restored beyond its modes.
var ErrStalled = errors.New("the terminal takes no output: its modes were restored, its screen was not")

// Options of a UI. Scenario may be nil in tests only.
type Options struct {
	Scenario *scenario.Scenario
	Target   string // what is under test, in one line: "bundled (hardened, embedded Redis)"
	Lang     reason.Lang
	Color    bool // else bold and dim only
	// In is read for keys when it is a terminal or a pipe; nil: there are no keys.
	In io.Reader
	// Out is the terminal.
	Out io.Writer
	// OnStop is called when the user asks for the end: hard is false the first
	// time, true from then on, and true at once when Frame.Stopping is set. It is
	// called from the view's own goroutine and must return at once; calling Quit
	// in it is fine.
	OnStop func(hard bool)
}

// UI is the live view. Its methods are safe for concurrent use; Run is called once.
type UI struct {
	opts Options
	feed *feed
	quit chan struct{}
	once sync.Once
}

// New makes a UI. Nothing is drawn before Run.
func New(opts Options) *UI {
	return &UI{opts: opts, feed: newFeed(), quit: make(chan struct{})}
}

// Update hands over the newest frame. It never blocks.
func (u *UI) Update(f Frame) { u.feed.put(f) }

// Quit asks Run to restore the terminal and return. It never blocks and may be
// called at any time, more than once, and before Run.
func (u *UI) Quit() { u.once.Do(func() { close(u.quit) }) }

// Run draws until Quit and returns nil, or an error when the terminal is lost.
// On return the terminal is as it was: cursor, screen and modes. It returns
// within a second or so of Quit even when the terminal takes no more output.
// An error is about the view only, never a reason to stop the load.
func (u *UI) Run() error {
	select {
	case <-u.quit:
		return nil
	default:
	}
	defer saveModes(u.opts.In, u.opts.Out)()

	gone := make(chan error, 1)
	p := tea.NewProgram(newModel(u.opts, u.feed), u.programOptions(gone)...)
	done := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		defer close(done)
		_, err := p.Run()
		result <- err
	}()
	go u.forward(p, done)

	var why error
	select {
	case err := <-result:
		return lost(err)
	case why = <-gone:
		go p.Kill()
	case <-u.quit:
		go p.Quit()
	}
	grace := time.NewTimer(quitGrace)
	defer grace.Stop()
	select {
	case err := <-result:
		if why != nil {
			return lost(why)
		}
		return lost(err)
	case <-grace.C:
		go p.Kill()
		return ErrStalled
	}
}

func (u *UI) programOptions(gone chan<- error) []tea.ProgramOption {
	opts := []tea.ProgramOption{
		tea.WithInput(u.opts.In),
		tea.WithOutput(watch(u.opts.Out, gone)),
		tea.WithWindowSize(80, 24), // of what is no terminal; others are asked
		tea.WithFPS(10),
		// Signals end the run, not just the view: they are the caller's.
		tea.WithoutSignalHandler(),
	}
	if !u.opts.Color {
		opts = append(opts, tea.WithColorProfile(colorprofile.ASCII))
	}
	return opts
}

// forward tells the program of new frames, no more often than gapOf says.
// A program whose terminal is stuck leaves it waiting in Send, and Update free.
func (u *UI) forward(p *tea.Program, done <-chan struct{}) {
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-done:
			return
		case <-u.feed.fresh:
		}
		p.Send(freshMsg{})
		gap.Reset(gapOf(u.feed.cells.Load()))
		select {
		case <-done:
			return
		case <-gap.C:
		}
	}
}

func lost(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the terminal was lost: %w", err)
}

// watched is an output whose first write error is told. Bubble Tea draws on
// into a terminal that is gone.
type watched struct {
	io.Writer
	gone chan<- error
}

func (w watched) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	if err != nil {
		select {
		case w.gone <- err:
		default:
		}
	}
	return n, err
}

// watchedFile is a watched output that still shows what makes it a terminal.
type watchedFile struct {
	watched
	term.File
}

func (w watchedFile) Write(b []byte) (int, error) { return w.watched.Write(b) }

func watch(out io.Writer, gone chan<- error) io.Writer {
	w := watched{out, gone}
	if f, ok := out.(term.File); ok {
		return watchedFile{w, f}
	}
	return w
}

// saveModes remembers the terminal's modes and returns what sets them again.
// Bubble Tea does so too, but not when it cannot start or is stuck.
func saveModes(streams ...any) (restore func()) {
	var restores []func()
	for _, s := range streams {
		f, ok := s.(term.File)
		if !ok || !term.IsTerminal(f.Fd()) {
			continue
		}
		if state, err := term.GetState(f.Fd()); err == nil {
			restores = append(restores, func() { _ = term.Restore(f.Fd(), state) })
		}
	}
	return func() {
		for _, r := range restores {
			r()
		}
	}
}

// Able tells whether a live view can be shown: both are terminals, TERM is
// something better than dumb, and NO_COLOR is not there, not even empty. Where
// it is false, Lines is right.
func Able(in, out *os.File, environ []string) bool {
	if in == nil || out == nil || !term.IsTerminal(in.Fd()) || !term.IsTerminal(out.Fd()) {
		return false
	}
	termName := ""
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		switch name {
		case "NO_COLOR":
			return false
		case "TERM":
			termName = value
		}
	}
	return termName != "" && termName != "dumb"
}
