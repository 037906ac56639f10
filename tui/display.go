package tui

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/term"
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

// display shows a model on a terminal: the one owner of its modes, of how often it is
// drawn, and of giving it back as it was. Its methods are safe for concurrent use; Run
// is called once.
type display struct {
	in    io.Reader
	out   io.Writer
	color bool
	model tea.Model
	box   *mailbox
	quit  chan struct{}
	once  sync.Once
	crash atomic.Pointer[error] // what the model panicked with
}

func newDisplay(o *Options, m tea.Model, box *mailbox) *display {
	return &display{in: o.In, out: o.Out, color: o.Color, model: m, box: box, quit: make(chan struct{})}
}

// Quit asks Run to restore the terminal and return. It never blocks and may be
// called at any time, more than once, and before Run.
func (d *display) Quit() { d.once.Do(func() { close(d.quit) }) }

// Run draws until Quit and returns nil, or an error when the terminal is lost.
// On return the terminal is as it was: cursor, screen and modes. It returns
// within a second or so of Quit even when the terminal takes no more output.
// An error is about the view only, never a reason to stop the load.
func (d *display) Run() error {
	select {
	case <-d.quit:
		return nil
	default:
	}
	defer saveModes(d.in, d.out)()

	gone := make(chan error, 1)
	p := tea.NewProgram(guarded{d.model, d}, d.programOptions(gone)...)
	done := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		defer close(done)
		_, err := p.Run()
		result <- err
	}()
	go d.forward(p, done)

	var why error
	select {
	case err := <-result:
		return d.ended(lost(err))
	case why = <-gone:
		go p.Kill()
	case <-d.quit:
		go p.Quit()
	}
	grace := time.NewTimer(quitGrace)
	defer grace.Stop()
	select {
	case err := <-result:
		if why != nil {
			return d.ended(lost(why))
		}
		return d.ended(lost(err))
	case <-grace.C:
		go p.Kill()
		return d.ended(ErrStalled)
	}
}

func (d *display) programOptions(gone chan<- error) []tea.ProgramOption {
	opts := []tea.ProgramOption{
		tea.WithInput(d.in),
		tea.WithOutput(watch(d.out, gone)),
		tea.WithWindowSize(80, 24), // of what is no terminal; others are asked
		tea.WithFPS(10),
		// Signals end the run, not just the view: they are the caller's.
		tea.WithoutSignalHandler(),
	}
	if !d.color {
		opts = append(opts, tea.WithColorProfile(colorprofile.ASCII))
	}
	return opts
}

// forward tells the program of new frames, no more often than gapOf says.
// A program whose terminal is stuck leaves it waiting in Send, and Update free.
func (d *display) forward(p *tea.Program, done <-chan struct{}) {
	gap := time.NewTimer(0)
	defer gap.Stop()
	for {
		select {
		case <-done:
			return
		case <-d.box.fresh:
		}
		p.Send(freshMsg{})
		gap.Reset(gapOf(d.box.cells.Load()))
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
	for _, stream := range streams {
		f, ok := stream.(term.File)
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
