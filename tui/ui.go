// Package tui tells people a run while it lasts: a Bubble Tea view on a
// terminal (UI), one line a second everywhere else (Lines). Both take Frames and
// neither ever makes the caller wait: what a slow terminal cannot show is
// dropped.
package tui

import (
	"io"

	"github.com/cstest/cstest/reason"
	"github.com/cstest/cstest/scenario"
)

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

// UI is the live view of one run. Its methods are safe for concurrent use; Run is
// called once.
type UI struct {
	*display
	*feed
}

// New makes a UI. Nothing is drawn before Run.
func New(opts Options) *UI {
	d := newFeed()
	return &UI{newDisplay(&opts, newModel(opts, d), &d.mailbox), d}
}
