package main

import (
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/cstest/cstest/trial"
	"github.com/cstest/cstest/tui"
)

// seriesView shows runs that follow one another on a terminal, whatever they are for:
// where they are, and the run under way. Its owner shows the rest.
type seriesView struct {
	signals *signals
	started time.Time
	// show hands a frame over. It is called under mu, which guards what its owner
	// puts into the frame too.
	show func(tui.Series)

	mu    sync.Mutex
	at    tui.Series
	left  time.Duration // for all runs that are not made, as of since
	since time.Time     // the run under way began
	run   *frames       // of the run under way; nil before its first second
}

// canShow gives the terminal of a live view, where there is one.
func canShow(s streams) (in, out *os.File, ok bool) {
	in, _ = s.in.(*os.File)
	out = fileOf(s.err)
	return in, out, tui.Able(in, out, os.Environ())
}

// onStop ends the runs as a signal does.
func (v *seriesView) onStop(hard bool) { v.signals.end(syscall.SIGINT, hard) }

// change changes what is shown.
func (v *seriesView) change(change func()) {
	v.mu.Lock()
	change()
	v.mu.Unlock()
	v.tick()
}

// begin tells of a run that begins, and gives what is to be told of it.
func (v *seriesView) begin(c *chosen, running string, change func()) func(*trial.Live) {
	b := newFrames(c.Scenario, v.signals, spread{})
	v.change(func() {
		v.since, v.run = time.Now(), nil
		v.at.Running, v.at.Now = running, tui.Frame{Phase: tui.Starting, Total: c.TotalDuration()}
		change()
	})
	return func(l *trial.Live) {
		f := b.build(l)
		v.change(func() { v.at.Now, v.run = f, b })
	}
}

// made tells of a run that was made, and that all others take about so long.
func (v *seriesView) made(line string, left time.Duration, change func()) {
	v.change(func() {
		v.since, v.run, v.left = time.Now(), nil, left
		v.at.Done++
		v.at.Now, v.at.Running = tui.Frame{Phase: tui.Starting}, ""
		v.at.Made = slices.Insert(slices.Clone(v.at.Made), 0, line)
		change()
	})
}

// tick shows what there is, with the clocks moved on.
func (v *seriesView) tick() {
	v.mu.Lock()
	defer v.mu.Unlock()
	s := v.at
	if v.run != nil {
		if now, ok := v.run.between(); ok {
			s.Now = now
		}
	}
	s.Elapsed = time.Since(v.started)
	if v.left > 0 {
		s.Left = max(v.left-time.Since(v.since), time.Second)
	}
	s.Stopping = v.signals.stopping()
	v.show(s)
}
