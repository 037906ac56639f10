package tui

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"
)

// guarded ends the view in order where its model panics. Left to Bubble Tea, the
// terminal is closed beside the goroutine that reads it.
type guarded struct {
	tea.Model
	display *display
}

// Update passes a message on.
func (g guarded) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer func() {
		if what := recover(); what != nil {
			g.display.panicked(what)
			next = g
		}
	}()
	g.Model, cmd = g.Model.Update(msg)
	return g, cmd
}

// View draws.
func (g guarded) View() (v tea.View) {
	defer func() {
		if what := recover(); what != nil {
			g.display.panicked(what)
		}
	}()
	return g.Model.View()
}

// panicked notes what a model panicked with, and ends the view.
func (d *display) panicked(what any) {
	err := fmt.Errorf("it panicked: %v", what)
	d.crash.CompareAndSwap(nil, &err)
	d.Quit()
}

// ended is how the view ended: a panic of its model comes first.
func (d *display) ended(err error) error {
	if crash := d.crash.Load(); crash != nil {
		return errors.Join(*crash, err)
	}
	return err
}
